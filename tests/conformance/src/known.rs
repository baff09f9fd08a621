//! The differences from AWS that are known, and why the shop can bear them.

/// A check that does not hold somewhere.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The check's name.
    pub check: &'static str,
    /// What is in its message, so that another failure of the same check is not taken for this one.
    pub seen: &'static str,
    /// Why the shop can bear it, or what guards it instead.
    pub reason: &'static str,
}

/// Of the embedded cloud.
pub const EMBEDDED: &[Difference] = &[];

/// Of MiniStack, in the version that localstack/requirements-ministack.txt pins.
pub const MINISTACK: &[Difference] = &[];

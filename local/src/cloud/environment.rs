//! Where a call comes from: an environment of a function, which may crash at any moment, or an outside caller.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The name of the function, or of the outside caller.
    pub(super) caller: Arc<str>,
    /// The ARN of the role that an outside caller has taken.
    pub(super) role: Option<Arc<str>>,
    /// The number of the environment; 0 for an outside caller.
    pub(super) number: u64,
    /// By how many milliseconds its clock is ahead.
    pub(super) clock_skew: i64,
    /// Cancelled when it crashes; none for an outside caller.
    pub(super) crash: Option<CancellationToken>,
}

impl Place {
    /// A caller that is no function of the template.
    pub(super) fn outside(caller: &str) -> Self {
        Self { caller: caller.into(), role: None, number: 0, clock_skew: 0, crash: None }
    }
}

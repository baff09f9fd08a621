//! A panic as an error, so that one poisonous message or record is one failed item, not a failed batch.

use std::any::Any;
use std::fmt;

use shop_lambda::log::panic_text;

/// Code panicked. The text is the panic's own, where it has one; the code that panics must put no data of
/// a customer into it (`expect` is linted away, so it is an index or an arithmetic bug).
#[derive(Debug)]
pub(crate) struct Panicked(String);

impl Panicked {
    pub(crate) fn new(payload: &(dyn Any + Send)) -> Self {
        Self(panic_text(payload).to_owned())
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.0)
    }
}

impl std::error::Error for Panicked {}

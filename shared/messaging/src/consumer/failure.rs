//! Why a message is not done.

use std::error::Error;
use std::fmt;

/// What became of a message: done, or failed, in which case the queue delivers it again.
pub type MessageResult = Result<(), Failure>;

/// A message is not done: it is delivered again after a while, and after `maxReceiveCount` deliveries it goes to the
/// dead-letter queue.
#[derive(Debug)]
pub struct Failure {
    code: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure with its cause. `code` is a short `snake_case` name for logs and alarms; the cause's text
    /// is logged, and must hold no data of a customer.
    pub fn new(code: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code, source: Some(source.into()) }
    }

    /// A failure that its code says all about.
    #[must_use]
    pub const fn code_only(code: &'static str) -> Self {
        Self { code, source: None }
    }

    /// The short name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

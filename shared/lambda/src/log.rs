//! The log: one JSON object a line, as CloudWatch and the Lambda console read it.
//!
//! What may be logged: ids, counts, codes, durations. What must not: bodies, tokens, e-mail addresses,
//! names, and errors of AWS calls with their inputs. Errors are logged through [`Chain`].

use std::error::Error;
use std::fmt;

use tracing::Level;

/// Starts the log at the level of `AWS_LAMBDA_LOG_LEVEL` (Lambda's own setting; INFO where it is not set
/// or not a level). A second call changes nothing.
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|text| text.parse().ok());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_max_level(level.unwrap_or(Level::INFO))
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("the log had been started before");
    }
}

/// An error with all its causes in one line.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a>(pub &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

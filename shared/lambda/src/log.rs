//! The log: one JSON object a line, as CloudWatch and the Lambda console read it.
//!
//! What may be logged: ids, counts, codes, durations. What must not: bodies, tokens, e-mail addresses,
//! names, and errors of AWS calls with their inputs. Errors are logged through [`Chain`].

use std::error::Error;
use std::fmt;

use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// The crates whose log is ours, and follows the level that is asked for.
// sync: services
#[rustfmt::skip]
const OURS: &[&str] = &["api", "orders", "products", "users", "emails", "notifications", "cache", "analytics", "redrives", "search", "monitor", "shop_"];
// /sync

/// Starts the log at the level of `AWS_LAMBDA_LOG_LEVEL` (Lambda's own setting; INFO where it is not set
/// or not a level). A second call changes nothing.
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|text| text.parse().ok());
    let subscriber = subscriber(level.unwrap_or(Level::INFO), std::io::stdout);
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("the log had been started before");
    }
}

/// The log at a level. It is that of our own crates: what is below them writes whole requests to its finer
/// levels, passwords and addresses included, and is never asked for more than INFO.
pub fn subscriber<W>(level: Level, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let others = LevelFilter::from_level(level.min(Level::INFO));
    let levels = Targets::new().with_default(others).with_targets(OURS.iter().map(|name| (*name, level)));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(levels).with(lines)
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

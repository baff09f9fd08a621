//! Waiting for a condition: a check looks again until it holds, and never sleeps for a time and hopes.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

/// Longer than anything takes that is checked here.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// What one look saw.
pub(crate) enum Look<T> {
    /// The condition holds.
    Done(T),
    /// Not yet; what was seen instead, for the failure's message.
    NotYet(String),
}

/// Looks again and again until `look` is done.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<Look<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        match look().await? {
            Look::Done(value) => return Ok(value),
            Look::NotYet(seen) if started.elapsed() > PATIENCE => {
                bail!("waited {} s for {what}; last seen: {seen}", PATIENCE.as_secs())
            }
            Look::NotYet(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

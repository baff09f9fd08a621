//! Waiting for a condition. The suite never sleeps for a time and hopes: it looks again until the answer is
//! there, and says what it saw last when it never came.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Between two looks: short at first, because most things happen at once.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// And no longer than this, so that a slow stack is not asked too often either.
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// What one look saw.
#[derive(Debug)]
pub(crate) enum Look<T> {
    /// The condition holds.
    Done(T),
    /// Not yet; what was seen instead, for the failure's message.
    NotYet(String),
}

/// Looks again and again until `look` is done.
pub(crate) async fn until<T>(
    what: &str,
    patience: Duration,
    mut look: impl AsyncFnMut() -> Result<Look<T>>,
) -> Result<T> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match look().await? {
            Look::Done(value) => return Ok(value),
            Look::NotYet(seen) if started.elapsed() > patience => {
                bail!("waited {} s for {what}; last seen: {seen}", patience.as_secs())
            }
            Look::NotYet(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

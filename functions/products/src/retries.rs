//! Tries of a change that others may get ahead of.

use std::time::Duration;

use shop_http::Problem;

/// Longer each time. Against two consumers at work on the same counter without a break, these are enough.
const PAUSES: [Duration; 7] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(40),
    Duration::from_millis(40),
    Duration::from_millis(40),
];

/// The tries that are left.
pub(crate) struct Retries(std::slice::Iter<'static, Duration>);

impl Retries {
    pub(crate) fn new() -> Self {
        Self(PAUSES.iter())
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// 503 when there is none.
    pub(crate) async fn pause(&mut self) -> Result<(), Problem> {
        let pause = self.0.next().ok_or_else(Problem::contended)?;
        tokio::time::sleep(*pause).await;
        Ok(())
    }
}

//! The one clock of a cloud: the system's, or the virtual time of a paused runtime.
//!
//! Everything that asks for the time asks here: signatures, visibility timeouts, record ages, the functions.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::time::TimeSource;
use tokio::time::Instant;

/// Where virtual time begins: 2026-01-01T00:00:00Z, in milliseconds.
const VIRTUAL_START: i64 = 1_767_225_600_000;

/// The time. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// When virtual time began, by the runtime's clock; none in real time.
    virtual_start: Option<Instant>,
    /// By how many milliseconds it is ahead of the others.
    ahead: i64,
}

impl Clock {
    pub(crate) fn real() -> Self {
        Self { virtual_start: None, ahead: 0 }
    }

    /// Virtual time: it moves as the runtime's clock does, from a fixed beginning.
    pub(crate) fn simulated() -> Self {
        Self { virtual_start: Some(Instant::now()), ahead: 0 }
    }

    /// The same clock, so many milliseconds ahead.
    pub(super) fn ahead(&self, millis: i64) -> Self {
        Self { virtual_start: self.virtual_start, ahead: self.ahead + millis }
    }

    /// Milliseconds since the epoch.
    pub(crate) fn now(&self) -> i64 {
        let (start, passed) = match self.virtual_start {
            None => (0, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
            Some(start) => (VIRTUAL_START, start.elapsed()),
        };
        start.saturating_add(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)).saturating_add(self.ahead)
    }

    /// Waits until a time in milliseconds since the epoch.
    pub(crate) async fn until(&self, time: i64) {
        let left = u64::try_from(time.saturating_sub(self.now())).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(left)).await;
    }
}

impl TimeSource for Clock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(Clock::now(self)).unwrap_or(0))
    }
}

/// The clock that DynamoDB numbers its stream records by. No two readings are the same, so that a record's
/// number is never used again after the record is gone, however little time has passed.
#[derive(Clone)]
pub(crate) struct StreamClock {
    clock: Clock,
    /// Microseconds since the epoch.
    last: Arc<AtomicI64>,
}

impl StreamClock {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, last: Arc::new(AtomicI64::new(0)) }
    }

    fn tick(&self) -> i64 {
        let now = self.clock.now().saturating_mul(1000);
        let next = |last: i64| now.max(last.saturating_add(1));
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            match self.last.compare_exchange_weak(last, next(last), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return next(last),
                Err(current) => last = current,
            }
        }
    }
}

impl fmt::Debug for StreamClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StreamClock")
    }
}

impl dynoxide::storage_backend::Clock for StreamClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.clock.now() / 1000).unwrap_or(0)
    }

    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "dynoxide takes its microseconds as seconds; the half keeps them whole when it cuts them off"
    )]
    fn now_unix_secs_f64(&self) -> f64 {
        (self.tick() as f64 + 0.5) / 1_000_000.0
    }
}

#[cfg(test)]
mod tests {
    use dynoxide::storage_backend::Clock as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn virtual_time_moves_by_waiting_only() {
        let clock = Clock::simulated();
        assert_eq!(clock.now(), VIRTUAL_START);
        clock.until(VIRTUAL_START + 5000).await;
        assert_eq!(clock.now(), VIRTUAL_START + 5000);
    }

    #[tokio::test(start_paused = true)]
    #[expect(clippy::cast_possible_truncation, reason = "as dynoxide does it")]
    async fn stream_records_never_share_a_number() {
        let clock = StreamClock::new(Clock::simulated());
        let numbers: Vec<i64> = (0..1000).map(|_| (clock.now_unix_secs_f64() * 1_000_000.0) as i64).collect();
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1));
    }
}

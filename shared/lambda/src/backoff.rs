//! The pauses between tries of what others were in the way of: one policy, for whatever is tried again.
//!
//! A pause is slept on the SDK's timer and drawn from the function's own randomness, so that a simulated clock and a
//! seed govern both.

use std::fmt;
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};

use crate::{Contention, Environment, Random};

/// Tries in all. Of writers that meet one always gets through, so these are enough for as many.
const TRIES: u32 = 8;
/// The longest first pause; it doubles. A transaction, which is what one mostly meets, takes about 10 ms.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// No pause is longer: a caller waits, and all of them together stay below a second.
const LONGEST_PAUSE: Duration = Duration::from_millis(160);

/// How to wait before something is tried again.
#[derive(Clone)]
pub struct Backoff {
    sleep: Option<SharedAsyncSleep>,
    random: Random,
}

/// The tries of one piece of work.
#[derive(Clone, Debug)]
pub struct Tries {
    backoff: Backoff,
    paused: u32,
}

impl Backoff {
    /// Waits on a timer; without one, not at all.
    #[must_use]
    pub const fn new(sleep: Option<SharedAsyncSleep>, random: Random) -> Self {
        Self { sleep, random }
    }

    /// Waits on the environment's timer.
    #[must_use]
    pub fn start(environment: &Environment) -> Self {
        Self::new(environment.sdk_config().sleep_impl(), environment.random())
    }

    /// The tries of a new piece of work. The first needs no pause.
    #[must_use]
    pub fn tries(&self) -> Tries {
        Tries { backoff: self.clone(), paused: 0 }
    }
}

impl Tries {
    /// Waits before the next try, between the half and the whole of a time that doubles: those who met once do not
    /// meet again.
    ///
    /// # Errors
    /// There is no further try.
    pub async fn pause(&mut self) -> Result<(), Contention> {
        self.paused += 1;
        if self.paused >= TRIES {
            return Err(Contention::of_writers());
        }
        let whole = FIRST_PAUSE.saturating_mul(1 << (self.paused - 1)).min(LONGEST_PAUSE);
        let [drawn] = self.backoff.random.bytes::<1>();
        let pause = whole / 2 + whole / 2 * u32::from(drawn) / u32::from(u8::MAX);
        if let Some(sleep) = &self.backoff.sleep {
            sleep.sleep(pause).await;
        }
        Ok(())
    }
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Backoff")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use aws_smithy_async::rt::sleep::Sleep;

    use super::*;

    /// A timer that notes what it was asked for.
    #[derive(Clone, Debug, Default)]
    struct Noted(Arc<Mutex<Vec<Duration>>>);

    impl AsyncSleep for Noted {
        fn sleep(&self, duration: Duration) -> Sleep {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(duration);
            Sleep::new(std::future::ready(()))
        }
    }

    async fn pauses(drawn: u8) -> Vec<u128> {
        let noted = Noted::default();
        let random = Random::new(move |bytes| bytes.fill(drawn));
        let mut tries = Backoff::new(Some(SharedAsyncSleep::new(noted.clone())), random).tries();
        while tries.pause().await.is_ok() {}
        assert!(tries.pause().await.is_err(), "the end is the end");
        noted.0.lock().unwrap().iter().map(Duration::as_millis).collect()
    }

    #[tokio::test]
    async fn pauses_double_to_a_bound_and_are_drawn_from_their_upper_half() {
        assert_eq!(pauses(u8::MAX).await, [10, 20, 40, 80, 160, 160, 160]);
        assert_eq!(pauses(0).await, [5, 10, 20, 40, 80, 80, 80]);
    }

    #[tokio::test]
    async fn without_a_timer_there_are_as_many_tries() {
        let mut tries = Backoff::new(None, Random::system()).tries();
        for _ in 1..TRIES {
            tries.pause().await.unwrap();
        }
        assert!(Contention::caused(&tries.pause().await.unwrap_err()));
    }
}

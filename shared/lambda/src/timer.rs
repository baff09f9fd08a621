//! Work that is given up when its time is over.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use futures::future::{self, Either};

use crate::{Clock, Environment};

/// The time, and a way to wait for some of it: the environment's own, so that a simulated clock governs both.
#[derive(Clone)]
pub struct Timer {
    clock: Clock,
    sleep: Option<SharedAsyncSleep>,
}

/// Its time was over before the work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there was no time left")]
pub struct OutOfTime;

impl Timer {
    /// The environment's timer.
    #[must_use]
    pub fn start(environment: &Environment) -> Self {
        Self { clock: environment.clock(), sleep: environment.sdk_config().sleep_impl() }
    }

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Waits for some time; not at all without a way to wait.
    pub async fn wait(&self, time: Duration) {
        if let Some(sleep) = self.sleep.as_ref().filter(|_| !time.is_zero()) {
            sleep.sleep(time).await;
        }
    }

    /// Does work in no more than this time; without a limit, or a way to wait, in as much as it takes.
    ///
    /// # Errors
    /// The time was over first. The work was dropped where it stood: a call that it was waiting for may have taken
    /// effect.
    pub async fn within<T>(
        &self,
        limit: Option<Duration>,
        work: impl Future<Output = T>,
    ) -> Result<T, OutOfTime> {
        let (Some(limit), Some(sleep)) = (limit, &self.sleep) else { return Ok(work.await) };
        let work = std::pin::pin!(work);
        // The work comes first: what is done is done, however late.
        match future::select(work, sleep.sleep(limit)).await {
            Either::Left((done, _)) => Ok(done),
            Either::Right(_) => Err(OutOfTime),
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Timer")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_smithy_async::rt::sleep::TokioSleep;
    use aws_types::SdkConfig;

    use super::*;
    use crate::Random;

    fn timer(sleep: Option<SharedAsyncSleep>) -> Timer {
        let mut sdk = SdkConfig::builder();
        sdk.set_sleep_impl(sleep);
        Timer::start(&Environment::new(BTreeMap::new(), sdk.build(), Random::system()))
    }

    #[tokio::test(start_paused = true)]
    async fn work_ends_with_its_time() {
        let timer = timer(Some(SharedAsyncSleep::new(TokioSleep::new())));
        let second = Duration::from_secs(1);
        let work = || async {
            tokio::time::sleep(second).await;
            7
        };
        assert_eq!(timer.within(Some(second * 2), work()).await, Ok(7));
        assert_eq!(timer.within(None, work()).await, Ok(7));
        let began = tokio::time::Instant::now();
        assert_eq!(timer.within(Some(second / 2), work()).await, Err(OutOfTime));
        assert_eq!(began.elapsed(), second / 2);
        assert_eq!(timer.within(Some(Duration::ZERO), future::ready(7)).await, Ok(7), "it was done");
    }

    #[tokio::test]
    async fn without_a_way_to_wait_there_is_no_limit() {
        assert_eq!(timer(None).within(Some(Duration::ZERO), future::ready(7)).await, Ok(7));
    }
}

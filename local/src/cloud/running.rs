//! The tasks of a cloud: counted, so that a stop can wait for what runs, and ended with it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a stop waits for invocations: the longest of them end at their own timeouts.
const GRACE_PERIOD: Duration = Duration::from_secs(30);

/// Starts tasks, and ends them. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Running {
    /// Cancelled when no more work is taken on.
    stopping: CancellationToken,
    /// Cancelled when pollers, readers and schedules end wherever they are.
    ended: CancellationToken,
    invocations: watch::Sender<usize>,
    /// Tells who waits for everything to be done that an invocation ended.
    changed: Arc<Notify>,
}

struct Guard(Running);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.invocations.send_modify(|count| *count = count.saturating_sub(1));
        self.0.changed.notify_waiters();
    }
}

impl Running {
    pub(super) fn new(changed: Arc<Notify>) -> Self {
        Self {
            stopping: CancellationToken::new(),
            ended: CancellationToken::new(),
            invocations: watch::Sender::new(0),
            changed,
        }
    }

    /// Starts an invocation; none while the cloud stops.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<JoinHandle<T>> {
        if self.stopping.is_cancelled() {
            return None;
        }
        self.invocations.send_modify(|count| *count += 1);
        let guard = Guard(self.clone());
        Some(tokio::spawn(async move {
            let _guard = guard;
            task.await
        }))
    }

    /// Starts a worker. It must end by itself soon after [`Running::stopped`].
    pub(super) fn worker(&self, task: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(self.ended.clone().run_until_cancelled_owned(task));
    }

    /// Returns when the cloud stops.
    pub(super) async fn stopped(&self) {
        self.stopping.cancelled().await;
    }

    pub(super) fn is_idle(&self) -> bool {
        *self.invocations.borrow() == 0
    }

    /// Takes no new work, waits for what runs, and ends the rest.
    pub(super) async fn stop(&self) {
        self.stopping.cancel();
        let mut invocations = self.invocations.subscribe();
        let idle = invocations.wait_for(|count| *count == 0);
        if tokio::time::timeout(GRACE_PERIOD, idle).await.is_err() {
            tracing::warn!("some invocations did not end in time");
        }
        self.abort();
    }

    /// Ends every worker at once.
    pub(super) fn abort(&self) {
        self.stopping.cancel();
        self.ended.cancel();
    }
}

//! The tasks of a cloud: counted, so that a stop can wait for what runs, and ended with it.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinHandle};

/// How long a stop waits for invocations: the longest of them end at their own timeouts.
const GRACE_PERIOD: Duration = Duration::from_secs(30);

/// Starts tasks, and ends them.
#[derive(Clone, Debug)]
pub(super) struct Running(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Becomes true when the cloud stops.
    stopping: watch::Sender<bool>,
    /// How many invocations run.
    invocations: watch::Sender<usize>,
    /// Tells who waits for everything to be done that an invocation ended.
    changed: Arc<Notify>,
    /// Pollers, readers and schedules.
    workers: Mutex<Vec<AbortHandle>>,
}

/// One invocation that runs.
struct Guard(Arc<Inner>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.invocations.send_modify(|count| *count = count.saturating_sub(1));
        self.0.changed.notify_waiters();
    }
}

impl Running {
    pub(super) fn new(changed: Arc<Notify>) -> Self {
        Self(Arc::new(Inner {
            changed,
            stopping: watch::Sender::new(false),
            invocations: watch::Sender::new(0),
            workers: Mutex::new(Vec::new()),
        }))
    }

    /// Starts an invocation; none while the cloud stops.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<JoinHandle<T>> {
        if *self.0.stopping.borrow() {
            return None;
        }
        self.0.invocations.send_modify(|count| *count += 1);
        let guard = Guard(Arc::clone(&self.0));
        Some(tokio::spawn(async move {
            let _guard = guard;
            task.await
        }))
    }

    /// Starts a worker. It must end by itself soon after [`Running::stopped`].
    pub(super) fn worker(&self, task: impl Future<Output = ()> + Send + 'static) {
        let handle = tokio::spawn(task).abort_handle();
        let mut workers = self.0.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.retain(|worker| !worker.is_finished());
        workers.push(handle);
    }

    /// Returns when the cloud stops.
    pub(super) async fn stopped(&self) {
        // It fails only when the sender is gone, which is a stop too.
        let _: Result<_, _> = self.0.stopping.subscribe().wait_for(|stopping| *stopping).await;
    }

    pub(super) fn is_idle(&self) -> bool {
        *self.0.invocations.borrow() == 0
    }

    /// Takes no new work, waits for what runs, and ends the rest.
    pub(super) async fn stop(&self) {
        self.0.stopping.send_replace(true);
        let mut invocations = self.0.invocations.subscribe();
        let idle = invocations.wait_for(|count| *count == 0);
        if tokio::time::timeout(GRACE_PERIOD, idle).await.is_err() {
            tracing::warn!("some invocations did not end in time");
        }
        self.abort();
    }

    /// Ends every worker at once.
    pub(super) fn abort(&self) {
        self.0.stopping.send_replace(true);
        let mut workers = self.0.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.drain(..).for_each(|worker| worker.abort());
    }
}

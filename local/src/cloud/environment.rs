//! Where a call comes from: an environment of a function, which may die at any moment, or an outside caller.

use std::sync::Arc;

use tokio::sync::watch;

/// A caller.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The name of the function, or of the outside caller.
    pub(super) caller: Arc<str>,
    /// The ARN of the role that an outside caller has taken.
    pub(super) role: Option<Arc<str>>,
    /// The number of the environment; 0 for an outside caller.
    pub(super) number: u64,
    /// By how many milliseconds its clock is ahead.
    pub(super) clock_skew: i64,
    /// Its end; none for an outside caller.
    pub(super) death: Option<Death>,
}

impl Place {
    /// A caller that is no function of the template.
    pub(super) fn outside(caller: &str) -> Self {
        Self { caller: caller.into(), role: None, number: 0, clock_skew: 0, death: None }
    }
}

/// The death of an environment: whoever runs it waits for it, and whoever is asked to brings it about.
#[derive(Clone, Debug)]
pub(super) struct Death(Arc<watch::Sender<bool>>);

impl Death {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub(super) fn bring(&self) {
        self.0.send_replace(true);
    }

    /// Returns when the environment is dead.
    pub(super) async fn come(&self) {
        // It fails only when the sender is gone, and this is one of them.
        let _: Result<_, _> = self.0.subscribe().wait_for(|dead| *dead).await;
    }
}

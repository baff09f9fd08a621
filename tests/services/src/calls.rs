//! The calls of one function or some: kept, made to fail, or held while something else happens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use futures::future::{BoxFuture, FutureExt, ready};
use serde_json::Value;
use shop_local::cloud::{Call, Fault, Interceptor, Options};
use tokio::sync::Notify;

type Choose = dyn Fn(&Call) -> Option<Fault> + Send + Sync;

/// Watches the calls of a function, or of some, each try of the SDK as one.
pub struct Calls {
    functions: Vec<&'static str>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    made: Vec<Made>,
    before: Option<Box<Choose>>,
    after: Option<Box<Choose>>,
    hold: Option<Arc<Hold>>,
}

/// A call that was made, whatever came of it.
#[derive(Debug)]
pub struct Made {
    /// The API operation, as `TransactWriteItems`.
    pub operation: String,
    /// The request's body.
    pub body: Value,
}

/// A call that waits.
#[derive(Debug)]
pub struct Hold {
    operation: &'static str,
    reached: Notify,
    released: Notify,
}

impl Calls {
    /// Watches a function, by its one name.
    #[must_use]
    pub fn of(function: &'static str) -> Arc<Self> {
        Self::of_all(&[function])
    }

    /// Watches some functions.
    #[must_use]
    pub fn of_all(functions: &[&'static str]) -> Arc<Self> {
        Arc::new(Self { functions: functions.to_vec(), state: Mutex::default() })
    }

    /// Settings of a cloud whose calls it watches.
    #[must_use]
    pub fn options(self: &Arc<Self>, seed: u64) -> Options {
        Options { interceptor: Some(Arc::<Self>::clone(self)), ..Options::simulated(seed) }
    }

    /// The calls since they were taken last.
    #[must_use]
    pub fn take(&self) -> Vec<Made> {
        std::mem::take(&mut self.state().made)
    }

    /// The operations of the calls since they were taken last.
    #[must_use]
    pub fn take_operations(&self) -> Vec<String> {
        self.take().into_iter().map(|made| made.operation).collect()
    }

    /// Lets calls fail before they take effect, from now on.
    pub fn fail(&self, choose: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) {
        self.state().before = Some(Box::new(choose));
    }

    /// Puts faults in the place of answers, from now on: the calls take effect.
    pub fn lose(&self, choose: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) {
        self.state().after = Some(Box::new(choose));
    }

    /// Lets everything go its plain course again.
    pub fn recover(&self) {
        let mut state = self.state();
        (state.before, state.after) = (None, None);
    }

    /// Holds the next call of an operation, until [`Hold::meanwhile`] is over.
    #[must_use]
    pub fn hold_next(&self, operation: &'static str) -> Arc<Hold> {
        let hold = Arc::new(Hold { operation, reached: Notify::new(), released: Notify::new() });
        self.state().hold = Some(Arc::clone(&hold));
        hold
    }

    /// What a consumer tells the journal is no part of what it does.
    fn is_watched(&self, call: &Call) -> bool {
        let is_receipt = call.accesses.iter().any(|access| access.resource.ends_with("JournalQueue"));
        self.functions.contains(&&*call.caller) && !is_receipt
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// Does something between the moment at which the call is made and the one at which it takes effect.
    ///
    /// # Errors
    /// What is done fails.
    pub async fn meanwhile<T>(&self, act: impl Future<Output = Result<T>>) -> Result<T> {
        self.reached.notified().await;
        let done = act.await;
        self.released.notify_one();
        done
    }
}

impl Interceptor for Calls {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        if !self.is_watched(call) {
            return ready(None).boxed();
        }
        let mut state = self.state();
        let body = serde_json::from_slice(&call.body).unwrap_or_default();
        state.made.push(Made { operation: call.operation.clone(), body });
        let fault = state.before.as_ref().and_then(|choose| choose(call));
        let hold = state.hold.take_if(|hold| hold.operation == call.operation);
        async move {
            if let Some(hold) = hold {
                hold.reached.notify_one();
                hold.released.notified().await;
            }
            fault
        }
        .boxed()
    }

    fn after<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        if !self.is_watched(call) {
            return ready(None).boxed();
        }
        let fault = self.state().after.as_ref().and_then(|choose| choose(call));
        ready(fault).boxed()
    }
}

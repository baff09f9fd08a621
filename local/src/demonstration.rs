//! Slow motion, and faults on purpose, for who shows the shop to somebody (docs/decisions/0060). Both are made at the wire:
//! no function knows of it, and nothing that is deployed has it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, ready};

use crate::cloud::{AwsError, Call, Delivery, Fault, Interceptor, Service};

/// How the shop is shown.
#[derive(Debug)]
pub struct Demonstration {
    hop_delay: Duration,
    /// The functions that there are.
    functions: BTreeSet<String>,
    failing: Mutex<BTreeSet<String>>,
}

/// There is no function of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no function {0}")]
pub struct UnknownFunction(pub String);

impl Demonstration {
    /// Each delivery waits for so long; nothing fails yet.
    pub fn new(hop_delay: Duration, functions: impl IntoIterator<Item = String>) -> Self {
        Self { hop_delay, functions: functions.into_iter().collect(), failing: Mutex::default() }
    }

    /// Has a function's calls of AWS fail from now on, or go their plain course again.
    ///
    /// # Errors
    /// There is no such function.
    pub fn set_failing(&self, function: &str, fails: bool) -> Result<(), UnknownFunction> {
        if !self.functions.contains(function) {
            return Err(UnknownFunction(function.to_owned()));
        }
        if fails {
            self.lock().insert(function.to_owned());
        } else {
            self.lock().remove(function);
        }
        tracing::warn!(function.name = function, fails, "a fault for demonstration");
        Ok(())
    }

    /// The functions whose calls fail, by their names.
    #[must_use]
    pub fn failing(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interceptor for Demonstration {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        // What a consumer says to its queue and to the journal goes through: that is what is to be seen.
        let fails = call.service != Service::Sqs && self.lock().contains(&*call.caller);
        let error = || AwsError::service("InternalServerError", "it fails for a demonstration");
        ready(fails.then(|| Fault::Error(error()))).boxed()
    }

    fn deliver(&self, _delivery: &Delivery<'_>) -> (u32, Duration) {
        (1, self.hop_delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_that_there_are_can_fail_and_only_until_they_are_well_again() {
        let shown = Demonstration::new(Duration::from_millis(300), ["send-email".to_owned()]);
        assert_eq!(shown.set_failing("send-mail", true), Err(UnknownFunction("send-mail".to_owned())));
        for _ in 0..2 {
            shown.set_failing("send-email", true).unwrap();
            assert_eq!(shown.failing(), ["send-email"]);
        }
        shown.set_failing("send-email", false).unwrap();
        assert!(shown.failing().is_empty());
        let delivery = Delivery { function: "send-email", source: "q", ids: &[], earlier: 0 };
        assert_eq!(shown.deliver(&delivery), (1, Duration::from_millis(300)));
    }
}

//! Slow motion, time lapse, and faults on purpose, for who shows the shop to somebody (docs/decisions/0060). All are made at the
//! wire: no function knows of it, and nothing that is deployed has it.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, ready};
use serde_json::{Value, json};

use crate::cloud::{AwsError, Call, Delivery, Fault, Interceptor, Service};

/// How the shop is shown.
#[derive(Debug)]
pub struct Demonstration {
    hop_delay: Duration,
    /// How many times shorter it is what people would wait for.
    time_lapse: NonZeroU32,
    /// The functions that there are.
    functions: BTreeSet<String>,
    failing: Mutex<BTreeSet<String>>,
}

/// What runs on a schedule runs no more often, however short the time is made: each run is work for the machine.
const SHORTEST_DISTANCE: Duration = Duration::from_secs(1);

/// There is no function of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no function {0}")]
pub struct UnknownFunction(pub String);

impl Demonstration {
    /// Each delivery waits for so long; nothing fails yet.
    pub fn new(hop_delay: Duration, functions: impl IntoIterator<Item = String>) -> Self {
        let functions = functions.into_iter().collect();
        Self { hop_delay, time_lapse: NonZeroU32::MIN, functions, failing: Mutex::default() }
    }

    /// The same in time lapse: what failed comes again, and what runs on a schedule runs again, after so many times less.
    #[must_use]
    pub fn in_time_lapse(self, time_lapse: NonZeroU32) -> Self {
        Self { time_lapse, ..self }
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

    /// How many times shorter it is what people would wait for.
    #[must_use]
    pub const fn time_lapse(&self) -> NonZeroU32 {
        self.time_lapse
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

    fn rewrite(&self, call: &Call) -> Option<Vec<Vec<u8>>> {
        let is_pause = call.service == Service::Sqs && call.operation == "ChangeMessageVisibilityBatch";
        if !is_pause || self.time_lapse == NonZeroU32::MIN {
            return None;
        }
        sooner(&call.body, self.time_lapse).map(|body| vec![body])
    }

    fn distance(&self, every: Duration) -> Duration {
        let shorter = every.checked_div(self.time_lapse.get()).unwrap_or(every);
        // What is more often than that as it is stays so.
        shorter.max(SHORTEST_DISTANCE.min(every))
    }

    fn deliver(&self, _delivery: &Delivery<'_>) -> (u32, Duration) {
        (1, self.hop_delay)
    }
}

/// What a consumer says of when its messages come again, with so many times less. A queue counts in whole seconds: what is
/// to wait at all waits for one.
fn sooner(body: &[u8], times: NonZeroU32) -> Option<Vec<u8>> {
    let mut batch: Value = serde_json::from_slice(body).ok()?;
    for entry in batch["Entries"].as_array_mut()? {
        let seconds = entry["VisibilityTimeout"].as_u64()?;
        entry["VisibilityTimeout"] = json!(seconds.div_ceil(times.get().into()));
    }
    serde_json::to_vec(&batch).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_time_lapse_what_failed_and_what_is_on_a_schedule_is_back_soon() {
        let entry = |seconds: u32| json!({ "Id": "0", "ReceiptHandle": "r", "VisibilityTimeout": seconds });
        let batch = |seconds: [u32; 4]| json!({ "QueueUrl": "q", "Entries": seconds.map(entry) });
        let lapse = NonZeroU32::new(200).unwrap();
        let shorter = sooner(&serde_json::to_vec(&batch([890, 60, 1, 0])).unwrap(), lapse).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&shorter).unwrap(), batch([5, 1, 1, 0]));
        assert!(sooner(b"{}", lapse).is_none() && sooner(b"no JSON", lapse).is_none());

        let plain = Demonstration::new(Duration::ZERO, []);
        assert_eq!(plain.distance(Duration::from_mins(1)), Duration::from_mins(1));
        let quick = plain.in_time_lapse(lapse);
        for (every, expected) in [(60_000, 1_000), (86_400_000, 432_000), (500, 500)] {
            let (every, expected) = (Duration::from_millis(every), Duration::from_millis(expected));
            assert_eq!(quick.distance(every), expected);
        }
    }

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

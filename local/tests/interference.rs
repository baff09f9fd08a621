//! The seam for faults: calls that fail before or after they take effect, and batches that fail in part.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]


use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use shop_local::cloud::{AwsError, Call, Cloud, Delivery, Fault, Interceptor, Options};
use crate::toy::{DIED, counts, place_item, start};

/// Fails the first calls of one operation, before or after they take effect, and the first entries of batches.
#[derive(Default)]
struct Interference {
    operation: &'static str,
    before: Mutex<Vec<Fault>>,
    after: Mutex<Vec<Fault>>,
    entries: AtomicUsize,
    held_back: Duration,
}

impl Interceptor for Interference {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let hit = call.operation == self.operation;
        ready(hit.then(|| self.before.lock().unwrap().pop()).flatten()).boxed()
    }

    fn after<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        let hit = call.operation == self.operation;
        let fault = hit.then(|| self.after.lock().unwrap().pop()).flatten();
        if matches!(fault, Some(Fault::Crashed)) {
            DIED.notify_one();
        }
        ready(fault).boxed()
    }

    fn fails_entry(&self, call: &Call, _entry: &str) -> Option<AwsError> {
        let hit = call.operation == self.operation
            && self
                .entries
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok();
        hit.then(|| AwsError::service("InternalError", "asked to"))
    }

    fn deliver(&self, _delivery: &Delivery<'_>) -> (u32, Duration) {
        (1, self.held_back)
    }
}

fn with_faults<F: Future>(interference: Interference, test: impl FnOnce(Cloud) -> F) -> F::Output {
    let runtime = shop_local::cloud::simulated_runtime().unwrap();
    runtime.block_on(async {
        let options = Options { interceptor: Some(Arc::new(interference)), ..Options::simulated(1) };
        test(start(options).await).await
    })
}

fn throttled() -> Fault {
    Fault::Error(AwsError::client("ProvisionedThroughputExceededException", "slow down"))
}

#[test]
fn a_call_that_is_refused_before_it_takes_effect_is_tried_again_by_the_client() {
    let before = Mutex::new(vec![throttled(), Fault::Disconnected]);
    with_faults(
        Interference { operation: "PutItem", before, ..Interference::default() },
        |cloud| async move {
            assert_eq!(place_item(&cloud, "a", "item.placed").await, 201);
            let puts =
                cloud.meter().sum(|entry| entry.operation == "dynamodb:PutItem" && entry.resource == "Items");
            assert_eq!((puts.calls, puts.errors, puts.units.writes), (3, 2, 1));
        },
    );
}

/// The SDK allows so many retries together as a quota of five hundred tokens has room for.
#[test]
fn what_one_cloud_s_clients_have_tried_again_is_not_taken_from_another_s() {
    let outage = || std::iter::repeat_with(|| Fault::Disconnected).take(2_000).collect();
    let down = Interference { operation: "PutItem", before: Mutex::new(outage()), ..Interference::default() };
    with_faults(down, |cloud| async move {
        for _ in 0..200 {
            assert_eq!(place_item(&cloud, "a", "item.placed").await, 500);
        }
        let puts = cloud.meter().sum(|entry| entry.operation == "dynamodb:PutItem");
        assert!(puts.calls < 200 * 3, "the quota lasted for {} calls", puts.calls);
    });
    let before = Mutex::new(vec![Fault::Disconnected]);
    let once = Interference { operation: "PutItem", before, ..Interference::default() };
    with_faults(once, |cloud| async move {
        assert_eq!(place_item(&cloud, "a", "item.placed").await, 201);
    });
}

#[test]
fn an_answer_that_is_lost_has_taken_effect() {
    let after = Mutex::new(vec![Fault::Disconnected]);
    with_faults(
        Interference { operation: "PutItem", after, ..Interference::default() },
        |cloud| async move {
            // The client tries again and meets its own first write.
            assert_eq!(place_item(&cloud, "a", "item.placed").await, 409);
            cloud.settled().await;
            assert_eq!(counts(&cloud).await["a"], 1);
        },
    );
}

#[test]
fn whoever_dies_with_its_answer_on_its_lips_has_not_answered_and_is_not_asked_again() {
    let interference = Interference {
        operation: "PutItem",
        after: Mutex::new(vec![Fault::Crashed]),
        ..Interference::default()
    };
    with_faults(interference, |cloud| async move {
        assert_eq!(place_item(&cloud, "one", "hasty").await, 500);
        // Another environment has it from there.
        assert_eq!(place_item(&cloud, "one", "item.placed").await, 409);
    });
}

#[test]
fn a_publication_that_fails_in_part_is_delivered_again() {
    let entries = AtomicUsize::new(1);
    with_faults(
        Interference { operation: "PublishBatch", entries, ..Interference::default() },
        |cloud| async move {
            // The toy relay gives up on a failed entry, so its whole batch comes again.
            place_item(&cloud, "a", "item.placed").await;
            cloud.settled().await;
            assert_eq!(counts(&cloud).await["a"], 1);
            assert_eq!(cloud.meter().invocations["relay"].errors, 1);
        },
    );
}

#[test]
fn deliveries_can_be_held_back() {
    let held_back = Duration::from_secs(7);
    with_faults(Interference { held_back, ..Interference::default() }, |cloud| async move {
        let started = tokio::time::Instant::now();
        place_item(&cloud, "a", "item.placed").await;
        cloud.settled().await;
        assert!(started.elapsed() > Duration::from_secs(14));
    });
}

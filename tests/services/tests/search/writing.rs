//! Who writes the index: late, twice, at once, and with failures.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::json;
use service_tests::{Calls, crash_at_each_call, simulate};
use shop_local::cloud::{AwsError, Call, Fault, Observer, Options, Outcome, Service as Aws};

use super::{agrees, create, indexed, shop, trade};

#[test]
fn whatever_comes_twice_or_late_the_index_is_the_catalogue() -> Result<()> {
    for deliver_twice in [false, true] {
        simulate(async {
            let service = shop(Options { deliver_twice, ..Options::simulated(1) }).await?;
            trade(&service).await?;
            agrees(&service).await
        })?;
    }
    Ok(())
}

/// An event of long ago says which product to look at, and not what it was.
#[test]
fn a_late_event_brings_nothing_back() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        create(&service, "prod-123", "Mug", 1.5, 1).await?;
        service.send(Method::DELETE, "/products/prod-123", None).await?.expect(204)?;
        service.cloud.settled().await;
        for _ in 0..2 {
            let answer = service.invoke_fixture("index-products").await?;
            ensure!(answer == json!({ "batchItemFailures": [] }), "{answer}");
        }
        agrees(&service).await?;
        ensure!(indexed(&service).await?.is_empty());
        Ok(())
    })
}

/// Counts the writes of S3 that were refused, because another version was there.
#[derive(Default)]
struct Refusals(AtomicUsize);

impl Observer for Refusals {
    fn called(&self, _time: i64, _call: &Call, outcome: &Outcome<'_>) {
        let is_refused = outcome.error == Some("PreconditionFailed");
        self.0.fetch_add(usize::from(is_refused), Ordering::Relaxed);
    }
}

#[test]
fn two_writers_that_meet_lose_nothing() -> Result<()> {
    simulate(async {
        let (calls, refusals) = (Calls::of("index-products"), Arc::new(Refusals::default()));
        let mut options = calls.options(1);
        options.observers.push(Arc::<Refusals>::clone(&refusals));
        let service = shop(options).await?;
        create(&service, "p-1", "Mug", 1.5, 1).await?;
        agrees(&service).await?;
        // One stops between what it has read and its manifest; the other one publishes meanwhile.
        let change = async |id: &str, price: f64| {
            let path = format!("/products/{id}");
            service.send(Method::PATCH, &path, Some(&json!({ "price": price }))).await?.expect(200).map(drop)
        };
        for (round, (held, other)) in
            [(2.5, 3.25), (3.5, 4.25), (4.5, 5.25), (5.5, 6.25)].into_iter().enumerate()
        {
            let hold = calls.hold_next("PutObject");
            change("p-1", held).await?;
            hold.meanwhile(async {
                create(&service, &format!("q-{round}"), "Another mug", 1.5, 0).await?;
                change("p-1", other).await?;
                service.pass(Duration::from_secs(8)).await;
                Ok(())
            })
            .await?;
            agrees(&service).await?;
        }
        let refused = refusals.0.load(Ordering::Relaxed);
        ensure!(refused >= 4, "only {refused} writers had to begin again");
        Ok(())
    })
}

/// What the other one finds is what the index has, so that it has no segment to put; but not what the first is about to
/// publish.
#[test]
fn a_state_that_comes_back_is_not_overtaken_by_what_was_between() -> Result<()> {
    simulate(async {
        let calls = Calls::of("index-products");
        let service = shop(calls.options(1)).await?;
        create(&service, "p-1", "Mug", 1.5, 3).await?;
        agrees(&service).await?;
        let set_stock = async |stock: u64| {
            let body = json!({ "stock": stock });
            service.send(Method::PATCH, "/products/p-1/stock", Some(&body)).await?.expect(200).map(drop)
        };
        let hold = calls.hold_next("PutObject");
        set_stock(0).await?;
        hold.meanwhile(async {
            set_stock(3).await?;
            service.pass(Duration::from_secs(8)).await;
            Ok(())
        })
        .await?;
        agrees(&service).await?;

        let hold = calls.hold_next("PutObject");
        create(&service, "p-2", "Mug", 1.5, 1).await?;
        hold.meanwhile(async {
            service.send(Method::DELETE, "/products/p-2", None).await?.expect(204)?;
            service.pass(Duration::from_secs(8)).await;
            Ok(())
        })
        .await?;
        agrees(&service).await
    })
}

#[test]
fn a_crash_at_every_call_loses_nothing() -> Result<()> {
    crash_at_each_call("index-products", 1, 8, async |crash| {
        let service = shop(crash.options(1)).await?;
        crash.arm();
        trade(&service).await?;
        agrees(&service).await
    })
}

/// An answer of S3 that is lost, a conflict, an outage: the manifest tells what counts.
#[test]
fn what_s3_does_not_say_is_found_out() -> Result<()> {
    let conflict = || AwsError::client("ConditionalRequestConflict", "another is under way").with_status(409);
    let slow = || AwsError::service("SlowDown", "slow down").with_status(503);
    for (name, fault) in [
        ("lost", Fault::Disconnected),
        ("conflict", Fault::Error(conflict())),
        ("slow", Fault::Error(slow())),
    ] {
        simulate(async {
            let calls = Calls::of("index-products");
            let service = shop(calls.options(1)).await?;
            let count = AtomicUsize::new(0);
            let every_third = move |call: &Call| {
                let is_chosen = call.service == Aws::S3
                    && call.operation == "PutObject"
                    && count.fetch_add(1, Ordering::Relaxed).is_multiple_of(3);
                is_chosen.then(|| fault.clone())
            };
            // Done, and not said; or not done.
            if name == "lost" {
                calls.lose(every_third);
            } else {
                calls.fail(every_third);
            }
            trade(&service).await?;
            agrees(&service).await
        })
        .context(name)?;
    }
    Ok(())
}

#[test]
fn a_batch_is_one_segment_and_what_is_so_already_is_none() -> Result<()> {
    simulate(async {
        let calls = Calls::of("index-products");
        let service = shop(calls.options(1)).await?;
        for number in 0..40 {
            create(&service, &format!("p-{number}"), "Mug", 1.5, 1).await?;
        }
        agrees(&service).await?;
        let puts = calls.take_operations().iter().filter(|operation| *operation == "PutObject").count();
        ensure!(puts <= 8, "{puts} objects were put for 40 products");
        let reserved = json!({ "delta": -1 });
        for _ in 0..2 {
            service.send(Method::PATCH, "/products/p-7/stock", Some(&reserved)).await?;
        }
        agrees(&service).await?;
        let puts = calls.take_operations().iter().filter(|operation| *operation == "PutObject").count();
        ensure!(puts == 2, "{puts} objects were put for one crossing");
        Ok(())
    })
}

//! Each sale is counted once, whatever happens to its messages.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use service_tests::{Calls, Service, simulate};
use shop_events::{Event, EventData, OrderStatus};
use shop_local::cloud::{AwsError, Fault, Options};

use super::{bucket, cancelled, confirmed, deliver, get, items, key, order, put};

async fn start() -> Result<Service> {
    Service::start(&services::functions(), Options::simulated(1)).await
}

/// Six orders, of which one is cancelled while it is pending, and two after that.
fn events() -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for number in 0..6 {
        let hour = 10 + number;
        let order = order(number, &format!("2026-11-23T{hour}:30:00Z"), &["a", "b"][..=number % 2])?;
        let later = "2026-11-24T08:00:00Z";
        match number {
            0 => events.push(cancelled(&order, OrderStatus::Pending, later)?),
            1 | 2 => events.extend([confirmed(&order), cancelled(&order, OrderStatus::Confirmed, later)?]),
            _ => events.push(confirmed(&order)),
        }
    }
    Ok(events)
}

/// Repeats, cancellations before confirmations, one batch or many: the table is the same.
#[test]
fn any_order_any_batches_and_any_repetition_leave_the_same_table() -> Result<()> {
    simulate(async {
        let expected = {
            let service = start().await?;
            assert_eq!(deliver(&service, &events()?).await?, [0; 0]);
            items(&service).await?
        };
        let facts = expected.iter().filter(|item| key(item).0.starts_with("facts#")).count();
        assert_eq!(facts, 7, "five sales, two of them taken back");
        for size in [1, 2, 3, 8] {
            let service = start().await?;
            let mut events = events()?;
            events.reverse();
            events.extend(events.clone());
            events.rotate_left(3);
            for batch in events.chunks(size) {
                assert_eq!(deliver(&service, batch).await?, [0; 0], "{size}");
            }
            assert_eq!(items(&service).await?, expected, "{size}");
        }
        Ok(())
    })
}

#[test]
fn a_batch_is_one_transaction_and_reads_nothing() -> Result<()> {
    simulate(async {
        let calls = Calls::of("record-sale");
        let service = Service::start(&services::functions(), calls.options(1)).await?;
        deliver(&service, &[confirmed(&order(0, "2026-11-23T10:00:00Z", &["a"])?)]).await?;
        assert_eq!(calls.take_operations(), ["PutItem", "TransactWriteItems"], "the month is noted once");
        let batch = (1..20).map(|number| Ok(confirmed(&order(number, "2026-11-23T10:00:00Z", &["a"])?)));
        let batch = batch.collect::<Result<Vec<_>>>()?;
        deliver(&service, &batch).await?;
        let made = calls.take();
        let [made] = &made[..] else { panic!("{made:?}") };
        let writes = made.body["TransactItems"].as_array().context("writes")?;
        assert_eq!(writes.len(), 19 + 3, "an hour, a day and a product");
        // One that was counted before is left out, and the others are counted without it.
        let more = [
            confirmed(&order(5, "2026-11-23T10:00:00Z", &["a"])?),
            confirmed(&order(30, "2026-11-23T10:00:00Z", &["a"])?),
        ];
        assert_eq!(deliver(&service, &more).await?, [0; 0]);
        assert_eq!(calls.take_operations(), ["TransactWriteItems", "TransactWriteItems"]);
        let day = items(&service).await?.into_iter().find(|item| key(item).0 == "day#USD#2026");
        let expected =
            bucket("day#USD#2026", "2026-11-23", &[("orders", 21), ("units", 21), ("gross", 5250)]);
        assert_eq!(day.context("the day")?, expected);
        Ok(())
    })
}

/// A call that fails, and one whose answer is lost, are tried again by the queue: nothing is counted twice.
#[test]
fn a_lost_answer_counts_nothing_twice() -> Result<()> {
    simulate(async {
        let expected = {
            let service = start().await?;
            deliver(&service, &events()?).await?;
            items(&service).await?
        };
        for is_lost in [true, false] {
            let calls = Calls::of("record-sale");
            let service = Service::start(&services::functions(), calls.options(1)).await?;
            let left = AtomicUsize::new(5);
            let fault = move |call: &shop_local::cloud::Call| {
                let is_one = call.operation == "TransactWriteItems"
                    && left
                        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                        .is_ok();
                is_one.then(|| Fault::Error(AwsError::service("InternalServerError", "down")))
            };
            if is_lost {
                calls.lose(fault);
            } else {
                calls.fail(fault);
            }
            service.send_events("RecordSaleQueue", &events()?).await?;
            service.settled().await?;
            assert_eq!(items(&service).await?, expected, "{is_lost}");
            assert_eq!(service.depth("RecordSaleDeadLetterQueue"), 0);
        }
        Ok(())
    })
}

/// One bucket that somebody spoilt fails the orders that it concerns, and no other.
#[test]
fn a_broken_bucket_fails_only_its_own_orders() -> Result<()> {
    simulate(async {
        let service = start().await?;
        let broken = bucket("units#USD#2026-11-23", "broken", &[]);
        let broken = broken
            .into_iter()
            .chain([("units".to_owned(), aws_sdk_dynamodb::types::AttributeValue::S("many".into()))]);
        put(&service, broken.collect()).await?;
        let at = "2026-11-23T10:00:00Z";
        let batch = [
            confirmed(&order(0, at, &["a"])?),
            confirmed(&order(1, at, &["broken"])?),
            confirmed(&order(2, at, &["a", "broken"])?),
            confirmed(&order(3, at, &["b"])?),
        ];
        assert_eq!(deliver(&service, &batch).await?, [1, 2]);
        let sales = get(&service, "/analytics/sales?from=2026-11-23&to=2026-11-23").await?.expect(200)?;
        assert_eq!(sales.body["total"]["orders"], 2, "{}", sales.text);
        Ok(())
    })
}

#[test]
fn the_largest_order_and_what_is_none_of_its_events() -> Result<()> {
    simulate(async {
        let service = start().await?;
        let products: Vec<String> = (0..100).map(|n| format!("prod-{n:03}")).collect();
        let products: Vec<&str> = products.iter().map(String::as_str).collect();
        let large = order(0, "2026-11-23T10:00:00Z", &products)?;
        let other = EventData::OrderCreated(large.clone());
        let other = Event::new(other, 1, large.placed_at, shop_events::Cause::request("r"));
        assert_eq!(deliver(&service, &[confirmed(&large), other]).await?, [1]);
        let sales = get(&service, "/analytics/sales?from=2026-11-23&to=2026-11-23").await?.expect(200)?;
        assert_eq!((&sales.body["total"]["orders"], &sales.body["total"]["units"]), (&1.into(), &100.into()));
        let sold = get(&service, "/analytics/products?from=2026-11-23&to=2026-11-23&limit=100")
            .await?
            .expect(200)?;
        assert_eq!(sold.body["data"].as_array().map(Vec::len), Some(100));
        Ok(())
    })
}

/// Two environments count the same sales at the same moment: each once.
#[test]
fn deliveries_at_the_same_moment_count_once() -> Result<()> {
    simulate(async {
        let calls = Calls::of("record-sale");
        let service = Service::start(&services::functions(), calls.options(1)).await?;
        let at = "2026-11-23T10:00:00Z";
        let [a, b, c] = [0, 1, 2].map(|number| order(number, at, &["a"]));
        let (a, b, c) = (confirmed(&a?), confirmed(&b?), confirmed(&c?));
        let (one, other) = ([a.clone(), b.clone()], [b, c]);
        let hold = calls.hold_next("TransactWriteItems");
        let first = deliver(&service, &one);
        let second = hold.meanwhile(deliver(&service, &other));
        let (first, second) = futures::try_join!(first, second)?;
        assert_eq!((first, second), (vec![], vec![]));
        let sales = get(&service, "/analytics/sales?from=2026-11-23&to=2026-11-23").await?.expect(200)?;
        assert_eq!(sales.body["total"]["orders"], 3, "{}", sales.text);
        Ok(())
    })
}

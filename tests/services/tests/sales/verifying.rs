//! verify-sales: finds what is wrong and nothing else, puts it right, and goes on where it stopped.

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Calls, Item, Service, simulate};
use shop_events::OrderStatus;
use shop_lambda::recovery::GRACE_PERIOD;
use shop_local::cloud::{AwsError, Fault, Options};

use super::{BERLIN, UTC, bucket, cancelled, confirmed, deliver, get, items, key, order, put};

const TIMES: [&str; 5] = [
    "2026-10-24T22:30:00Z",
    "2026-10-31T23:30:00Z",
    "2026-11-23T10:00:00Z",
    "2026-11-23T10:59:00Z",
    "2026-11-30T23:30:00Z",
];

/// Some sales, two of them taken back.
async fn sell(service: &Service) -> Result<()> {
    for (number, time) in TIMES.into_iter().enumerate() {
        let sale = order(number, time, &["a", "b"][..=number % 2])?;
        deliver(service, &[confirmed(&sale)]).await?;
        if number > 2 {
            deliver(service, &[cancelled(&sale, OrderStatus::Confirmed, "2026-11-30T23:45:00Z")?]).await?;
        }
    }
    Ok(())
}

async fn verify(service: &Service, request: &Value) -> Result<Value> {
    service.invoke("verify-sales", request).await
}

async fn find_nothing(service: &Service) -> Result<()> {
    let report = verify(service, &json!({})).await?;
    ensure!(report["found"] == 0 && report["not_judged"] == 0 && report["complete"] == true, "{report}");
    Ok(())
}

#[test]
fn what_is_right_is_left_alone() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        find_nothing(&service).await?;
        sell(&service).await?;
        let before = items(&service).await?;
        let report = verify(&service, &json!({ "repair": true })).await?;
        assert_eq!((&report["found"], &report["complete"]), (&json!(0), &json!(true)), "{report}");
        assert_eq!(report["checked"]["facts"], 7, "{report}");
        assert_eq!(items(&service).await?, before);
        Ok(())
    })
}

/// Items of each kind are spoilt, one after the other: one drift, which a repair puts right.
#[test]
fn each_planted_drift_is_found_and_put_right() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        sell(&service).await?;
        let right = items(&service).await?;
        let buckets: Vec<Item> =
            right.iter().filter(|item| !key(item).0.starts_with("facts#")).cloned().collect();
        assert!(buckets.len() >= 15, "{}", buckets.len());
        let stranger = bucket("units#USD#2026-11-23", "stranger", &[("units", 3), ("gross", 9)]);
        for (place, item) in buckets.iter().step_by(2).chain([&stranger]).enumerate() {
            let mut wrong = item.clone();
            let name = if place % 2 == 0 { "gross" } else { "c_units" };
            wrong.insert(name.to_owned(), AttributeValue::N("77".to_owned()));
            put(&service, wrong).await?;
            let (pk, sk) = key(item);
            let subject = format!("{pk} {sk}");
            let found = verify(&service, &json!({})).await?;
            ensure!(found["found"] == 1 && found["repaired"] == 0, "{found}");
            ensure!(found["drift"][0]["subject"] == subject, "{found}");
            let repaired = verify(&service, &json!({ "repair": true })).await?;
            ensure!(repaired["found"] == 1 && repaired["repaired"] == 1, "{repaired}");
            find_nothing(&service).await?;
        }
        let mut after = items(&service).await?;
        // The stranger is there, and has nothing.
        after.retain(|item| item.len() > 2);
        assert_eq!(after, right);
        Ok(())
    })
}

/// Another time zone: the days of before are counted anew.
#[test]
fn a_rebuild_counts_everything_for_another_zone() -> Result<()> {
    simulate(async {
        let berlin =
            Service::start_with(&services::functions(), Options::simulated(1), &[(UTC, BERLIN)]).await?;
        sell(&berlin).await?;
        find_nothing(&berlin).await?;
        let expected = items(&berlin).await?;
        // What a shop in UTC has counted.
        let utc = Service::start(&services::functions(), Options::simulated(1)).await?;
        sell(&utc).await?;
        let counted = items(&utc).await?;
        assert_ne!(counted, expected);
        let moved =
            Service::start_with(&services::functions(), Options::simulated(1), &[(UTC, BERLIN)]).await?;
        for item in counted {
            put(&moved, item).await?;
        }
        for month in ["2026-10#USD", "2026-11#USD"] {
            put(&moved, bucket("months", month, &[])).await?;
        }
        let report = verify(&moved, &json!({ "repair": true })).await?;
        ensure!(report["found"] == report["repaired"] && report["complete"] == true, "{report}");
        find_nothing(&moved).await?;
        let mut after = items(&moved).await?;
        after.retain(|item| item.len() > 2);
        assert_eq!(after, expected);
        Ok(())
    })
}

/// While orders come in, no bucket is taken for wrong.
#[test]
fn a_busy_day_is_no_drift() -> Result<()> {
    simulate(async {
        let calls = Calls::of("verify-sales");
        let service = Service::start(&services::functions(), calls.options(1)).await?;
        sell(&service).await?;
        let mut not_judged = 0;
        for number in 10..30 {
            let operation = ["BatchGetItem", "Query"][number % 2];
            let hold = calls.hold_next(operation);
            let sale = [confirmed(&order(number, "2026-10-24T22:45:00Z", &["a"])?)];
            let request = json!({ "repair": true, "from_start": true });
            let counted = hold.meanwhile(deliver(&service, &sale));
            let (report, failed) = futures::try_join!(verify(&service, &request), counted)?;
            ensure!(report["found"] == 0 && failed.is_empty(), "{report}");
            not_judged += report["not_judged"].as_u64().context("a count")?;
        }
        find_nothing(&service).await?;
        let sales = get(&service, "/analytics/sales?from=2026-10-24&to=2026-10-24").await?.expect(200)?;
        ensure!(sales.body["total"]["orders"] == 21, "{} {not_judged}", sales.text);
        Ok(())
    })
}

#[test]
fn a_run_that_dies_is_gone_on_with() -> Result<()> {
    simulate(async {
        let calls = Calls::of("verify-sales");
        let service = Service::start(&services::functions(), calls.options(1)).await?;
        sell(&service).await?;
        put(&service, bucket("day#USD#2026", "2026-11-28", &[("orders", 8)])).await?;
        find_one(&service).await?;
        drop(calls.take());
        // It dies at the first fact of a day in November.
        calls.fail(|call| {
            let is_it = String::from_utf8_lossy(&call.body).contains("facts#USD#2026-11-20");
            is_it.then(|| Fault::Error(AwsError::client("AccessDeniedException", "no")))
        });
        ensure!(verify(&service, &json!({})).await.is_err());
        calls.recover();
        drop(calls.take());
        // Whoever repairs begins at the beginning all the same; the other run goes on.
        let repair = verify(&service, &json!({ "repair": true })).await?;
        ensure!(repair["resumed_at"].is_null() && repair["repaired"] == 1, "{repair}");
        drop(calls.take());
        let report = verify(&service, &json!({})).await?;
        ensure!(report["resumed_at"].as_str().is_some_and(|at| at.contains("2026-11-1")), "{report}");
        ensure!(report["complete"] == true && report["found"] == 0, "{report}");
        let asked = calls.take();
        ensure!(!asked.iter().any(|made| made.body.to_string().contains("facts#USD#2026-11-10")));
        let again = verify(&service, &json!({})).await?;
        ensure!(again["resumed_at"].is_null() && again["complete"] == true, "{again}");
        Ok(())
    })
}

async fn find_one(service: &Service) -> Result<()> {
    let report = verify(service, &json!({})).await?;
    ensure!(report["found"] == 1 && report["complete"] == true, "{report}");
    Ok(())
}

/// The events of some orders are lost for good: what they said is found in the orders, and counted.
#[test]
fn what_was_lost_is_counted_from_the_orders() -> Result<()> {
    simulate(async {
        let filter = ("[order.cancelled, order.confirmed]", "[order.shipped]");
        let service = Service::start_with(&services::functions(), Options::simulated(1), &[filter]).await?;
        let mug = json!({"id": "mug", "name": "Mug", "price": 3, "stock": 4});
        service.send(Method::POST, "/products", Some(&mug)).await?.expect(201)?;
        let mut orders = Vec::new();
        for _ in 0..5 {
            let order = json!({"items": [{"product_id": "mug", "quantity": 1}]});
            let placed = service.send(Method::POST, "/orders", Some(&order)).await?.expect(201)?;
            orders.push(placed.body["id"].as_str().context("an id")?.to_owned());
        }
        service.settled().await?;
        // The last one is rejected for want of stock.
        service.send(Method::POST, &format!("/orders/{}/cancel", orders[0]), None).await?.expect(200)?;
        service.settled().await?;
        let early = verify(&service, &json!({ "repair": true })).await?;
        ensure!(early["found"] == 0 && early["not_judged"] == 4, "{early}");
        service.pass(GRACE_PERIOD).await;
        let found = verify(&service, &json!({})).await?;
        ensure!(found["found"] == 5 && found["repaired"] == 0, "four sales, one of them taken back: {found}");
        let repaired = verify(&service, &json!({ "repair": true })).await?;
        ensure!(repaired["repaired"] == 5, "{repaired}");
        find_nothing(&service).await?;
        let sales = get(&service, "/analytics/sales").await?.expect(200)?;
        let total = &sales.body["total"];
        ensure!(total["orders"] == 4 && total["cancelled_orders"] == 1, "{}", sales.text);
        Ok(())
    })
}

#[test]
fn what_cannot_be_read_is_reported_and_left_alone() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        sell(&service).await?;
        let text = AttributeValue::S("many".to_owned());
        let broken =
            bucket("day#USD#2026", "2026-11-23", &[]).into_iter().chain([("orders".to_owned(), text)]);
        put(&service, broken.collect()).await?;
        let report = verify(&service, &json!({ "repair": true })).await?;
        ensure!(report["found"] == 1 && report["repaired"] == 0, "{report}");
        ensure!(report["drift"][0]["subject"] == "day#USD#2026 2026-11-23", "{report}");
        // A fact that is none: nothing of its day can be told.
        put(&service, bucket("facts#USD#2026-10-24", "22#ord_x#confirmed", &[])).await?;
        put(&service, bucket("units#USD#2026-10-24", "a", &[("units", 50)])).await?;
        let report = verify(&service, &json!({ "repair": true })).await?;
        ensure!(report["repaired"] == 0, "{report}");
        let drifts = report["drift"].as_array().context("drift")?;
        let units = drifts
            .iter()
            .find(|drift| drift["subject"] == "units#USD#2026-10-24 a")
            .context("the product")?;
        ensure!(units["outcome"] == "none" && units["expected"].is_null(), "{units}");
        Ok(())
    })
}

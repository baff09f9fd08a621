//! What becomes of an order: settled by events in any order, cancelled, and what each event says of why and when.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use http::Method;
use serde_json::Value;
use service_tests::{Answer, simulate};
use shop_events::{
    Cause, Event, EventData, EventType, InventoryRejected, InventoryReserved, RejectionReason, ReservedLine,
};
use shop_local::cloud::{Call, Observer, Options, Outcome};
use shop_types::{OrderId, Timestamp};

use super::stage::{ADA, Stage, mugs, text};

/// The event that an order's stock was set aside, told at a time as the products service would.
pub(crate) fn reserved(order: &str, at: Timestamp) -> Result<Event> {
    let order_id: OrderId = order.parse()?;
    let lines = vec![ReservedLine { product_id: "mug".parse()?, quantity: 1 }];
    let data = EventData::InventoryReserved(InventoryReserved { order_id, lines });
    Ok(Event::new(data, 1, at, Cause::request("the request that placed it")))
}

pub(crate) fn rejected(order: &str, at: Timestamp) -> Result<Event> {
    let (order_id, reason) = (order.parse()?, RejectionReason::InsufficientStock);
    let data = EventData::InventoryRejected(InventoryRejected { order_id, reason, shortages: Vec::new() });
    Ok(Event::new(data, 1, at, Cause::request("the request that placed it")))
}

async fn order(stage: &Stage, id: &str) -> Result<Answer> {
    stage.service.send(Method::GET, &format!("/orders/{id}"), None).await?.expect(200)
}

pub(crate) async fn settle(stage: &Stage, event: &Event) -> Result<()> {
    stage.service.send_events("SettleOrderQueue", std::slice::from_ref(event)).await?;
    stage.service.pass(Duration::from_secs(2)).await;
    Ok(())
}

fn of_type(events: &[Event], kind: EventType) -> Result<&Event> {
    events.iter().find(|event| event.event_type() == kind).with_context(|| format!("no {kind:?}: {events:?}"))
}

#[test]
fn a_cancelled_order_is_traced_to_its_own_request_and_to_nothing_else() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let placed = stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        let id = text(&placed, "id")?;
        let event = reserved(id, stage.service.now()?)?;
        settle(&stage, &event).await?;
        ensure!(text(&order(&stage, id).await?, "status")? == "confirmed");
        let path = format!("/orders/{id}/cancel");
        // The administrator, and not who placed it.
        let cancelled = stage.service.send(Method::POST, &path, None).await?.expect(200)?;
        let who = shop_types::UserId::fresh(Timestamp::from_millis(0), [1; 10]);
        stage.service.pass(Duration::from_secs(2)).await;
        // The queue of the statistics has no consumer here, and gets both.
        let events = stage.service.take_events("RecordUserStatsQueue").await?;
        let confirmed = of_type(&events, EventType::OrderConfirmed)?;
        assert_eq!(confirmed.cause(), &event.as_cause());
        let published = of_type(&events, EventType::OrderCancelled)?;
        assert_eq!(published.cause().correlation_id, cancelled.header("x-request-id")?);
        assert_eq!(
            (&published.cause().causation_id, published.cause().actor.as_deref()),
            (&None, Some(who.as_str()))
        );
        assert_eq!(published.time().to_string(), text(&cancelled, "updated_at")?);
        // Again is the same answer, and tells nobody anything.
        let again = stage.send(Some(ADA), Method::POST, &path, None, &[]).await?.expect(200)?;
        assert_eq!(again.body, cancelled.body);
        stage.service.pass(Duration::from_secs(2)).await;
        ensure!(stage.service.take_events("RecordUserStatsQueue").await?.is_empty());
        Ok(())
    })
}

#[test]
fn stock_of_an_order_that_is_not_there_is_tried_until_somebody_looks() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        for event in [
            reserved("ord_00000000000000000000000000", stage.service.now()?)?,
            rejected("ord_00000000000000000000000001", stage.service.now()?)?,
        ] {
            stage.service.send_events("SettleOrderQueue", &[event]).await?;
        }
        stage.service.pass(Duration::from_hours(2)).await;
        let left = stage.service.take_events("SettleOrderDeadLetterQueue").await?;
        assert_eq!(left.len(), 2, "neither is done, and neither is lost");
        Ok(())
    })
}

#[test]
fn an_order_is_settled_once_whatever_comes_and_never_after_its_cancellation() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(text(&stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?, "id")?.to_owned());
        }
        let now = stage.service.now()?;
        settle(&stage, &reserved(&ids[0], now)?).await?;
        settle(&stage, &rejected(&ids[0], now)?).await?;
        settle(&stage, &rejected(&ids[1], now)?).await?;
        settle(&stage, &reserved(&ids[1], now)?).await?;
        let path = format!("/orders/{}/cancel", ids[2]);
        stage.send(Some(ADA), Method::POST, &path, None, &[]).await?.expect(200)?;
        settle(&stage, &reserved(&ids[2], now)?).await?;
        for (id, status) in ids.iter().zip(["confirmed", "rejected", "cancelled"]) {
            let order = order(&stage, id).await?;
            assert_eq!((text(&order, "status")?, &order.body["version"]), (status, &Value::from(2)));
            assert_eq!(order.body.get("rejection").is_some(), status == "rejected");
        }
        Ok(())
    })
}

#[test]
fn an_order_of_a_clock_ahead_is_settled_and_takes_no_time_back() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        for event in [reserved, rejected] {
            let placed = stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
            let id = text(&placed, "id")?;
            // Another environment's clock was an hour ahead when it took the order.
            let ahead = Timestamp::from_millis(stage.service.now()?.as_millis() + 3_600_000).to_string();
            let client = Client::new(&stage.service.cloud.sdk_config("test"));
            client
                .update_item()
                .table_name(stage.service.cloud.physical("OrdersTable").context("the table")?)
                .key("id", AttributeValue::S(id.to_owned()))
                .update_expression("SET placed_at = :ahead, updated_at = :ahead")
                .expression_attribute_values(":ahead", AttributeValue::S(ahead.clone()))
                .send()
                .await?;
            settle(&stage, &event(id, stage.service.now()?)?).await?;
            let order = order(&stage, id).await?;
            ensure!(text(&order, "status")? != "pending", "{}", order.text);
            assert_eq!(text(&order, "updated_at")?, ahead);
        }
        Ok(())
    })
}

/// The reads of single orders, and how consistent they asked to be.
#[derive(Debug, Default)]
struct Reads(Mutex<Vec<(String, bool)>>);

impl Observer for Reads {
    fn called(&self, _time: i64, call: &Call, _outcome: &Outcome<'_>) {
        let is_order = call.accesses.iter().any(|access| access.resource.contains("OrdersTable"));
        if call.operation == "GetItem" && is_order {
            let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
            let mut reads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            reads.push((call.caller.to_string(), body["ConsistentRead"] == true));
        }
    }
}

#[test]
fn an_order_is_read_as_it_is_now() -> Result<()> {
    simulate(async {
        let reads = Arc::new(Reads::default());
        let mut options = Options::simulated(3);
        options.observers.push(Arc::<Reads>::clone(&reads));
        let stage = Stage::with(options, &[]).await?;
        let key = "0b5f2a4e-93d1-4c7e-8c36-5d0c9e1f7a22";
        let placed = stage.place(Some(ADA), &mugs(1), Some(key)).await?.expect(201)?;
        let path = format!("/orders/{}", text(&placed, "id")?);
        stage.send(Some(ADA), Method::GET, &path, None, &[]).await?.expect(200)?;
        stage.send(Some(ADA), Method::POST, &format!("{path}/cancel"), None, &[]).await?.expect(200)?;
        // The catalogue has changed: create-order looks whether the key has an order.
        let order = serde_json::json!({ "items": [{ "product_id": "mug", "quantity": 1, "price": 29.99 }] });
        stage.place(Some(ADA), &order, Some("another-key")).await?.expect(201)?;
        let client = Client::new(&stage.service.cloud.sdk_config("test"));
        client
            .update_item()
            .table_name(stage.service.cloud.physical("ProductsTable").context("the table")?)
            .key("pk", AttributeValue::S("mug".to_owned()))
            .key("sk", AttributeValue::S("product".to_owned()))
            .update_expression("SET price.amount = :price")
            .expression_attribute_values(":price", AttributeValue::N("1".to_owned()))
            .send()
            .await?;
        stage
            .place(Some(ADA), &order, Some("another-key"))
            .await?
            .expect(201)?
            .header("idempotent-replayed")?;
        let reads = reads.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for function in ["get-order", "cancel-order", "create-order"] {
            ensure!(
                reads.iter().any(|(caller, _)| caller == function),
                "{function} read no order: {reads:?}"
            );
        }
        ensure!(reads.iter().all(|(_, is_consistent)| *is_consistent), "{reads:?}");
        Ok(())
    })
}

/// What happened to the newest order, and how long before the sweep.
#[derive(Clone, Copy, Debug)]
enum Sign {
    None,
    Confirmed,
    Rejected,
    Cancelled,
}

#[test]
fn a_sweep_takes_what_was_settled_lately_for_a_sign_that_orders_move() -> Result<()> {
    const ORDERS: u64 = 12;
    let minutes = Duration::from_mins;
    for (sign, before, moves) in [
        (Sign::None, minutes(1), false),
        (Sign::Confirmed, minutes(1), true),
        (Sign::Rejected, minutes(1), true),
        // Customers cancel while everything else stands still.
        (Sign::Cancelled, minutes(1), false),
        (Sign::Confirmed, minutes(4), true),
        (Sign::Rejected, minutes(4), true),
    ] {
        simulate(async {
            // Nobody settles stock here, and only the test sweeps.
            let schedule = [("Schedule: rate(5 minutes)", "Schedule: rate(7 days)")];
            let stage = Stage::with(Options::simulated(1), &schedule).await?;
            for _ in 0..ORDERS {
                stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
            }
            let sweep = async || stage.service.invoke("sweep-orders", &serde_json::json!({})).await;
            // The first two re-emits have no pause between them but a sweep's.
            for _ in 0..2 {
                stage.service.pass(minutes(5) + Duration::from_secs(1)).await;
                assert_eq!(sweep().await?["re_emitted"], ORDERS);
            }
            let newest = stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
            let id = text(&newest, "id")?;
            stage.service.pass(minutes(5).saturating_sub(before)).await;
            let now = stage.service.now()?;
            match sign {
                Sign::None => {}
                Sign::Confirmed => settle(&stage, &reserved(id, now)?).await?,
                Sign::Rejected => settle(&stage, &rejected(id, now)?).await?,
                Sign::Cancelled => {
                    let path = format!("/orders/{id}/cancel");
                    stage.send(Some(ADA), Method::POST, &path, None, &[]).await?.expect(200)?;
                }
            }
            stage.service.pass(before).await;
            let swept = sweep().await?;
            let re_emitted = swept["re_emitted"].as_u64().context("re_emitted")?;
            // Otherwise only the newest of each of the four parts of the index is re-emitted, to find out.
            ensure!(
                if moves { re_emitted >= ORDERS } else { re_emitted <= 5 },
                "{sign:?} {before:?}: {swept}"
            );
            Ok(())
        })?;
    }
    Ok(())
}

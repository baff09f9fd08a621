//! reserve-stock behind its queue: from order events to the books, and to the events that it tells.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Service, order_event, simulate};
use shop_events::{Event, EventData, EventType, OrderCancelled};
use shop_local::cloud::Options;
use shop_types::OrderId;

const QUEUE: &str = "ReserveStockQueue";
/// Where inventory.reserved and .rejected go; the orders service would consume it.
const SETTLE_ORDER_QUEUE: &str = "SettleOrderQueue";

async fn stocked(service: &Service, product: &str, stock: u64) -> Result<()> {
    let body = json!({"id": product, "name": "P", "price": 1, "stock": stock});
    service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
    Ok(())
}

async fn figures(service: &Service, product: &str) -> Result<(u64, u64)> {
    let unchanged = json!({"delta": 1_000_000_000});
    let path = format!("/products/{product}/stock");
    let refused = service.send(Method::PATCH, &path, Some(&unchanged)).await?.expect(409)?;
    let figure = |name: &str| refused.body[name].as_u64().context(name.to_owned());
    Ok((figure("stock")?, figure("reserved")?))
}

fn order(name: &str) -> OrderId {
    OrderId::derived(b"test", "test", name)
}

fn created(name: &str, at: i64, lines: &[(&str, u32)]) -> Result<Event> {
    order_event(&order(name), at, lines, EventData::OrderCreated)
}

fn cancelled(name: &str, at: i64, lines: &[(&str, u32)]) -> Result<Event> {
    order_event(&order(name), at, lines, |order| {
        EventData::OrderCancelled(OrderCancelled { order, cancelled_from: None })
    })
}

/// An SQS batch as Lambda delivers it.
fn batch(events: &[Event]) -> Result<Value> {
    let records = events.iter().enumerate().map(|(number, event)| {
        Ok(json!({ "messageId": number.to_string(), "body": event.to_json()?, "attributes": {},
            "messageAttributes": {}, "eventSource": "aws:sqs" }))
    });
    Ok(json!({ "Records": records.collect::<Result<Vec<_>>>()? }))
}

async fn deliver(service: &Service, events: &[Event]) -> Result<()> {
    let payload = serde_json::value::to_raw_value(&batch(events)?)?;
    let answer = service.cloud.invoke("reserve-stock", payload).await?;
    ensure!(answer.get() == r#"{"batchItemFailures":[]}"#, "{answer}");
    Ok(())
}

#[test]
fn a_batch_is_settled_by_one_read_and_one_write_and_tells_each_order() -> Result<()> {
    simulate(async {
        let service = Service::start(&products::SERVICE.functions(), Options::simulated(1)).await?;
        stocked(&service, "mug", 7).await?;
        let events: Vec<_> =
            (0..10).map(|i| created(&format!("o{i}"), i, &[("mug", 1)])).collect::<Result<_>>()?;
        deliver(&service, &events).await?;
        assert_eq!(figures(&service, "mug").await?, (0, 7));
        let meter = service.cloud.meter();
        let calls = |operation: &str| {
            meter.sum(|entry| {
                entry.caller == "reserve-stock" && entry.operation == format!("dynamodb:{operation}")
            })
        };
        assert_eq!((calls("BatchGetItem").calls, calls("TransactWriteItems").calls), (1, 1));

        service.settled().await?;
        let published = service.take_events(SETTLE_ORDER_QUEUE).await?;
        let reserved =
            published.iter().filter(|event| event.event_type() == EventType::InventoryReserved).count();
        let rejected =
            published.iter().filter(|event| event.event_type() == EventType::InventoryRejected).count();
        assert_eq!((reserved, rejected), (7, 3));
        for event in &published {
            let causes = event.cause().causation_id.as_ref().context("a cause")?;
            assert_eq!(causes.as_str(), format!("{}:1:order.created", event.subject()));
            assert_eq!(event.cause().correlation_id, format!("request-{}", event.subject()));
        }

        // The same once more changes nothing, and tells nothing.
        deliver(&service, &events).await?;
        service.settled().await?;
        assert_eq!(
            (figures(&service, "mug").await?, service.take_events(SETTLE_ORDER_QUEUE).await?),
            ((0, 7), vec![])
        );
        Ok(())
    })
}

#[test]
fn a_cancellation_gives_back_what_was_reserved_whenever_it_comes() -> Result<()> {
    simulate(async {
        let service = Service::start(&products::SERVICE.functions(), Options::simulated(1)).await?;
        stocked(&service, "mug", 7).await?;
        let lines = [("mug", 3)];
        deliver(&service, &[created("a", 1, &lines)?]).await?;
        deliver(&service, &[cancelled("b", 1, &lines)?]).await?;
        deliver(&service, &[created("b", 1, &lines)?, created("c", 2, &lines)?, cancelled("c", 2, &lines)?])
            .await?;
        assert_eq!(figures(&service, "mug").await?, (4, 3));
        deliver(&service, &[cancelled("a", 1, &lines)?]).await?;
        deliver(&service, &[cancelled("a", 1, &lines)?, created("a", 1, &lines)?]).await?;
        assert_eq!(figures(&service, "mug").await?, (7, 0));
        service.settled().await?;
        let published = service.take_events(SETTLE_ORDER_QUEUE).await?;
        assert_eq!(
            published.iter().map(|event| event.id().as_str().to_owned()).collect::<Vec<_>>(),
            [format!("{}:1:inventory.reserved", order("a"))]
        );
        Ok(())
    })
}

#[test]
fn an_order_of_100_products_is_reserved_and_released() -> Result<()> {
    simulate(async {
        let service = Service::start(&products::SERVICE.functions(), Options::simulated(1)).await?;
        let names: Vec<_> = (0..100).map(|i| format!("p{i:03}")).collect();
        for name in &names {
            stocked(&service, name, 3).await?;
        }
        let lines: Vec<_> = names.iter().map(|name| (name.as_str(), 2)).collect();
        deliver(&service, &[created("a", 1, &lines)?, created("b", 2, &lines)?]).await?;
        for name in [&names[0], &names[99]] {
            assert_eq!(figures(&service, name).await?, (1, 2));
        }
        deliver(&service, &[created("a", 1, &lines)?]).await?;
        deliver(&service, &[cancelled("a", 1, &lines)?, cancelled("c", 3, &lines)?]).await?;
        deliver(&service, &[created("c", 3, &lines)?]).await?;
        for name in [&names[0], &names[99]] {
            assert_eq!(figures(&service, name).await?, (3, 0));
        }
        service.settled().await?;
        let published: BTreeMap<_, _> = service
            .take_events(SETTLE_ORDER_QUEUE)
            .await?
            .into_iter()
            .map(|event| (event.subject(), event.event_type()))
            .collect();
        let expected = [("a", EventType::InventoryReserved), ("b", EventType::InventoryRejected)];
        assert_eq!(published, expected.map(|(name, kind)| (order(name).to_string(), kind)).into());
        Ok(())
    })
}

#[test]
fn more_orders_than_units_through_the_queue_twice() -> Result<()> {
    simulate(async {
        let options = Options { deliver_twice: true, ..Options::simulated(7) };
        let service = Service::start(&products::SERVICE.functions(), options).await?;
        stocked(&service, "mug", 40).await?;
        let events: Vec<_> =
            (0..400).map(|i| created(&format!("o{i}"), i, &[("mug", 1)])).collect::<Result<_>>()?;
        service.send_events(QUEUE, &events).await?;
        service.settled().await?;
        assert_eq!(figures(&service, "mug").await?, (0, 40));
        let mut published = BTreeMap::new();
        for event in service.take_events(SETTLE_ORDER_QUEUE).await? {
            let kind = event.event_type();
            let before = published.insert(event.subject(), kind);
            assert!(before.is_none_or(|before| before == kind));
        }
        assert_eq!(published.len(), 400);
        assert_eq!(published.values().filter(|kind| **kind == EventType::InventoryReserved).count(), 40);
        Ok(())
    })
}

#[test]
fn a_deleted_product_can_be_released_and_not_reserved() -> Result<()> {
    simulate(async {
        let service = Service::start(&products::SERVICE.functions(), Options::simulated(1)).await?;
        stocked(&service, "mug", 5).await?;
        stocked(&service, "cup", 5).await?;
        let lines = [("mug", 1), ("cup", 1)];
        deliver(&service, &[created("a", 1, &lines)?]).await?;
        service.send(Method::DELETE, "/products/mug", None).await?.expect(204)?;
        deliver(&service, &[cancelled("a", 1, &lines)?, created("b", 2, &lines)?]).await?;
        assert_eq!(figures(&service, "cup").await?, (5, 0));
        service.settled().await?;
        let published = service.take_events(SETTLE_ORDER_QUEUE).await?;
        let EventData::InventoryRejected(rejected) = published.last().context("b")?.data() else {
            anyhow::bail!("{published:?}")
        };
        assert_eq!(rejected.reason, shop_events::RejectionReason::UnknownProduct);
        assert_eq!(rejected.shortages.len(), 1);
        Ok(())
    })
}

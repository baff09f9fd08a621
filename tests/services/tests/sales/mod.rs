//! The analytics service over the embedded cloud: sales are counted once, shown as they are, put right where they are
//! wrong, and cost what they may.

mod costs;
mod recording;
mod reports;
mod verifying;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use http::Method;
use service_tests::{Answer, Item, Service};
use shop_events::{Cause, Event, EventData, OrderCancelled, OrderLine, OrderSnapshot, OrderStatus};
use shop_types::{Currency, Money, OrderId, Timestamp};

/// Where the template says whose days they are.
const UTC: &str = "BusinessTimeZone:\n    Type: String\n    Default: UTC";
const BERLIN: &str = "BusinessTimeZone:\n    Type: String\n    Default: Europe/Berlin";

/// An order by its number: of one each of some products at 2.50, placed at a time.
fn order(number: usize, placed_at: &str, products: &[&str]) -> Result<OrderSnapshot> {
    let line = |product: &&str| {
        let (name, quantity, unit_price) = ("=cmd()".into(), 1, 250);
        anyhow::Ok(OrderLine { product_id: product.parse()?, name, quantity, unit_price })
    };
    Ok(OrderSnapshot {
        order_id: OrderId::derived(b"test", "test", &number.to_string()),
        customer_id: None,
        status: OrderStatus::Confirmed,
        lines: products.iter().map(line).collect::<Result<_>>()?,
        total: Money { minor: 250 * i64::try_from(products.len())?, currency: Currency::USD },
        placed_at: placed_at.parse()?,
    })
}

fn confirmed(order: &OrderSnapshot) -> Event {
    let at = Timestamp::from_millis(order.placed_at.as_millis() + 700);
    Event::new(EventData::OrderConfirmed(order.clone()), 2, at, Cause::request("request-1"))
}

fn cancelled(order: &OrderSnapshot, from: OrderStatus, at: &str) -> Result<Event> {
    let version = if from == OrderStatus::Confirmed { 3 } else { 2 };
    let data = OrderCancelled { order: order.clone(), cancelled_from: Some(from) };
    Ok(Event::new(EventData::OrderCancelled(data), version, at.parse()?, Cause::request("request-2")))
}

/// Delivers events as one batch. The places of those that failed.
async fn deliver(service: &Service, events: &[Event]) -> Result<Vec<usize>> {
    service.deliver("record-sale", events).await
}

async fn get(service: &Service, path: &str) -> Result<Answer> {
    service.send(Method::GET, path, None).await
}

/// Everything in the table of sales but what is no figure and no fact.
async fn items(service: &Service) -> Result<Vec<Item>> {
    let table = service.cloud.physical("SalesTable").context("the table")?;
    let client = Client::new(&service.cloud.sdk_config("test"));
    let items = client.scan().table_name(table).consistent_read(true).into_paginator().items().send();
    let mut items = items.collect::<Result<Vec<Item>, _>>().await?;
    items.retain(|item| !matches!(key(item).0, "months" | "checkpoint"));
    items.sort_by(|a, b| key(a).cmp(&key(b)));
    Ok(items)
}

fn key(item: &Item) -> (&str, &str) {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
    (text("pk"), text("sk"))
}

/// Writes an item past the service's own code.
async fn put(service: &Service, item: Item) -> Result<()> {
    let table = service.cloud.physical("SalesTable").context("the table")?;
    let client = Client::new(&service.cloud.sdk_config("test"));
    client.put_item().table_name(table).set_item(Some(item)).send().await?;
    Ok(())
}

fn bucket(pk: &str, sk: &str, figures: &[(&str, i64)]) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut item = Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))]);
    item.extend(figures.iter().map(|(name, n)| ((*name).to_owned(), AttributeValue::N(n.to_string()))));
    item
}

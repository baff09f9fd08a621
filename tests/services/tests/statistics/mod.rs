//! Users' statistics over the embedded cloud: how orders are counted, and who is shown what.

mod ledger;
mod recording;
mod showing;

use anyhow::Result;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Answer, Calls, Service};
use shop_events::{Cause, Event, EventData, OrderCancelled, OrderSnapshot, OrderStatus};
use shop_types::{Currency, Money, OrderId, Timestamp, UserId};
use std::sync::Arc;

/// The users service, and the calls of one of its functions.
async fn watched(function: &'static str) -> Result<(Service, Arc<Calls>)> {
    let calls = Calls::of(function);
    let service = Service::start(&users::SERVICE.functions(), calls.options(1)).await?;
    Ok((service, calls))
}

fn user() -> UserId {
    UserId::fresh(Timestamp::from_millis(1), [1; 10])
}

fn other_user() -> UserId {
    UserId::fresh(Timestamp::from_millis(2), [2; 10])
}

fn order(n: u8) -> OrderId {
    OrderId::derived(b"test", "test", &n.to_string())
}

/// The n-th order costs 10, 20, ... and was placed at second n; every third is in yen.
fn snapshot(n: u8, customer_id: Option<UserId>, status: OrderStatus) -> OrderSnapshot {
    let currency = if n % 3 == 2 { "JPY".parse().unwrap_or(Currency::USD) } else { Currency::USD };
    OrderSnapshot {
        order_id: order(n),
        customer_id,
        status,
        lines: Vec::new(),
        total: Money { minor: 10 * (i64::from(n) + 1), currency },
        placed_at: placed_at(n),
    }
}

fn placed_at(n: u8) -> Timestamp {
    Timestamp::from_millis(1000 * i64::from(n))
}

fn confirmed_of(n: u8, customer_id: Option<UserId>) -> Event {
    let order = snapshot(n, customer_id, OrderStatus::Confirmed);
    Event::new(EventData::OrderConfirmed(order), 2, placed_at(n), Cause::request("request-1"))
}

fn confirmed(n: u8) -> Event {
    confirmed_of(n, Some(user()))
}

fn cancelled(n: u8) -> Event {
    let order = snapshot(n, Some(user()), OrderStatus::Cancelled);
    Event::new(
        EventData::OrderCancelled(OrderCancelled { order, cancelled_from: Some(OrderStatus::Confirmed) }),
        3,
        placed_at(n),
        Cause::request("request-1"),
    )
}

/// Delivers events as one batch, and answers with the places of those that failed.
async fn deliver(service: &Service, events: &[Event]) -> Result<Vec<usize>> {
    service.deliver("record-user-stats", events).await
}

/// A user's statistics, as the user sees them; version 0 where there are none.
async fn stats_of(service: &Service, user: &UserId) -> Result<Answer> {
    let token = service.token(user.as_str())?;
    let headers = [("authorization", token.as_str())];
    service.request(Method::GET, &format!("/users/{user}/stats"), Bytes::new(), &headers).await?.expect(200)
}

/// How many orders count, and how often that was written.
async fn counted(service: &Service) -> Result<(Value, Value)> {
    let stats = stats_of(service, &user()).await?.body;
    Ok((stats["orders_placed"].clone(), stats["version"].clone()))
}

//! Consumer of order.created, order.stalled and order.cancelled: sets stock aside for orders, or gives it back.
//!
//! - What it does for a batch is decided in [`crate::plan`]; the stock state is read once and written in as few
//!   transactions as fit, so that many orders of one product are one write to its counter.
//! - It dedupes by the ledger: an order's entry is written in the transaction that moves its stock, on the
//!   condition that it is new or at the version that was read. Repeats and late arrivals find it and do
//!   nothing.
//! - An order that is stalled may have lost its order.created, or the event that said what became of it: it is
//!   settled as a new one, or what became of it is published once more, by the very same event.
//! - It retries where another writer was faster, with a fresh read each time; then order by order, so that
//!   one product's conflicts or one broken item fail only the orders that it concerns. What still fails stays
//!   in the queue.
//! - It drops nothing.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use shop_dynamo::StoreError;
use shop_events::{EventData, OrderLine, OrderSnapshot, ReservedLine};
use shop_lambda::{Clock, Function};
use shop_lambda::{Environment, Start, StartError, log::Chain};
use shop_messaging::consumer::{BatchConsumer, Failure, Message, MessageResult, batch};
use shop_types::OrderId;

use crate::plan::ReservationRequest;
use crate::settling::settle;
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = batch::<ReserveStock>();

pub(crate) struct ReserveStock {
    store: Store,
    clock: Clock,
}

impl Start for ReserveStock {
    const NAME: &'static str = "reserve-stock";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::start(environment, Client::new(environment.sdk_config()))?;
        Ok(Self { store, clock: environment.clock() })
    }
}

impl BatchConsumer for ReserveStock {
    async fn consume(&self, messages: &[Message]) -> Vec<MessageResult> {
        let mut requests = gather(messages);
        requests.retain(|_, request| !request.is_too_large());
        let failed = self.settle_all(requests.values().cloned().collect()).await;
        let result = |message: &Message| {
            let (order, _) = order_of(message).ok_or(Failure::code_only("unexpected_event_type"))?;
            if !requests.contains_key(&order.order_id) {
                return Err(Failure::code_only("too_many_products"));
            }
            match failed.get(&order.order_id) {
                Some(error) => Err(Failure::new("not_settled", error.clone())),
                None => Ok(()),
            }
        };
        messages.iter().map(result).collect()
    }
}

impl ReserveStock {
    /// Settles requests: together, or where that fails for a reason that may be one order's, each by itself.
    /// The orders that are not settled, and why.
    async fn settle_all(&self, requests: Vec<ReservationRequest>) -> BTreeMap<OrderId, String> {
        let Err(error) = settle(&self.store, &self.clock, &requests).await else { return BTreeMap::new() };
        let may_be_ones = matches!(error, StoreError::Contended { .. } | StoreError::Corrupt { .. });
        let mut failed = BTreeMap::new();
        for request in requests {
            if !may_be_ones {
                failed.insert(request.order_id, Chain(&error).to_string());
            } else if let Err(error) = settle(&self.store, &self.clock, std::slice::from_ref(&request)).await
            {
                failed.insert(request.order_id, Chain(&error).to_string());
            }
        }
        failed
    }
}

/// What a message says happened to its order.
#[derive(Clone, Copy)]
enum Happened {
    Created,
    Stalled,
    Cancelled,
}

fn order_of(message: &Message) -> Option<(&OrderSnapshot, Happened)> {
    match message.event.data() {
        EventData::OrderCreated(order) => Some((order, Happened::Created)),
        EventData::OrderStalled(stalled) => Some((&stalled.order, Happened::Stalled)),
        EventData::OrderCancelled(cancelled) => Some((&cancelled.order, Happened::Cancelled)),
        _ => None,
    }
}

/// What the messages say, order by order.
fn gather(messages: &[Message]) -> BTreeMap<OrderId, ReservationRequest> {
    let mut requests = BTreeMap::new();
    for message in messages {
        let Some((order, happened)) = order_of(message) else { continue };
        let request = requests.entry(order.order_id.clone()).or_insert_with(|| request_of(order));
        let cause = Some(message.event.as_cause());
        match happened {
            Happened::Created => request.created = cause,
            Happened::Stalled => request.stalled = cause,
            Happened::Cancelled => request.cancelled = cause,
        }
    }
    requests
}

fn request_of(order: &OrderSnapshot) -> ReservationRequest {
    let line =
        |line: &OrderLine| ReservedLine { product_id: line.product_id.clone(), quantity: line.quantity };
    ReservationRequest {
        order_id: order.order_id.clone(),
        placed_at: order.placed_at,
        lines: order.lines.iter().map(line).collect(),
        created: None,
        cancelled: None,
        stalled: None,
        is_repair: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shop_events::{Cause, Event, OrderCancelled, OrderStalled, OrderStatus};
    use shop_types::{Currency, Money, Timestamp};

    fn message(order: &str, data: impl Fn(OrderSnapshot) -> EventData, version: u64) -> Message {
        let line = OrderLine {
            product_id: "prod-1".parse().unwrap(),
            name: "Mug".into(),
            quantity: 2,
            unit_price: 100,
        };
        let snapshot = OrderSnapshot {
            order_id: OrderId::derived(b"test", "test", order),
            customer_id: None,
            status: OrderStatus::Pending,
            lines: vec![line],
            total: Money { minor: 200, currency: Currency::USD },
            placed_at: Timestamp::from_millis(7),
        };
        let event =
            Event::new(data(snapshot), version, Timestamp::from_millis(9), Cause::request("request-1"));
        Message { message_id: format!("{order}-{version}"), receive_count: 1, event }
    }

    fn cancelled(order: OrderSnapshot) -> EventData {
        EventData::OrderCancelled(OrderCancelled { order, cancelled_from: None })
    }

    #[test]
    fn an_order_and_its_cancellation_are_one_request() {
        let messages = [
            message("a", cancelled, 2),
            message("b", EventData::OrderCreated, 1),
            message("a", EventData::OrderCreated, 1),
        ];
        let requests = gather(&messages);
        assert_eq!(requests.len(), 2);
        let both = &requests[&OrderId::derived(b"test", "test", "a")];
        assert_eq!(both.created, Some(messages[2].event.as_cause()));
        assert_eq!(both.cancelled, Some(messages[0].event.as_cause()));
        assert_eq!((both.placed_at, both.lines[0].quantity), (Timestamp::from_millis(7), 2));
        assert_eq!(requests[&OrderId::derived(b"test", "test", "b")].cancelled, None);
    }

    #[test]
    fn a_stalled_order_is_a_request_with_that_cause() {
        let stalled = |order| EventData::OrderStalled(OrderStalled { order, re_emits: 3 });
        let messages = [message("a", stalled, 3)];
        let request = &gather(&messages)[&OrderId::derived(b"test", "test", "a")];
        assert_eq!((&request.created, &request.cancelled), (&None, &None));
        assert_eq!(request.stalled, Some(messages[0].event.as_cause()));
        assert_eq!(request.lines[0].quantity, 2);
    }
}

//! The orders table: its keys, its conditions, its items. Nothing else speaks DynamoDB to it.
//!
//! One item an order, by its `id`. Two indexes, of keys only: `by-customer` (a guest's order is not in it) and
//! `by-status`, whose partitions are split in four, since all new orders are `pending` and one partition
//! takes 1,000 writes a second. An order changes an index only where it moves from one partition to another
//! (docs/decisions/0049).

mod budgets;
mod lists;
mod moves;
mod placing;

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use shop_dynamo::{Item, Read, Record, StoreError, Table, Tries, string};
use shop_events::OrderStatus;
use shop_lambda::{Environment, StartError};
use shop_types::{EmailAddress, ListPosition, OrderId};

pub(crate) use budgets::BudgetStore;
pub(crate) use lists::{OrdersPage, Window};
pub(crate) use moves::Settled;
pub(crate) use placing::{Placed, Placing};

use crate::order::Order;

/// The partitions of `by-status`, by what they hold: the orders that wait for their stock, those that wait to be sent,
/// and those that nobody waits for.
pub(crate) const PARTITIONS: [&str; 3] = ["pending", "confirmed", "closed"];
/// What an order is made of: not a guest's address, nor what tells a replay.
pub(crate) const ORDER_ATTRIBUTES: &[&str] = &[
    "id",
    "customer_id",
    "status",
    "version",
    "lines",
    "total",
    "placed_at",
    "updated_at",
    "correlation_id",
    "causation_id",
    "actor",
    "rejection",
    "tracking_number",
    "re_emits",
    "re_emitted_at",
];
/// How many partitions of the index hold the orders of one of these.
pub(crate) const STATUS_SHARDS: u8 = 4;
const KIND: &str = "order";

#[derive(Clone, Debug)]
pub(crate) struct OrderStore {
    table: Table,
}

/// An order as an item: the order itself, and what the indexes and the idempotency check need.
#[derive(Debug, Serialize, Deserialize)]
struct StoredOrder {
    #[serde(flatten)]
    order: Order,
    /// Sort key of both indexes.
    placed: Position,
    /// Partition key of `by-status`.
    status_shard: String,
    /// Tells a replay from another request under the same key.
    request_hash: String,
    /// Tells the write that placed the order from every other, also from one of the same request.
    #[serde(default)]
    write_id: String,
    /// Where to write to a guest: personal data, and no part of the order that others see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contact_email: Option<EmailAddress>,
}

impl StoredOrder {
    fn is_of(&self, request_hash: &str, contact_email: Option<&EmailAddress>) -> bool {
        // An address that a phone has begun with a capital is the same address.
        let normalized = |email: &EmailAddress| email.normalized();
        self.request_hash == request_hash
            && self.contact_email.as_ref().map(normalized) == contact_email.map(normalized)
    }
}

/// Where a list of orders goes on.
pub(crate) type Position = ListPosition<OrderId>;

#[must_use]
pub(crate) fn position(order: &Order) -> Position {
    Position::new(order.placed_at, order.id.clone())
}

impl Record for Order {
    const KIND: &'static str = KIND;
}

impl Record for StoredOrder {
    const KIND: &'static str = KIND;
}

impl OrderStore {
    /// The store in the table that `ORDERS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "ORDERS_TABLE", "id")? })
    }

    #[must_use]
    pub(crate) fn tries(&self) -> Tries {
        self.table.tries(KIND)
    }

    /// An order as it is now.
    pub(crate) async fn get(&self, id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.table.get(key(id), Read::Consistent).await
    }
}

fn key(id: &OrderId) -> Item {
    Item::from([("id".to_owned(), string(id.as_str()))])
}

/// The partition of `by-status` that an order belongs to, by its id, so that it never moves between shards.
fn shard(status: OrderStatus, id: &OrderId) -> String {
    let sum = id.as_str().bytes().fold(0_u8, u8::wrapping_add);
    format!("{}#{}", partition(status), sum % STATUS_SHARDS)
}

/// Where `by-status` holds the orders of a status. What is over stays where it is, whatever becomes of it: that is a
/// write unit less for each move.
const fn partition(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Pending => PARTITIONS[0],
        OrderStatus::Confirmed => PARTITIONS[1],
        OrderStatus::Shipped | OrderStatus::Delivered | OrderStatus::Rejected | OrderStatus::Cancelled => {
            PARTITIONS[2]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Rejection;
    use crate::order::tests::order;
    use shop_events::{Cause, Event, EventData, RejectionReason};
    use shop_types::Timestamp;

    #[test]
    fn a_list_reads_all_that_an_order_is_made_of_and_no_more() {
        let at = Timestamp::from_millis(2000);
        let order = order(OrderStatus::Rejected);
        let data = EventData::OrderCreated(order.snapshot());
        let cause = Event::new(data, 1, at, Cause { actor: Some("guest".into()), ..Cause::request("r") });
        let full = Order {
            tracking_number: Some("1Z".into()),
            rejection: Some(Rejection { reason: RejectionReason::UnknownProduct, shortages: vec![] }),
            re_emits: 1,
            re_emitted_at: Some(at),
            cause: cause.as_cause(),
            ..order
        };
        let item = shop_dynamo::write(KIND, &full).unwrap();
        let mut made_of: Vec<_> = item.keys().map(String::as_str).collect();
        made_of.sort_unstable();
        let mut read = ORDER_ATTRIBUTES.to_vec();
        read.sort_unstable();
        assert_eq!(made_of, read);
    }
}

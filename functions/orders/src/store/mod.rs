//! The orders table: its keys, its conditions, its items. Nothing else speaks DynamoDB to it.
//!
//! One item an order, by its `id`. Two sparse indexes: `by-customer` (a guest's order is not in it) and
//! `by-status`, whose partitions are split in four, since all new orders are `pending` and one partition
//! takes 1,000 writes a second. The indexes hold what an order is made of, and not what only the table is for: a
//! guest's e-mail address among it.

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

use crate::order::{Order, status_name};

/// How many partitions of the index hold the orders of one status.
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
    shard_name(status, sum % STATUS_SHARDS)
}

fn shard_name(status: OrderStatus, shard: u8) -> String {
    format!("{}#{shard}", status_name(status))
}

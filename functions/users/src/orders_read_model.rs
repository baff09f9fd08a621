//! The orders, as far as the statistics must agree with them: a read of another service's table
//! (docs/decisions/0010).
//!
//! It must read nothing else there, and write nothing. Only verify-user-stats may use it.

use serde::Deserialize;
use shop_dynamo::{ForeignItem, ForeignTable, Record};
use shop_events::OrderStatus;
use shop_types::{Money, OrderId, Timestamp, UserId};

/// The orders table, for reading.
pub type OrdersReadModel = ForeignTable<OrderRecord>;

/// What is read of an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OrderRecord {
    /// Its id.
    pub id: OrderId,
    /// Who placed it; absent for a guest.
    pub customer_id: Option<UserId>,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// One more with every change.
    pub version: u64,
    /// What it costs.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

impl Record for OrderRecord {
    const KIND: &'static str = "order";
}

impl ForeignItem for OrderRecord {
    const KEY: &'static str = "id";
    const ATTRIBUTES: &'static [&'static str] =
        &["id", "customer_id", "status", "version", "total", "placed_at", "updated_at"];
}

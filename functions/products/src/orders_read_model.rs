//! The orders, as far as the reservations must agree with them: a read of another service's table
//! (docs/decisions/0010).
//!
//! It must read nothing else there, and write nothing. Only verify-stock may use it.

use serde::Deserialize;
use shop_dynamo::{ForeignItem, ForeignTable, Record};
use shop_events::{OrderStatus, ReservedLine};
use shop_types::{OrderId, Timestamp};

/// The orders table, for reading.
pub type OrdersReadModel = ForeignTable<OrderRecord>;

/// What is read of an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OrderRecord {
    /// Its id.
    pub id: OrderId,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// One more with every change.
    pub version: u64,
    /// What it asks for.
    pub lines: Vec<ReservedLine>,
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
        &["id", "status", "version", "lines", "placed_at", "updated_at"];
}

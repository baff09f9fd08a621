//! What the orders service publishes: every event carries the whole order as it was then, so that no consumer
//! has to ask.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_types::{Money, OrderId, ProductId, Timestamp, UserId};

use crate::aggregate::Aggregate;
use crate::inventory::{RejectionReason, Shortage};

/// Where an order is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Placed; its stock is not settled yet.
    Pending,
    /// Its stock is reserved.
    Confirmed,
    /// There was not enough stock.
    Rejected,
    /// Cancelled by the customer or the shop.
    Cancelled,
    /// On its way.
    Shipped,
    /// With the customer.
    Delivered,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderLine {
    /// The product.
    pub product_id: ProductId,
    /// The product's name when the order was placed.
    pub name: String,
    /// How many.
    #[schemars(range(min = 1))]
    pub quantity: u32,
    /// The price of one, in minor units of the order's currency.
    #[schemars(range(min = 0))]
    pub unit_price: i64,
}

/// An order as it was when the event happened: the data of order.created, order.confirmed and order.delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderSnapshot {
    /// The order.
    pub order_id: OrderId,
    /// Who placed it; absent for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<UserId>,
    /// Its status after the event.
    pub status: OrderStatus,
    /// Its lines, each product once.
    pub lines: Vec<OrderLine>,
    /// The sum of its lines, in minor units.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
}

impl Aggregate for OrderSnapshot {
    fn aggregate(&self) -> String {
        self.order_id.to_string()
    }
}

/// The data of order.rejected: the order, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderRejected {
    /// The order.
    #[serde(flatten)]
    pub order: OrderSnapshot,
    /// Why it was rejected.
    pub reason: RejectionReason,
    /// Each line that could not be had.
    pub shortages: Vec<Shortage>,
}

impl Aggregate for OrderRejected {
    fn aggregate(&self) -> String {
        self.order.aggregate()
    }
}

/// The data of order.cancelled: the order, and what it was before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderCancelled {
    /// The order.
    #[serde(flatten)]
    pub order: OrderSnapshot,
    /// Its status until then: a confirmed order was sold, and a pending one was not. Absent in what was published
    /// before this was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_from: Option<OrderStatus>,
}

impl Aggregate for OrderCancelled {
    fn aggregate(&self) -> String {
        self.order.aggregate()
    }
}

/// The data of order.shipped: the order, and what its carrier knows it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderShipped {
    /// The order.
    #[serde(flatten)]
    pub order: OrderSnapshot,
    /// The carrier's number; absent where it was shipped without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
}

impl Aggregate for OrderShipped {
    fn aggregate(&self) -> String {
        self.order.aggregate()
    }
}

/// The data of order.stalled: an order that has been pending for too long, so that one of its events may be lost.
///
/// Its aggregate is not the order, which has not changed, but the order's wait: `<order>/stall`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderStalled {
    /// The order.
    #[serde(flatten)]
    pub order: OrderSnapshot,
    /// How often it was found so, this time included.
    #[schemars(range(min = 1))]
    pub re_emits: u64,
}

impl Aggregate for OrderStalled {
    fn aggregate(&self) -> String {
        format!("{}/stall", self.order.order_id)
    }

    fn story(&self) -> String {
        self.order.order_id.to_string()
    }
}

//! What the products service publishes of its stock.
//!
//! Four of the types are about a reservation: their aggregate is the order, their version the reservation's.
//! The others are about a product's stock counter, which has a version of its own.
//!
//! Two pairs tell of crossings, each once, and in turn: [`InventoryLow`] and [`InventoryReplenished`],
//! [`InventorySoldOut`] and [`InventoryBackInStock`]. The second of each names the version of the first, so that
//! whoever has them in the wrong order still knows which belong together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_types::{OrderId, ProductId};

use crate::aggregate::Aggregate;

/// Why an order cannot have its stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RejectionReason {
    /// At least one line asks for more than is available.
    InsufficientStock,
    /// At least one product does not exist, or no longer.
    UnknownProduct,
}

/// How many of a product are set aside for an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservedLine {
    /// The product.
    pub product_id: ProductId,
    /// How many.
    #[schemars(range(min = 1))]
    pub quantity: u32,
}

/// A line of an order that could not be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shortage {
    /// The product.
    pub product_id: ProductId,
    /// How many the order asked for.
    #[schemars(range(min = 1))]
    pub requested: u32,
    /// How many there were; 0 for a product that does not exist.
    pub available: u64,
}

/// The data of inventory.reserved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryReserved {
    /// The order.
    pub order_id: OrderId,
    /// What is set aside: all of the order's lines.
    pub lines: Vec<ReservedLine>,
}

impl Aggregate for InventoryReserved {
    fn aggregate(&self) -> String {
        self.order_id.to_string()
    }
}

/// The data of inventory.rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryRejected {
    /// The order.
    pub order_id: OrderId,
    /// Why. Where both reasons hold, the product that does not exist.
    pub reason: RejectionReason,
    /// Each line that could not be had.
    pub shortages: Vec<Shortage>,
}

impl Aggregate for InventoryRejected {
    fn aggregate(&self) -> String {
        self.order_id.to_string()
    }
}

/// The data of inventory.released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryReleased {
    /// The order.
    pub order_id: OrderId,
    /// What was set aside and is for sale again.
    pub lines: Vec<ReservedLine>,
}

impl Aggregate for InventoryReleased {
    fn aggregate(&self) -> String {
        self.order_id.to_string()
    }
}

/// The data of inventory.updated: the stock counter after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryUpdated {
    /// The product.
    pub product_id: ProductId,
    /// How many are for sale.
    pub available: u64,
    /// How many are set aside for orders.
    pub reserved: u64,
    /// By how many `available` changed.
    pub change: i64,
}

impl Aggregate for InventoryUpdated {
    fn aggregate(&self) -> String {
        self.product_id.to_string()
    }
}

/// The data of inventory.low: fewer are for sale than the product's threshold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryLow {
    /// The product.
    pub product_id: ProductId,
    /// How many are for sale.
    pub available: u64,
    /// The threshold that this is below.
    pub low_stock_threshold: u64,
}

impl Aggregate for InventoryLow {
    fn aggregate(&self) -> String {
        self.product_id.to_string()
    }
}

/// The data of inventory.replenished: a product that was low no longer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryReplenished {
    /// The product.
    pub product_id: ProductId,
    /// How many are for sale.
    pub available: u64,
    /// The threshold now.
    pub low_stock_threshold: u64,
    /// The version of the inventory.low that this ends.
    pub low_since: u64,
}

impl Aggregate for InventoryReplenished {
    fn aggregate(&self) -> String {
        self.product_id.to_string()
    }
}

/// The data of `inventory.sold_out`: the last one for sale is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventorySoldOut {
    /// The product.
    pub product_id: ProductId,
}

impl Aggregate for InventorySoldOut {
    fn aggregate(&self) -> String {
        self.product_id.to_string()
    }
}

/// The data of `inventory.back_in_stock`: none were for sale, and some are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryBackInStock {
    /// The product.
    pub product_id: ProductId,
    /// How many are for sale.
    pub available: u64,
    /// The version of the `inventory.sold_out` that this ends; absent where the product was never for sale before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sold_out_since: Option<u64>,
}

impl Aggregate for InventoryBackInStock {
    fn aggregate(&self) -> String {
        self.product_id.to_string()
    }
}

/// The data of inventory.closed: the product left the catalogue, and nothing more is told of its stock's crossings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryClosed {
    /// The product.
    pub product_id: ProductId,
    /// The version of the inventory.low that nothing else ends; absent where the product was not low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_since: Option<u64>,
    /// The version of the `inventory.sold_out` that nothing else ends; absent where the product was not sold out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sold_out_since: Option<u64>,
}

impl Aggregate for InventoryClosed {
    fn aggregate(&self) -> String {
        self.product_id.to_string()
    }
}

/// The figures of a stock counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StockFigures {
    /// All that are on hand.
    pub total: u64,
    /// How many are for sale.
    pub available: u64,
    /// How many are set aside for orders.
    pub reserved: u64,
}

/// The data of inventory.repaired: a stock counter did not agree with the ledger of reservations, and was put
/// right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryRepaired {
    /// The product.
    pub product_id: ProductId,
    /// The figures as they were found.
    pub before: StockFigures,
    /// The figures as the ledger has them.
    pub after: StockFigures,
}

impl Aggregate for InventoryRepaired {
    fn aggregate(&self) -> String {
        self.product_id.to_string()
    }
}

/// What became of an order's stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// All of its lines are set aside.
    Reserved,
    /// Not all of them were there, so none is set aside.
    Rejected,
    /// The order was cancelled: nothing is set aside, and never will be.
    Released,
}

/// The data of reservation.repaired: the ledger did not say what the order's state asks for, and was put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReservationRepaired {
    /// The order.
    pub order_id: OrderId,
    /// The status as it was found; absent where the ledger had no entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<ReservationStatus>,
    /// The status as the order's state asks for.
    pub after: ReservationStatus,
}

impl Aggregate for ReservationRepaired {
    fn aggregate(&self) -> String {
        self.order_id.to_string()
    }
}

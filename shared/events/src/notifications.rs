//! What the notifications service publishes: alerts, and their ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_types::{AlertId, ProductId, Timestamp};

use crate::aggregate::Aggregate;

/// What an alert is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// Fewer of a product are for sale than its threshold.
    LowStock,
    /// None of a product are for sale.
    SoldOut,
}

impl AlertKind {
    /// The name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LowStock => "low_stock",
            Self::SoldOut => "sold_out",
        }
    }
}

/// The data of alert.raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertRaised {
    /// The alert.
    pub alert_id: AlertId,
    /// What it is about.
    pub kind: AlertKind,
    /// The product.
    pub product_id: ProductId,
    /// How many were for sale.
    pub available: u64,
    /// The threshold that this was below; absent where it is about none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock_threshold: Option<u64>,
    /// When the stock changed.
    pub raised_at: Timestamp,
}

impl Aggregate for AlertRaised {
    fn aggregate(&self) -> String {
        self.alert_id.to_string()
    }

    fn story(&self) -> String {
        self.product_id.to_string()
    }
}

/// The data of alert.resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertResolved {
    /// The alert.
    pub alert_id: AlertId,
    /// What it was about.
    pub kind: AlertKind,
    /// The product.
    pub product_id: ProductId,
    /// When the stock changed, or the product was deleted.
    pub resolved_at: Timestamp,
}

impl Aggregate for AlertResolved {
    fn aggregate(&self) -> String {
        self.alert_id.to_string()
    }

    fn story(&self) -> String {
        self.product_id.to_string()
    }
}

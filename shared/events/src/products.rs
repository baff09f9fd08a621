//! What the products service publishes of its catalogue. Stock is not part of it: see inventory.rs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_types::{Money, ProductId, Timestamp};

use crate::aggregate::Aggregate;

/// A product as it was when the event happened: the data of product.created and product.updated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductSnapshot {
    /// The product.
    pub product_id: ProductId,
    /// Its name.
    pub name: String,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The price of one, in minor units.
    pub price: Money,
    /// Its category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The address of its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// When it entered the catalogue.
    pub created_at: Timestamp,
}

impl Aggregate for ProductSnapshot {
    fn aggregate(&self) -> String {
        self.product_id.to_string()
    }
}

/// The data of product.deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProductDeleted {
    /// The product.
    pub product_id: ProductId,
}

impl Aggregate for ProductDeleted {
    fn aggregate(&self) -> String {
        self.product_id.to_string()
    }
}

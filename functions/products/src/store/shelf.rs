//! Adjustments of stock counters by an administrator.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use serde::{Deserialize, Serialize};
use shop_dynamo::{Assignment, StoreError, read};
use shop_types::{ProductId, Timestamp};

use super::Store;
use super::keys::{self, Kind, unsigned};
use crate::millis;
use crate::stock::Stock;

/// An adjustment that was made under an idempotency key, and what came of it: the answer to every repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedAdjustment {
    /// The product.
    #[serde(rename = "pk")]
    pub product_id: ProductId,
    /// The sort key, which holds the key's hash.
    sk: String,
    /// Tells a repeat from another request under the same key.
    pub request_hash: String,
    /// What was for sale then.
    pub available: u64,
    /// What was reserved then.
    pub reserved: u64,
    /// The counter's version then.
    pub version: u64,
    /// When it was made.
    #[serde(with = "millis")]
    pub updated_at: Timestamp,
}

impl KeyedAdjustment {
    /// The adjustment that led to a counter.
    #[must_use]
    pub fn new(key_hash: &str, request_hash: String, after: &Stock) -> Self {
        Self {
            product_id: after.product_id.clone(),
            sk: keys::adjustment(key_hash),
            request_hash,
            available: after.available,
            reserved: after.reserved,
            version: after.version,
            updated_at: after.updated_at,
        }
    }
}

impl Store {
    /// A product's counter.
    ///
    /// # Errors
    /// DynamoDB failed, or the item cannot be read.
    pub async fn stock(&self, id: &ProductId) -> Result<Option<Stock>, StoreError> {
        self.get(Kind::Stock, id, Kind::Stock.sort_key()).await
    }

    /// The adjustment of a product's stock under an idempotency key, by the key's hash.
    ///
    /// # Errors
    /// DynamoDB failed, or the item cannot be read.
    pub async fn adjustment(
        &self,
        id: &ProductId,
        key_hash: &str,
    ) -> Result<Option<KeyedAdjustment>, StoreError> {
        self.get(Kind::Adjustment, id, &keys::adjustment(key_hash)).await
    }

    async fn get<T: serde::de::DeserializeOwned>(
        &self,
        kind: Kind,
        id: &ProductId,
        sort_key: &str,
    ) -> Result<Option<T>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let get = get.set_key(Some(keys::key(id.as_str(), sort_key)));
        let answer = get.send().await.map_err(StoreError::call("GetItem"))?;
        answer.item.map(|item| read(kind.name(), item)).transpose()
    }

    /// Writes the figures of `after`, which were made from `before`, and remembers the key, if there is one;
    /// whether nobody changed the counter or used the key before.
    ///
    /// # Errors
    /// DynamoDB failed; whether the adjustment is made is not known then.
    pub async fn adjust(
        &self,
        before: &Stock,
        after: &Stock,
        keyed: Option<&KeyedAdjustment>,
    ) -> Result<bool, StoreError> {
        let mut items = vec![self.write_figures(before, after)?];
        if let Some(keyed) = keyed {
            let item = shop_dynamo::write(Kind::Adjustment.name(), keyed)?;
            items.push(self.put(item, "attribute_not_exists(pk)", None)?);
        }
        self.try_transact(items).await
    }

    /// An update and not a put: a claim that the counter keeps is no business of an adjustment's.
    fn write_figures(&self, before: &Stock, after: &Stock) -> Result<TransactWriteItem, StoreError> {
        let cause = Assignment::of(&after.cause.attributes());
        let mut update =
            Update::builder()
                .table_name(&self.table)
                .set_key(Some(Kind::Stock.key(after.product_id.as_str())))
                .update_expression(cause.expression(
                    "#total = :total, available = :available, version = :version, updated_at = :now",
                ))
                .condition_expression("version = :before AND attribute_not_exists(deleted_at)")
                .expression_attribute_names("#total", "total")
                .expression_attribute_values(":total", unsigned(after.total))
                .expression_attribute_values(":available", unsigned(after.available))
                .expression_attribute_values(":version", unsigned(after.version))
                .expression_attribute_values(":before", unsigned(before.version))
                .expression_attribute_values(":now", shop_dynamo::number(after.updated_at.as_millis()));
        for (name, value) in cause.values {
            update = update.expression_attribute_values(name, value);
        }
        let update = update.build().map_err(StoreError::call("TransactWriteItems"))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

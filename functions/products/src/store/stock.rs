//! Adjustments of stock counters by an administrator.

use serde::{Deserialize, Serialize};
use shop_dynamo::{Condition, Read, StoreError, Update, Write, value};
use shop_types::{ProductId, Timestamp};

use super::Store;
use super::keys::{self, Kind};
use crate::stock::Stock;
use crate::watch::DEFAULT_THRESHOLD;

/// An adjustment that was made under an idempotency key, and what came of it: the answer to every repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyedAdjustment {
    /// The partition of the key.
    pk: String,
    pub(crate) product_id: ProductId,
    /// Tells a repeat from another request under the same key.
    pub(crate) request_hash: String,
    /// What was for sale then.
    pub(crate) available: u64,
    /// What was reserved then.
    pub(crate) reserved: u64,
    /// The counter's version then.
    pub(crate) version: u64,
    pub(crate) updated_at: Timestamp,
    /// The threshold then.
    #[serde(default = "default_threshold")]
    pub(crate) low_stock_threshold: u64,
}

/// The threshold of a counter that was adjusted before there were any.
const fn default_threshold() -> u64 {
    DEFAULT_THRESHOLD
}

impl KeyedAdjustment {
    #[must_use]
    pub(crate) fn new(key_hash: &str, request_hash: String, after: &Stock) -> Self {
        Self {
            pk: keys::keyed(key_hash),
            product_id: after.product_id.clone(),
            request_hash,
            available: after.available,
            reserved: after.reserved,
            version: after.version,
            updated_at: after.updated_at,
            low_stock_threshold: after.watch().threshold(),
        }
    }
}

impl Store {
    /// A product's counter.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn stock(&self, id: &ProductId) -> Result<Option<Stock>, StoreError> {
        self.table.get(Kind::Stock.key(id.as_str()), Read::Consistent).await
    }

    /// The adjustment of stock under an idempotency key, by the key's hash.
    pub(crate) async fn adjustment(&self, key_hash: &str) -> Result<Option<KeyedAdjustment>, StoreError> {
        self.table.get(Kind::Adjustment.key(&keys::keyed(key_hash)), Read::Consistent).await
    }

    /// Writes the figures of `after`, which were made from `before`, and remembers the key, if there is one;
    /// whether nobody changed the counter or used the key before.
    ///
    /// # Errors
    /// See [`StoreError`]; whether the adjustment is made is not known then.
    pub async fn adjust(
        &self,
        before: &Stock,
        after: &Stock,
        keyed: Option<&KeyedAdjustment>,
    ) -> Result<bool, StoreError> {
        let mut writes: Vec<Write> = vec![self.write_figures(before, after)?.into()];
        if let Some(keyed) = keyed {
            writes.push(self.table.put(Kind::Adjustment.item(keyed)?).if_new().into());
        }
        self.try_transact(writes).await
    }

    /// An update and not a put: a claim that the counter keeps is no business of an adjustment's.
    fn write_figures(&self, before: &Stock, after: &Stock) -> Result<Update, StoreError> {
        let watch = value(Kind::Stock.name(), &after.watch())?;
        let update = self
            .table
            .update(Kind::Stock.key(after.product_id.as_str()))
            .set("total", after.total)
            .set("available", after.available)
            .set("version", after.version)
            .set("watch", watch)
            .set("updated_at", after.updated_at)
            .set_or_remove(&after.cause.attributes());
        let is_as_read = Condition::equals("version", before.version);
        Ok(update.only_if(is_as_read.and(Condition::absent("deleted_at"))))
    }
}

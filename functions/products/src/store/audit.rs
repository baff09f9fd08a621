//! What verify-stock needs of the table: all of it, and a counter put right.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use shop_dynamo::{
    Assignment, Item, ScanPages, StoreError, number, read, read_attribute, read_or_key, string,
};
use shop_events::{Cause, StockFigures};
use shop_types::{OrderId, ProductId, Timestamp};

use super::Store;
use super::catalogue::kind_of;
use super::keys::{Kind, unsigned};
use crate::audit::{Counter, Look};
use crate::reservation::Reservation;

impl Store {
    /// All counters and entries of the ledger, page by page.
    #[must_use]
    pub fn books_pages(&self) -> ScanPages {
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        ScanPages::of(
            scan.filter_expression("sk IN (:stock, :reservation)")
                .expression_attribute_values(":stock", string(Kind::Stock.sort_key()))
                .expression_attribute_values(":reservation", string(Kind::Reservation.sort_key())),
        )
    }

    /// The entries of some orders, as of this moment; none for one that cannot be read.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn entries(
        &self,
        orders: impl Iterator<Item = &OrderId>,
    ) -> Result<BTreeMap<OrderId, Option<Reservation>>, StoreError> {
        const KIND: &str = Kind::Reservation.name();
        let keys = orders.map(|order| Kind::Reservation.key(order.as_str())).collect();
        let mut entries = BTreeMap::new();
        for item in self.get_many(keys).await? {
            let order = read_attribute(KIND, &item, "pk")?;
            entries.insert(order, StoreError::if_readable(read(KIND, item))?);
        }
        Ok(entries)
    }

    /// Puts a counter right, and marks it as repaired; whether it still was as it was found.
    ///
    /// # Errors
    /// DynamoDB failed; whether the counter is put right is not known then.
    pub async fn repair_counter(
        &self,
        product: &ProductId,
        found: Counter,
        right: StockFigures,
        now: Timestamp,
        cause: &Cause,
    ) -> Result<bool, StoreError> {
        let cause = Assignment::of(&cause.attributes());
        let mut update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(Kind::Stock.key(product.as_str())))
            .update_expression(cause.expression(
                "available = :available, reserved = :reserved, version = :version, #repair = :version, \
                 updated_at = :now",
            ))
            // The version alone says it, unless somebody wrote past the shop's own code.
            .condition_expression(
                "version = :found AND #total = :total AND available = :was_available AND reserved = :was_reserved",
            )
            .expression_attribute_names("#total", "total")
            .expression_attribute_names("#repair", "repair")
            .expression_attribute_values(":available", unsigned(right.available))
            .expression_attribute_values(":reserved", unsigned(right.reserved))
            .expression_attribute_values(":version", unsigned(found.version + 1))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":found", unsigned(found.version))
            .expression_attribute_values(":total", unsigned(found.figures.total))
            .expression_attribute_values(":was_available", unsigned(found.figures.available))
            .expression_attribute_values(":was_reserved", unsigned(found.figures.reserved));
        for (name, value) in cause.values {
            update = update.expression_attribute_values(name, value);
        }
        let update = update.build().map_err(StoreError::call("TransactWriteItems"))?;
        self.try_transact(vec![TransactWriteItem::builder().update(update).build()]).await
    }
}

/// Takes an item of the table into a look.
///
/// # Errors
/// The item's key, where it cannot be read.
pub(crate) fn see(look: &mut Look, item: Item) -> Result<(), String> {
    const KEYS: &[&str] = &["pk", "sk"];
    let seen = match kind_of(&item) {
        Some(Kind::Stock) => read_or_key(KEYS, item).map(|counter| look.see_counter(counter)),
        Some(Kind::Reservation) => read_or_key(KEYS, item).map(|entry| look.see_entry(entry)),
        _ => Ok(()),
    };
    seen.inspect_err(|_| look.see_unreadable())
}

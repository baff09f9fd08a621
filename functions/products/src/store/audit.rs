//! What verify-stock needs of the table: all of it, and a counter put right.

use std::collections::BTreeMap;

use shop_dynamo::{
    Checkpoint, Condition, Item, Record, ScanPages, StoreError, read, read_attribute, read_or_key, value,
};
use shop_events::{Cause, StockFigures};
use shop_types::{OrderId, ProductId, Timestamp};

use super::Store;
use super::keys::Kind;
use crate::audit::{Counter, Snapshot};
use crate::reservation::Reservation;

impl Store {
    /// All counters and entries of the ledger, page by page.
    #[must_use]
    pub(crate) fn audited_pages(&self) -> ScanPages {
        let kinds = Condition::of("sk IN (:stock, :reservation)")
            .with("stock", Kind::Stock.sort_key())
            .with("reservation", Kind::Reservation.sort_key());
        self.table.scan(&kinds)
    }

    /// Where a verification of a kind goes on.
    #[must_use]
    pub(crate) fn checkpoint(&self, kind: &str) -> Checkpoint {
        Checkpoint::new(&self.table, Kind::Checkpoint.key(&format!("verify-stock#{kind}")))
    }

    /// The entries of some orders, as of this moment; none for one that cannot be read.
    pub(crate) async fn entries(
        &self,
        orders: impl Iterator<Item = &OrderId>,
    ) -> Result<BTreeMap<OrderId, Option<Reservation>>, StoreError> {
        const KIND: &str = Reservation::KIND;
        let keys: Vec<_> = orders.map(|order| Kind::Reservation.key(order.as_str())).collect();
        let mut entries = BTreeMap::new();
        for item in self.table.get_all(&keys).await? {
            let order = read_attribute(KIND, &item, "pk")?;
            entries.insert(order, StoreError::if_readable(read(KIND, item))?);
        }
        Ok(entries)
    }

    /// Puts a counter right, and marks it as repaired; whether it still was as it was found.
    ///
    /// # Errors
    /// DynamoDB failed; whether the counter is put right is not known then.
    pub(crate) async fn repair_counter(
        &self,
        product: &ProductId,
        found: Counter,
        right: StockFigures,
        now: Timestamp,
        cause: &Cause,
    ) -> Result<bool, StoreError> {
        let version = found.version + 1;
        let as_found = Condition::equals("version", found.version)
            // The version alone says it, unless somebody wrote past the shop's own code.
            .and(Condition::equals("total", found.figures.total))
            .and(Condition::equals("available", found.figures.available))
            .and(Condition::equals("reserved", found.figures.reserved));
        let watch = found.watch.moved(found.figures.available, right.available, version);
        let update = self
            .table
            .update(Kind::Stock.key(product.as_str()))
            .set("watch", value(Kind::Stock.name(), &watch)?)
            .set("available", right.available)
            .set("reserved", right.reserved)
            .set("version", version)
            .set("repair", version)
            .set("updated_at", now)
            .set_or_remove(&cause.attributes())
            .only_if(as_found);
        self.try_transact([update.into()]).await
    }
}

/// Takes an item of the table into a snapshot.
///
/// # Errors
/// The item's key, where it cannot be read.
pub(crate) fn see(snapshot: &mut Snapshot, item: Item) -> Result<(), String> {
    const KEYS: &[&str] = &["pk", "sk"];
    let seen = match Kind::of_item(&item) {
        Some(Kind::Stock) => read_or_key(KEYS, item).map(|counter| snapshot.see_counter(counter)),
        Some(Kind::Reservation) => read_or_key(KEYS, item).map(|entry| snapshot.see_entry(entry)),
        _ => Ok(()),
    };
    seen.inspect_err(|_| snapshot.see_unreadable())
}

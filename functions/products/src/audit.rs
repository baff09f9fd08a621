//! The decision behind verify-stock: whether the counters agree with the ledger, and the ledger with the orders.
//! Pure: no AWS, no clock.
//!
//! # Counters
//!
//! A counter's `reserved` must be the sum of the ledger's reserved entries, with the claims that other counters
//! keep. No read shows the whole table at one moment, and a busy shop never rests. So a counter is judged by
//! three snapshots of the table that agree about it: the counter had the same version each time, and the same entries
//! touched it, at the same versions. Versions only grow, so what all snapshots saw was so at one moment.
//!
//! (Two snapshots would do, but for a claim: it moves from a counter to the ledger without a change of the counter's
//! version, so that one snapshot may see it at neither place. That happens to a claim once, and its coming before
//! and its place after show in the other snapshots.)
//!
//! An item that cannot be read may be an entry, or keep one. As long as there is one, nobody knows what is set aside,
//! so no counter is put right: a repair would sell what somebody has.
//!
//! # Entries
//!
//! What an order's entry should say follows from the order's state, once that is settled for a while.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use shop_events::{OrderStatus, StockFigures};
use shop_types::{OrderId, ProductId, Timestamp};

use crate::plan::is_large;
use crate::reservation::{Reservation, Status};
use crate::stock::Stock;
use crate::watch::Watch;

/// What one snapshot of the whole table saw of the counters and of the entries that touch them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    counters: BTreeMap<ProductId, Counter>,
    tallies: BTreeMap<ProductId, Tally>,
    entries: usize,
    unreadable: usize,
    /// Entries that come through a claim, at the highest version that was seen of each, wherever.
    large: BTreeMap<OrderId, Reservation>,
}

/// What a snapshot saw of a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) version: u64,
    pub(crate) figures: StockFigures,
    pub(crate) watch: Watch,
    pub(crate) updated_at: Timestamp,
}

/// What a snapshot saw of the entries that touch one product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    /// How many they set aside.
    reserved: u64,
    /// A sum over the entries and their versions: it differs where one entry or version does.
    trace: u64,
}

/// A counter that does not agree with the ledger, or with itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrongCounter {
    pub(crate) product_id: ProductId,
    /// The counter as it was seen; none where there is none.
    pub(crate) found: Option<Counter>,
    /// How many the ledger sets aside.
    pub(crate) reserved: u64,
    /// The figures that agree with the ledger and keep the total, if there are any.
    pub(crate) right: Option<StockFigures>,
}

impl Snapshot {
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub(crate) fn counters(&self) -> usize {
        self.counters.len()
    }

    #[must_use]
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// Whether it could read all that it saw.
    #[must_use]
    pub(crate) const fn is_whole(&self) -> bool {
        self.unreadable == 0
    }

    pub(crate) const fn see_unreadable(&mut self) {
        self.unreadable += 1;
    }

    pub(crate) fn see_counter(&mut self, stock: Stock) {
        let counter = Counter {
            version: stock.version,
            figures: stock.figures(),
            watch: stock.watch(),
            updated_at: stock.updated_at,
        };
        self.counters.insert(stock.product_id, counter);
        if let Some(claim) = stock.claim {
            self.see_large(claim);
        }
    }

    pub(crate) fn see_entry(&mut self, entry: Reservation) {
        self.entries += 1;
        if is_large(&entry.quantities()) {
            self.see_large(entry);
        } else {
            self.tally(&entry);
        }
    }

    fn see_large(&mut self, entry: Reservation) {
        match self.large.get(&entry.order_id) {
            Some(seen) if seen.version >= entry.version => {}
            _ => drop(self.large.insert(entry.order_id.clone(), entry)),
        }
    }

    fn tally(&mut self, entry: &Reservation) {
        let mut hasher = DefaultHasher::new();
        (&entry.order_id, entry.version).hash(&mut hasher);
        let trace = hasher.finish();
        for (product, quantity) in entry.quantities() {
            let tally = self.tallies.entry(product).or_default();
            tally.trace = tally.trace.wrapping_add(trace);
            if entry.status == Status::Reserved {
                tally.reserved = tally.reserved.saturating_add(quantity);
            }
        }
    }

    /// Ends the snapshot: nothing more is taken into it.
    #[must_use]
    pub(crate) fn end(mut self) -> Self {
        for entry in std::mem::take(&mut self.large).into_values() {
            self.tally(&entry);
        }
        self
    }

    /// The counters that seem wrong in this snapshot, by their products.
    #[must_use]
    pub(crate) fn wrong(&self) -> Vec<WrongCounter> {
        let products = self.counters.keys().chain(self.tallies.keys().filter(|product| {
            // An entry that sets nothing aside needs no counter, and one that cannot be read is no missing one.
            self.is_whole() && !self.counters.contains_key(*product) && self.tally_of(product).reserved > 0
        }));
        products.filter_map(|product| self.judge(product)).collect()
    }

    fn tally_of(&self, product: &ProductId) -> Tally {
        self.tallies.get(product).copied().unwrap_or_default()
    }

    fn judge(&self, product: &ProductId) -> Option<WrongCounter> {
        let found = self.counters.get(product).copied();
        let reserved = self.tally_of(product).reserved;
        let right = found.and_then(|Counter { figures: StockFigures { total, .. }, .. }| {
            let available = total.checked_sub(reserved)?;
            Some(StockFigures { total, available, reserved })
        });
        if found.map(|counter| counter.figures) == right && right.is_some() {
            return None;
        }
        Some(WrongCounter { product_id: product.clone(), found, reserved, right })
    }

    /// Whether another snapshot saw the same of a product.
    #[must_use]
    pub(crate) fn agrees(&self, other: &Self, product: &ProductId) -> bool {
        self.counters.get(product) == other.counters.get(product)
            && self.tally_of(product) == other.tally_of(product)
    }
}

/// How an order's entry agrees with its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consistency {
    /// It is as it should be; or nothing can be said, as long as the order is pending.
    Consistent,
    /// It should have been released, and can be.
    Unreleased,
    /// It should have this status, and there is no telling why it has not.
    Inconsistent(Status),
}

/// Judges the entry of an order by the order's state.
#[must_use]
pub(crate) const fn consistency(order: OrderStatus, entry: Option<Status>) -> Consistency {
    match (order, entry) {
        (OrderStatus::Pending, _)
        | (OrderStatus::Cancelled, Some(Status::Released | Status::Rejected))
        | (OrderStatus::Rejected, Some(Status::Rejected))
        | (OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered, Some(Status::Reserved)) => {
            Consistency::Consistent
        }
        // Without an entry, the order's own event may still come, and would set stock aside.
        (OrderStatus::Cancelled, None | Some(Status::Reserved)) => Consistency::Unreleased,
        (OrderStatus::Rejected, _) => Consistency::Inconsistent(Status::Rejected),
        (OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered, _) => {
            Consistency::Inconsistent(Status::Reserved)
        }
    }
}

#[cfg(test)]
mod tests;

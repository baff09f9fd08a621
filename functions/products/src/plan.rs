//! The decision behind reserve-stock: from what a batch of messages says of orders, and the stock as it
//! is, to the writes that settle them. Pure: no AWS, no clock.
//!
//! - First come, first served: cancellations give their stock back, then orders are served by the time they
//!   were placed.
//! - All or nothing: an order gets every line, or none and a rejection that names each shortage.
//! - Each event takes effect once, in any order of arrival: the ledger's entry is the claim. A cancellation
//!   that comes first leaves a tombstone, which its order then meets.
//! - An order that is stalled is settled as a new one; where it was settled before, what became of it is published
//!   once more, since the event that said it may be lost.
//! - Coalesced: all orders that fit into a transaction share one write to each product's counter.
//!
//! Every write carries a condition that holds only if the stock is as it was read, or better. Where one
//! fails, the transaction does nothing, the rest of the plan is void, and another is made from a fresh read.

use std::collections::BTreeMap;

use shop_dynamo::MAX_TRANSACTION_ITEMS;
use shop_events::{Cause, RejectionReason, ReservedLine, Shortage};
use shop_types::{OrderId, ProductId, Timestamp};

use crate::reservation::{Quantities, Reservation, Status, quantities};
use crate::stock::Stock;
use crate::watch::Crossing;

/// What the messages of a batch say of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservationRequest {
    /// The order.
    pub order_id: OrderId,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// What it asks for.
    pub lines: Vec<ReservedLine>,
    /// Its order.created, if that is in the batch.
    pub created: Option<Cause>,
    /// Its order.cancelled, if that is in the batch.
    pub cancelled: Option<Cause>,
    /// Its order.stalled, if that is in the batch.
    pub stalled: Option<Cause>,
    /// Whether it is no message that asks for it, but a repair: what is written says so.
    pub is_repair: bool,
}

impl ReservationRequest {
    #[must_use]
    pub(crate) fn quantities(&self) -> Quantities {
        quantities(&self.lines)
    }

    /// Whether its stock and its entry do not fit into one transaction: see [`Step::Claim`].
    #[must_use]
    pub(crate) fn is_large(&self) -> bool {
        is_large(&self.quantities())
    }

    /// Whether no transaction can hold its stock. An order has at most 100 lines, so none should come.
    #[must_use]
    pub(crate) fn is_too_large(&self) -> bool {
        self.quantities().len() > MAX_TRANSACTION_ITEMS
    }
}

/// Whether stock of so many products and an entry do not fit into one transaction.
pub(crate) fn is_large(quantities: &Quantities) -> bool {
    quantities.len() >= MAX_TRANSACTION_ITEMS
}

/// The state of the stock, as far as a batch touches it. What is not there does not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StockState {
    /// The ledger's entries.
    pub reservations: BTreeMap<OrderId, Reservation>,
    /// The stock counters.
    pub stocks: BTreeMap<ProductId, Stock>,
}

/// A change of one counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockDelta {
    /// How many go from available to reserved; less than 0 where more come back. 0 only for a coordinator.
    pub net: i64,
    /// When.
    pub at: Timestamp,
    /// The event behind it; the first one, where several share the write.
    pub cause: Cause,
    /// Who is to be told of it.
    pub crossing: Crossing,
}

/// Changes of counters, each product once.
pub type StockDeltas = BTreeMap<ProductId, StockDelta>;

/// An entry of the ledger to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The entry.
    pub reservation: Reservation,
    /// The version that it replaces; none where the order must have no entry yet.
    pub replaces: Option<u64>,
}

impl Entry {
    fn of(reservation: Reservation) -> Self {
        let replaces = reservation.version.checked_sub(1).filter(|version| *version > 0);
        Self { reservation, replaces }
    }
}

/// One transaction. Each takes effect as a whole, or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Settles some orders: the counters that they touch, and their entries.
    Settle {
        /// The counters.
        deltas: StockDeltas,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// Settles an order of 100 products, whose counters alone fill a transaction. The entry is left with
    /// the counter of the order's first product, its coordinator, for [`Step::Complete`] to put into the ledger.
    /// Nothing is decided in between: whoever reads the counter sees the entry, and completes it before
    /// anything else.
    ///
    /// No condition can ask whether the ledger has an entry, since that would be the 101st item. The
    /// coordinator's version tells: every entry of such an order comes through its coordinator, and the ledger was
    /// read after the coordinator. (The coordinator exists: only products that exist can be ordered, and counters are
    /// never removed.)
    Claim {
        /// The counters, the coordinator's among them.
        deltas: StockDeltas,
        /// The product whose counter keeps the entry meanwhile.
        coordinator: ProductId,
        /// The version that the coordinator must have.
        coordinator_version: u64,
        /// The entry.
        reservation: Reservation,
    },
    /// Puts the entry that a counter keeps into the ledger.
    Complete {
        /// The product whose counter keeps it.
        coordinator: ProductId,
        /// The entry.
        entry: Entry,
    },
    /// Has entries published once more, with the events that were made when they were written: the same ids, the
    /// same content. Only their count of that changes, so whoever had the event before has it twice.
    ReEmit {
        /// The entries as they were read.
        entries: Vec<Reservation>,
    },
}

/// The transactions that settle these requests, in their order. None, where all is settled.
#[must_use]
pub fn plan(requests: &[ReservationRequest], state: StockState, now: Timestamp) -> Vec<Step> {
    let entry_of = |request: &ReservationRequest| state.reservations.get(&request.order_id).cloned();
    let to_re_emit: Vec<_> =
        requests.iter().filter(|request| request.stalled.is_some()).filter_map(entry_of).collect();
    let mut planner =
        Planner { state, now, steps: Vec::new(), deltas: StockDeltas::new(), entries: Vec::new() };
    planner.complete_claims();
    let cancelled = requests.iter().filter_map(|request| Some((request, request.cancelled.as_ref()?)));
    for (request, cause) in cancelled {
        planner.cancel(request, cause);
    }
    let created = requests.iter().filter_map(|request| {
        let cause = request.created.as_ref().or(request.stalled.as_ref())?;
        Some((request, cause))
    });
    let mut created: Vec<_> = created.collect();
    created.sort_by_key(|(request, _)| (request.placed_at, &request.order_id));
    for (request, cause) in created {
        planner.reserve(request, cause);
    }
    planner.close();
    planner.re_emit(to_re_emit);
    planner.steps
}

/// The plan so far. `state` is as it will be once it is carried out, the open transaction included.
struct Planner {
    state: StockState,
    now: Timestamp,
    steps: Vec<Step>,
    deltas: StockDeltas,
    entries: Vec<Entry>,
}

impl Planner {
    fn complete_claims(&mut self) {
        for (product, stock) in &mut self.state.stocks {
            if let Some(claim) = stock.claim.take() {
                self.state.reservations.insert(claim.order_id.clone(), claim.clone());
                self.steps.push(Step::Complete { coordinator: product.clone(), entry: Entry::of(claim) });
            }
        }
    }

    fn cancel(&mut self, request: &ReservationRequest, cause: &Cause) {
        match self.state.reservations.get(&request.order_id) {
            None => {
                let tombstone = Reservation::never_needed(request.order_id.clone(), self.now, cause.clone());
                let tombstone = if request.is_repair { tombstone.into_repair() } else { tombstone };
                self.settle(request, tombstone, &Quantities::new(), -1);
            }
            Some(reservation) if reservation.status == Status::Reserved => {
                let released = reservation.released(self.now, cause.clone());
                let released = if request.is_repair { released.into_repair() } else { released };
                let lines = released.quantities();
                self.settle(request, released, &lines, -1);
            }
            Some(_) => {}
        }
    }

    fn reserve(&mut self, request: &ReservationRequest, cause: &Cause) {
        if self.state.reservations.contains_key(&request.order_id) {
            return;
        }
        let (order_id, cause) = (request.order_id.clone(), cause.clone());
        let wanted = request.quantities();
        let mut reason = RejectionReason::InsufficientStock;
        let mut shortages = Vec::new();
        for (product_id, quantity) in &wanted {
            let for_sale = self.for_sale(product_id);
            if for_sale.is_none() {
                reason = RejectionReason::UnknownProduct;
            }
            let available = for_sale.unwrap_or(0);
            if available < *quantity {
                let requested = u32::try_from(*quantity).unwrap_or(u32::MAX);
                shortages.push(Shortage { product_id: product_id.clone(), requested, available });
            }
        }
        if shortages.is_empty() {
            let reserved = Reservation::reserved(order_id, request.lines.clone(), self.now, cause);
            self.settle(request, reserved, &wanted, 1);
        } else {
            let rejected = Reservation::rejected(order_id, reason, shortages, self.now, cause);
            self.settle(request, rejected, &Quantities::new(), 1);
        }
    }

    /// How many of a product are for sale; none where there is no such product, or no longer.
    fn for_sale(&self, product: &ProductId) -> Option<u64> {
        let stock = self.state.stocks.get(product).filter(|stock| stock.deleted_at.is_none())?;
        Some(stock.available)
    }

    /// Plans an entry and the stock that it sets aside (`sign` 1) or gives back (-1).
    fn settle(
        &mut self,
        request: &ReservationRequest,
        reservation: Reservation,
        quantities: &Quantities,
        sign: i64,
    ) {
        self.state.reservations.insert(reservation.order_id.clone(), reservation.clone());
        if request.is_large() {
            self.claim(request, reservation, quantities, sign);
            return;
        }
        let new = quantities.keys().filter(|product| !self.deltas.contains_key(*product)).count();
        if self.deltas.len() + new + self.entries.len() + 1 > MAX_TRANSACTION_ITEMS {
            self.close();
        }
        for (product, quantity) in quantities {
            let net = self.book(product, *quantity, sign);
            let at = self.time_of(product);
            let cause = || reservation.cause.clone();
            let first = || StockDelta { net: 0, at, cause: cause(), crossing: Crossing::Unwatched };
            self.deltas.entry(product.clone()).or_insert_with(first).net += net;
        }
        self.entries.push(Entry::of(reservation));
    }

    fn claim(
        &mut self,
        request: &ReservationRequest,
        reservation: Reservation,
        quantities: &Quantities,
        sign: i64,
    ) {
        self.close();
        let Some(coordinator) = request.quantities().into_keys().next() else { return };
        let coordinator_version = self.state.stocks.get(&coordinator).map_or(0, |stock| stock.version);
        let cause = &reservation.cause;
        let delta_of = |net: i64, at: Timestamp| StockDelta {
            net,
            at,
            cause: cause.clone(),
            crossing: Crossing::Unwatched,
        };
        let mut deltas = StockDeltas::from([(coordinator.clone(), delta_of(0, self.time_of(&coordinator)))]);
        for (product, quantity) in quantities {
            let net = self.book(product, *quantity, sign);
            deltas.insert(product.clone(), delta_of(net, self.time_of(product)));
        }
        self.count_versions(&mut deltas);
        let entry = Entry::of(reservation.clone());
        self.steps.push(Step::Claim {
            deltas,
            coordinator: coordinator.clone(),
            coordinator_version,
            reservation,
        });
        self.steps.push(Step::Complete { coordinator, entry });
    }

    /// When a counter changes: now, and never before it changed last, whose clock that was.
    fn time_of(&self, product: &ProductId) -> Timestamp {
        self.state.stocks.get(product).map_or(self.now, |stock| stock.last_told_at().max(self.now))
    }

    /// Moves stock in the state; the change of what is reserved.
    fn book(&mut self, product: &ProductId, quantity: u64, sign: i64) -> i64 {
        if let Some(stock) = self.state.stocks.get_mut(product) {
            let (from, to) = match sign {
                1 => (&mut stock.available, &mut stock.reserved),
                _ => (&mut stock.reserved, &mut stock.available),
            };
            *from = from.saturating_sub(quantity);
            *to = to.saturating_add(quantity);
        }
        quantity.cast_signed() * sign
    }

    /// Re-emits entries that this plan leaves as they were read; what it writes is published by that. Who
    /// was released is not re-emitted: its order is no longer pending.
    fn re_emit(&mut self, entries: Vec<Reservation>) {
        let stay = |entry: &Reservation| {
            entry.status != Status::Released && self.state.reservations.get(&entry.order_id) == Some(entry)
        };
        let entries: Vec<_> = entries.into_iter().filter(stay).collect();
        for entries in entries.chunks(MAX_TRANSACTION_ITEMS) {
            self.steps.push(Step::ReEmit { entries: entries.to_vec() });
        }
    }

    /// Ends the open transaction.
    fn close(&mut self) {
        let mut deltas = std::mem::take(&mut self.deltas);
        // What one order gives back and another takes at once need not be written.
        deltas.retain(|_, change| change.net != 0);
        self.count_versions(&mut deltas);
        let entries = std::mem::take(&mut self.entries);
        if !entries.is_empty() {
            self.steps.push(Step::Settle { deltas, entries });
        }
    }

    /// Counts the versions that a transaction makes, and says whom it is to be told.
    fn count_versions(&mut self, deltas: &mut StockDeltas) {
        for (product, change) in deltas {
            let Some(stock) = self.state.stocks.get_mut(product) else { continue };
            if stock.deleted_at.is_none() {
                change.crossing = Crossing::of(stock.watch, stock.version, change.net, stock.available);
            }
            if let Crossing::To { watch, .. } = change.crossing {
                stock.watch = Some(watch);
            }
            stock.version += 1;
        }
    }
}

#[cfg(test)]
mod tests;

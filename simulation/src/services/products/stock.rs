//! The stock of all products: counters, reservations, and how much there was at which time.

use std::collections::{BTreeMap, VecDeque};

use products::reservation::{Reservation, Status};
use products::stock::Stock;
use shop_events::{RejectionReason, Shortage};
use shop_types::{OrderId, ProductId, Timestamp};

use crate::violation::Violation;

/// How long a decision may take, in milliseconds: reserve-stock's timeout and what its messages wait in it.
/// What was available at any time within it may be what the decision saw.
const DECISION: i64 = 15_000;

/// How many of a product could be had for some time.
#[derive(Debug)]
struct Level {
    /// From when on, until the next one begins.
    since: i64,
    /// How many; none where nothing could be reserved.
    available: Option<u64>,
    /// When whoever reserved or released something decided it, by its own clock; none where something else
    /// changed the counter. A plan's writes all bear its time.
    decided_at: Option<Timestamp>,
}

/// Counters and ledger of the products service.
#[derive(Debug, Default)]
pub(super) struct StockModel {
    stocks: BTreeMap<ProductId, Stock>,
    pub(super) reservations: BTreeMap<OrderId, Reservation>,
    /// The sum of the reservations, claims on their way to the ledger included.
    reserved: BTreeMap<ProductId, u64>,
    levels: BTreeMap<ProductId, VecDeque<Level>>,
    /// Orders whose reservation, as the ledger or a claim has it, is in the sum.
    counted: BTreeMap<OrderId, Reservation>,
    /// Rejections that were judged when they were claimed: their ledger entry may come minutes later.
    claimed_rejections: BTreeMap<OrderId, Reservation>,
    /// Every level that a counter had, by its version.
    pub(super) history: BTreeMap<(ProductId, u64), u64>,
    touched: Vec<ProductId>,
}

impl StockModel {
    /// Takes in a change of a counter.
    pub(super) fn counter(
        &mut self,
        time: i64,
        caller: &str,
        old: Option<&Stock>,
        new: &Stock,
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut report = |seen: &str| {
            let seen = format!("{caller}, {seen}: {old:?} became {new:?}");
            violations.push(Violation::new("stock-is-conserved", seen));
        };
        if new.available.checked_add(new.reserved) != Some(new.total) {
            report("total is not available + reserved");
        }
        if let Some(old) = old {
            let figures = |stock: &Stock| (stock.total, stock.available, stock.reserved);
            let is_changed = figures(old) != figures(new);
            let next = old.version + 1;
            // A claim without a figure of its own counts a version too.
            let expected = if is_changed { next..=next } else { old.version..=next };
            if !expected.contains(&new.version) {
                report("each change is one version");
            }
            if is_changed {
                match caller {
                    "reserve-stock" if old.total != new.total => report("a reservation changed the total"),
                    "set-stock" if old.reserved != new.reserved => {
                        report("an adjustment changed what is reserved");
                    }
                    "verify-stock" if old.total != new.total => report("a repair changed the total"),
                    "reserve-stock" | "set-stock" | "verify-stock" => {}
                    _ => report("this function has no business here"),
                }
            }
        } else if !matches!(caller, "create-product" | "import-products") {
            report("this function makes no counters");
        }
        let available = new.deleted_at.is_none().then_some(new.available);
        let decided_at = matches!(caller, "reserve-stock" | "verify-stock").then_some(new.updated_at);
        let levels = self.levels.entry(new.product_id.clone()).or_default();
        levels.push_back(Level { since: time, available, decided_at });
        // The level before the oldest that matters is still the one from there on.
        while levels.get(1).is_some_and(|level| level.since < time - DECISION) {
            levels.pop_front();
        }
        self.history.insert((new.product_id.clone(), new.version), new.available);
        self.touched.push(new.product_id.clone());
        self.stocks.insert(new.product_id.clone(), new.clone());
        if let Some(claim) = &new.claim
            && claim.status == Status::Rejected
            && self.claimed_rejections.get(&claim.order_id).is_none_or(|judged| judged != claim)
        {
            violations.extend(self.undersold(time, claim));
            self.claimed_rejections.insert(claim.order_id.clone(), claim.clone());
        }
        let claims = [old.and_then(|old| old.claim.as_ref()), new.claim.as_ref()];
        for order in claims.into_iter().flatten().map(|claim| claim.order_id.clone()) {
            self.count(&order);
        }
        violations
    }

    /// Takes in a change of the ledger. A plan's entries come in the order in which it decided them.
    pub(super) fn reservation(
        &mut self,
        time: i64,
        old: Option<&Reservation>,
        new: &Reservation,
    ) -> Vec<Violation> {
        let is_legal = match old {
            None => new.version == 1 || (new.version == 2 && self.counted.contains_key(&new.order_id)),
            Some(old) if old.status == new.status => old.version == new.version && old.lines == new.lines,
            Some(old) => {
                (old.status, new.status) == (Status::Reserved, Status::Released)
                    && new.version == old.version + 1
            }
        };
        self.reservations.insert(new.order_id.clone(), new.clone());
        self.count(&new.order_id);
        let seen = || format!("{old:?} became {new:?}");
        let illegal = (!is_legal).then(|| Violation::new("a-reservation-moves-legally", seen()));
        let is_rejected = old.is_none() && new.status == Status::Rejected;
        let claimed = self.claimed_rejections.get(&new.order_id);
        let is_judged =
            claimed.is_some_and(|claim| claim.shortages == new.shortages && claim.reason == new.reason);
        let undersold = if is_rejected && !is_judged { self.undersold(time, new) } else { None };
        illegal.into_iter().chain(undersold).collect()
    }

    /// Puts an order's reservation into the sum, in the place of what was there: the claim where there is one,
    /// since the ledger follows it.
    fn count(&mut self, order: &OrderId) {
        let claim = self.stocks.values().filter_map(|stock| stock.claim.as_ref());
        let claim = claim.into_iter().find(|claim| claim.order_id == *order);
        let entry = self.reservations.get(order);
        let now = match (claim, entry) {
            (Some(claim), Some(entry)) if claim.version < entry.version => Some(entry),
            (Some(claim), _) => Some(claim),
            (None, entry) => entry,
        };
        let now = now.cloned();
        let before = match &now {
            Some(now) => self.counted.insert(order.clone(), now.clone()),
            None => self.counted.remove(order),
        };
        for (reservation, is_added) in [(before, false), (now, true)] {
            let Some(reservation) = reservation.filter(|reservation| reservation.status == Status::Reserved)
            else {
                continue;
            };
            for line in &reservation.lines {
                let sum = self.reserved.entry(line.product_id.clone()).or_default();
                let quantity = u64::from(line.quantity);
                *sum = if is_added { sum.saturating_add(quantity) } else { sum.saturating_sub(quantity) };
                self.touched.push(line.product_id.clone());
            }
        }
    }

    /// Whether there is any of a product for sale.
    pub(super) fn is_there(&self, product: &ProductId) -> bool {
        self.stocks.get(product).is_some_and(|stock| stock.available > 0)
    }

    pub(super) fn begin(&mut self) {
        self.touched.clear();
    }

    /// What must hold when a transaction has taken effect as a whole.
    pub(super) fn settled(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for product in &self.touched {
            let sum = self.reserved.get(product).copied().unwrap_or(0);
            let Some(stock) = self.stocks.get(product) else { continue };
            if stock.reserved != sum {
                let seen = format!("{product}: {} are reserved, the ledger's sum is {sum}", stock.reserved);
                violations.push(Violation::new("reserved-is-the-ledgers-sum", seen));
            }
        }
        violations
    }

    fn undersold(&self, time: i64, rejected: &Reservation) -> Option<Violation> {
        let could_be_had = |product: &ProductId| self.could_be_had(time, product, rejected);
        let seen = |what: &str| {
            let levels: Vec<_> = rejected
                .shortages
                .iter()
                .map(|short| (could_be_had(&short.product_id), self.levels.get(&short.product_id)))
                .collect();
            let (order, shortages) = (&rejected.order_id, &rejected.shortages);
            let seen = format!("{order} was rejected, {what}: {shortages:?}, could be had {levels:?}");
            Some(Violation::new("no-undersell", seen))
        };
        let was_short = |short: &&Shortage| {
            let requested = u64::from(short.requested);
            could_be_had(&short.product_id).iter().any(|level| level.unwrap_or(0) < requested)
        };
        if let Some(short) = rejected.shortages.iter().find(|short| !was_short(short)) {
            return seen(&format!("and there was enough of {}", short.product_id));
        }
        let was_unknown = |short: &Shortage| could_be_had(&short.product_id).contains(&None);
        let is_for_unknown = rejected.reason == Some(RejectionReason::UnknownProduct);
        if is_for_unknown && !rejected.shortages.iter().any(was_unknown) {
            return seen("and all products were known");
        }
        None
    }

    /// How many of a product there were for an order at every time at which its rejection may have been
    /// decided; none where the product was not known. What the same plan had set aside by then is not for
    /// this order: it is in the levels only from the plan's own write on, and others may write before that.
    fn could_be_had(&self, time: i64, product: &ProductId, rejected: &Reservation) -> Vec<Option<u64>> {
        let Some(levels) = self.levels.get(product) else { return vec![None] };
        let decided_at = rejected.updated_at;
        let is_ahead = |entry: &&Reservation| {
            entry.updated_at == decided_at && entry.status == Status::Reserved && entry.version == 1
        };
        let ahead = self.reservations.values().filter(is_ahead);
        let ahead: u64 = ahead.filter_map(|entry| entry.quantities().get(product).copied()).sum();
        let mut is_written = false;
        // A level counts until the next one begins.
        let ends = levels.iter().skip(1).map(|level| level.since).chain(std::iter::once(i64::MAX));
        let seen = levels.iter().zip(ends).filter_map(|(level, end)| {
            is_written |= level.decided_at == Some(decided_at);
            let taken = if is_written { 0 } else { ahead };
            (end >= time - DECISION).then(|| level.available.map(|available| available.saturating_sub(taken)))
        });
        seen.collect()
    }
}

#[cfg(test)]
mod tests;

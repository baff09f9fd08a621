//! The stock of all products: counters, reservations, and how much there was at which time.

use std::collections::{BTreeMap, VecDeque};

use products::reservation::{Reservation, Status};
use products::stock::Stock;
use shop_events::RejectionReason;
use shop_types::{OrderId, ProductId};

use super::Violation;

/// How long a decision may take, in milliseconds: reserve-stock's timeout and what its messages wait in it.
/// What was available at any time within it may be what the decision saw.
const DECISION: i64 = 15_000;

/// Counters and ledger of the products service.
#[derive(Debug, Default)]
pub(crate) struct Shelves {
    pub(crate) stocks: BTreeMap<ProductId, Stock>,
    pub(crate) reservations: BTreeMap<OrderId, Reservation>,
    /// The sum of the reservations, claims on their way to the ledger included.
    reserved: BTreeMap<ProductId, u64>,
    /// How many were available from when on; none where nothing could be reserved.
    levels: BTreeMap<ProductId, VecDeque<(i64, Option<u64>)>>,
    /// Orders whose reservation, as the ledger or a claim has it, is in the sum.
    counted: BTreeMap<OrderId, Reservation>,
    /// Every level that a counter had, by its version.
    pub(crate) history: BTreeMap<(ProductId, u64), u64>,
    touched: Vec<ProductId>,
}

impl Shelves {
    /// Takes in a change of a counter.
    pub(super) fn counter(
        &mut self,
        time: i64,
        caller: &str,
        old: Option<&Stock>,
        new: &Stock,
    ) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut accuse = |seen: &str| {
            let seen = format!("{caller}, {seen}: {old:?} became {new:?}");
            violations.push(Violation::new("stock-is-conserved", seen));
        };
        if new.available.checked_add(new.reserved) != Some(new.total) {
            accuse("total is not available + reserved");
        }
        if let Some(old) = old {
            let figures = |stock: &Stock| (stock.total, stock.available, stock.reserved);
            let is_changed = figures(old) != figures(new);
            let next = old.version + 1;
            // A claim without a figure of its own counts a version too.
            let expected = if is_changed { next..=next } else { old.version..=next };
            if !expected.contains(&new.version) {
                accuse("each change is one version");
            }
            if is_changed {
                match caller {
                    "reserve-stock" if old.total != new.total => accuse("a reservation changed the total"),
                    "set-stock" if old.reserved != new.reserved => {
                        accuse("an adjustment changed what is reserved");
                    }
                    "verify-stock" if old.total != new.total => accuse("a repair changed the total"),
                    "reserve-stock" | "set-stock" | "verify-stock" => {}
                    _ => accuse("this function has no business here"),
                }
            }
        } else if caller != "create-product" {
            accuse("this function makes no counters");
        }
        let level = new.deleted_at.is_none().then_some(new.available);
        let levels = self.levels.entry(new.product_id.clone()).or_default();
        levels.push_back((time, level));
        // The level before the oldest that matters is still the one from there on.
        while levels.get(1).is_some_and(|(since, _)| *since < time - DECISION) {
            levels.pop_front();
        }
        self.history.insert((new.product_id.clone(), new.version), new.available);
        self.touched.push(new.product_id.clone());
        self.stocks.insert(new.product_id.clone(), new.clone());
        let claims = [old.and_then(|old| old.claim.as_ref()), new.claim.as_ref()];
        for order in claims.into_iter().flatten().map(|claim| claim.order_id.clone()) {
            self.count(&order);
        }
        violations
    }

    /// Takes in a change of the ledger.
    pub(super) fn reservation(&mut self, old: Option<&Reservation>, new: &Reservation) -> Vec<Violation> {
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
        (!is_legal).then(|| Violation::new("a-reservation-moves-legally", seen())).into_iter().collect()
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

    /// What must hold when a transaction has taken effect as a whole.
    pub(super) fn settled(&mut self, time: i64, rejected: &[Reservation]) -> Vec<Violation> {
        let mut violations = Vec::new();
        for product in std::mem::take(&mut self.touched) {
            let sum = self.reserved.get(&product).copied().unwrap_or(0);
            let Some(stock) = self.stocks.get(&product) else { continue };
            if stock.reserved != sum {
                let seen = format!("{product}: {} are reserved, the ledger's sum is {sum}", stock.reserved);
                violations.push(Violation::new("reserved-is-the-ledgers-sum", seen));
            }
        }
        for reservation in rejected {
            violations.extend(self.undersold(time, reservation));
        }
        violations
    }

    fn undersold(&self, time: i64, rejected: &Reservation) -> Option<Violation> {
        let seen = |what: &str| {
            let levels: Vec<_> = rejected
                .shortages
                .iter()
                .map(|short| (&short.product_id, self.levels.get(&short.product_id)))
                .collect();
            let seen = format!(
                "{} was rejected, {what}: {:?}, levels {levels:?}",
                rejected.order_id, rejected.shortages
            );
            Some(Violation::new("no-undersell", seen))
        };
        // A product that is unknown is short as well.
        if let Some(short) =
            rejected.shortages.iter().find(|short| !self.was_below(time, &short.product_id, short.requested))
        {
            return seen(&format!("and there was enough of {}", short.product_id));
        }
        let was_unknown =
            |product| self.recent(time, product).is_none_or(|mut levels| levels.any(|level| level.is_none()));
        let is_for_unknown = rejected.reason == Some(RejectionReason::UnknownProduct);
        if is_for_unknown && !rejected.shortages.iter().any(|short| was_unknown(&short.product_id)) {
            return seen("and all products were known");
        }
        None
    }

    /// Whether fewer than so many could be reserved at any time that a decision may have seen.
    fn was_below(&self, time: i64, product: &ProductId, requested: u32) -> bool {
        let levels = self.recent(time, product);
        levels.is_none_or(|mut levels| levels.any(|level| level.unwrap_or(0) < u64::from(requested)))
    }

    /// The levels that a decision may have seen; none of a product that never was.
    fn recent(&self, time: i64, product: &ProductId) -> Option<impl Iterator<Item = Option<u64>>> {
        let levels = self.levels.get(product)?;
        // A level counts until the next one begins.
        let ends = levels.iter().skip(1).map(|(since, _)| *since).chain(std::iter::once(i64::MAX));
        let recent = levels.iter().zip(ends).filter(move |(_, end)| *end >= time - DECISION);
        Some(recent.map(|((_, level), _)| *level))
    }
}

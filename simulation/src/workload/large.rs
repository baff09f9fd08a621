//! Orders of as many lines as an order can have. Their counters alone fill a transaction, so reserve-stock leaves the
//! entry with one of them first, and completes it after that.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use super::plan::{Action, Operation, Plan, Shopper, Ware};

/// One of so many runs has them: their products are twenty times as many as those of another run.
const ONE_IN: u64 = 16;
/// Which one.
const TURN: u64 = 6;
/// The most lines of an order.
const LINES: usize = 100;
/// Tells this use of the seed from others: what else a run draws is the same with and without large orders.
const SALT: u64 = 0x5eed_0100;

/// Adds the products and orders to a run that has them, behind everything else.
pub(super) fn add(seed: u64, plan: &mut Plan) {
    if seed % ONE_IN != TURN {
        return;
    }
    let random = &mut StdRng::seed_from_u64(seed ^ SALT);
    let first = plan.wares.len();
    plan.wares.extend((0..LINES).map(|number| Ware {
        id: format!("bulk-{number:03}"),
        price: 100,
        stock: random.random_range(2..=5),
    }));
    let customers: Vec<_> = (0..plan.customers).map(Shopper::Customer).collect();
    for _ in 0..random.random_range(2..=4) {
        let who = customers.choose(random).copied().unwrap_or(Shopper::Guest);
        let at = random.random_range(0..plan.open_for);
        let key = random.random_ratio(2, 3).then(|| format!("large-{:032x}", random.random::<u128>()));
        let lines = (first..first + LINES).map(|product| (product, random.random_range(1..=2))).collect();
        let order = plan.operations.len();
        plan.operations.push(Operation { at, who, action: Action::Place { lines, key, with_prices: false } });
        if random.random_ratio(1, 2) {
            let at = at + random.random_range(0..=plan.open_for / 4);
            plan.operations.push(Operation { at, who, action: Action::Cancel(order) });
        }
        // Others want what keeps the entry meanwhile, which is the first product, or something else of it.
        let product = if random.random_ratio(1, 2) { first } else { first + LINES - 1 };
        let at = at + random.random_range(0..500);
        let action = if random.random_ratio(1, 2) {
            Action::Place { lines: vec![(product, 1)], key: None, with_prices: false }
        } else {
            Action::SetStock { product, level: random.random_range(0..5) }
        };
        let who = if matches!(action, Action::Place { .. }) { who } else { Shopper::Administrator };
        plan.operations.push(Operation { at, who, action });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_run_of_sixteen_has_orders_of_100_lines() {
        let is_large = |operation: &&Operation| matches!(&operation.action, Action::Place { lines, .. } if lines.len() == LINES);
        let larges = |seed| Plan::draw(seed).operations.iter().filter(is_large).count();
        let with: Vec<u64> = (0..64).filter(|seed| larges(*seed) > 0).collect();
        assert_eq!(with, [6, 22, 38, 54]);
        assert!(with.iter().all(|seed| (2..=4).contains(&larges(*seed))));
    }
}

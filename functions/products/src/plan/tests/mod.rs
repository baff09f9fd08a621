//! The plan against a model of the table: each step takes effect only if all of its conditions hold.

mod batches;
mod large_orders;
mod properties;
mod stalled_orders;

use shop_events::{Event, EventData, ProductDeleted};

use super::*;
use crate::stock::tests::stock;

fn product(name: &str) -> ProductId {
    name.parse().unwrap()
}

fn order(name: &str) -> OrderId {
    OrderId::derived(b"test", "test", name)
}

fn cause(name: &str) -> Cause {
    let data = EventData::ProductDeleted(ProductDeleted { product_id: product(name) });
    Event::new(data, 1, Timestamp::from_millis(0), Cause::request("request-1")).as_cause()
}

/// An order that was placed `at` and whose lines are products and quantities.
fn placed(name: &str, at: i64, lines: &[(&str, u32)]) -> Demand {
    Demand {
        order_id: order(name),
        placed_at: Timestamp::from_millis(at),
        lines: lines
            .iter()
            .map(|(name, quantity)| ReservedLine { product_id: product(name), quantity: *quantity })
            .collect(),
        created: Some(cause("created")),
        cancelled: None,
        stalled: None,
        is_repair: false,
    }
}

fn cancelled(demand: &Demand) -> Demand {
    Demand { created: None, cancelled: Some(cause("cancelled")), ..demand.clone() }
}

fn stalled(demand: &Demand) -> Demand {
    Demand { created: None, stalled: Some(cause("stalled")), ..demand.clone() }
}

fn both(demand: &Demand) -> Demand {
    Demand { cancelled: Some(cause("cancelled")), ..demand.clone() }
}

fn books(stocks: &[(&str, u64)]) -> Books {
    let stocks = stocks.iter().map(|(name, available)| (product(name), stock(name, *available, 0)));
    Books { stocks: stocks.collect(), ..Books::default() }
}

fn now() -> Timestamp {
    Timestamp::from_millis(5000)
}

/// Carries out a step on the whole table; false, and nothing done, where a condition does not hold. The
/// conditions are those of `store::ledger`.
fn carry_out(table: &mut Books, step: &Step) -> bool {
    let (moves, entries, completed) = match step {
        Step::Retell { entries } => return retell(table, entries),
        Step::Settle { moves, entries } => (moves.clone(), entries.clone(), None),
        Step::Claim { moves, .. } => (moves.clone(), vec![], None),
        Step::Complete { keeper, entry } => (Moves::new(), vec![entry.clone()], Some(keeper)),
    };
    let items = moves.len() + entries.len() + usize::from(completed.is_some());
    assert!((1..=MAX_TRANSACTION_ITEMS).contains(&items), "{items} items in a transaction");
    let moves_fit = moves.iter().all(|(product, change)| {
        let quantity = change.net.unsigned_abs();
        table.stocks.get(product).is_some_and(|stock| {
            if change.net > 0 {
                stock.available >= quantity && stock.deleted_at.is_none()
            } else {
                stock.reserved >= quantity
            }
        })
    });
    let entries_fit = entries.iter().all(|entry| {
        let found = table.reservations.get(&entry.reservation.order_id);
        found.map(|found| found.version) == entry.replaces
    });
    let claims_fit = match step {
        Step::Claim { keeper, keeper_version, moves, .. } => {
            let stock = &table.stocks[keeper];
            moves.contains_key(keeper) && stock.version == *keeper_version && stock.claim.is_none()
        }
        Step::Complete { keeper, entry } => table.stocks[keeper].claim.as_ref().is_some_and(|claim| {
            claim.order_id == entry.reservation.order_id && claim.version == entry.reservation.version
        }),
        Step::Settle { moves, .. } => moves.values().all(|change| change.net != 0),
        Step::Retell { .. } => unreachable!("told above"),
    };
    if !(moves_fit && entries_fit && claims_fit) {
        return false;
    }
    for (product, change) in moves {
        let stock = table.stocks.get_mut(&product).unwrap();
        stock.available = stock.available.checked_add_signed(-change.net).unwrap();
        stock.reserved = stock.reserved.checked_add_signed(change.net).unwrap();
        stock.version += 1;
    }
    if let Step::Claim { keeper, reservation, .. } = step {
        table.stocks.get_mut(keeper).unwrap().claim = Some(reservation.clone());
    }
    if let Some(keeper) = completed {
        table.stocks.get_mut(keeper).unwrap().claim = None;
    }
    for entry in entries {
        table.reservations.insert(entry.reservation.order_id.clone(), entry.reservation);
    }
    true
}

fn retell(table: &mut Books, entries: &[Reservation]) -> bool {
    assert!((1..=MAX_TRANSACTION_ITEMS).contains(&entries.len()), "{} items in a transaction", entries.len());
    let is_as_read = |read: &Reservation| {
        let found = table.reservations.get(&read.order_id);
        found.is_some_and(|found| (found.version, found.retold) == (read.version, read.retold))
    };
    if !entries.iter().all(is_as_read) {
        return false;
    }
    for entry in entries {
        table.reservations.get_mut(&entry.order_id).unwrap().retold += 1;
    }
    true
}

/// What the consumer reads for some demands.
fn read(table: &Books, demands: &[Demand]) -> Books {
    let mut read = Books::default();
    for demand in demands {
        let found = table.reservations.get(&demand.order_id).cloned();
        read.reservations.extend(found.map(|found| (demand.order_id.clone(), found)));
        for product in demand.quantities().into_keys() {
            let found = table.stocks.get(&product).cloned();
            read.stocks.extend(found.map(|found| (product, found)));
        }
    }
    read
}

/// Settles demands, as the consumer does without competition: at the first try.
fn settle(table: &mut Books, demands: &[Demand]) -> Vec<Step> {
    let steps = plan(demands, read(table, demands), now());
    for step in &steps {
        assert!(carry_out(table, step), "{step:?}");
    }
    check(table);
    steps
}

/// The invariant: nothing is lost or made, and what is reserved is what the ledger says.
fn check(table: &Books) {
    let mut ledger = table.reservations.clone();
    for stock in table.stocks.values() {
        ledger.extend(stock.claim.clone().map(|claim| (claim.order_id.clone(), claim)));
        assert_eq!(stock.available + stock.reserved, stock.total, "{}", stock.product_id);
    }
    let mut reserved: BTreeMap<_, u64> = BTreeMap::new();
    for reservation in ledger.values().filter(|reservation| reservation.status == Status::Reserved) {
        for (product, quantity) in quantities(&reservation.lines) {
            *reserved.entry(product).or_default() += quantity;
        }
    }
    for (product, stock) in &table.stocks {
        assert_eq!(stock.reserved, reserved.get(product).copied().unwrap_or(0), "{product}");
    }
}

fn statuses(table: &Books, names: &[&str]) -> Vec<Option<Status>> {
    names.iter().map(|name| table.reservations.get(&order(name)).map(|found| found.status)).collect()
}

fn figures(table: &Books, name: &str) -> (u64, u64) {
    let stock = &table.stocks[&product(name)];
    (stock.available, stock.reserved)
}

/// The lines of an order that fills a transaction, one of each.
fn hundred() -> Vec<String> {
    (0..100).map(|i| format!("p{i:03}")).collect()
}

fn large(name: &str) -> Demand {
    let names = hundred();
    placed(name, 0, &names.iter().map(|name| (name.as_str(), 2)).collect::<Vec<_>>())
}

fn warehouse(available: u64) -> Books {
    let names = hundred();
    books(&names.iter().map(|name| (name.as_str(), available)).collect::<Vec<_>>())
}

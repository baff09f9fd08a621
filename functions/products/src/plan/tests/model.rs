//! A model of `store::ledger`: what each step asks of the table, and what it changes. The store's own expressions are
//! held to it case by case in `real_conditions`.

use super::*;

/// Carries out a step on the whole table; false, and nothing done, where a condition does not hold.
pub(super) fn carry_out(table: &mut StockState, step: &Step) -> bool {
    let items = match step {
        Step::Settle { deltas, entries } => deltas.len() + entries.len(),
        Step::Claim { deltas, .. } => deltas.len(),
        Step::Complete { .. } => 2,
        Step::ReEmit { entries } => entries.len(),
    };
    assert!((1..=MAX_TRANSACTION_ITEMS).contains(&items), "{items} items in a transaction");
    if !holds(table, step) {
        return false;
    }
    match step {
        Step::Settle { deltas, entries } => {
            change(table, deltas);
            for entry in entries {
                put(table, entry);
            }
        }
        Step::Claim { deltas, coordinator, reservation, .. } => {
            change(table, deltas);
            table.stocks.get_mut(coordinator).unwrap().claim = Some(reservation.clone());
        }
        Step::Complete { coordinator, entry } => {
            put(table, entry);
            table.stocks.get_mut(coordinator).unwrap().claim = None;
        }
        Step::ReEmit { entries } => {
            for entry in entries {
                table.reservations.get_mut(&entry.order_id).unwrap().re_emits += 1;
            }
        }
    }
    true
}

fn holds(table: &StockState, step: &Step) -> bool {
    match step {
        Step::Settle { deltas, entries } => {
            deltas.iter().all(|delta| delta_fits(table, delta))
                && entries.iter().all(|entry| entry_fits(table, entry))
        }
        Step::Claim { deltas, coordinator, coordinator_version, .. } => {
            assert!(deltas.contains_key(coordinator), "a claim is kept by a counter that it changes");
            let is_as_read = |stock: &Stock| stock.version == *coordinator_version && stock.claim.is_none();
            deltas.iter().all(|delta| delta_fits(table, delta))
                && table.stocks.get(coordinator).is_some_and(is_as_read)
        }
        Step::Complete { coordinator, entry } => {
            let Reservation { order_id, version, .. } = &entry.reservation;
            let claim = table.stocks.get(coordinator).and_then(|stock| stock.claim.as_ref());
            claim.is_some_and(|claim| (&claim.order_id, &claim.version) == (order_id, version))
                && entry_fits(table, entry)
        }
        Step::ReEmit { entries } => entries.iter().all(|read| {
            let found = table.reservations.get(&read.order_id);
            found.is_some_and(|found| (found.version, found.re_emits) == (read.version, read.re_emits))
        }),
    }
}

fn delta_fits(table: &StockState, (product, change): (&ProductId, &StockDelta)) -> bool {
    let quantity = change.net.unsigned_abs();
    table.stocks.get(product).is_some_and(|stock| {
        let is_there = if change.net > 0 {
            stock.available >= quantity && stock.deleted_at.is_none()
        } else {
            stock.reserved >= quantity
        };
        let crosses = match &change.crossing {
            Crossing::Unwatched => true,
            Crossing::Nothing { watch, available } => {
                stock.watch == Some(*watch) && available.contains(&stock.available)
            }
            Crossing::To { version, .. } => stock.version == *version,
        };
        is_there && crosses && stock.updated_at <= change.at
    })
}

fn entry_fits(table: &StockState, entry: &Entry) -> bool {
    let found = table.reservations.get(&entry.reservation.order_id);
    found.map(|found| found.version) == entry.replaces
}

fn change(table: &mut StockState, deltas: &StockDeltas) {
    for (product, change) in deltas {
        let stock = table.stocks.get_mut(product).unwrap();
        stock.available = stock.available.checked_add_signed(-change.net).unwrap();
        stock.reserved = stock.reserved.checked_add_signed(change.net).unwrap();
        let watch = match change.crossing {
            Crossing::To { watch, .. } => Some(watch),
            _ => stock.watch,
        };
        if stock.deleted_at.is_none() {
            let before = stock.available.checked_add_signed(change.net).unwrap();
            let right = stock.watch().moved(before, stock.available, stock.version + 1);
            let is_set_by_hand = matches!(change.crossing, Crossing::Unwatched);
            assert!(is_set_by_hand || watch == Some(right), "a write crosses what it says: {change:?}");
        }
        stock.watch = watch;
        stock.version += 1;
        stock.updated_at = change.at;
        stock.cause = change.cause.clone();
    }
}

fn put(table: &mut StockState, entry: &Entry) {
    table.reservations.insert(entry.reservation.order_id.clone(), entry.reservation.clone());
}

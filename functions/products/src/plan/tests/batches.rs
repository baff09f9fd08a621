//! What a batch does, case by case.

use super::*;
use crate::stock::MAX_STOCK;

#[test]
fn many_orders_of_one_product_are_one_write_to_its_counter() {
    let mut table = state(&[("a", 60)]);
    let requests: Vec<_> = (0..99).map(|i| placed(&format!("o{i}"), i, &[("a", 1)])).collect();
    let steps = settle(&mut table, &requests);
    let [Step::Settle { deltas, entries }] = &steps[..] else { panic!("{} steps", steps.len()) };
    assert_eq!(deltas.len(), 1);
    assert_eq!(deltas[&product("a")].net, 60);
    assert_eq!(entries.len(), 99);
    assert_eq!(figures(&table, "a"), (0, 60));
}

#[test]
fn who_came_first_is_served_first_whatever_the_order_of_the_messages() {
    let mut table = state(&[("a", 5)]);
    let requests =
        [placed("late", 30, &[("a", 2)]), placed("early", 10, &[("a", 3)]), placed("mid", 20, &[("a", 2)])];
    settle(&mut table, &requests);
    let expected = [Some(Status::Reserved), Some(Status::Reserved), Some(Status::Rejected)];
    assert_eq!(statuses(&table, &["early", "mid", "late"]), expected);
    assert_eq!(figures(&table, "a"), (0, 5));
}

#[test]
fn an_order_gets_all_or_nothing_and_every_shortage_is_named() {
    let mut table = state(&[("a", 5), ("b", 1), ("c", 0)]);
    settle(&mut table, &[placed("o", 0, &[("a", 1), ("b", 2), ("c", 3)])]);
    let rejected = &table.reservations[&order("o")];
    assert_eq!(
        (rejected.status, rejected.reason),
        (Status::Rejected, Some(RejectionReason::InsufficientStock))
    );
    let shortages: Vec<_> =
        rejected.shortages.iter().map(|s| (s.product_id.as_str(), s.requested, s.available)).collect();
    assert_eq!(shortages, [("b", 2, 1), ("c", 3, 0)]);
    assert_eq!(rejected.lines, []);
    assert_eq!(figures(&table, "a"), (5, 0));
}

#[test]
fn what_a_rejected_order_leaves_is_there_for_the_next() {
    let mut table = state(&[("a", 3), ("b", 0)]);
    settle(&mut table, &[placed("first", 1, &[("a", 3), ("b", 1)]), placed("second", 2, &[("a", 3)])]);
    assert_eq!(statuses(&table, &["first", "second"]), [Some(Status::Rejected), Some(Status::Reserved)]);
}

#[test]
fn a_product_that_is_not_there_or_deleted_is_unknown() {
    let mut table = state(&[("a", 5), ("gone", 5)]);
    table.stocks.get_mut(&product("gone")).unwrap().deleted_at = Some(now());
    settle(&mut table, &[placed("o", 0, &[("a", 9), ("nowhere", 1)]), placed("p", 0, &[("gone", 1)])]);
    for name in ["o", "p"] {
        let rejected = &table.reservations[&order(name)];
        assert_eq!(rejected.reason, Some(RejectionReason::UnknownProduct), "{name}");
        assert!(rejected.shortages.iter().any(|shortage| shortage.available == 0));
    }
    assert_eq!(table.reservations[&order("o")].shortages.len(), 2);
}

#[test]
fn a_cancelled_order_gives_its_stock_back_once() {
    let mut table = state(&[("a", 5)]);
    let request = placed("o", 0, &[("a", 3)]);
    settle(&mut table, std::slice::from_ref(&request));
    assert_eq!(figures(&table, "a"), (2, 3));
    settle(&mut table, &[cancelled(&request)]);
    assert_eq!(figures(&table, "a"), (5, 0));
    let released = &table.reservations[&order("o")];
    assert_eq!((released.status, released.version, released.lines.len()), (Status::Released, 2, 1));
    for again in [cancelled(&request), request.clone(), both(&request)] {
        assert_eq!(settle(&mut table, &[again]), []);
    }
}

#[test]
fn a_deleted_product_takes_back_what_was_reserved() {
    let mut table = state(&[("a", 5)]);
    let request = placed("o", 0, &[("a", 3)]);
    settle(&mut table, std::slice::from_ref(&request));
    table.stocks.get_mut(&product("a")).unwrap().deleted_at = Some(now());
    settle(&mut table, &[cancelled(&request)]);
    assert_eq!(figures(&table, "a"), (5, 0));
}

#[test]
fn a_cancellation_that_comes_first_stops_its_order() {
    let mut table = state(&[("a", 5)]);
    let request = placed("o", 0, &[("a", 3)]);
    settle(&mut table, &[cancelled(&request)]);
    assert_eq!(statuses(&table, &["o"]), [Some(Status::Released)]);
    assert_eq!(settle(&mut table, &[request]), []);
    assert_eq!(figures(&table, "a"), (5, 0));
}

#[test]
fn an_order_and_its_cancellation_in_one_batch_take_nothing() {
    let mut table = state(&[("a", 5)]);
    let request = placed("o", 0, &[("a", 5)]);
    let other = placed("p", 1, &[("a", 5)]);
    settle(&mut table, &[both(&request), other]);
    assert_eq!(statuses(&table, &["o", "p"]), [Some(Status::Released), Some(Status::Reserved)]);
    assert_eq!(table.reservations[&order("o")].version, 1);
}

#[test]
fn a_rejected_order_stays_rejected() {
    let mut table = state(&[("a", 0)]);
    let request = placed("o", 0, &[("a", 1)]);
    settle(&mut table, std::slice::from_ref(&request));
    table.stocks.get_mut(&product("a")).unwrap().available = 9;
    table.stocks.get_mut(&product("a")).unwrap().total = 9;
    for again in [request.clone(), cancelled(&request), both(&request)] {
        assert_eq!(settle(&mut table, &[again]), []);
    }
    assert_eq!(statuses(&table, &["o"]), [Some(Status::Rejected)]);
}

#[test]
fn what_is_given_back_goes_to_the_next_in_the_same_transaction() {
    let mut table = state(&[("a", 3)]);
    let first = placed("first", 1, &[("a", 3)]);
    settle(&mut table, std::slice::from_ref(&first));
    let steps = settle(&mut table, &[placed("second", 2, &[("a", 3)]), cancelled(&first)]);
    let [Step::Settle { deltas, entries }] = &steps[..] else { panic!("{steps:?}") };
    assert!(deltas.is_empty(), "the counter does not change");
    assert_eq!(entries.len(), 2);
    assert_eq!(figures(&table, "a"), (0, 3));
}

#[test]
fn a_batch_is_packed_into_transactions_of_100_items() {
    let mut table = state(&[]);
    let names: Vec<_> = (0..120).map(|i| format!("p{i:03}")).collect();
    for name in &names {
        table.stocks.insert(product(name), stock(name, 10, 0));
    }
    let requests: Vec<_> = (0_usize..40)
        .map(|i| {
            let lines: Vec<_> = (0..10).map(|j| (names[(i * 3 + j) % 120].as_str(), 1)).collect();
            placed(&format!("o{i}"), 0, &lines)
        })
        .collect();
    let steps = settle(&mut table, &requests);
    assert!(steps.len() <= 4, "{} transactions", steps.len());
    assert_eq!(table.reservations.len(), 40);
}

#[test]
fn the_largest_stock_does_not_overflow() {
    let mut table = state(&[("a", MAX_STOCK)]);
    let lines: Vec<_> = (0..5).map(|_| ("a", u32::MAX)).collect();
    settle(&mut table, &[placed("o", 0, &lines), placed("p", 1, &[("a", 1_000_000_000)])]);
    assert_eq!(statuses(&table, &["o", "p"]), [Some(Status::Rejected), Some(Status::Reserved)]);
}

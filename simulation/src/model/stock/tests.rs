//! When a rejection is right: the levels that its plan may have seen, less what the plan had set aside by then.

use shop_events::{Cause, ReservedLine};

use super::*;

fn product() -> ProductId {
    "ware-0".parse().unwrap()
}

fn cause() -> Cause {
    Cause::request("request-1")
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// So many are available from `time` on, by a write of `caller`.
fn level(model: &mut StockModel, time: i64, caller: &str, available: u64) {
    model.counter(time, caller, None, &Stock::create(product(), available, at(time), cause()));
}

/// An order for one is served at `time`.
fn reserved(model: &mut StockModel, time: i64) {
    let lines = vec![ReservedLine { product_id: product(), quantity: 1 }];
    let entry = Reservation::reserved(OrderId::derived(b"test", "test", "first"), lines, at(time), cause());
    model.reservation(time, None, &entry);
}

/// The violation, where an order for so many that is rejected at `time` was undersold.
fn rejected(model: &mut StockModel, time: i64, requested: u32) -> Vec<Violation> {
    model.reservation(time, None, &rejection(time, requested))
}

fn rejection(time: i64, requested: u32) -> Reservation {
    let shortages = vec![Shortage { product_id: product(), requested, available: 0 }];
    let reason = RejectionReason::InsufficientStock;
    let order = OrderId::derived(b"test", "test", "second");
    Reservation::rejected(order, reason, shortages, at(time), cause())
}

/// The violations, where such a rejection is claimed on the counter, which has so many.
fn claimed(model: &mut StockModel, time: i64, requested: u32, available: u64) -> Vec<Violation> {
    let old = Stock::create(product(), available, at(time), cause());
    let new = Stock { version: old.version + 1, claim: Some(rejection(time, requested)), ..old.clone() };
    model.counter(time, "reserve-stock", Some(&old), &new)
}

/// 4, 1 of them for an earlier order of the plan of time 120; at 110 another plan gives 3 back. 6 are left when
/// the first is written.
fn two_plans_at_once() -> StockModel {
    let mut model = StockModel::default();
    level(&mut model, 100, "create-product", 4);
    level(&mut model, 110, "reserve-stock", 7);
    level(&mut model, 120, "reserve-stock", 6);
    model
}

#[test]
fn what_a_plan_has_set_aside_for_an_earlier_order_is_not_for_a_later_one() {
    let mut model = two_plans_at_once();
    reserved(&mut model, 120);
    assert_eq!(rejected(&mut model, 120, 4), []);
}

#[test]
fn what_another_plan_has_set_aside_is_in_the_levels() {
    let mut model = two_plans_at_once();
    reserved(&mut model, 119);
    assert_eq!(rejected(&mut model, 120, 4).len(), 1);
}

#[test]
fn what_a_plan_has_set_aside_counts_once() {
    let mut model = StockModel::default();
    level(&mut model, 100, "create-product", 10);
    level(&mut model, 120, "reserve-stock", 9);
    reserved(&mut model, 120);
    assert_eq!(rejected(&mut model, 120, 9).len(), 1);
    assert_eq!(rejected(&mut model, 120, 10), []);
}

#[test]
fn an_unknown_product_cannot_be_had() {
    assert_eq!(rejected(&mut StockModel::default(), 120, 1), []);
}

#[test]
fn a_rejection_that_was_claimed_is_as_old_as_its_claim() {
    let mut model = StockModel::default();
    level(&mut model, 100, "create-product", 1);
    assert_eq!(claimed(&mut model, 120, 2, 1), []);
    level(&mut model, 30_000, "set-stock", 9);
    assert_eq!(model.reservation(65_000, None, &rejection(120, 2)), []);
}

#[test]
fn a_rejection_is_judged_when_it_is_claimed_and_again_where_its_entry_says_another_thing() {
    let mut model = StockModel::default();
    level(&mut model, 100, "create-product", 5);
    assert_eq!(claimed(&mut model, 120, 2, 5).len(), 1);
    assert_eq!(rejected(&mut model, 20_000, 3).len(), 1);
}

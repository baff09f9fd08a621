//! The plan against a model of the table: each step takes effect only if all of its conditions hold.

mod batches;
mod large_orders;
mod model;
mod properties;
mod real_conditions;
mod stalled_orders;

use shop_events::{Event, EventData, ProductDeleted};

use self::model::carry_out;
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
fn placed(name: &str, at: i64, lines: &[(&str, u32)]) -> ReservationRequest {
    ReservationRequest {
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

fn cancelled(request: &ReservationRequest) -> ReservationRequest {
    ReservationRequest { created: None, cancelled: Some(cause("cancelled")), ..request.clone() }
}

fn stalled(request: &ReservationRequest) -> ReservationRequest {
    ReservationRequest { created: None, stalled: Some(cause("stalled")), ..request.clone() }
}

fn both(request: &ReservationRequest) -> ReservationRequest {
    ReservationRequest { cancelled: Some(cause("cancelled")), ..request.clone() }
}

fn state(stocks: &[(&str, u64)]) -> StockState {
    let stocks = stocks.iter().map(|(name, available)| (product(name), stock(name, *available, 0)));
    StockState { stocks: stocks.collect(), ..StockState::default() }
}

fn now() -> Timestamp {
    Timestamp::from_millis(5000)
}

/// What the consumer reads for some requests.
fn read(table: &StockState, requests: &[ReservationRequest]) -> StockState {
    let mut read = StockState::default();
    for request in requests {
        let found = table.reservations.get(&request.order_id).cloned();
        read.reservations.extend(found.map(|found| (request.order_id.clone(), found)));
        for product in request.quantities().into_keys() {
            let found = table.stocks.get(&product).cloned();
            read.stocks.extend(found.map(|found| (product, found)));
        }
    }
    read
}

/// Settles requests, as the consumer does without competition: at the first try.
fn settle(table: &mut StockState, requests: &[ReservationRequest]) -> Vec<Step> {
    let steps = plan(requests, read(table, requests), now());
    for step in &steps {
        assert!(carry_out(table, step), "{step:?}");
    }
    check(table);
    steps
}

/// The invariant: nothing is lost or made, and what is reserved is what the ledger says.
fn check(table: &StockState) {
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

fn statuses(table: &StockState, names: &[&str]) -> Vec<Option<Status>> {
    names.iter().map(|name| table.reservations.get(&order(name)).map(|found| found.status)).collect()
}

fn figures(table: &StockState, name: &str) -> (u64, u64) {
    let stock = &table.stocks[&product(name)];
    (stock.available, stock.reserved)
}

/// The lines of an order that fills a transaction, one of each.
fn hundred() -> Vec<String> {
    (0..100).map(|i| format!("p{i:03}")).collect()
}

fn large(name: &str) -> ReservationRequest {
    let names = hundred();
    placed(name, 0, &names.iter().map(|name| (name.as_str(), 2)).collect::<Vec<_>>())
}

fn warehouse(available: u64) -> StockState {
    let names = hundred();
    state(&names.iter().map(|name| (name.as_str(), available)).collect::<Vec<_>>())
}

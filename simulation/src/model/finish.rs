//! What must hold when all is done: the faults have ended, the dead letters were redriven, nothing is under way.

use std::collections::{BTreeMap, BTreeSet};

use orders::order::Order;
use products::reservation::Status;
use shop_events::OrderStatus;
use shop_local::cloud::Depth;
use shop_types::{OrderId, UserId};
use users::statistics::ledger::EntryState;

use super::{Inner, Violation};
use crate::workload::{Answered, History};

/// How the cloud was left.
pub(crate) struct Left<'a> {
    /// The depth of every queue, by its physical name.
    pub(crate) depths: &'a BTreeMap<String, Depth>,
    /// Whether a stream was down for longer than it keeps its records.
    pub(crate) has_lost_events: bool,
    /// The dead-letter queues of consumers, and how many messages of each can never be handled.
    pub(crate) poison: &'a BTreeMap<String, u64>,
}

/// Everything that does not hold.
pub(crate) fn finish(model: &Inner, history: &History, left: &Left<'_>) -> Vec<Violation> {
    let mut violations = history.violations.clone();
    violations.extend(acknowledged(model, history));
    violations.extend(accounts(model, history));
    violations.extend(one_order_per_key(history));
    violations.extend(model.tables.orders.values().flat_map(|order| agreement(model, order)));
    violations.extend(messages(model, left));
    if !left.has_lost_events {
        let lost = model.event_log.unpublished().map(ToString::to_string);
        violations.extend(lost.map(|id| Violation::new("an-event-is-not-lost", id)));
        let astray = model.messages.missing().into_iter();
        violations.extend(astray.map(|seen| Violation::new("a-queue-gets-what-it-asks-for", seen)));
    }
    violations
}

/// What people were told, the shop stands by.
fn acknowledged(model: &Inner, history: &History) -> Vec<Violation> {
    let mut violations = Vec::new();
    for answered in history.orders.values() {
        if let Err(wrong) = stands(model, answered) {
            let seen = format!("{wrong}: asked {} and answered {}", answered.asked, answered.order);
            violations.push(Violation::new("an-acknowledged-order-exists", seen));
        }
    }
    for (product, level, version) in &history.levels {
        let Ok(id) = product.parse() else { continue };
        let was = model.tables.stock.history.get(&(id, *version));
        if was != Some(level) {
            let seen = format!("{product} at version {version}: {was:?}, answered {level}");
            violations.push(Violation::new("an-acknowledged-level-was-there", seen));
        }
    }
    for id in &history.cancelled {
        let order = id.parse::<OrderId>().ok().and_then(|id| model.tables.orders.get(&id));
        if order.is_none_or(|order| order.status != OrderStatus::Cancelled) {
            violations.push(Violation::new("an-acknowledged-cancel-stays", format!("{id}: {order:?}")));
        }
    }
    violations
}

fn stands(model: &Inner, answered: &Answered) -> Result<(), String> {
    let id = answered.order["id"].as_str().unwrap_or_default();
    let order = id.parse::<OrderId>().ok().and_then(|id| model.tables.orders.get(&id));
    let order = order.ok_or("there is no such order")?;
    let owner = order.customer_id.as_ref().map(UserId::as_str);
    if owner != answered.user.as_deref() {
        return Err(format!("it belongs to {owner:?}"));
    }
    let asked = answered.asked["items"].as_array().into_iter().flatten();
    let asked: Vec<_> = asked.map(|item| (item["product_id"].as_str(), item["quantity"].as_u64())).collect();
    let stored: Vec<_> = order
        .lines
        .iter()
        .map(|line| (Some(line.product_id.as_str()), Some(u64::from(line.quantity))))
        .collect();
    if asked == stored { Ok(()) } else { Err(format!("its lines are {stored:?}")) }
}

/// Accounts that were acknowledged are there, and those whose deletion was are gone.
fn accounts(model: &Inner, history: &History) -> Vec<Violation> {
    let account = |id: &str| id.parse().ok().and_then(|id| model.tables.accounts.get(&id));
    let missing = history.registered.iter().filter(|id| account(id).is_none());
    let missing = missing.map(|id| Violation::new("an-acknowledged-account-exists", id.clone()));
    let there = history.left.iter().filter(|id| account(id).is_none_or(|user| user.profile.is_some()));
    let there = there.map(|id| Violation::new("a-deleted-account-is-gone", id.clone()));
    missing.chain(there).collect()
}

fn one_order_per_key(history: &History) -> Vec<Violation> {
    let mut by_key: BTreeMap<(Option<&str>, &str), BTreeSet<&str>> = BTreeMap::new();
    for answered in history.orders.values() {
        if let (Some(key), Some(id)) = (&answered.key, answered.order["id"].as_str()) {
            by_key.entry((answered.user.as_deref(), key)).or_default().insert(id);
        }
    }
    let several = by_key.into_iter().filter(|(_, ids)| ids.len() > 1);
    several.map(|(key, ids)| Violation::new("one-order-per-key", format!("{key:?}: {ids:?}"))).collect()
}

/// Whether stock and statistics say of an order what the order says.
fn agreement(model: &Inner, order: &Order) -> Vec<Violation> {
    let mut violations = Vec::new();
    let reservation = model.tables.stock.reservations.get(&order.id);
    let status = reservation.map(|reservation| reservation.status);
    let agrees = match order.status {
        OrderStatus::Pending => {
            let seen = format!("{} is pending, its reservation {status:?}", order.id);
            violations.push(Violation::new("every-order-becomes-final", seen));
            true
        }
        OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => {
            let asked = order.lines.iter().map(|line| (&line.product_id, line.quantity));
            let lines = reservation.into_iter().flat_map(|reservation| &reservation.lines);
            status == Some(Status::Reserved) && asked.eq(lines.map(|line| (&line.product_id, line.quantity)))
        }
        OrderStatus::Rejected => status == Some(Status::Rejected),
        OrderStatus::Cancelled => matches!(status, Some(Status::Released | Status::Rejected)),
    };
    if !agrees {
        let seen = format!("{} is {:?}, its reservation {reservation:?}", order.id, order.status);
        violations.push(Violation::new("orders-and-reservations-agree", seen));
    }
    if let Some(customer) = &order.customer_id {
        let entry = model.tables.ledger.get(customer).and_then(|ledger| ledger.get(&order.id));
        let counts =
            entry.is_some_and(|entry| entry.state == EntryState::Counted && entry.total == order.total);
        let should =
            matches!(order.status, OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered);
        if counts != should {
            let seen = format!("{} is {:?}, its entry {entry:?}", order.id, order.status);
            violations.push(Violation::new("orders-and-statistics-agree", seen));
        }
    }
    violations
}

fn messages(model: &Inner, left: &Left<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let nothing = Depth::default();
    for (queue, count) in model.messages.counts() {
        let depth = left.depths.get(queue).unwrap_or(&nothing);
        let there = u64::try_from(depth.visible + depth.in_flight + depth.delayed).unwrap_or(u64::MAX);
        if count.sent != count.deleted + count.dead_lettered + count.expired + there {
            let seen = format!("{queue}: {count:?}, and {there} there");
            violations.push(Violation::new("every-message-is-somewhere", seen));
        }
        if count.expired > 0 {
            let seen = format!("{queue}: {} expired", count.expired);
            violations.push(Violation::new("every-message-is-somewhere", seen));
        }
        if let Some(poison) = left.poison.get(queue)
            && there != *poison
        {
            let seen = format!("{queue} holds {there} messages, {poison} of them poison");
            violations.push(Violation::new("only-poison-stays-behind", seen));
        }
    }
    violations
}

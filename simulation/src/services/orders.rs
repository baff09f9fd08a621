//! Orders: what they are, how they may change, and what people were told of them.

mod budgets;
mod events;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use orders::order::{Order, may_become};
use serde_json::Value;
use shop_events::{Event, EventData, InventoryRejected, InventoryReserved, OrderStatus};
use shop_local::cloud::Call;
use shop_local::template::Template;
use shop_types::{Money, OrderId, UserId};

use self::budgets::Budgets;
use super::{Images, Invariants, Record, Service, Services};
use crate::violation::Violation;
use crate::workload::{Answered, History};

/// Under which names create-order has its limits.
pub(crate) const ACCOUNT_LIMIT: &str = "ACCOUNT_ORDER_LIMIT";
pub(crate) const ADDRESS_LIMIT: &str = "ADDRESS_ORDER_LIMIT";

pub(super) const INVARIANTS: Invariants = Invariants::Are(&[
    ("an-order-moves-legally", "an order is placed pending, takes only legal steps, and each is one version"),
    ("an-order-keeps-its-lines", "lines, prices, customer and time of an order never change"),
    ("lines-sum-to-the-total", "an order's total is the sum of its lines"),
    ("an-acknowledged-order-exists", "an order that was acknowledged is there, with what was asked for"),
    (
        "orders-keep-to-their-budget",
        "nobody places more orders in a window than the limit, but for one of each environment, and who is refused \
         is told when to come again",
    ),
    ("one-order-per-key", "one principal's idempotency key stands for one order"),
    ("an-acknowledged-cancel-stays", "an order whose cancellation was acknowledged is cancelled"),
    (
        "an-acknowledged-shipment-stays",
        "an order whose shipment was acknowledged is shipped or delivered, and one whose delivery was is delivered",
    ),
    (
        "a-guest-s-order-has-a-token",
        "whoever places an order without an account is given its token, and nobody else",
    ),
    (
        "every-order-becomes-final",
        "15 minutes after the faults end no order is pending, and the queues are empty",
    ),
]);

#[derive(Debug)]
pub(crate) struct Model {
    table: String,
    pub(crate) orders: BTreeMap<OrderId, Order>,
    budgets: Budgets,
    /// Those that the writes of this moment have placed.
    placed: Vec<OrderId>,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        let limit = |name: &str| -> Result<usize> {
            let mut functions = template.functions.values();
            let limit = functions.find_map(|function| function.environment.get(name));
            Ok(limit.context(name.to_owned())?.parse()?)
        };
        let table = template.tables.get("OrdersTable").context("OrdersTable")?;
        Ok(Self {
            table: table.name.clone(),
            orders: BTreeMap::new(),
            budgets: Budgets::new(limit(ACCOUNT_LIMIT)?, limit(ADDRESS_LIMIT)?),
            placed: Vec::new(),
        })
    }

    fn of_text(&self, id: &str) -> Option<&Order> {
        self.orders.get(&id.parse().ok()?)
    }

    /// Whether the shop stands by what it has answered.
    fn stands_by(&self, answered: &Answered) -> Result<(), String> {
        let order = self.of_text(answered.order["id"].as_str().unwrap_or_default());
        let order = order.ok_or("there is no such order")?;
        let owner = order.customer_id.as_ref().map(UserId::as_str);
        if owner != answered.user.as_deref() {
            return Err(format!("it belongs to {owner:?}"));
        }
        let asked = answered.asked["items"].as_array().into_iter().flatten();
        let asked: Vec<_> =
            asked.map(|item| (item["product_id"].as_str(), item["quantity"].as_u64())).collect();
        let stored: Vec<_> = order
            .lines
            .iter()
            .map(|line| (Some(line.product_id.as_str()), Some(u64::from(line.quantity))))
            .collect();
        if asked == stored { Ok(()) } else { Err(format!("its lines are {stored:?}")) }
    }
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn called(&mut self, _time: i64, call: &Call, _is_done: bool) {
        self.budgets.called(&call.caller, call.environment);
    }

    fn begin(&mut self) {
        self.placed.clear();
    }

    fn wrote(&mut self, record: &Record<'_>) -> Result<Vec<Violation>, Violation> {
        let (old, new) = record.read::<Order>()?;
        let violations = change(record.caller, old.as_ref(), &new);
        if old.is_none() {
            self.budgets.placed(&new);
            self.placed.push(new.id.clone());
        }
        self.orders.insert(new.id.clone(), new);
        Ok(violations)
    }

    /// Whoever was an administrator once has no budget.
    fn settled(&self, all: &Services) -> Vec<Violation> {
        let placed = self.placed.iter().filter_map(|id| self.orders.get(id));
        let of_others = placed
            .filter(|order| order.customer_id.as_ref().is_none_or(|user| !all.users.has_governed(user)));
        of_others.filter_map(|order| self.budgets.exceeded(order)).collect()
    }

    fn events(&self, images: &Images) -> Vec<Value> {
        events::of_order(images).into_iter().collect()
    }

    fn is_done(&self, consumer: &str, event: &Event) -> bool {
        match (consumer, event.data()) {
            (
                "settle-order",
                EventData::InventoryReserved(InventoryReserved { order_id, .. })
                | EventData::InventoryRejected(InventoryRejected { order_id, .. }),
            ) => self.orders.get(order_id).is_some_and(|order| order.status != OrderStatus::Pending),
            _ => false,
        }
    }

    fn pending(&self) -> usize {
        self.orders.values().filter(|order| order.status == OrderStatus::Pending).count()
    }

    fn finish(&self, _all: &Services, history: &History) -> Vec<Violation> {
        let mut violations = Vec::new();
        for answered in history.orders.values() {
            if let Err(wrong) = self.stands_by(answered) {
                let seen = format!("{wrong}: asked {} and answered {}", answered.asked, answered.order);
                violations.push(Violation::new("an-acknowledged-order-exists", seen));
            }
        }
        for id in &history.cancelled {
            let order = self.of_text(id);
            if order.is_none_or(|order| order.status != OrderStatus::Cancelled) {
                violations.push(Violation::new("an-acknowledged-cancel-stays", format!("{id}: {order:?}")));
            }
        }
        for (id, status) in &history.sent {
            let order = self.of_text(id);
            let is_there =
                order.is_some_and(|order| order.status == *status || order.status == OrderStatus::Delivered);
            if !is_there {
                violations.push(Violation::new("an-acknowledged-shipment-stays", format!("{id}: {order:?}")));
            }
        }
        violations.extend(one_order_per_key(history));
        let pending = self.orders.values().filter(|order| order.status == OrderStatus::Pending);
        violations
            .extend(pending.map(|order| {
                Violation::new("every-order-becomes-final", format!("{} is pending", order.id))
            }));
        violations
    }
}

fn one_order_per_key(history: &History) -> impl Iterator<Item = Violation> {
    let mut by_key: BTreeMap<(Option<&str>, &str), BTreeSet<&str>> = BTreeMap::new();
    for answered in history.orders.values() {
        if let (Some(key), Some(id)) = (&answered.key, answered.order["id"].as_str()) {
            by_key.entry((answered.user.as_deref(), key)).or_default().insert(id);
        }
    }
    let several = by_key.into_iter().filter(|(_, ids)| ids.len() > 1);
    several.map(|(key, ids)| Violation::new("one-order-per-key", format!("{key:?}: {ids:?}")))
}

fn change(caller: &str, old: Option<&Order>, new: &Order) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut report = |invariant, seen: &str| {
        violations.push(Violation::new(invariant, format!("{caller}, {seen}: {old:?} became {new:?}")));
    };
    match old {
        None => {
            if new.status != OrderStatus::Pending || new.version != 1 || caller != "create-order" {
                report("an-order-moves-legally", "an order begins pending");
            }
        }
        Some(old) if old.status == new.status => {
            if old.version != new.version || old.updated_at != new.updated_at || old.cause != new.cause {
                report("an-order-moves-legally", "nothing happened, and it changed");
            }
        }
        Some(old) => {
            if !may_become(old.status, new.status) || new.version != old.version + 1 {
                report("an-order-moves-legally", "this is no step");
            }
        }
    }
    if let Some(old) = old {
        let kept =
            |order: &Order| (order.lines.clone(), order.total, order.customer_id.clone(), order.placed_at);
        if kept(old) != kept(new) {
            report("an-order-keeps-its-lines", "it is another order");
        }
    }
    let currency = new.total.currency;
    let line = |line: &shop_events::OrderLine| {
        Money { minor: line.unit_price, currency }.checked_mul(line.quantity).ok()
    };
    let sum: Option<i64> = new.lines.iter().map(|each| line(each).map(|money| money.minor)).sum();
    if sum != Some(new.total.minor) || new.lines.is_empty() {
        report("lines-sum-to-the-total", "the sum is another");
    }
    violations
}

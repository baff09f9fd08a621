//! The catalogue, and above all its stock: counters, reservations, and what they say of an order.

pub(super) mod crossings;
mod events;
mod stock;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use orders::order::Order;
use products::reservation::{Reservation, Status};
use products::stock::Stock;
use products::store::Kind;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use shop_events::{Event, EventData, OrderStatus};
use shop_local::template::Template;
use shop_types::{Money, OrderId, ProductId};

use self::crossings::Crossings;
use self::stock::StockModel;
use super::{Images, Invariants, Record, SKEW, Service, Services};
use crate::violation::Violation;
use crate::workload::{Exported, History};

pub(super) const INVARIANTS: Invariants = Invariants::Are(&[
    (
        "stock-is-conserved",
        "per product: total = available + reserved, and only an administrator changes the total",
    ),
    ("reserved-is-the-ledgers-sum", "what is reserved of a product is the sum of the reservations"),
    (
        "a-reservation-moves-legally",
        "a reservation is reserved, rejected or released, and goes only from the first to the last",
    ),
    (
        "a-crossing-is-told-once",
        "after every write a counter says since when it is low, and sold out, as a reference model of the rule does; what it says is what is published",
    ),
    ("no-undersell", "an order is rejected only if its stock was short while it was decided"),
    ("an-adjustment-happens-once", "a change of stock under one idempotency key happens once"),
    ("a-key-is-one-product", "an idempotency key stands for one product, for ever"),
    (
        "an-acknowledged-level-was-there",
        "a stock level that was acknowledged was the counter's at that version",
    ),
    (
        "an-import-counts-each-line-once",
        "an import that was started ends, and says of as many lines as its file has that they are accepted or refused",
    ),
    ("an-import-refuses-what-is-wrong", "an import refuses the lines that are wrong, and no others"),
    (
        "an-imported-line-is-there-once",
        "each line that was accepted is in the catalogue, made or changed once; of several of one product the last one decides",
    ),
    (
        "an-export-has-each-product-once",
        "the file of an export has each product once that was there while it was written and in the minute before, and none twice or of nowhere",
    ),
    (
        "orders-and-reservations-agree",
        "a confirmed order has its stock, a rejected or cancelled one has none",
    ),
]);

/// What is read off a product's item, without the service's types.
#[derive(Deserialize)]
struct Written {
    #[serde(rename = "pk")]
    id: String,
    version: u64,
    price: Money,
    deleted_at: Option<IgnoredAny>,
}

/// How old a write may be that an index does not show yet, in milliseconds.
const INDEX_LAG: i64 = 60_000;

/// What is shown of a product that is for sale: its version, its price, and whether there is any.
pub(crate) type Shown = (Option<u64>, Value, Option<bool>);

/// The versions of a product, each with the time of its write; none where it was deleted.
#[derive(Debug, Default)]
pub(crate) struct Versions(Vec<(i64, Option<u64>)>);

impl Versions {
    fn last(&self) -> Option<u64> {
        self.0.last().and_then(|(_, version)| *version)
    }

    /// What it was at a time, and all that it has become since.
    pub(crate) fn since(&self, time: i64) -> Vec<Option<u64>> {
        let first = self.0.partition_point(|(at, _)| *at <= time);
        // Before its first write it was not there.
        let before = first.checked_sub(1).and_then(|place| self.0[place].1);
        [before].into_iter().chain(self.0[first..].iter().map(|(_, version)| *version)).collect()
    }

    /// Whether it was there at some time, or all the time, between two.
    fn was_there(&self, from: i64, to: i64) -> (bool, bool) {
        let first = self.0.partition_point(|(at, _)| *at < from);
        let end = self.0.partition_point(|(at, _)| *at <= to);
        let before = first.checked_sub(1).and_then(|place| self.0[place].1);
        let mut within = [before].into_iter().chain(self.0[first..end].iter().map(|(_, version)| *version));
        (within.clone().any(|version| version.is_some()), within.all(|version| version.is_some()))
    }
}

#[derive(Debug)]
pub(crate) struct Model {
    table: String,
    products: BTreeMap<String, Versions>,
    prices: BTreeMap<String, Money>,
    stock: StockModel,
    crossings: Crossings,
    /// How many levels, and how many keys of adjustments, the writes of this moment have changed.
    levels_changed: usize,
    adjustments: usize,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        let table = template.tables.get("ProductsTable").context("ProductsTable")?.name.clone();
        let (products, stock, crossings) = (BTreeMap::new(), StockModel::default(), Crossings::default());
        Ok(Self {
            table,
            products,
            prices: BTreeMap::new(),
            stock,
            crossings,
            levels_changed: 0,
            adjustments: 0,
        })
    }

    /// What was low or sold out.
    pub(super) const fn crossings(&self) -> &Crossings {
        &self.crossings
    }

    /// The version of a product that is not deleted.
    pub(crate) fn version(&self, product: &str) -> Option<u64> {
        self.products.get(product).and_then(Versions::last)
    }

    /// The versions that a product has had.
    pub(crate) fn versions(&self, product: &str) -> Option<&Versions> {
        self.products.get(product)
    }

    /// Every product that is not deleted, with its version.
    pub(crate) fn catalogue(&self) -> BTreeMap<String, u64> {
        self.products.iter().filter_map(|(id, versions)| Some((id.clone(), versions.last()?))).collect()
    }

    /// The same as it is shown.
    pub(crate) fn for_sale(&self) -> BTreeMap<String, Shown> {
        let shown = |(id, version): (String, u64)| {
            let price = self.prices.get(&id).map(|price| price.decimal()).unwrap_or_default();
            let price = serde_json::from_str(&price).unwrap_or_default();
            let is_there = id.parse().is_ok_and(|id| self.stock.is_there(&id));
            (id, (Some(version), price, Some(is_there)))
        };
        self.catalogue().into_iter().map(shown).collect()
    }

    fn status(&self, order: &OrderId) -> Option<Status> {
        self.stock.reservations.get(order).map(|reservation| reservation.status)
    }

    /// What the file of an export has twice, too little, or from nowhere.
    fn wrong_in(&self, export: &Exported) -> Option<Violation> {
        let (from, to) = export.within?;
        let mut told: BTreeMap<&str, usize> = BTreeMap::new();
        for product in &export.products {
            *told.entry(product).or_default() += 1;
        }
        let is_wrong = |product: &str| {
            let (earliest, latest) = (from - SKEW - INDEX_LAG, to + SKEW);
            let (some_time, all_the_time) = self.versions(product)?.was_there(earliest, latest);
            let told = told.get(product).copied().unwrap_or(0);
            (told > usize::from(some_time) || (all_the_time && told == 0)).then_some(told)
        };
        let known = self.products.keys().find_map(|id| Some((id.as_str(), is_wrong(id)?)));
        let unknown = told.into_iter().find(|(id, _)| !self.products.contains_key(*id));
        let (product, times) = known.or(unknown)?;
        let seen = format!("{} has {product} {times} times, written from {from} to {to}", export.id);
        Some(Violation::new("an-export-has-each-product-once", seen))
    }

    /// Whether an order's reservation says what the order says.
    fn agrees(&self, order: &Order) -> bool {
        let reservation = self.stock.reservations.get(&order.id);
        let status = self.status(&order.id);
        match order.status {
            OrderStatus::Pending => true,
            OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => {
                let asked = order.lines.iter().map(|line| (&line.product_id, line.quantity));
                let lines = reservation.into_iter().flat_map(|reservation| &reservation.lines);
                status == Some(Status::Reserved)
                    && asked.eq(lines.map(|line| (&line.product_id, line.quantity)))
            }
            OrderStatus::Rejected => status == Some(Status::Rejected),
            OrderStatus::Cancelled => matches!(status, Some(Status::Released | Status::Rejected)),
        }
    }
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "products"
    }

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn verification(&self) -> Option<&'static str> {
        Some("verify-stock")
    }

    fn begin(&mut self) {
        self.stock.begin();
        (self.levels_changed, self.adjustments) = (0, 0);
    }

    fn wrote(&mut self, record: &Record<'_>) -> Result<Vec<Violation>, Violation> {
        let again = |invariant| {
            let seen = || format!("{:?}", record.new);
            record.old.iter().map(|_| Violation::new(invariant, seen())).collect()
        };
        match Kind::of(record.sort_key()) {
            Some(Kind::Stock) => {
                let (old, new) = record.read::<Stock>()?;
                self.levels_changed += 1;
                let crossed = self.crossings.counter(&new);
                let moved = self.stock.counter(record.time, record.caller, old.as_ref(), &new);
                Ok(moved.into_iter().chain(crossed).collect())
            }
            Some(Kind::Reservation) => {
                let (old, new) = record.read::<Reservation>()?;
                Ok(self.stock.reservation(record.time, old.as_ref(), &new))
            }
            Some(Kind::Adjustment) => {
                self.adjustments += 1;
                Ok(again("an-adjustment-happens-once"))
            }
            Some(Kind::Creation) => Ok(again("a-key-is-one-product")),
            Some(Kind::Product) => {
                let (_, new) = record.read::<Written>()?;
                let version = new.deleted_at.is_none().then_some(new.version);
                self.prices.insert(new.id.clone(), new.price);
                self.products.entry(new.id).or_default().0.push((record.time, version));
                Ok(Vec::new())
            }
            Some(Kind::Checkpoint) => Ok(Vec::new()),
            None => Err(Violation::new("an-item-is-readable", format!("{:?}", record.new))),
        }
    }

    fn settled(&self, _all: &Services) -> Vec<Violation> {
        let mut violations = self.stock.settled();
        if self.adjustments > 0 && self.levels_changed != 1 {
            let seen = format!("{} keys and {} levels in one write", self.adjustments, self.levels_changed);
            violations.push(Violation::new("an-adjustment-happens-once", seen));
        }
        violations
    }

    fn events(&self, images: &Images) -> Vec<Value> {
        events::of_item(images)
    }

    fn is_done(&self, consumer: &str, event: &Event) -> bool {
        if consumer != "reserve-stock" {
            return false;
        }
        match event.data() {
            EventData::OrderCreated(order) => self.status(&order.order_id).is_some(),
            EventData::OrderStalled(stalled) => self.status(&stalled.order.order_id).is_some(),
            EventData::OrderCancelled(cancelled) => {
                matches!(self.status(&cancelled.order.order_id), Some(Status::Released | Status::Rejected))
            }
            _ => false,
        }
    }

    fn finish(&self, all: &Services, history: &History) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (product, level, version) in &history.levels {
            let Ok(id) = product.parse() else { continue };
            let was = self.stock.history.get(&(id, *version));
            if was != Some(level) {
                let seen = format!("{product} at version {version}: {was:?}, answered {level}");
                violations.push(Violation::new("an-acknowledged-level-was-there", seen));
            }
        }
        violations.extend(history.exports.iter().filter_map(|export| self.wrong_in(export)));
        let orders = all.orders.orders.values().filter(|order| !self.agrees(order));
        violations.extend(orders.map(|order| {
            let reservation = self.stock.reservations.get(&order.id);
            let seen = format!("{} is {:?}, its reservation {reservation:?}", order.id, order.status);
            Violation::new("orders-and-reservations-agree", seen)
        }));
        violations
    }
}

/// The product whose place in what is shown of the catalogue an event changes, perhaps.
pub(super) fn changed_product(event: &Event) -> Option<&ProductId> {
    match event.data() {
        EventData::ProductCreated(data) | EventData::ProductUpdated(data) => Some(&data.product_id),
        EventData::ProductDeleted(data) => Some(&data.product_id),
        EventData::InventorySoldOut(data) => Some(&data.product_id),
        EventData::InventoryBackInStock(data) => Some(&data.product_id),
        _ => None,
    }
}

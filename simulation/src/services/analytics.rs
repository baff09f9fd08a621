//! What was sold: the ledger's facts, the buckets that they add up to, and what the orders say there must be.
//!
//! The buckets are worked out here from the items alone, without the service's own code.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use orders::order::Order;
use serde_json::Value;
use shop_events::{Event, EventData, OrderStatus};
use shop_local::template::Template;
use shop_types::Timestamp;

use super::record::{Item, text};
use super::{Invariants, Record, Service, Services, read};
use crate::violation::Violation;
use crate::workload::History;

pub(super) const INVARIANTS: Invariants = Invariants::Are(&[
    ("a-fact-stays", "a fact of a sale is written once, and never changed"),
    (
        "buckets-are-the-sums-of-their-facts",
        "after every write each hour, day and product of a day is the sum of the ledger's facts",
    ),
    (
        "sales-and-orders-agree",
        "in the end the sales are what the orders say: confirmed ones when they were placed, those that were cancelled \
         after that when they were",
    ),
]);

/// The zone of the simulated shop. It has no summer time, and is half an hour beside UTC's hours.
pub(crate) const TIME_ZONE: &str = "Asia/Kolkata";
const ZONE_OFFSET: i64 = 19_800_000;

/// Orders, units, gross; and the same of what was cancelled.
type Figures = [i64; 6];
const NAMES: [&str; 6] = ["orders", "units", "gross", "c_orders", "c_units", "c_gross"];
/// Partition and sort key.
type Key = (String, String);

#[derive(Debug)]
pub(crate) struct Model {
    table: String,
    facts: BTreeMap<Key, Item>,
    buckets: BTreeMap<Key, Figures>,
    /// What the facts come to.
    sums: BTreeMap<Key, Figures>,
    /// The buckets that this moment's writes concern.
    touched: BTreeSet<Key>,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        Ok(Self {
            table: template.tables.get("SalesTable").context("SalesTable")?.name.clone(),
            facts: BTreeMap::new(),
            buckets: BTreeMap::new(),
            sums: BTreeMap::new(),
            touched: BTreeSet::new(),
        })
    }

    fn has(&self, order: &str, kind: &str) -> bool {
        self.facts.values().any(|fact| text(fact, "order_id") == order && text(fact, "kind") == kind)
    }
}

/// A sale, or one that was taken back.
struct Sale<'a> {
    is_cancelled: bool,
    at: Timestamp,
    currency: &'a str,
    total: i64,
    /// Whether it is all of the order, or the first part.
    counts_order: bool,
    /// Product, quantity, price of one.
    lines: Vec<(&'a str, i64, i64)>,
}

impl<'a> Sale<'a> {
    /// Reads a fact.
    fn of_fact(fact: &'a Item) -> Option<Self> {
        let number = |item: &Value, name: &str| item.get(name).and_then(Value::as_i64);
        let line = |line: &'a Value| {
            Some((line["product_id"].as_str()?, number(line, "quantity")?, number(line, "unit_price")?))
        };
        Some(Self {
            is_cancelled: match text(fact, "kind") {
                "confirmed" => false,
                "cancelled" => true,
                _ => return None,
            },
            at: text(fact, "at").parse().ok()?,
            currency: fact.get("currency")?.as_str()?,
            total: fact.get("total")?.as_i64()?,
            counts_order: fact.get("part").is_none(),
            lines: fact.get("lines")?.as_array()?.iter().map(line).collect::<Option<_>>()?,
        })
    }

    /// What an order says of its sale, and of what was taken back.
    fn of_order(order: &'a Order) -> Vec<Self> {
        let sale = |is_cancelled, at| {
            let line = |line: &'a shop_events::OrderLine| {
                (line.product_id.as_str(), i64::from(line.quantity), line.unit_price)
            };
            Self {
                is_cancelled,
                at,
                currency: order.total.currency.code(),
                total: order.total.minor,
                counts_order: true,
                lines: order.lines.iter().map(line).collect(),
            }
        };
        match order.status {
            OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered => {
                vec![sale(false, order.placed_at)]
            }
            // Placed, confirmed, cancelled.
            OrderStatus::Cancelled if order.version == 3 => {
                vec![sale(false, order.placed_at), sale(true, order.updated_at)]
            }
            OrderStatus::Cancelled | OrderStatus::Pending | OrderStatus::Rejected => Vec::new(),
        }
    }

    /// What it adds to each bucket.
    fn adds(&self) -> BTreeMap<Key, Figures> {
        let utc = self.at.to_string();
        let local = Timestamp::from_millis(self.at.as_millis() + ZONE_OFFSET).to_string();
        let (currency, date) = (self.currency, &local[..10]);
        let figures = |orders, units, minor| {
            let (sold, nothing) = ([orders, units, minor], [0, 0, 0]);
            let [first, second] = if self.is_cancelled { [nothing, sold] } else { [sold, nothing] };
            [first[0], first[1], first[2], second[0], second[1], second[2]]
        };
        let mut all: BTreeMap<Key, Figures> = BTreeMap::new();
        for (product, quantity, price) in &self.lines {
            let key = (format!("units#{currency}#{date}"), (*product).to_owned());
            add(all.entry(key).or_default(), figures(0, *quantity, quantity * price));
        }
        let units = self.lines.iter().map(|(_, quantity, _)| quantity).sum();
        let whole = figures(i64::from(self.counts_order), units, self.total);
        all.insert((format!("hour#{currency}#{}", &utc[..7]), utc[..13].to_owned()), whole);
        all.insert((format!("day#{currency}#{}", &date[..4]), date.to_owned()), whole);
        all
    }
}

fn add(sum: &mut Figures, more: Figures) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "analytics"
    }

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn verification(&self) -> Option<&'static str> {
        Some("verify-sales")
    }

    fn begin(&mut self) {
        self.touched.clear();
    }

    fn wrote(&mut self, record: &Record<'_>) -> Result<Vec<Violation>, Violation> {
        let new: Item = read(&record.new)?;
        let key = (text(&new, "pk").to_owned(), text(&new, "sk").to_owned());
        let unreadable = || Violation::new("an-item-is-readable", format!("{}: {new:?}", record.caller));
        match key.0.split('#').next().unwrap_or_default() {
            "facts" => {
                let adds = Sale::of_fact(&new).ok_or_else(unreadable)?.adds();
                if let Some(before) = self.facts.insert(key, new.clone()) {
                    let seen = format!("{}: {before:?} became {new:?}", record.caller);
                    return Ok(vec![Violation::new("a-fact-stays", seen)]);
                }
                for (bucket, figures) in adds {
                    add(self.sums.entry(bucket.clone()).or_default(), figures);
                    self.touched.insert(bucket);
                }
            }
            "hour" | "day" | "units" => {
                let figures = NAMES.map(|name| new.get(name).and_then(Value::as_i64).unwrap_or_default());
                if figures.iter().any(|figure| *figure < 0) {
                    return Err(unreadable());
                }
                self.touched.insert(key.clone());
                self.buckets.insert(key, figures);
            }
            "months" | "checkpoint" => {}
            _ => return Err(unreadable()),
        }
        Ok(Vec::new())
    }

    fn settled(&self, _all: &Services) -> Vec<Violation> {
        let wrong = self.touched.iter().filter_map(|key| {
            let figures = |all: &BTreeMap<Key, Figures>| all.get(key).copied().unwrap_or_default();
            let (found, sum) = (figures(&self.buckets), figures(&self.sums));
            (found != sum).then(|| format!("{key:?} is {found:?}, and its facts come to {sum:?}"))
        });
        wrong.map(|seen| Violation::new("buckets-are-the-sums-of-their-facts", seen)).collect()
    }

    fn is_done(&self, consumer: &str, event: &Event) -> bool {
        if consumer != "record-sale" {
            return false;
        }
        match event.data() {
            EventData::OrderConfirmed(order) => self.has(order.order_id.as_str(), "confirmed"),
            EventData::OrderCancelled(data) => {
                let was_sold = data.cancelled_from == Some(OrderStatus::Confirmed);
                !was_sold || self.has(data.order.order_id.as_str(), "cancelled")
            }
            _ => false,
        }
    }

    fn finish(&self, all: &Services, _history: &History) -> Vec<Violation> {
        let mut expected: BTreeMap<Key, Figures> = BTreeMap::new();
        for (key, figures) in all.orders.orders.values().flat_map(Sale::of_order).flat_map(|sale| sale.adds())
        {
            add(expected.entry(key).or_default(), figures);
        }
        let keys: BTreeSet<_> = expected.keys().chain(self.buckets.keys()).collect();
        let wrong = keys.into_iter().filter_map(|key| {
            let figures = |all: &BTreeMap<Key, Figures>| all.get(key).copied().unwrap_or_default();
            let (found, right) = (figures(&self.buckets), figures(&expected));
            (found != right).then(|| format!("{key:?} is {found:?}, and the orders come to {right:?}"))
        });
        wrong.map(|seen| Violation::new("sales-and-orders-agree", seen)).collect()
    }
}

//! The ledger's facts: what an event says was sold, or taken back. Pure: no AWS, no clock.
//!
//! An order has two facts at most, which know nothing of each other: it was confirmed, which counts when it was placed;
//! and it was cancelled after that, which counts when it was cancelled. Each only adds to figures of its own, so any
//! order and any repetition of the same events come to the same, and what was reported once is never restated.
//!
//! An order with more lines than a transaction holds buckets is cut into parts, each of which is counted by itself. The
//! first one counts the order and what it cost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shop_dynamo::Record;
use shop_events::{Event, EventData, OrderSnapshot, OrderStatus};
use shop_types::{Currency, OrderId, ProductId, Timestamp};

use crate::figures::{Bucket, Figures, OutOfRange};
use crate::zone::{Hour, Zone};

/// Most lines of a part: with the fact, its hour and its day they are fewer than a transaction's hundred items, and far
/// below its 4 MB.
const MAX_LINES: usize = 90;
/// The version of an order that is cancelled while it is confirmed: it was placed (1) and confirmed (2).
const CANCELLED_AFTER_CONFIRMATION: u64 = 3;

/// What happened to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FactKind {
    /// It was confirmed: it is a sale.
    Confirmed,
    /// It was cancelled, and had been a sale.
    Cancelled,
}

/// One fact of an order, or a part of it, as it is stored for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) order_id: OrderId,
    pub(crate) kind: FactKind,
    /// 0 for the first part of it, which mostly is all of it.
    #[serde(default, skip_serializing_if = "is_first")]
    pub(crate) part: u32,
    /// When it counts.
    pub(crate) at: Timestamp,
    pub(crate) currency: Currency,
    /// What the order cost, with the first part; 0 with others.
    pub(crate) total: i64,
    pub(crate) lines: Vec<FactLine>,
}

/// A line of an order. Its name is not kept: it is the catalogue's, and may change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FactLine {
    pub(crate) product_id: ProductId,
    pub(crate) quantity: u32,
    /// The price of one, in minor units.
    pub(crate) unit_price: i64,
}

impl Record for Fact {
    const KIND: &'static str = "fact of a sale";
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn is_first(part: &u32) -> bool {
    *part == 0
}

/// What an event means for this service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A fact, in its parts.
    Counts(Vec<Fact>),
    /// An order was cancelled that was no sale.
    Nothing,
    /// It is none of the events that this service consumes.
    Unexpected,
}

#[must_use]
pub(crate) fn meaning(event: &Event) -> Meaning {
    match event.data() {
        EventData::OrderConfirmed(order) => {
            Meaning::Counts(facts(&Sold::of(order), FactKind::Confirmed, order.placed_at))
        }
        EventData::OrderCancelled(data) => {
            let was_sold = match data.cancelled_from {
                Some(status) => status == OrderStatus::Confirmed,
                // Published before this was told. An order's version says it as well.
                None => event.version() >= CANCELLED_AFTER_CONFIRMATION,
            };
            if !was_sold {
                return Meaning::Nothing;
            }
            Meaning::Counts(facts(&Sold::of(&data.order), FactKind::Cancelled, event.time()))
        }
        _ => Meaning::Unexpected,
    }
}

/// What of an order is counted, whether an event says it or the order itself.
#[derive(Clone, Debug)]
pub(crate) struct Sold {
    pub(crate) order_id: OrderId,
    pub(crate) currency: Currency,
    pub(crate) total: i64,
    pub(crate) lines: Vec<FactLine>,
}

impl Sold {
    fn of(order: &OrderSnapshot) -> Self {
        let line = |line: &shop_events::OrderLine| FactLine {
            product_id: line.product_id.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
        };
        Self {
            order_id: order.order_id.clone(),
            currency: order.total.currency,
            total: order.total.minor,
            lines: order.lines.iter().map(line).collect(),
        }
    }
}

/// A fact, in its parts.
#[must_use]
pub(crate) fn facts(sold: &Sold, kind: FactKind, at: Timestamp) -> Vec<Fact> {
    // Two parts must not share a product, or an event with its lines in another order would be other facts.
    let mut lines = sold.lines.clone();
    lines.sort_by(|a, b| a.product_id.cmp(&b.product_id));
    let mut chunks: Vec<Vec<FactLine>> = lines.chunks(MAX_LINES).map(<[_]>::to_vec).collect();
    if chunks.is_empty() {
        chunks.push(Vec::new());
    }
    let part = |(part, lines): (u32, Vec<FactLine>)| Fact {
        order_id: sold.order_id.clone(),
        kind,
        part,
        at,
        currency: sold.currency,
        total: if part == 0 { sold.total } else { 0 },
        lines,
    };
    (0..).zip(chunks).map(part).collect()
}

impl Fact {
    /// Its key in the table: partition and sort key. The facts of a day of UTC are one partition, by their hour, so that
    /// a bucket can be counted anew without reading all that was ever sold.
    pub(crate) fn key(&self) -> (String, String) {
        let hour = Hour::of(self.at);
        let name = fact_name(&self.order_id, self.kind, self.part);
        (facts_of(self.currency, &hour.date()), format!("{}#{name}", hour.of_day()))
    }

    /// What it adds to each bucket.
    pub(crate) fn adds(&self, zone: &Zone) -> Result<BTreeMap<Bucket, Figures>, OutOfRange> {
        let (currency, date) = (self.currency, zone.date(self.at)?);
        if self.total < 0 || self.lines.iter().any(|line| line.unit_price < 0) {
            // Figures only grow: see there.
            return Err(OutOfRange);
        }
        let mut all = BTreeMap::new();
        let mut units: i64 = 0;
        for line in &self.lines {
            let quantity = i64::from(line.quantity);
            units = units.checked_add(quantity).ok_or(OutOfRange)?;
            let revenue = line.unit_price.checked_mul(quantity).ok_or(OutOfRange)?;
            let bucket = Bucket::Product(currency, date, line.product_id.clone());
            add(&mut all, bucket, self.figures(0, quantity, revenue))?;
        }
        let figures = self.figures(i64::from(self.part == 0), units, self.total);
        add(&mut all, Bucket::Hour(currency, Hour::of(self.at)), figures)?;
        add(&mut all, Bucket::Day(currency, date), figures)?;
        Ok(all)
    }

    const fn figures(&self, orders: i64, units: i64, minor: i64) -> Figures {
        Figures::of(match self.kind {
            FactKind::Confirmed => [orders, units, minor, 0, 0, 0],
            FactKind::Cancelled => [0, 0, 0, orders, units, minor],
        })
    }
}

/// Adds to a bucket what is more than nothing.
pub(crate) fn add(
    all: &mut BTreeMap<Bucket, Figures>,
    bucket: Bucket,
    figures: Figures,
) -> Result<(), OutOfRange> {
    if !figures.is_zero() {
        let sum = all.entry(bucket).or_default();
        *sum = sum.checked_add(figures)?;
    }
    Ok(())
}

/// The partition of the facts of a day of UTC.
pub(crate) fn facts_of(currency: Currency, date: &str) -> String {
    format!("facts#{currency}#{date}")
}

/// What a part of a fact is called within its hour.
pub(crate) fn fact_name(order: &OrderId, kind: FactKind, part: u32) -> String {
    let kind = match kind {
        FactKind::Confirmed => "confirmed",
        FactKind::Cancelled => "cancelled",
    };
    if part == 0 { format!("{order}#{kind}") } else { format!("{order}#{kind}#{part}") }
}

#[cfg(test)]
pub(crate) mod tests;

//! What each consumer costs, and what an order's whole life costs its table: counted, alike on every machine.
//!
//! Every consumer of every service is a row, whichever there are: idle, where each order is settled before the next one
//! comes, and busy, where all are placed at once and batches are full.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::json;
use shop_lambda::Kind;
use shop_local::cloud::{Call, Meter, Observer, Options, Outcome, Units};

use crate::counts::Stack;
use crate::report::{Bound, Report, Target};

/// Orders of a run; they make the product low, which is one alert.
const ORDERS: u64 = 100;
/// Hundredths of a cent per million: a write unit, half a read unit, a publication (us-east-1, on demand, 2026-11).
const WRITE_UNIT: u64 = 6250;
const HALF_READ_UNIT: u64 = 625;
const PUBLICATION: u64 = 5000;
/// The same of a message that is sent to a queue.
const MESSAGE: u64 = 4000;

/// Adds the figures.
pub(crate) async fn measure(root: &Path, report: &mut Report) -> Result<()> {
    life(root, report).await?;
    let idle = run(root, &[], false).await?;
    let full = [
        ("ReserveStockBatchSize", "100"),
        ("ReserveStockBatchWindow", "1"),
        ("RecordSaleBatchSize", "100"),
        ("RecordSaleBatchWindow", "1"),
    ];
    let busy = run(root, &full, true).await?;
    for (how, Counted { calls, meter, journal }) in [("idle", idle), ("full batches", busy)] {
        for function in services::functions().iter().filter(|function| function.kind() == Kind::Consumer) {
            let name = function.name();
            let units = meter.sum(|entry| entry.caller == name).units;
            let called = calls.get(name).copied().unwrap_or_default();
            let mut add = |what: &str, unit, value| {
                report.add(format!("{name}, {how}: {what}"), unit, value, Target::None);
            };
            add("calls of 100 orders", "calls", called * 100 / ORDERS);
            add("read units of 100 orders", "RRU", units.half_reads.div_ceil(2) * 100 / ORDERS);
            add("write units of 100 orders", "WRU", units.writes * 100 / ORDERS);
            let published = meter.sum(|entry| entry.caller == name && entry.operation.starts_with("sns:"));
            add("a million orders", "USD cents", cents(units, published.units.requests, 0, ORDERS));
        }
        let (writes, cents) = of_journal(&meter, &journal, ORDERS);
        // How full its batches are is a matter of the machine; what they cost at most is not.
        let (units, most) = if how == "idle" {
            (Target::None, Target::None)
        } else {
            (Target::About(Bound::AtMost(300)), Target::NoMoreThan(500))
        };
        report.add(format!("journal and receipts, {how}: write units of 100 orders"), "WRU", writes, units);
        report.add(format!("journal and receipts, {how}: a million orders"), "USD cents", cents, most);
    }
    Ok(())
}

/// What the journal and what it is told took of so many orders: write units of a hundred of them, and cents for a million.
/// What it is told is a message of each consumer for each of its batches.
pub(crate) fn of_journal(meter: &Meter, queue_url: &str, orders: u64) -> (u64, u64) {
    let queue = queue_url.rsplit('/').next().unwrap_or_default();
    let units = meter.sum(|entry| entry.caller == "journal-event").units;
    let told = meter.sum(|entry| entry.operation == "sqs:SendMessage" && entry.resource == queue).calls;
    (units.writes * 100 / orders, cents(units, 0, told, orders))
}

/// What a million orders cost in cents, where so many cost this.
fn cents(units: Units, publications: u64, messages: u64, orders: u64) -> u64 {
    let hundredths = units.writes * WRITE_UNIT
        + units.half_reads * HALF_READ_UNIT
        + publications * PUBLICATION
        + messages * MESSAGE;
    (hundredths + 50 * orders) / (100 * orders)
}

/// What a run cost.
struct Counted {
    /// The calls of each function.
    calls: BTreeMap<String, u64>,
    meter: Meter,
    /// The URL of the journal's queue.
    journal: String,
}

async fn run(root: &Path, parameters: &[(&str, &str)], at_once: bool) -> Result<Counted> {
    // A shop that sends mails. What SES takes for each is no matter of ours, and not counted.
    let mails = ("EmailFrom", "shop@example.com");
    let parameters = parameters.iter().chain([&mails]);
    let parameters = parameters.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let calls = Arc::new(Calls::default());
    let mut options = Options::memory();
    options.observers.push(Arc::<Calls>::clone(&calls));
    let stack = Stack::start(root, &parameters, options).await?;
    stack.change("/products/bench/stock", &json!({ "low_stock_threshold": 950 })).await?;
    stack.cloud.settled().await;
    let before = stack.cloud.meter();
    // What came before is not counted.
    drop(calls.take());
    if at_once {
        try_join_all((0..ORDERS).map(|_| stack.order())).await?;
        stack.cloud.settled().await;
    } else {
        for _ in 0..ORDERS {
            stack.order().await?;
            stack.cloud.settled().await;
        }
    }
    let meter = less(stack.cloud.meter(), &before);
    let calls = calls.take();
    let journal = stack.cloud.physical("JournalQueue").context("the journal's queue")?.to_owned();
    stack.cloud.stop().await;
    Ok(Counted { calls, meter, journal })
}

/// What was counted since.
pub(crate) fn less(mut after: Meter, before: &Meter) -> Meter {
    for (entry, counts) in &mut after.calls {
        let earlier = before.calls.get(entry).copied().unwrap_or_default();
        counts.calls -= earlier.calls;
        counts.units.half_reads -= earlier.units.half_reads;
        counts.units.writes -= earlier.units.writes;
        counts.units.requests -= earlier.units.requests;
    }
    after
}

/// An order of somebody who has an account, from its placing to its delivery.
async fn life(root: &Path, report: &mut Report) -> Result<()> {
    let stack = Stack::start(root, &BTreeMap::new(), Options::memory()).await?;
    stack.order().await?;
    stack.cloud.settled().await;
    let table = stack.cloud.physical("OrdersTable").context("the table")?.to_owned();
    let index = format!("{table}/index/");
    let written = |meter: &Meter| {
        let of = |is: &dyn Fn(&str) -> bool| meter.sum(|entry| is(&entry.resource)).units.writes;
        (of(&|resource| resource == table), of(&|resource| resource.starts_with(&index)))
    };
    let before = written(&stack.cloud.meter());
    let order = stack.place().await?;
    stack.cloud.settled().await;
    let mut steps = vec![("placed and confirmed", written(&stack.cloud.meter()))];
    for (status, step) in [("shipped", "shipped"), ("delivered", "delivered")] {
        stack.change(&format!("/orders/{order}/status"), &json!({ "status": status })).await?;
        stack.cloud.settled().await;
        steps.push((step, written(&stack.cloud.meter())));
    }
    let mut last = before;
    for (step, (of_table, of_indexes)) in steps {
        let name = |what: &str| format!("an order, {step}: write units of {what}");
        report.add(name("the table"), "WRU", of_table - last.0, Target::None);
        report.add(name("the indexes"), "WRU", of_indexes - last.1, Target::None);
        last = (of_table, of_indexes);
    }
    stack.cloud.stop().await;
    Ok(())
}

/// Counts the calls of each function, each once.
#[derive(Debug, Default)]
struct Calls(Mutex<BTreeMap<String, u64>>);

impl Calls {
    /// Those since they were taken last.
    fn take(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Calls {
    fn called(&self, _time: i64, call: &Call, _outcome: &Outcome<'_>) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(call.caller.to_string()).or_default() += 1;
    }
}

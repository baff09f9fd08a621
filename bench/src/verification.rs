//! How many orders the nightly verifications come through in a week: their calls and their processor time for some
//! thousands of orders, and what those would take on AWS.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shop_dynamo::GETS_AT_ONCE;
use shop_local::cloud::Options;

use crate::consumers;
use crate::counts::Stack;
use crate::report::{Bound, Report, Target};
use crate::tokens::processor_micros;

/// Looked at first; what these take is taken off, since a week's beginning is not paid for each order.
const FIRST: u64 = 1000;
const ORDERS: u64 = 10_000;
const AT_A_TIME: usize = 50;
const VERIFICATIONS: [&str; 3] = ["verify-stock", "verify-user-stats", "verify-sales"];
/// One each night.
const RUNS: u64 = 7;
/// Of the 900 s that each may take, what is not used for its beginning and its end.
const RUN_SECONDS: u64 = 800;
/// What a page of a scan (1 MB), and what any other call takes at most most of the time, in microseconds. DynamoDB answers a
/// read of one item within [single-digit milliseconds](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Introduction.html);
/// these read a hundred, or a thousand.
const PAGE: u64 = 150_000;
const CALL: u64 = 20_000;
/// What the shop is built for.
const WANTED: u64 = 10_000_000;

/// Adds the figures. The functions have a whole processor (template.yaml); its time has what plays DynamoDB in it, so that a
/// week on AWS is longer than this one.
pub(crate) async fn measure(root: &Path, report: &mut Report) -> Result<()> {
    let ample = BTreeMap::from([("AccountOrderLimit".to_owned(), "1000000".to_owned())]);
    let stack = Stack::start(root, &ample, Options::memory()).await?;
    stack.change("/products/bench/stock", &json!({ "stock": FIRST + ORDERS })).await?;
    place(&stack, FIRST).await?;
    let mut first = Vec::new();
    for function in VERIFICATIONS {
        // The first call starts it.
        Work::of(&stack, function, FIRST).await?;
        first.push(Work::of(&stack, function, FIRST).await?);
    }
    place(&stack, ORDERS).await?;
    for (function, first) in VERIFICATIONS.into_iter().zip(first) {
        let all = Work::of(&stack, function, FIRST + ORDERS).await?;
        let (pages, others) = (all.pages - first.pages, all.others - first.others);
        let processor = all.processor.saturating_sub(first.processor);
        let micros = pages * PAGE + others.div_ceil(GETS_AT_ONCE as u64) * CALL + processor;
        let a_week = RUNS * RUN_SECONDS * 1_000_000 * ORDERS / micros.max(1);
        report.add(format!("{function}, {ORDERS} orders: pages"), "calls", pages, Target::None);
        report.add(format!("{function}, {ORDERS} orders: other calls"), "calls", others, Target::None);
        report.add(format!("{function}, {ORDERS} orders: processor time"), "us", processor, Target::None);
        report.add(
            format!("{function}: orders a week"),
            "orders",
            a_week,
            Target::About(Bound::AtLeast(WANTED)),
        );
    }
    stack.cloud.stop().await;
    Ok(())
}

async fn place(stack: &Stack, many: u64) -> Result<()> {
    let orders = stream::iter(0..many).map(|_| stack.order()).buffer_unordered(AT_A_TIME);
    orders.try_for_each(async |()| Ok(())).await?;
    stack.cloud.settled().await;
    Ok(())
}

/// What a run has done.
struct Work {
    /// Scans, each of a page.
    pages: u64,
    /// Its other calls.
    others: u64,
    /// Microseconds of this process.
    processor: u64,
}

impl Work {
    /// Of a run that looks at so many orders.
    async fn of(stack: &Stack, function: &str, orders: u64) -> Result<Self> {
        let (before, begin) = (stack.cloud.meter(), processor_micros());
        let found = stack.cloud.invoke(function, RawValue::from_string("{}".to_owned())?).await?;
        let processor = processor_micros() - begin;
        let found: Value = serde_json::from_str(found.get()).with_context(|| function.to_owned())?;
        ensure!(found["checked"]["orders"] == orders && found["complete"] == true, "{function}: {found}");
        let meter = consumers::less(stack.cloud.meter(), &before);
        let is_scan = |operation: &str| operation.ends_with(":Scan");
        let pages = meter.sum(|entry| entry.caller == function && is_scan(&entry.operation)).calls;
        let others = meter.sum(|entry| entry.caller == function && !is_scan(&entry.operation)).calls;
        Ok(Self { pages, others, processor })
    }
}

//! How late the journal is, and what it costs where orders come all the time: orders in real time, more than a hundred events a second, and of each event the time until
//! its entry is stored, read off the calls.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use data_encoding::BASE64;
use flate2::read::DeflateDecoder;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::Value;
use shop_local::cloud::{Call, Observer, Options, Outcome};
use tokio::time::{MissedTickBehavior, interval};

use crate::consumers;
use crate::counts::Stack;
use crate::report::{Bound, Report, Target};

/// Placed and confirmed, each is seven events: more than a hundred events a second.
const ORDERS_PER_SECOND: u64 = 20;
const SECONDS: u64 = 30;
const ORDERS: u64 = ORDERS_PER_SECOND * SECONDS;
/// Orders that may be under way at a time: far more than are.
const AT_A_TIME: usize = 500;

/// Adds the figures.
pub(crate) async fn measure(root: &Path, report: &mut Report) -> Result<()> {
    let entries = Arc::new(Entries::default());
    let mut options = Options::memory();
    options.observers.push(Arc::<Entries>::clone(&entries));
    // As in production: a mail is an event, too, and sales are counted half a minute later, which is one more item of an
    // order's story.
    let parameters =
        [("EmailFrom", "shop@example.com"), ("RecordSaleBatchSize", "100"), ("RecordSaleBatchWindow", "30")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let stack = Stack::start(root, &parameters, options).await?;
    // The first order starts the functions.
    stack.order().await?;
    stack.cloud.settled().await;
    drop(entries.take());
    let before = stack.cloud.meter();

    let mut ticks = interval(Duration::from_secs(1) / u32::try_from(ORDERS_PER_SECOND)?);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let ticks = stream::unfold(ticks, async |mut ticks| {
        ticks.tick().await;
        Some(((), ticks))
    });
    let orders = ticks.take(usize::try_from(ORDERS)?).map(|()| stack.order()).buffer_unordered(AT_A_TIME);
    let begin = Instant::now();
    orders.try_for_each(async |()| Ok(())).await?;
    let took = begin.elapsed();
    stack.cloud.settled().await;
    let mut lags = entries.take();
    let meter = consumers::less(stack.cloud.meter(), &before);
    let queue = stack.cloud.physical("JournalQueue").context("the journal's queue")?;
    let (writes, cents) = consumers::of_journal(&meter, queue, ORDERS);
    stack.cloud.stop().await;

    lags.sort_unstable();
    let at = |of_hundred: usize| {
        let place = (lags.len() * of_hundred).div_ceil(100).saturating_sub(1);
        lags.get(place).copied().context("no event is in the journal")
    };
    let name = format!("journal at {ORDERS_PER_SECOND} orders/s");
    let rate = u64::try_from(lags.len())? * 1000 / u64::try_from(took.as_millis())?.max(1);
    report.add(format!("{name}: events"), "events/s", rate, Target::About(Bound::AtLeast(100)));
    report.add(format!("{name}: lag, median"), "ms", at(50)?, Target::None);
    report.add(format!("{name}: lag, 99 %"), "ms", at(99)?, Target::None);
    report.add(format!("{name}: lag, at most"), "ms", at(100)?, Target::About(Bound::AtMost(2000)));
    let name = format!("journal and receipts, {ORDERS_PER_SECOND} orders/s");
    report.add(
        format!("{name}: write units of 100 orders"),
        "WRU",
        writes,
        Target::About(Bound::AtMost(300)),
    );
    report.add(format!("{name}: a million orders"), "USD cents", cents, Target::About(Bound::AtMost(500)));
    Ok(())
}

/// How long each event took until its entry was stored in the log, in milliseconds; a copy counts again.
#[derive(Debug, Default)]
struct Entries(Mutex<Vec<u64>>);

impl Entries {
    /// Those since they were taken last.
    fn take(&self) -> Vec<u64> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Entries {
    fn called(&self, time: i64, call: &Call, outcome: &Outcome<'_>) {
        if &*call.caller != "journal-event" || call.operation != "BatchWriteItem" || outcome.error.is_some() {
            return;
        }
        let mut lags = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lags.extend(
            times(&call.body).into_iter().map(|event| u64::try_from(time - event).unwrap_or_default()),
        );
    }
}

/// The times of the events that a batch of writes puts into the log.
fn times(body: &[u8]) -> Vec<i64> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let tables = body["RequestItems"].as_object().into_iter().flatten();
    let items = tables.filter_map(|(_, writes)| writes.as_array()).flatten();
    let items = items.map(|write| &write["PutRequest"]["Item"]);
    let of_log = items.filter(|item| item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("log#")));
    let contents = of_log.filter_map(|item| content(item["z"]["B"].as_str()?));
    let events = contents.flat_map(|content| content["e"].as_array().cloned().unwrap_or_default());
    events.filter_map(|event| event["t"].as_i64()).collect()
}

/// What an item holds.
fn content(text: &str) -> Option<Value> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    let mut json = Vec::new();
    DeflateDecoder::new(bytes.as_slice()).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

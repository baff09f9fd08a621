//! What has gone through each queue lately, from what the log holds of events and of batches. Pure. Whole numbers only.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use shop_messaging::receipts::Outcome;
use shop_types::Timestamp;

use crate::consumers::CONSUMERS;
use crate::packing::bucket;
use crate::store::LogContent;

const MINUTE_MS: i64 = 60_000;

/// What has gone through a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Traffic {
    /// Events that were sent to it, a minute, on average.
    pub(crate) in_per_minute: u64,
    /// Deliveries that were done, a minute, on average.
    pub(crate) out_per_minute: u64,
    /// Deliveries that failed, a minute, on average.
    pub(crate) failed_per_minute: u64,
    /// Batches.
    pub(crate) batches: u64,
    /// How long a batch took on average.
    pub(crate) batch_ms: u64,
    /// How long an event waited for its consumer, half of them at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lag_p50_ms: Option<u64>,
    /// The same, 95 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lag_p95_ms: Option<u64>,
    /// Minute by minute, the oldest first.
    pub(crate) minutes: Vec<Minute>,
}

/// What has gone through a queue in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Minute {
    /// When it begins.
    pub(crate) at: Timestamp,
    /// Events that were sent to it.
    pub(crate) arrived: u64,
    /// Deliveries that were done.
    pub(crate) done: u64,
    /// Deliveries that failed.
    pub(crate) failed: u64,
}

#[derive(Debug, Default)]
struct Counts {
    minutes: BTreeMap<Timestamp, Minute>,
    batches: u64,
    took_ms: u64,
    lags: Vec<u64>,
}

/// The traffic of each consumer from one time to another, by its name.
pub(crate) fn traffic(
    log: impl IntoIterator<Item = LogContent>,
    from: Timestamp,
    to: Timestamp,
) -> BTreeMap<String, Traffic> {
    let mut all: BTreeMap<String, Counts> = BTreeMap::new();
    let (mut events, mut batches) = (BTreeSet::new(), BTreeSet::new());
    let is_within = |time: Timestamp| (from..=to).contains(&time);
    for content in log {
        for entry in content.events {
            if !is_within(entry.time) || !events.insert(entry.id.clone()) {
                continue;
            }
            let consumers = CONSUMERS.iter().filter(|consumer| consumer.types.contains(&entry.event_type()));
            for consumer in consumers {
                all.entry(consumer.name.to_owned()).or_default().minute(entry.time).arrived += 1;
            }
        }
        for line in content.receipts {
            let (consumer, batch, part) = line.key();
            if !is_within(line.started_at) || !batches.insert((consumer.to_owned(), batch.to_owned(), part)) {
                continue;
            }
            let counts = all.entry(line.consumer.clone()).or_default();
            let done = line.count(Outcome::Done) + line.count(Outcome::Repeated);
            let minute = counts.minute(line.started_at);
            minute.done += done;
            minute.failed += line.events() - done;
            counts.batches += 1;
            counts.took_ms += line.duration_ms;
            counts.lags.extend(line.lags);
        }
    }
    let length = u64::try_from(to.as_millis() - from.as_millis()).unwrap_or(0).max(1);
    all.into_iter().map(|(name, counts)| (name, counts.sum(length))).collect()
}

impl Counts {
    fn minute(&mut self, time: Timestamp) -> &mut Minute {
        let at = bucket(time, MINUTE_MS);
        self.minutes.entry(at).or_insert(Minute { at, ..Minute::default() })
    }

    fn sum(mut self, length_ms: u64) -> Traffic {
        self.lags.sort_unstable();
        let per_minute = |count: u64| (count * MINUTE_MS.unsigned_abs() + length_ms / 2) / length_ms;
        let sum = |of: fn(&Minute) -> u64| per_minute(self.minutes.values().map(of).sum());
        Traffic {
            in_per_minute: sum(|minute| minute.arrived),
            out_per_minute: sum(|minute| minute.done),
            failed_per_minute: sum(|minute| minute.failed),
            batches: self.batches,
            batch_ms: self.took_ms.checked_div(self.batches).unwrap_or_default(),
            lag_p50_ms: percentile(&self.lags, 50),
            lag_p95_ms: percentile(&self.lags, 95),
            minutes: self.minutes.into_values().collect(),
        }
    }
}

/// The least of some sorted figures that so many of a hundred are no more than.
fn percentile(sorted: &[u64], of_hundred: usize) -> Option<u64> {
    let place = (sorted.len() * of_hundred).div_ceil(100);
    sorted.get(place.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use shop_messaging::receipts::{Receipt, Receipts};

    use super::*;
    use crate::entry::BatchLine;

    #[test]
    fn percentiles_are_figures_that_were_seen() {
        assert_eq!(percentile(&[], 95), None);
        assert_eq!(percentile(&[7], 50), Some(7));
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!((percentile(&hundred, 50), percentile(&hundred, 95)), (Some(50), Some(95)));
    }

    fn line(batch: &str, at: i64, outcomes: &[Outcome]) -> BatchLine {
        let receipt = |outcome: &Outcome| Receipt {
            id: "prod-1:1:product.deleted".to_owned(),
            story: Some("prod-1".to_owned()),
            event_time: Some(Timestamp::from_millis(at - 40)),
            attempt: 1,
            copy: 0,
            outcome: *outcome,
            code: None,
            error: None,
            next_attempt_at: None,
        };
        BatchLine::of(&Receipts {
            consumer: "send-email".to_owned(),
            batch: batch.to_owned(),
            part: 0,
            started_at: Timestamp::from_millis(at),
            duration_ms: 30,
            receipts: outcomes.iter().map(receipt).collect(),
        })
    }

    #[test]
    fn a_batch_that_was_told_twice_counts_once_and_only_within_the_time() {
        let (done, failed) = (Outcome::Done, Outcome::Retrying);
        let content = |receipts| LogContent { events: Vec::new(), receipts };
        let log = [
            content(vec![line("a", 60_000, &[done, done, failed]), line("b", 130_000, &[done])]),
            content(vec![line("a", 60_000, &[done, done, failed]), line("old", 1_000, &[done])]),
        ];
        let found = traffic(log, Timestamp::from_millis(60_000), Timestamp::from_millis(180_000));
        let Traffic { out_per_minute, failed_per_minute, batches, batch_ms, lag_p95_ms, minutes, .. } =
            &found["send-email"];
        assert_eq!((*out_per_minute, *failed_per_minute, *batches, *batch_ms), (2, 1, 2, 30));
        assert_eq!(*lag_p95_ms, Some(40));
        let shown: Vec<_> =
            minutes.iter().map(|minute| (minute.at.as_millis(), minute.done, minute.failed)).collect();
        assert_eq!(shown, [(60_000, 2, 1), (120_000, 1, 0)]);
    }
}

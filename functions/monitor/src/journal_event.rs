//! Consumer of every event, and of the receipts that the consumers send: keeps both for thirty days.
//!
//! - A message is done when all items are stored that it is part of: one of the log, and one of its story for an event or
//!   for each story that receipts are about.
//! - Each event and each receipt is there once, as it is read: an entry is put where its own time says, and whoever reads
//!   that bucket drops the copies ([`crate::packing`]). So nothing is asked before it is written, and the same batch, a
//!   part of it, or one that overlaps with it, may come as often as it likes.
//! - A failure that a receipt tells of is noted besides, where whoever looks after dead letters finds it by consumer and
//!   event. That is best effort: the receipt itself is kept in any case.
//! - How long the events of a batch took to be here is logged, and is the metric `JournalLag`: no figure of a queue's knows
//!   of the time before it.
//! - Retried: failures of DynamoDB; only the messages whose items were not stored.
//! - Dropped: nothing. It sends no receipts of its own, which would never end.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use futures::future::ready;
use futures::{StreamExt as _, stream};
use shop_dynamo::MAX_WRITES;
use shop_events::Event;
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Environment, Function, Start, StartError};
use shop_messaging::consumer::{self, BatchConsumer, Body, Failure, Message, MessageResult, Unreadable};
use shop_messaging::receipts::{Receipt, Receipts};
use shop_types::Timestamp;

use crate::entry::{Attempt, BatchLine, Entry};
use crate::packing::{LOG_BUCKET_MS, Packed, Parts, STORY_BUCKET_MS, bucket};
use crate::store::{Store, log_partition, story_partition};

/// Calls that are made at a time.
const CONCURRENCY: usize = 4;
/// How long failures are noted one by one, of the 10 s that an invocation has (template.yaml).
const NOTING_TIME: Duration = Duration::from_secs(2);

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::of_journal::<Told, JournalEvent>();

/// What the journal is told.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Event(Box<Event>),
    Receipts(Box<Receipts>),
}

impl Body for Told {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        match serde_json::from_str::<Receipts>(text) {
            Ok(receipts) => Ok(Self::Receipts(Box::new(receipts))),
            Err(_) => <Event as Body>::parse(text).map(|event| Self::Event(Box::new(event))),
        }
    }

    fn id(&self) -> Cow<'_, str> {
        match self {
            Self::Event(event) => event.id().as_str().into(),
            Self::Receipts(receipts) => {
                format!("{}:{}:{}", receipts.consumer, receipts.batch, receipts.part).into()
            }
        }
    }
}

pub(crate) struct JournalEvent {
    store: Store,
    clock: Clock,
}

impl Start for JournalEvent {
    const NAME: &'static str = "journal-event";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = Store::start(environment, Client::new(environment.sdk_config()))?;
        Ok(Self { store, clock: environment.clock() })
    }
}

impl BatchConsumer<Told> for JournalEvent {
    async fn consume(&self, batch: &[Message<Told>]) -> Vec<MessageResult> {
        let mut failed = BTreeMap::new();
        let (items, unpackable) = packed(batch);
        for (of, error) in unpackable {
            failed.entry(of).or_insert_with(|| Failure::new("not_packed", error));
        }
        let now = self.clock.now();
        let chunks: Vec<_> = items.chunks(MAX_WRITES).map(|chunk| self.put(chunk, now)).collect();
        let mut results = stream::iter(chunks).buffered(CONCURRENCY);
        while let Some(result) = results.next().await {
            for (of, error) in result {
                failed.entry(of).or_insert_with(|| Failure::new("store_failed", error));
            }
        }
        if let Some(lag_ms) = lag(batch, &failed, self.clock.now()) {
            // The dashboard's metric reads this line.
            tracing::info!(lag_ms = lag_ms, "events are in the journal");
        }
        self.note_failures(batch).await;
        (0..batch.len()).map(|place| failed.remove(&place).map_or(Ok(()), Err)).collect()
    }
}

impl JournalEvent {
    /// Stores some items; the messages of which it is not known, and why.
    async fn put(&self, items: &[Packed], now: Timestamp) -> Vec<(usize, String)> {
        match self.store.put(items, now).await {
            Ok(()) => Vec::new(),
            Err(error) => {
                let messages: BTreeSet<usize> =
                    items.iter().flat_map(|item| item.of.iter().copied()).collect();
                messages.into_iter().map(|of| (of, Chain(&error).to_string())).collect()
            }
        }
    }

    /// Notes what failed, for so long as there is time: the batch is stored, and would come again for nothing.
    async fn note_failures(&self, batch: &[Message<Told>]) {
        let (failures, begun) = (failures(batch), self.clock.now());
        let all = failures.len();
        let attempts = failures.into_iter().map(|((consumer, _), (at, receipt))| async move {
            if self.clock.now().abs_diff(begun) > NOTING_TIME {
                return false;
            }
            let noted = self.store.note_failure(consumer, at, receipt).await;
            noted
                .inspect_err(|error| tracing::warn!(error = %Chain(error), "a failure was not noted"))
                .is_ok()
        });
        let attempts: Vec<_> = attempts.collect();
        let noted = stream::iter(attempts)
            .buffer_unordered(CONCURRENCY)
            .filter(|is_noted| ready(*is_noted))
            .count()
            .await;
        if noted < all {
            tracing::warn!(failures = all, noted, "not all failures were noted");
        }
    }
}

/// The last failure of each consumer with each event, and when the batch was begun that had it.
fn failures(batch: &[Message<Told>]) -> BTreeMap<(&str, &str), (Timestamp, &Receipt)> {
    let mut last = BTreeMap::new();
    for message in batch {
        let Told::Receipts(batch) = &message.event else { continue };
        for receipt in batch.receipts.iter().filter(|receipt| !receipt.outcome.is_done()) {
            let known = last.entry((batch.consumer.as_str(), receipt.id.as_str()));
            let known = known.or_insert((batch.started_at, receipt));
            if batch.started_at > known.0 {
                *known = (batch.started_at, receipt);
            }
        }
    }
    last
}

/// How long ago the event happened that took the longest to be stored, in milliseconds; none where no event was.
fn lag(batch: &[Message<Told>], failed: &BTreeMap<usize, Failure>, now: Timestamp) -> Option<i64> {
    let stored = batch.iter().enumerate().filter(|(place, _)| !failed.contains_key(place));
    let times = stored.filter_map(|(_, message)| match &message.event {
        Told::Event(event) => Some(event.time()),
        Told::Receipts(..) => None,
    });
    // A clock that is behind the one that the event's time is of would tell of a lag below nothing.
    times.min().map(|earliest| now.as_millis().saturating_sub(earliest.as_millis()).max(0))
}

/// The items of a batch, and the messages of which an entry cannot be stored.
fn packed(batch: &[Message<Told>]) -> (Vec<Packed>, Vec<(usize, String)>) {
    let (mut log, mut stories) = (Parts::<Entry, BatchLine>::default(), Parts::<Entry, Attempt>::default());
    let mut failed = Vec::new();
    for (of, message) in batch.iter().enumerate() {
        match &message.event {
            Told::Event(event) => {
                let (entry, time) = (Entry::of(event), event.time());
                let story = story_partition(entry.story());
                match entry.clone().with_data(event) {
                    Ok(whole) => stories.event(story, bucket(time, STORY_BUCKET_MS), of, whole),
                    Err(error) => failed.push((of, error.to_string())),
                }
                log.event(log_partition(time), bucket(time, LOG_BUCKET_MS), of, entry);
            }
            Told::Receipts(batch) => {
                let time = batch.started_at;
                log.receipt(log_partition(time), bucket(time, LOG_BUCKET_MS), of, BatchLine::of(batch));
                for receipt in &batch.receipts {
                    let Some(story) = &receipt.story else { continue };
                    let attempt = Attempt::of(batch, receipt);
                    stories.receipt(story_partition(story), bucket(time, STORY_BUCKET_MS), of, attempt);
                }
            }
        }
    }
    let mut items = Vec::new();
    for (packed, unpackable) in [log.pack(), stories.pack()] {
        items.extend(packed);
        failed.extend(unpackable.into_iter().map(|(of, error)| (of, Chain(&error).to_string())));
    }
    (items, failed)
}

#[cfg(test)]
mod tests {
    use shop_messaging::receipts::Outcome;

    use super::*;

    const EVENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/journal-event.json"));

    /// A message of the fixture's event at a time.
    fn at(time: &str) -> Message<Told> {
        let batch: serde_json::Value = serde_json::from_str(EVENT).unwrap();
        let mut event: serde_json::Value =
            serde_json::from_str(batch["Records"][0]["body"].as_str().unwrap()).unwrap();
        event["time"] = time.into();
        let event = Told::parse(&event.to_string()).unwrap();
        Message { message_id: time.to_owned(), receive_count: 1, event }
    }

    fn receipts() -> Message<Told> {
        receipts_of("send-email", 0, Vec::new())
    }

    fn receipts_of(consumer: &str, at: i64, receipts: Vec<Receipt>) -> Message<Told> {
        let receipts = Receipts {
            consumer: consumer.to_owned(),
            batch: "a".to_owned(),
            part: 0,
            started_at: Timestamp::from_millis(at),
            duration_ms: 1,
            receipts,
        };
        let event = Told::Receipts(Box::new(receipts));
        Message { message_id: "receipts".to_owned(), receive_count: 1, event }
    }

    #[test]
    fn a_failure_that_is_told_often_is_noted_once_as_it_was_last() {
        let receipt = |id: &str, attempt, outcome| Receipt {
            id: id.to_owned(),
            story: None,
            event_time: None,
            attempt,
            copy: 0,
            outcome,
            code: None,
            error: None,
            next_attempt_at: None,
        };
        let batch = [
            receipts_of("index-products", 5, vec![receipt("a", 2, Outcome::Retrying)]),
            receipts_of(
                "index-products",
                9,
                vec![receipt("a", 3, Outcome::Dead), receipt("b", 1, Outcome::Done)],
            ),
            receipts_of("index-products", 1, vec![receipt("a", 1, Outcome::Retrying)]),
            receipts_of("invalidate-cache", 1, vec![receipt("a", 1, Outcome::Retrying)]),
        ];
        let noted = failures(&batch).into_iter();
        let noted: Vec<_> = noted.map(|(of, (at, receipt))| (of, at.as_millis(), receipt.attempt)).collect();
        assert_eq!(noted, [(("index-products", "a"), 9, 3), (("invalidate-cache", "a"), 1, 1)]);
    }

    #[test]
    fn the_lag_is_that_of_the_event_that_took_longest_of_those_that_are_stored() {
        let now: Timestamp = "2026-11-26T10:00:05Z".parse().unwrap();
        let batch =
            [receipts(), at("2026-11-26T10:00:01Z"), at("2026-11-26T10:00:03Z"), at("2026-11-26T10:00:04Z")];
        let failed = |places: &[usize]| -> BTreeMap<usize, Failure> {
            places.iter().map(|&place| (place, Failure::code_only("store_failed"))).collect()
        };
        assert_eq!(lag(&batch, &failed(&[]), now), Some(4000));
        assert_eq!(lag(&batch, &failed(&[1]), now), Some(2000));
        assert_eq!(lag(&batch, &failed(&[1, 2, 3]), now), None, "nothing was stored");
        assert_eq!(lag(&batch[..1], &failed(&[]), now), None, "receipts are no events");
        let before: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        assert_eq!(lag(&batch, &failed(&[]), before), Some(0), "a clock that is behind");
    }
}

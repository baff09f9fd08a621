//! The journal: what is stored of events and receipts, and what the monitor says of them in the end.
//!
//! What is stored is read off the calls, without the service's own code; what is shown is asked for when all is quiet
//! (`workload::monitoring`).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use anyhow::{Context, Result};
use data_encoding::BASE64;
use flate2::read::DeflateDecoder;
use serde_json::Value;
use shop_events::{Event, EventId};
use shop_local::cloud::{Call, Step};
use shop_local::template::Template;
use shop_messaging::receipts::{Outcome, Receipts};

use super::{Invariants, Service};
use crate::violation::Violation;

pub(super) const INVARIANTS: Invariants = Invariants::Are(&[
    (
        "the-journal-has-each-event-once",
        "when all is quiet, the list of events has every event that was published, and none twice, whatever became of its messages; and so has its order's story",
    ),
    (
        "a-receipt-is-true",
        "what a consumer tells the journal is done is done, as the tables show at that moment",
    ),
    (
        "outstanding-is-the-truth",
        "when all is quiet, a story says that exactly that is done of which a receipt came, that nothing waits or is tried again, and without faults that all is done",
    ),
]);

#[derive(Debug)]
pub(crate) struct Model {
    queue: String,
    /// The events whose entries in the log are stored, and those in a story.
    logged: BTreeSet<String>,
    told_in_story: BTreeSet<String>,
    /// The consumers, and the events that each has told to be done.
    done: BTreeSet<(String, String)>,
    /// The events that lie in a queue, or did.
    events: BTreeMap<EventId, Event>,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        Ok(Self {
            queue: template.queues.get("JournalQueue").context("JournalQueue")?.name.clone(),
            logged: BTreeSet::new(),
            told_in_story: BTreeSet::new(),
            done: BTreeSet::new(),
            events: BTreeMap::new(),
        })
    }

    /// Takes in what was sent to the journal: what a consumer says is done, and the events that it says it of.
    pub(super) fn queued(&mut self, queue: &str, step: Step<'_>) -> Vec<(String, Event)> {
        let Step::Sent(body) = step else { return Vec::new() };
        if queue != self.queue {
            return Vec::new();
        }
        if let Ok(event) = Event::from_json(body) {
            self.events.insert(event.id().clone(), event);
            return Vec::new();
        }
        let Ok(receipts) = serde_json::from_str::<Receipts>(body) else { return Vec::new() };
        let consumer = receipts.consumer;
        let done = receipts.receipts.into_iter();
        let done = done.filter(|receipt| matches!(receipt.outcome, Outcome::Done | Outcome::Repeated));
        let mut said = Vec::new();
        for receipt in done {
            let event = self.events.iter().find(|(id, _)| id.as_str() == receipt.id).map(|(_, event)| event);
            said.extend(event.map(|event| (consumer.clone(), event.clone())));
            self.done.insert((consumer.clone(), receipt.id));
        }
        said
    }

    /// Whether a consumer has told the journal that it is done with an event.
    pub(crate) fn was_told(&self, consumer: &str, event: &str) -> bool {
        self.done.contains(&(consumer.to_owned(), event.to_owned()))
    }

    /// The events whose story is a thing's.
    pub(crate) fn story(&self, id: &str) -> BTreeSet<String> {
        let own = self.events.values().filter(|event| event.story() == id);
        own.map(|event| event.id().to_string()).collect()
    }
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "monitor"
    }

    fn called(&mut self, _time: i64, call: &Call, is_done: bool) {
        if !is_done || &*call.caller != "journal-event" || call.operation != "BatchWriteItem" {
            return;
        }
        for (partition, id) in stored(&call.body) {
            let stored =
                if partition.starts_with("log#") { &mut self.logged } else { &mut self.told_in_story };
            stored.insert(id);
        }
    }

    fn is_done(&self, consumer: &str, event: &Event) -> bool {
        let id = event.id().as_str();
        consumer == "journal-event" && self.logged.contains(id) && self.told_in_story.contains(id)
    }
}

/// The events that a batch of writes stores, each with the partition.
fn stored(body: &[u8]) -> Vec<(String, String)> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let tables = body["RequestItems"].as_object().into_iter().flatten();
    let writes = tables.filter_map(|(_, writes)| writes.as_array()).flatten();
    let mut stored = Vec::new();
    for item in writes.map(|write| &write["PutRequest"]["Item"]) {
        let content = item["z"]["B"].as_str().and_then(content).unwrap_or_default();
        let partition = item["pk"]["S"].as_str().unwrap_or_default();
        let ids = content["e"].as_array().into_iter().flatten().filter_map(|event| event["i"].as_str());
        stored.extend(ids.map(|id| (partition.to_owned(), id.to_owned())));
    }
    stored
}

/// What an item holds.
fn content(text: &str) -> Option<Value> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    let mut json = Vec::new();
    DeflateDecoder::new(bytes.as_slice()).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

/// That a consumer said that it is done with what it is not.
pub(super) fn untrue(consumer: &str, event: &Event) -> Violation {
    Violation::new("a-receipt-is-true", format!("{consumer} said that {} is done", event.id()))
}

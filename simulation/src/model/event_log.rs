//! What writes must publish, and what was published.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shop_local::template::{Event as Source, Template};
use shop_types::Timestamp;

use crate::violation::Violation;

/// How far ahead an environment's clock may be, and how long before its write a function may have looked at it: what
/// its requests wait for their answers, with all tries, and what it had to do. Milliseconds.
const AHEAD: i64 = 5_000;
const EARLIER: i64 = 60_000;

/// An event as its write makes it.
#[derive(Debug)]
struct LoggedEvent {
    content: Value,
    published: u64,
}

/// All events that any write has made.
#[derive(Debug)]
pub(crate) struct EventLog {
    /// Functions that act because of an event.
    consumers: BTreeSet<String>,
    /// Functions that act by a schedule, on items that say already why they are what they are.
    scheduled: BTreeSet<String>,
    by_id: BTreeMap<String, LoggedEvent>,
    /// The version and time of the last one of each series of versions: an item has one, and an order two.
    last: BTreeMap<String, (String, Timestamp)>,
}

impl EventLog {
    pub(super) fn new(template: &Template) -> Self {
        let called_by = |is_source: &dyn Fn(&Source) -> bool| {
            let functions = template.functions.values();
            let called = functions.filter(|function| function.events.values().any(is_source));
            called.map(|function| function.name.clone()).collect()
        };
        // What a queue holds that no topic feeds is what a function has left for later: it goes on with its own cause.
        let subscriptions: Vec<_> =
            template.topics.values().flat_map(|topic| &topic.subscriptions).map(|one| &one.queue).collect();
        let is_fed = |queue: &String| subscriptions.contains(&queue);
        Self {
            consumers: called_by(&|source| matches!(source, Source::Sqs(source) if is_fed(&source.queue))),
            scheduled: called_by(&|source| matches!(source, Source::Schedule { .. })),
            by_id: BTreeMap::new(),
            last: BTreeMap::new(),
        }
    }

    /// Takes in the event of the write of an item.
    pub(super) fn record(&mut self, now: i64, caller: &str, item: &str, content: Value) -> Vec<Violation> {
        let id = id_of(&content).to_owned();
        match self.by_id.get(&id) {
            Some(logged) if logged.content != content => {
                let seen = format!("{} and {content}", logged.content);
                vec![Violation::new("an-event-id-is-one-content", seen)]
            }
            Some(_) => Vec::new(),
            None => {
                let wrong = self.wrong(now, caller, &content);
                let seen = wrong.map(|wrong| format!("{caller}, {wrong}: {content}"));
                let wrong = seen.map(|seen| Violation::new("an-event-says-when-and-why", seen));
                let back = self.goes_back(item, &content);
                self.by_id.insert(id, LoggedEvent { content, published: 0 });
                wrong.into_iter().chain(back).collect()
            }
        }
    }

    /// Whether an event is of an earlier time or version than the one before it of the same item.
    fn goes_back(&mut self, item: &str, content: &Value) -> Option<Violation> {
        // Padded with zeros, so that it sorts as text.
        let version = content["sequence"].as_str()?.to_owned();
        let time = serde_json::from_value::<Timestamp>(content["time"].clone()).ok()?;
        // How often the sweeper has asked for an order is counted beside what becomes of the order.
        let series = if content["type"] == "order.stalled" { " stalled" } else { "" };
        let series = format!("{item}{series}");
        let (last_version, last_time) = self.last.insert(series, (version.clone(), time))?;
        let seen = || format!("{item}: version {last_version} at {last_time}, then {content}");
        (version < last_version || time < last_time)
            .then(|| Violation::new("an-aggregate-s-time-never-goes-back", seen()))
    }

    /// What is wrong with the time or the cause that a write gives.
    fn wrong(&self, now: i64, caller: &str, content: &Value) -> Option<&'static str> {
        let time = serde_json::from_value::<Timestamp>(content["time"].clone()).map(Timestamp::as_millis);
        // An entry of the ledger bears the time of its claim, which may have waited for another delivery.
        let entries = ["inventory.reserved", "inventory.rejected", "inventory.released"];
        let is_entry = content["type"].as_str().is_some_and(|name| entries.contains(&name));
        let is_now = time.is_ok_and(|time| time <= now + AHEAD && (is_entry || time >= now - EARLIER));
        if !is_now {
            return Some("another time than that of the write");
        }
        let (is_consumer, is_scheduled) = (self.consumers.contains(caller), self.scheduled.contains(caller));
        let is_person = |value: &Value| value.as_str().is_some_and(|name| !self.consumers.contains(name));
        if content["correlationid"].as_str().is_none_or(str::is_empty) {
            return Some("no request started it");
        }
        match content.get("causationid").and_then(Value::as_str) {
            Some(_) if !is_consumer && !is_scheduled => Some("a request has no cause before it"),
            Some(cause) => {
                let trace = |event: &Value| (event["correlationid"].clone(), event.get("actor").cloned());
                let cause = self.by_id.get(cause).map(|logged| trace(&logged.content));
                (cause != Some(trace(content))).then_some("its cause is no event, or one of another request")
            }
            None if is_consumer => Some("no event caused it"),
            None if is_scheduled => None,
            None if content["type"] == "order.created" => {
                let customer = content["data"].get("customer_id").and_then(Value::as_str);
                (content["actor"] != customer.unwrap_or("guest")).then_some("somebody else placed it")
            }
            None => (!is_person(&content["actor"])).then_some("nobody did it"),
        }
    }

    pub(super) fn published(&mut self, message: &str) -> Option<Violation> {
        let Ok(event) = serde_json::from_str::<Value>(message) else {
            return Some(Violation::new("an-event-comes-from-a-write", format!("no event: {message}")));
        };
        match self.by_id.get_mut(id_of(&event)) {
            None => Some(Violation::new("an-event-comes-from-a-write", message)),
            Some(logged) => {
                logged.published += 1;
                let seen = || format!("recorded {} and published {message}", logged.content);
                (logged.content != event).then(|| Violation::new("an-event-id-is-one-content", seen()))
            }
        }
    }

    /// The events that were never published.
    pub(super) fn unpublished(&self) -> impl Iterator<Item = &str> {
        self.by_id.iter().filter(|(_, logged)| logged.published == 0).map(|(id, _)| id.as_str())
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }
}

fn id_of(event: &Value) -> &str {
    event["id"].as_str().unwrap_or_default()
}

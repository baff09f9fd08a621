//! `GET /monitor/events`: what has happened, newest first, by type, subject, request and time. Administrators only.
//!
//! The log is read bucket by bucket, each as a whole, so that every event is shown once, however often it was delivered and
//! wherever a page ends. A request reads no more than its budget: `searched_back_to` says how far it came, and the cursor
//! goes on from there, even where the page is empty. Events follow what happened within seconds; one that was late
//! stands where its own time says.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shop_dynamo::StoreError;
use shop_events::EventType;
use shop_http::{Access, Call, Contract, Cursor, Endpoint, FieldCode, Problem, Reply, Route, Start, get};
use shop_lambda::{Clock, Function, StartError};
use shop_types::Timestamp;

use crate::entry::Entry;
use crate::packing::{HOUR_MS, LOG_BUCKET_MS, bucket};
use crate::query::{Errors, MAX_TEXT};
use crate::store::{KEPT_FOR, Store};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ListEvents>();

/// Calls of one request. Each reads 1 MB at most; most hours of a small shop are one call.
const MAX_CALLS: usize = 24;
/// Entries of one request: some MB, unpacked.
const MAX_ENTRIES: usize = 40_000;
/// A clock that is ahead by more than this is wrong.
const AHEAD_MS: i64 = 60_000;

pub(crate) struct ListEvents {
    store: Store,
    clock: Clock,
}

/// An event, without its data: its story has them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct EventView {
    /// Two events with the same id are the same event.
    pub(crate) id: String,
    pub(crate) r#type: String,
    /// What it happened to.
    pub(crate) subject: String,
    /// The version of that.
    pub(crate) version: u64,
    /// When it happened.
    pub(crate) time: Timestamp,
    /// The request that started it all.
    pub(crate) correlation_id: String,
    /// The event that led to it; absent where the request did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) causation_id: Option<String>,
    /// Who made the request: a user's id, `guest`, or a function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
    /// Whose story it is part of: `GET /monitor/stories/{id}`.
    pub(crate) story_id: String,
}

impl EventView {
    fn of(entry: &Entry) -> Self {
        Self {
            id: entry.id.clone(),
            r#type: entry.event_type().to_owned(),
            subject: entry.subject().to_owned(),
            version: entry.version(),
            time: entry.time,
            correlation_id: entry.correlation.clone(),
            causation_id: entry.cause.clone(),
            actor: entry.actor.clone(),
            story_id: entry.story().to_owned(),
        }
    }
}

/// A page of events.
#[derive(Debug, Serialize, JsonSchema)]
struct EventPage {
    /// The events, newest first.
    data: Vec<EventView>,
    /// The cursor of the next page; `null` on the last one. A page may be empty and have one.
    next_cursor: Option<String>,
    /// All events from here on that match, up to where the page begins, are on this page or one before it.
    searched_back_to: Timestamp,
}

/// Where a list goes on: behind this event, or behind everything that is later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Position {
    #[serde(rename = "t")]
    time: Timestamp,
    /// None where all events of this time are yet to come.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

impl Position {
    /// Whether an entry is behind it, which is before it in time.
    fn precedes(&self, entry: &Entry) -> bool {
        let (time, id) = entry.position();
        match &self.id {
            Some(last) => (time, id) < (self.time, last.as_str()),
            None => time <= self.time,
        }
    }
}

/// What is asked for.
#[derive(Debug)]
struct Filter {
    event_type: Option<EventType>,
    subject: Option<String>,
    correlation: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Filter {
    fn read(call: &Call) -> Result<Self, Problem> {
        let mut errors = Errors::default();
        let filter = Self {
            event_type: errors.event_type(call, "type"),
            subject: errors.text(call, "subject"),
            correlation: errors.text(call, "correlation"),
            from: errors.time(call, "from"),
            to: errors.time(call, "to"),
        };
        if filter.from.zip(filter.to).is_some_and(|(from, to)| to < from) {
            errors.note("from", FieldCode::OutOfRange, "This is behind the end.");
        }
        errors.into_result()?;
        Ok(filter)
    }

    /// The list, as its cursors and links name it.
    fn list(&self) -> String {
        let times = [("from", self.from), ("to", self.to)];
        let times = times.into_iter().filter_map(|(name, time)| Some((name, time?.to_string())));
        let event_type = self.event_type.map(|event_type| event_type.to_string());
        let texts = [("type", &event_type), ("subject", &self.subject), ("correlation", &self.correlation)];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?)));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(texts.chain(times));
        let query = query.finish();
        if query.is_empty() { "/monitor/events".to_owned() } else { format!("/monitor/events?{query}") }
    }

    fn matches(&self, entry: &Entry) -> bool {
        self.event_type.is_none_or(|event_type| entry.event_type() == event_type.as_str())
            && self.subject.as_ref().is_none_or(|subject| entry.subject() == subject)
            && self.correlation.as_ref().is_none_or(|correlation| entry.correlation == *correlation)
            && self.from.is_none_or(|from| entry.time >= from)
            && self.to.is_none_or(|to| entry.time <= to)
    }
}

impl Route for ListEvents {
    const NAME: &'static str = "list-events";
    const ENDPOINT: Endpoint = get("/monitor/events");
    const ACCESS: Access = Access::Admin;
    const QUERY: &'static [&'static str] =
        &["limit", "cursor", "type", "subject", "correlation", "from", "to"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let store = Store::start(start.environment(), start.client())?;
        Ok(Self { store, clock: start.environment().clock() })
    }

    fn contract() -> Contract {
        let types: Vec<_> = EventType::ALL.iter().map(|event_type| event_type.as_str()).collect();
        let text = json!({ "type": "string", "minLength": 1, "maxLength": MAX_TEXT, "pattern": "^[!-~]+$" });
        let time = json!({ "type": "string", "format": "date-time" });
        Contract::new(
            "Lists what has happened in the last 30 days, newest first, as far as one request searches",
        )
        .query("type", json!({ "type": "string", "enum": types }))
        .query("subject", text.clone())
        .query("correlation", text)
        .query("from", time.clone())
        .query("to", time)
        .listed::<EventPage>("A page of events. It may be empty and go on: `searched_back_to`.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let filter = Filter::read(&call)?;
        let list = filter.list();
        let request = call.page::<Position>(&list)?;
        let limit = usize::try_from(request.limit).unwrap_or_default();
        let now = self.clock.now();
        let newest = Timestamp::from_millis(now.as_millis().saturating_add(AHEAD_MS));
        let first = || Position { time: filter.to.map_or(newest, |to| to.min(newest)), id: None };
        let begin = request.after.filter(|after| after.time <= newest).unwrap_or_else(first);
        let kept_for = i64::try_from(KEPT_FOR.as_millis()).unwrap_or(i64::MAX);
        let oldest = Timestamp::from_millis(now.as_millis().saturating_sub(kept_for));
        let oldest = filter.from.map_or(oldest, |from| from.max(oldest));
        let search = Search { store: &self.store, filter: &filter, begin, oldest, limit };
        let Searched { events, next, back_to } = search.run().await?;
        let next_cursor = next.map(|position| Cursor::encode(&list, position)).transpose()?;
        let data = events.values().rev().map(EventView::of).collect();
        let page = EventPage { data, next_cursor, searched_back_to: back_to };
        let next = page.next_cursor.clone();
        Reply::ok(&page)?.linked(next.as_deref(), &list, request.limit)
    }
}

struct Search<'a> {
    store: &'a Store,
    filter: &'a Filter,
    begin: Position,
    oldest: Timestamp,
    limit: usize,
}

#[derive(Debug)]
struct Searched {
    /// By their positions.
    events: BTreeMap<(Timestamp, String), Entry>,
    next: Option<Position>,
    back_to: Timestamp,
}

impl Search<'_> {
    /// Reads hour by hour, until the page is full, the budget is spent, or there is nothing more.
    async fn run(&self) -> Result<Searched, StoreError> {
        let mut found = BTreeMap::new();
        let (mut calls, mut entries) = (0, 0);
        let mut hour = bucket(self.begin.time, HOUR_MS);
        while hour.as_millis().saturating_add(HOUR_MS) > self.oldest.as_millis() {
            let mut after = None;
            // The bucket that is being read: what is in it is complete once another one begins.
            let mut open: Option<Timestamp> = None;
            loop {
                let part = self.store.log(hour, self.begin.time, after).await?;
                calls += 1;
                for (of, content) in part.items {
                    if open.is_some_and(|open| open != of) && found.len() >= self.limit {
                        return Ok(self.cut(found));
                    }
                    open = Some(of);
                    entries += content.events.len();
                    let wanted = content.events.into_iter().filter(|entry| self.wants(entry));
                    found.extend(wanted.map(|entry| ((entry.time, entry.id.clone()), entry)));
                }
                after = part.next;
                if after.is_none() {
                    break;
                }
                // The bucket that the search begins in is read whole, or it would begin there for ever.
                if (calls >= MAX_CALLS || entries >= MAX_ENTRIES)
                    && let Some(open) = open.filter(|open| *open < bucket(self.begin.time, LOG_BUCKET_MS))
                {
                    return Ok(self.stop(found, later(open, LOG_BUCKET_MS)));
                }
            }
            if found.len() >= self.limit {
                return Ok(self.cut(found));
            }
            if calls >= MAX_CALLS || entries >= MAX_ENTRIES {
                return Ok(self.stop(found, hour));
            }
            hour = Timestamp::from_millis(hour.as_millis().saturating_sub(HOUR_MS));
        }
        Ok(self.cut(found))
    }

    fn wants(&self, entry: &Entry) -> bool {
        entry.time >= self.oldest && self.begin.precedes(entry) && self.filter.matches(entry)
    }

    /// As many as the page holds, of all that there are back to a bucket's beginning.
    fn cut(&self, mut found: BTreeMap<(Timestamp, String), Entry>) -> Searched {
        let is_full = found.len() > self.limit;
        while found.len() > self.limit {
            found.pop_first();
        }
        let last = found.keys().next().cloned();
        let next = last.filter(|_| is_full || found.len() == self.limit);
        let next = next.map(|(time, id)| Position { time, id: Some(id) });
        let back_to = next.as_ref().map_or(self.oldest, |next| next.time);
        Searched { events: found, next, back_to }
    }

    /// The budget is spent: all from this time on was seen, and of what is earlier perhaps a part.
    fn stop(&self, mut found: BTreeMap<(Timestamp, String), Entry>, seen_to: Timestamp) -> Searched {
        found = found.split_off(&(seen_to, String::new()));
        if found.len() >= self.limit {
            return self.cut(found);
        }
        let before = Timestamp::from_millis(seen_to.as_millis() - 1);
        Searched { events: found, next: Some(Position { time: before, id: None }), back_to: seen_to }
    }
}

fn later(time: Timestamp, by: i64) -> Timestamp {
    Timestamp::from_millis(time.as_millis().saturating_add(by))
}

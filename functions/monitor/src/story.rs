//! A story as a graph: requests, events and attempts, what led to what and after what time, and what is still to be done.
//! Pure.
//!
//! What is outstanding is worked out of two things: whom the template's filters send an event to, and the receipts that
//! came back. A receipt may be missing where its consumer could not send it; so there is a state for "nobody knows".

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use shop_events::EventType;
use shop_lambda::recovery::STALLED_AFTER;
use shop_messaging::receipts::Outcome;
use shop_types::{OrderId, Timestamp, UserId};

use crate::consumers::CONSUMERS;
use crate::entry::{Attempt, Entry};

/// An event without any receipt waits for so long; then nobody knows.
const WAITS_FOR: Duration = STALLED_AFTER;
/// What was to come again by then, and did not, nobody knows of any more.
const OVERDUE_AFTER: Duration = Duration::from_mins(20);
/// The requests that a search of the log names.
const MAX_REQUESTS: usize = 10;

/// What a story is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum About {
    /// An order, from its placing to its delivery.
    Order,
    /// An account.
    User,
    /// A product, its description and its stock.
    Product,
}

impl About {
    pub(crate) fn of(id: &str) -> Self {
        // A product's own id may begin like these.
        if id.parse::<OrderId>().is_ok() {
            Self::Order
        } else if id.parse::<UserId>().is_ok() {
            Self::User
        } else {
            Self::Product
        }
    }
}

/// Where a consumer is with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// It is done.
    Done,
    /// It has failed, and comes again: `next_attempt_at`.
    Retrying,
    /// It has failed for the last time: the message is a dead letter.
    Dead,
    /// It was a dead letter, and is being tried again.
    Redriven,
    /// The consumer has not said anything yet.
    Waiting,
    /// The consumer should have said something by now: it is down, or its receipt was lost.
    Unknown,
}

/// What has happened to an order, a product or a user, and what is still to happen.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Story {
    /// The order, the product or the user.
    pub(crate) id: String,
    pub(crate) about: About,
    /// When the first of the events that are shown happened.
    pub(crate) first_at: Timestamp,
    /// When the last of them happened.
    pub(crate) last_at: Timestamp,
    /// Whether all of the last 30 days is shown. A product may have more than a page holds: ask for what is before, with
    /// `to`.
    pub(crate) is_complete: bool,
    /// All events from here on are shown, up to `to`.
    pub(crate) searched_back_to: Timestamp,
    /// How many deliveries are not done.
    pub(crate) outstanding: usize,
    /// Each event with each consumer that it is sent to.
    pub(crate) deliveries: Vec<Delivery>,
    /// In the order of time.
    pub(crate) nodes: Vec<Node>,
    /// What led to what.
    pub(crate) edges: Vec<Edge>,
    pub(crate) logs: Logs,
}

/// An event, and a consumer that it is sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Delivery {
    pub(crate) event_id: String,
    pub(crate) consumer: String,
    pub(crate) state: State,
    /// How often it was tried, as far as is known.
    pub(crate) attempts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_attempt_at: Option<Timestamp>,
    /// When it comes again, at the earliest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    /// Why, with its causes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Node {
    /// A request, or a function that acted by itself.
    Request {
        id: String,
        at: Timestamp,
        correlation_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        actor: Option<String>,
    },
    /// An event.
    Event {
        id: String,
        at: Timestamp,
        r#type: String,
        subject: String,
        version: u64,
        correlation_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        causation_id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        actor: Option<String>,
        /// What happened, without what people have written.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
        /// Whose story it is part of, where that is another one.
        #[serde(skip_serializing_if = "Option::is_none")]
        story_id: Option<String>,
        /// How many orders it is of, this one included: a change of stock that a batch of orders shares.
        #[serde(skip_serializing_if = "Option::is_none")]
        shared_with: Option<usize>,
    },
    /// A consumer's attempt at an event.
    Attempt {
        id: String,
        at: Timestamp,
        ends_at: Timestamp,
        event_id: String,
        consumer: String,
        attempt: u32,
        duration_ms: u64,
        outcome: AttemptOutcome,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_attempt_at: Option<Timestamp>,
    },
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AttemptOutcome {
    /// It is done.
    Done,
    /// It was done before.
    Repeated,
    /// It failed, and comes again.
    Retrying,
    /// It failed for the last time.
    Dead,
}

impl From<Outcome> for AttemptOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Repeated => Self::Repeated,
            Outcome::Retrying => Self::Retrying,
            Outcome::Dead => Self::Dead,
        }
    }
}

/// One thing led to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub(crate) struct Edge {
    /// A node's id.
    pub(crate) from: String,
    /// A node's id.
    pub(crate) to: String,
    /// The time between the two. Below zero where two clocks differ.
    pub(crate) after_ms: i64,
}

/// How to find the story's lines in the log.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Logs {
    /// A query for `CloudWatch` Logs Insights, on the functions' log group.
    pub(crate) insights: String,
    /// A command that shows the same lines of a shop on this machine.
    pub(crate) local: String,
}

/// An event of another story that this one has a part in.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) entry: Entry,
    pub(crate) story: String,
    /// The event of this story that was written with it.
    pub(crate) beside: String,
    pub(crate) orders: usize,
}

/// What a story is made of: each event and each attempt once.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    events: BTreeMap<(Timestamp, String), Entry>,
    attempts: BTreeMap<(String, String, String, u32), Attempt>,
}

impl Parts {
    pub(crate) fn add(&mut self, events: Vec<Entry>, attempts: Vec<Attempt>) {
        self.events.extend(events.into_iter().map(|entry| ((entry.time, entry.id.clone()), entry)));
        self.attempts.extend(attempts.into_iter().map(|attempt| {
            let (consumer, event, batch, copy) = attempt.key();
            ((consumer.to_owned(), event.to_owned(), batch.to_owned(), copy), attempt)
        }));
    }

    /// How many events there are, and attempts at them.
    pub(crate) fn len(&self) -> usize {
        let known: BTreeSet<&str> = self.events.values().map(|entry| entry.id.as_str()).collect();
        let attempts = self.attempts.values().filter(|attempt| known.contains(attempt.event.as_str()));
        self.events.len() + attempts.count()
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &Entry> {
        self.events.values()
    }

    /// From when on the events and their attempts are so many, where all are more. Those of the latest moment are never
    /// too many.
    pub(crate) fn latest(&self, limit: usize) -> Option<Timestamp> {
        let mut attempts: BTreeMap<&str, usize> = BTreeMap::new();
        for attempt in self.attempts.values() {
            *attempts.entry(&attempt.event).or_default() += 1;
        }
        let (mut count, mut from) = (0, None);
        for ((time, id), _) in self.events.iter().rev() {
            count += 1 + attempts.get(id.as_str()).copied().unwrap_or(0);
            if count > limit && from.is_some_and(|from| from != *time) {
                return from;
            }
            from = Some(*time);
        }
        None
    }

    /// Leaves out the events that are outside of a time, and the attempts at those.
    pub(crate) fn within(&mut self, from: Timestamp, to: Timestamp) {
        self.events.retain(|(time, _), _| (from..=to).contains(time));
        let shown: BTreeSet<&str> = self.events.values().map(|entry| entry.id.as_str()).collect();
        self.attempts.retain(|_, attempt| shown.contains(attempt.event.as_str()));
    }

    /// The attempts of each consumer at an event, the first one first.
    fn by_delivery(&self) -> BTreeMap<(&str, &str), Vec<&Attempt>> {
        let mut all: BTreeMap<(&str, &str), Vec<&Attempt>> = BTreeMap::new();
        for attempt in self.attempts.values() {
            all.entry((&attempt.event, &attempt.consumer)).or_default().push(attempt);
        }
        for attempts in all.values_mut() {
            attempts.sort_by_key(|attempt| (attempt.started_at, attempt.number, attempt.copy));
        }
        all
    }
}

impl Story {
    /// The story of a thing of which there is at least one event.
    pub(crate) fn of(
        id: &str,
        parts: &Parts,
        shared: &[Shared],
        (is_complete, searched_back_to): (bool, Timestamp),
        now: Timestamp,
    ) -> Option<Self> {
        let (first, last) = (parts.events().next()?, parts.events().last()?);
        let attempts = parts.by_delivery();
        let deliveries: Vec<_> = parts.events().flat_map(|entry| deliveries(entry, &attempts, now)).collect();
        let mut nodes = requests(parts);
        nodes.extend(parts.events().map(|entry| event(entry, None)));
        nodes.extend(shared.iter().map(|shared| event(&shared.entry, Some(shared))));
        nodes.extend(attempts.values().flat_map(|attempts| shown(attempts)));
        nodes.sort_by(|left, right| {
            (left.at(), left.rank(), left.id()).cmp(&(right.at(), right.rank(), right.id()))
        });
        nodes.dedup_by(|left, right| left.id() == right.id());
        let edges = edges(parts, shared, &attempts);
        Some(Self {
            id: id.to_owned(),
            about: About::of(id),
            first_at: first.time,
            last_at: last.time,
            is_complete,
            searched_back_to,
            outstanding: deliveries.iter().filter(|delivery| delivery.state != State::Done).count(),
            deliveries,
            nodes,
            edges,
            logs: logs(id, parts),
        })
    }
}

impl Node {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Request { id, .. } | Self::Event { id, .. } | Self::Attempt { id, .. } => id,
        }
    }

    fn at(&self) -> Timestamp {
        match self {
            Self::Request { at, .. } | Self::Event { at, .. } | Self::Attempt { at, .. } => *at,
        }
    }

    /// What of the same moment comes first.
    fn rank(&self) -> u8 {
        match self {
            Self::Request { .. } => 0,
            Self::Event { .. } => 1,
            Self::Attempt { .. } => 2,
        }
    }
}

/// Where each consumer is with an event that the filters send it.
fn deliveries(
    entry: &Entry,
    attempts: &BTreeMap<(&str, &str), Vec<&Attempt>>,
    now: Timestamp,
) -> Vec<Delivery> {
    let consumers = CONSUMERS.iter().filter(|consumer| consumer.types.contains(&entry.event_type()));
    let delivery = |name: &str| {
        let those = attempts.get(&(entry.id.as_str(), name)).map_or(&[][..], Vec::as_slice);
        delivery(entry, name, those, now)
    };
    consumers.map(|consumer| delivery(consumer.name)).collect()
}

fn delivery(entry: &Entry, consumer: &str, attempts: &[&Attempt], now: Timestamp) -> Delivery {
    let last = attempts.last();
    let is_done = attempts.iter().any(|attempt| attempt.outcome.is_done());
    let is_over = |time: Timestamp, by: Duration| now > time && now.abs_diff(time) > by;
    let was_dead = attempts.iter().any(|attempt| attempt.outcome == Outcome::Dead);
    let state = match last {
        _ if is_done => State::Done,
        None if is_over(entry.time, WAITS_FOR) => State::Unknown,
        None => State::Waiting,
        Some(last) if last.outcome == Outcome::Dead => State::Dead,
        Some(last) if is_over(last.next_attempt_at.unwrap_or(last.started_at), OVERDUE_AFTER) => {
            State::Unknown
        }
        Some(_) if was_dead => State::Redriven,
        Some(_) => State::Retrying,
    };
    let failed = last.filter(|_| !is_done);
    Delivery {
        event_id: entry.id.clone(),
        consumer: consumer.to_owned(),
        state,
        attempts: attempts.len(),
        last_attempt_at: last.map(|last| last.started_at),
        next_attempt_at: failed.and_then(|last| last.next_attempt_at),
        code: failed.and_then(|last| last.code.clone()),
        error: failed.and_then(|last| last.error.clone()),
    }
}

/// The requests that started something, each with what it started first.
fn requests(parts: &Parts) -> Vec<Node> {
    let mut seen = BTreeSet::new();
    let first = parts.events().filter(|entry| seen.insert(entry.correlation.clone()));
    let node = |entry: &Entry| Node::Request {
        id: request_id(&entry.correlation),
        at: entry.time,
        correlation_id: entry.correlation.clone(),
        actor: entry.actor.clone(),
    };
    first.map(node).collect()
}

fn request_id(correlation: &str) -> String {
    format!("request:{correlation}")
}

fn event(entry: &Entry, shared: Option<&Shared>) -> Node {
    Node::Event {
        id: entry.id.clone(),
        at: entry.time,
        r#type: entry.event_type().to_owned(),
        subject: entry.subject().to_owned(),
        version: entry.version(),
        correlation_id: entry.correlation.clone(),
        causation_id: entry.cause.clone(),
        actor: entry.actor.clone(),
        data: entry.data.clone(),
        story_id: shared.map(|shared| shared.story.clone()),
        shared_with: shared.map(|shared| shared.orders),
    }
}

fn attempt_id(attempt: &Attempt) -> String {
    let (consumer, event, batch, copy) = attempt.key();
    format!("attempt:{consumer}:{event}:{batch}:{copy}")
}

/// The attempts of one consumer at one event. What is done once is repeated after that.
fn shown(attempts: &[&Attempt]) -> Vec<Node> {
    let mut is_done = false;
    let mut node = |attempt: &&Attempt| {
        let was_done = is_done;
        is_done |= attempt.outcome.is_done();
        let outcome = match attempt.outcome {
            Outcome::Done if was_done => AttemptOutcome::Repeated,
            outcome => outcome.into(),
        };
        let duration = i64::try_from(attempt.duration_ms).unwrap_or(i64::MAX);
        Node::Attempt {
            id: attempt_id(attempt),
            at: attempt.started_at,
            ends_at: Timestamp::from_millis(attempt.started_at.as_millis().saturating_add(duration)),
            event_id: attempt.event.clone(),
            consumer: attempt.consumer.clone(),
            attempt: attempt.number,
            duration_ms: attempt.duration_ms,
            outcome,
            code: attempt.code.clone(),
            error: attempt.error.clone(),
            next_attempt_at: attempt.next_attempt_at,
        }
    };
    attempts.iter().map(&mut node).collect()
}

fn edges(parts: &Parts, shared: &[Shared], attempts: &BTreeMap<(&str, &str), Vec<&Attempt>>) -> Vec<Edge> {
    let times: BTreeMap<&str, Timestamp> =
        parts.events().map(|entry| (entry.id.as_str(), entry.time)).collect();
    let edge = |from: String, (began, to): (Timestamp, String), ended: Timestamp| Edge {
        from,
        to,
        after_ms: ended.as_millis() - began.as_millis(),
    };
    // The attempt at the event behind an event that has written it: of a consumer of the service that publishes it.
    let writer = |entry: &Entry| {
        let source = entry.event_type().parse::<EventType>().ok()?.source();
        let service = source.trim_start_matches('/');
        let cause = entry.cause.as_deref()?;
        let consumers = CONSUMERS.iter().filter(|consumer| consumer.service == service);
        let of_cause = consumers.filter_map(|consumer| attempts.get(&(cause, consumer.name)));
        of_cause.flatten().find(|attempt| attempt.outcome.is_done()).copied()
    };
    let led_to = |entry: &Entry| match (writer(entry), entry.cause.as_deref()) {
        (Some(attempt), _) => edge(attempt_id(attempt), (attempt.started_at, entry.id.clone()), entry.time),
        (None, Some(cause)) if times.contains_key(cause) => {
            edge(cause.to_owned(), (times[cause], entry.id.clone()), entry.time)
        }
        _ => edge(request_id(&entry.correlation), (entry.time, entry.id.clone()), entry.time),
    };
    let mut edges: Vec<_> = parts.events().map(led_to).collect();
    for Shared { entry, beside, .. } in shared {
        let sibling = parts.events().find(|other| other.id == *beside);
        let from = sibling.map(led_to);
        edges.extend(from.map(|from| Edge { to: entry.id.clone(), ..from }));
    }
    for attempt in attempts.values().flatten() {
        if let Some(time) = times.get(attempt.event.as_str()) {
            edges.push(edge(attempt.event.clone(), (*time, attempt_id(attempt)), attempt.started_at));
        }
    }
    edges.sort();
    edges.dedup();
    edges
}

/// What finds the lines of a story: its id and its requests are in each of them.
fn logs(id: &str, parts: &Parts) -> Logs {
    let requests: BTreeSet<_> = parts.events().map(|entry| entry.correlation.as_str()).collect();
    let is_plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:=/+".contains(&byte));
    let words = std::iter::once(id).chain(requests.into_iter().take(MAX_REQUESTS));
    let words: Vec<_> = words.filter(|word| !word.is_empty() && is_plain(word)).collect();
    let like: Vec<_> = words.iter().map(|word| format!("@message like \"{word}\"")).collect();
    let patterns: Vec<_> = words.iter().map(|word| format!("-e '{word}'")).collect();
    Logs {
        insights: format!(
            "fields @timestamp, @message | filter {} | sort @timestamp asc | limit 1000",
            like.join(" or ")
        ),
        local: format!("SHOP_LOG=info cargo run -- --log-format json 2>&1 | grep -F {}", patterns.join(" ")),
    }
}

#[cfg(test)]
mod tests;

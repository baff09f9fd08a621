//! A dead letter: a message that its consumer gave up on, as it is stored and shown. Pure: no AWS, no clock.
//!
//! One row for a message, however often it comes back: its id follows from the consumer and from what the message says.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use shop_dynamo::Record;
use shop_events::Event;
use shop_http::fingerprint;
use shop_types::{DeadLetterId, RedriveId, Timestamp};

/// How long a letter is kept after the last that happened to it.
pub(crate) const KEPT: Duration = Duration::from_hours(90 * 24);
/// The code of what no consumer can read: to send it again does not help.
pub(crate) const MALFORMED: &str = "malformed";
/// The code of a letter whose consumer did not live to say why it failed.
pub(crate) const UNKNOWN: &str = "unknown";

/// The one list that parked letters are in: there are few, and whoever looks wants all.
pub(crate) const PARKED: &str = "parked";

/// Where a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "DeadLetterStatus")]
pub enum Status {
    /// It waits for somebody to decide.
    Parked,
    /// It was sent to its queue again, and has not come back.
    Redriven,
    /// Nobody will handle it.
    Discarded,
}

/// What a letter says, where it is an event of the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DeadLetterEvent")]
pub(crate) struct About {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) correlation_id: String,
    pub(crate) time: Timestamp,
}

/// A message as it was found in a dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub(crate) consumer: String,
    pub(crate) message_id: String,
    pub(crate) body: String,
}

/// What its consumer said when it failed last, as the journal has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reason {
    pub(crate) code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    pub(crate) attempts: u32,
}

/// A letter, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Its id.
    pub id: DeadLetterId,
    /// One more with every change but a redrive's, which knows the letter by its message.
    pub(crate) version: u64,
    /// Whose queue it was in.
    pub consumer: String,
    /// The SQS message that it came as last.
    pub message_id: String,
    pub(crate) body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<About>,
    pub(crate) code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<Reason>,
    /// Where it is.
    pub status: Status,
    /// [`PARKED`] while it is parked: the index holds no other letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) listed: Option<String>,
    /// Its place among those: by consumer, by time, and then by id.
    pub(crate) place: String,
    pub(crate) first_parked_at: Timestamp,
    pub(crate) parked_at: Timestamp,
    /// How often it came back after it was sent again.
    pub(crate) came_back: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) moved_by: Option<RedriveId>,
    /// Seconds since the epoch: DynamoDB deletes the item some time after.
    pub(crate) expires_at: i64,
}

impl Record for Letter {
    const KIND: &'static str = "dead letter";
}

/// Before every place of a consumer's letters of this time, and behind all of its earlier ones.
fn bound(consumer: &str, time: Timestamp) -> String {
    // Thirteen digits last until the year 2286.
    format!("{consumer}#{:013}", time.as_millis())
}

/// The places of a consumer's letters that were parked no later than a time: the first and the last.
pub(crate) fn places(consumer: &str, cutoff: Timestamp) -> (String, String) {
    // `~` sorts behind what follows the time in a place.
    (format!("{consumer}#"), format!("{}~", bound(consumer, cutoff)))
}

/// When a letter is forgotten that something happened to now.
pub(crate) fn expires_at(now: Timestamp) -> i64 {
    let kept = i64::try_from(KEPT.as_secs()).unwrap_or(i64::MAX);
    (now.as_millis() / 1000).saturating_add(kept)
}

impl Arrival {
    fn event(&self) -> Option<Event> {
        Event::from_json(&self.body).ok()
    }

    /// What tells the message from the consumer's others: the event's id, or a hash of what it says instead.
    fn key(&self) -> String {
        match self.event() {
            Some(event) => event.id().to_string(),
            None => fingerprint(self.body.as_bytes()),
        }
    }

    /// Why it is here, as far as it says so itself.
    fn code(&self) -> &'static str {
        let object: Option<Map<String, Value>> = serde_json::from_str(&self.body).ok();
        match (object, Event::from_json(&self.body)) {
            (None, _) => MALFORMED,
            (Some(object), Err(error)) if object.contains_key("specversion") => error.code(),
            // Functions that feed a queue of their own send it objects that are no events.
            (Some(_), _) => UNKNOWN,
        }
    }

    /// What its consumer's failures are known by: the id of its event; of what is none, that of its message.
    pub(crate) fn failed_as(&self) -> String {
        self.event().map_or_else(|| self.message_id.clone(), |event| event.id().to_string())
    }

    /// The id of its letter.
    pub(crate) fn id(&self) -> DeadLetterId {
        DeadLetterId::derived(&self.consumer, &self.key())
    }
}

impl Letter {
    /// What it says.
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// When it was found last.
    #[must_use]
    pub const fn parked_at(&self) -> Timestamp {
        self.parked_at
    }

    /// What moved it last.
    #[must_use]
    pub const fn moved_by(&self) -> Option<&RedriveId> {
        self.moved_by.as_ref()
    }

    /// The letter of a message that is found for the first time.
    pub(crate) fn new(arrival: Arrival, reason: Option<Reason>, now: Timestamp) -> Self {
        let id = arrival.id();
        let event = arrival.event();
        let about = event.as_ref().map(|event| About {
            id: event.id().to_string(),
            kind: event.event_type().as_str().to_owned(),
            subject: event.subject(),
            correlation_id: event.cause().correlation_id.clone(),
            time: event.time(),
        });
        let code = match &reason {
            Some(reason) => reason.code.as_str(),
            None => arrival.code(),
        };
        let code = code.to_owned();
        Self {
            version: 1,
            place: format!("{}#{id}", bound(&arrival.consumer, now)),
            id,
            listed: Some(PARKED.to_owned()),
            consumer: arrival.consumer,
            message_id: arrival.message_id,
            body: arrival.body,
            event: about,
            code,
            reason,
            status: Status::Parked,
            first_parked_at: now,
            parked_at: now,
            came_back: 0,
            moved_by: None,
            expires_at: expires_at(now),
        }
    }

    /// The letter as a message of it makes it that is found now; none where that message is the one it came as.
    pub(crate) fn found_again(
        &self,
        arrival: Arrival,
        reason: Option<Reason>,
        now: Timestamp,
    ) -> Option<Self> {
        if self.message_id == arrival.message_id {
            return None;
        }
        let now = now.max(self.parked_at);
        Some(Self {
            version: self.version + 1,
            first_parked_at: self.first_parked_at,
            // The same event twice among the dead letters has not come back from anywhere.
            came_back: self.came_back + u32::from(self.status != Status::Parked),
            moved_by: self.moved_by.clone(),
            ..Self::new(arrival, reason, now)
        })
    }

    pub(crate) fn view(&self) -> LetterView<'_> {
        LetterView {
            id: &self.id,
            consumer: &self.consumer,
            status: self.status,
            failure_code: &self.code,
            error: self.reason.as_ref().and_then(|reason| reason.error.as_deref()),
            attempts: self.reason.as_ref().map(|reason| reason.attempts),
            event: self.event.as_ref(),
            // What is no event may hold anything.
            body: self.event.as_ref().and_then(|_| serde_json::from_str(&self.body).ok()),
            bytes: self.body.len(),
            first_parked_at: self.first_parked_at,
            parked_at: self.parked_at,
            came_back: self.came_back,
            moved_by: self.moved_by.as_ref(),
        }
    }
}

/// A dead letter, as administrators see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DeadLetter")]
pub(crate) struct LetterView<'a> {
    id: &'a DeadLetterId,
    /// The consumer that gave up on it.
    consumer: &'a str,
    status: Status,
    /// Why it failed last: `malformed` where no consumer can read it, `unknown` where nobody said.
    failure_code: &'a str,
    error: Option<&'a str>,
    /// How often its consumer had tried by then.
    attempts: Option<u32>,
    /// What it says, in short.
    event: Option<&'a About>,
    /// The event. What is no event of the shop is not shown: nobody knows what it holds.
    #[schemars(with = "Option<serde_json::Value>")]
    body: Option<&'a RawValue>,
    bytes: usize,
    first_parked_at: Timestamp,
    /// When it was found last.
    parked_at: Timestamp,
    /// How often it came back after it was sent again.
    came_back: u32,
    /// The redrive or discard that moved it last.
    moved_by: Option<&'a RedriveId>,
}

/// What the index of parked letters holds of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Parked {
    pub(crate) id: DeadLetterId,
    pub(crate) place: String,
    pub(crate) consumer: String,
    pub(crate) code: String,
    pub(crate) came_back: u32,
    #[serde(rename = "parked_at")]
    pub(crate) since: Timestamp,
}

impl Record for Parked {
    const KIND: &'static str = "parked dead letter";
}

impl Parked {
    pub(crate) fn view(&self) -> ParkedView<'_> {
        ParkedView {
            id: &self.id,
            consumer: &self.consumer,
            failure_code: &self.code,
            came_back: self.came_back,
            parked_at: self.since,
        }
    }
}

/// A parked dead letter, in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ParkedDeadLetter")]
pub(crate) struct ParkedView<'a> {
    id: &'a DeadLetterId,
    consumer: &'a str,
    failure_code: &'a str,
    /// How often it came back after it was sent again.
    came_back: u32,
    /// When it was found last.
    parked_at: Timestamp,
}

/// Where a page of parked letters ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    pub(crate) place: String,
    pub(crate) id: DeadLetterId,
}

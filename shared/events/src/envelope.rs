//! The envelope: `CloudEvents` 1.0 in JSON, with the extensions `correlationid`, `causationid`, `actor` and
//! `sequence`.
//!
//! An [`Event`] holds only what cannot be derived: `source`, `subject` and `dataschema` follow from the data.
//! Its id follows from the aggregate, the version and the type; there is no other way to make one, so that a
//! stream record that is relayed twice gives the same ids.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use shop_types::Timestamp;

use crate::{EventData, EventType};

/// The version of `CloudEvents`.
pub(crate) const SPEC_VERSION: &str = "1.0";
/// The media type of every event's data.
pub(crate) const CONTENT_TYPE: &str = "application/json";
/// Where the schemas are said to live. The last part is the version of the contracts: a change that is not
/// additive gives a new one.
const SCHEMAS: &str = "https://shop.example/events/v1";

/// The id of the schema of an event type: the envelope's `dataschema`.
pub(crate) fn schema_id(event_type: EventType) -> String {
    format!("{SCHEMAS}/{event_type}.schema.json")
}

/// An event's id: `<aggregate>:<version>:<type>`. Two events with the same id are the same event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

impl EventId {
    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why something happens: the request that started it all, and the event that led here, if one did.
///
/// A service stores it with the item that it writes (`#[serde(flatten)]`), for its relay to read back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The id of the request that started it all.
    pub correlation_id: String,
    /// The event that caused the write; none where the request itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// Who made that request: a user's id, `guest`, or the name of the function that acted by itself or for an
    /// operator. Absent in what was written before there were actors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

impl Cause {
    /// The cause of what a request does directly.
    #[must_use]
    pub fn request(request_id: impl Into<String>) -> Self {
        Self { correlation_id: request_id.into(), causation_id: None, actor: None }
    }

    /// The same, by somebody.
    #[must_use]
    pub fn by(self, actor: impl Into<String>) -> Self {
        Self { actor: Some(actor.into()), ..self }
    }

    /// What a cause is stored as, attribute by attribute: a write that changes something sets or removes them all, so
    /// that nothing of an earlier cause stays.
    #[must_use]
    pub fn attributes(&self) -> [(&'static str, Option<&str>); 3] {
        [
            ("correlation_id", Some(&self.correlation_id)),
            ("causation_id", self.causation_id.as_ref().map(EventId::as_str)),
            ("actor", self.actor.as_deref()),
        ]
    }
}

/// Something that happened, as one service publishes it to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    id: EventId,
    version: u64,
    time: Timestamp,
    cause: Cause,
    data: EventData,
}

impl Event {
    /// The event that `data` happened to its aggregate at `version` (which the write that made it happen
    /// gave the aggregate), at `time`.
    #[must_use]
    pub fn new(data: EventData, version: u64, time: Timestamp, cause: Cause) -> Self {
        let id = EventId(format!("{}:{version}:{}", data.aggregate(), data.event_type()));
        Self { id, version, time, cause, data }
    }

    /// The event's id.
    #[must_use]
    pub const fn id(&self) -> &EventId {
        &self.id
    }

    /// The event's type.
    #[must_use]
    pub const fn event_type(&self) -> EventType {
        self.data.event_type()
    }

    /// The id of the aggregate that it happened to.
    #[must_use]
    pub fn subject(&self) -> String {
        self.data.aggregate()
    }

    /// Whose story it is part of: the order's that it is about, or else the product's or the user's.
    #[must_use]
    pub fn story(&self) -> String {
        self.data.story()
    }

    /// The version of the aggregate that it led to.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// When it happened: when the write was made, not when it was relayed.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// Why it happened.
    #[must_use]
    pub const fn cause(&self) -> &Cause {
        &self.cause
    }

    /// What happened.
    #[must_use]
    pub const fn data(&self) -> &EventData {
        &self.data
    }

    /// What happened, by value.
    #[must_use]
    pub fn into_data(self) -> EventData {
        self.data
    }

    /// The cause of what a consumer does because of this event.
    #[must_use]
    pub fn as_cause(&self) -> Cause {
        Cause { causation_id: Some(self.id.clone()), ..self.cause.clone() }
    }

    /// The event as `CloudEvents` JSON: the body of the message.
    ///
    /// # Errors
    /// Only if `serde_json` cannot write it, which these types give no reason for.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let event_type = self.event_type();
        serde_json::to_string(&Outgoing {
            specversion: SPEC_VERSION,
            id: &self.id,
            source: event_type.source(),
            event_type,
            subject: self.subject(),
            time: self.time,
            dataschema: schema_id(event_type),
            datacontenttype: CONTENT_TYPE,
            correlationid: &self.cause.correlation_id,
            causationid: self.cause.causation_id.as_ref(),
            actor: self.cause.actor.as_deref(),
            sequence: format!("{:020}", self.version),
            data: &self.data,
        })
    }

    /// Reads an event from the body of a message. Fields that are not known are ignored.
    ///
    /// # Errors
    /// See [`ParseEventError`].
    pub fn from_json(text: &str) -> Result<Self, ParseEventError> {
        let incoming: Incoming = serde_json::from_str(text).map_err(ParseEventError::Envelope)?;
        if incoming.specversion != SPEC_VERSION {
            return Err(ParseEventError::SpecVersion);
        }
        let event_type = incoming.event_type.parse().map_err(|_| ParseEventError::UnknownType)?;
        Ok(Self {
            id: incoming.id,
            version: incoming.sequence.parse().map_err(|_| ParseEventError::Sequence)?,
            time: incoming.time,
            cause: Cause {
                correlation_id: incoming.correlationid,
                causation_id: incoming.causationid,
                actor: incoming.actor,
            },
            data: EventData::parse(event_type, incoming.data).map_err(ParseEventError::Data)?,
        })
    }
}

/// Why a text is not an event. Its own text holds no data of the message; its source may.
#[derive(Debug, thiserror::Error)]
pub enum ParseEventError {
    /// Not JSON, or not the envelope.
    #[error("the message is not a CloudEvent")]
    Envelope(#[source] serde_json::Error),
    /// Another version of `CloudEvents`.
    #[error("the event is not of CloudEvents 1.0")]
    SpecVersion,
    /// A type that this code does not know: the consumer's filter policy lets through what it should not.
    #[error("the event's type is not known")]
    UnknownType,
    /// `sequence` is no whole number.
    #[error("the event's sequence is not a number")]
    Sequence,
    /// The data is not that of the type.
    #[error("the event's data is not that of its type")]
    Data(#[source] serde_json::Error),
}

impl ParseEventError {
    /// Whether a newer version of the reader may know it: it is well formed, and of a type or version that is not known
    /// here.
    #[must_use]
    pub const fn may_be_newer(&self) -> bool {
        matches!(self, Self::SpecVersion | Self::UnknownType)
    }

    /// A short name for logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Envelope(_) => "not_an_event",
            Self::SpecVersion => "unknown_spec_version",
            Self::UnknownType => "unknown_event_type",
            Self::Sequence => "bad_sequence",
            Self::Data(_) => "bad_event_data",
        }
    }
}

/// The envelope on its way out.
#[derive(Serialize)]
struct Outgoing<'a> {
    specversion: &'a str,
    id: &'a EventId,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: EventType,
    subject: String,
    time: Timestamp,
    dataschema: String,
    datacontenttype: &'a str,
    correlationid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<&'a EventId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<&'a str>,
    /// A string that sorts as the number, as the `CloudEvents` sequence extension asks: 20 digits hold any
    /// version.
    sequence: String,
    data: &'a EventData,
}

/// What a consumer needs of the envelope; the rest is derived.
#[derive(Deserialize)]
struct Incoming<'a> {
    specversion: String,
    id: EventId,
    #[serde(rename = "type")]
    event_type: String,
    time: Timestamp,
    correlationid: String,
    #[serde(default)]
    causationid: Option<EventId>,
    #[serde(default)]
    actor: Option<String>,
    sequence: String,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProductDeleted;

    fn deleted(version: u64) -> Event {
        let data = EventData::ProductDeleted(ProductDeleted { product_id: "prod-1".parse().unwrap() });
        Event::new(data, version, Timestamp::from_millis(0), Cause::request("request-1"))
    }

    #[test]
    fn the_id_is_aggregate_version_and_type() {
        assert_eq!(deleted(3).id().as_str(), "prod-1:3:product.deleted");
        assert_eq!(deleted(3), deleted(3));
        assert_ne!(deleted(3).id(), deleted(4).id());
    }

    #[test]
    fn the_sequence_sorts_as_the_version() {
        let sequence = |version| {
            let json: serde_json::Value = serde_json::from_str(&deleted(version).to_json().unwrap()).unwrap();
            json["sequence"].as_str().unwrap().to_owned()
        };
        assert!(sequence(9) < sequence(10));
        assert!(sequence(10) < sequence(u64::MAX));
        assert_eq!(Event::from_json(&deleted(u64::MAX).to_json().unwrap()).unwrap().version(), u64::MAX);
    }

    #[test]
    fn an_effect_keeps_the_request_and_its_actor_and_names_the_event() {
        let data = EventData::ProductDeleted(ProductDeleted { product_id: "prod-1".parse().unwrap() });
        let by_ada = Cause::request("request-1").by("usr_ada");
        let event = Event::new(data, 3, Timestamp::from_millis(0), by_ada);
        let cause = Event::from_json(&event.to_json().unwrap()).unwrap().as_cause();
        assert_eq!((cause.correlation_id.as_str(), cause.actor.as_deref()), ("request-1", Some("usr_ada")));
        assert_eq!(cause.causation_id.unwrap().as_str(), "prod-1:3:product.deleted");
    }

    #[test]
    fn what_is_no_event_is_refused_with_a_reason() {
        let good = deleted(3).to_json().unwrap();
        for (from, to, code) in [
            ("{", "", "not_an_event"),
            ("\"1.0\"", "\"2.0\"", "unknown_spec_version"),
            ("\"product.deleted\"", "\"product.exploded\"", "unknown_event_type"),
            ("00000000000000000003", "third", "bad_sequence"),
            ("product_id", "product", "bad_event_data"),
            ("\"1970-01-01T00:00:00.000Z\"", "0", "not_an_event"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            let error = Event::from_json(&bad).unwrap_err();
            assert_eq!(error.code(), code, "{bad}");
            assert_eq!(error.may_be_newer(), code.starts_with("unknown_"), "{bad}");
        }
    }
}

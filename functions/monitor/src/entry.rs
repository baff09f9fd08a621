//! What the journal holds: events and receipts, in as few letters as may be, since it is paid by the kilobyte.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use shop_events::{Event, EventData};
use shop_messaging::receipts::{Outcome, Receipt, Receipts};
use shop_types::Timestamp;

/// An event, as the log has it; a story has its data besides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The event's id, `<subject>:<version>:<type>`.
    #[serde(rename = "i")]
    pub(crate) id: String,
    #[serde(rename = "t", with = "millis")]
    pub(crate) time: Timestamp,
    #[serde(rename = "c")]
    pub(crate) correlation: String,
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(crate) actor: Option<String>,
    /// Whose story it is part of; none where that is its subject.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    story: Option<String>,
    /// Of a reservation the products, of whose stock many reservations may share a change.
    #[serde(rename = "p", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) products: Vec<String>,
    /// What happened, without what people have written.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Value>,
}

impl Entry {
    /// The entry of an event in the log.
    pub(crate) fn of(event: &Event) -> Self {
        let (id, story) = (event.id().as_str().to_owned(), event.story());
        let cause = event.cause();
        let is_subject = id.split(':').next() == Some(story.as_str());
        Self {
            time: event.time(),
            correlation: cause.correlation_id.clone(),
            cause: cause.causation_id.as_ref().map(|id| id.as_str().to_owned()),
            actor: cause.actor.clone(),
            story: Some(story).filter(|_| !is_subject),
            products: products(event.data()),
            data: None,
            id,
        }
    }

    /// The same with its data, as its story has it.
    ///
    /// # Errors
    /// The data cannot be written as JSON.
    pub(crate) fn with_data(self, event: &Event) -> Result<Self, serde_json::Error> {
        Ok(Self { data: Some(crate::safe::data(event.data())?), story: None, products: Vec::new(), ..self })
    }

    pub(crate) fn subject(&self) -> &str {
        self.id.split(':').next().unwrap_or_default()
    }

    pub(crate) fn version(&self) -> u64 {
        self.id.split(':').nth(1).and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn event_type(&self) -> &str {
        self.id.rsplit(':').next().unwrap_or_default()
    }

    /// Whose story it is part of, as the log says.
    pub(crate) fn story(&self) -> &str {
        self.story.as_deref().unwrap_or(self.subject())
    }

    /// Where it stands in the log: two entries with the same position are one event.
    pub(crate) fn position(&self) -> (Timestamp, &str) {
        (self.time, &self.id)
    }
}

fn products(data: &EventData) -> Vec<String> {
    let lines = match data {
        EventData::InventoryReserved(data) => &data.lines,
        EventData::InventoryReleased(data) => &data.lines,
        _ => return Vec::new(),
    };
    lines.iter().map(|line| line.product_id.to_string()).collect()
}

/// What became of one delivery of an event, as a story has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    #[serde(rename = "e")]
    pub(crate) event: String,
    #[serde(rename = "c")]
    pub(crate) consumer: String,
    /// The batch, which tells it from every other attempt.
    #[serde(rename = "b")]
    pub(crate) batch: String,
    #[serde(rename = "n")]
    pub(crate) number: u32,
    #[serde(rename = "x", default, skip_serializing_if = "is_zero")]
    pub(crate) copy: u32,
    #[serde(rename = "t", with = "millis")]
    pub(crate) started_at: Timestamp,
    #[serde(rename = "m")]
    pub(crate) duration_ms: u64,
    #[serde(rename = "o")]
    pub(crate) outcome: Outcome,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub(crate) next_attempt_at: Option<Timestamp>,
}

impl Attempt {
    pub(crate) fn of(batch: &Receipts, receipt: &Receipt) -> Self {
        Self {
            event: receipt.id.clone(),
            consumer: batch.consumer.clone(),
            batch: batch.batch.clone(),
            number: receipt.attempt,
            copy: receipt.copy,
            started_at: batch.started_at,
            duration_ms: batch.duration_ms,
            outcome: receipt.outcome,
            code: receipt.code.clone(),
            error: receipt.error.clone(),
            next_attempt_at: receipt.next_attempt_at,
        }
    }

    /// Two attempts that agree in this are one.
    pub(crate) fn key(&self) -> (&str, &str, &str, u32) {
        (&self.consumer, &self.event, &self.batch, self.copy)
    }
}

/// What became of a batch, as the log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BatchLine {
    #[serde(rename = "c")]
    pub(crate) consumer: String,
    #[serde(rename = "b")]
    pub(crate) batch: String,
    #[serde(rename = "x", default, skip_serializing_if = "is_zero")]
    pub(crate) part: u32,
    #[serde(rename = "t", with = "millis")]
    pub(crate) started_at: Timestamp,
    #[serde(rename = "m")]
    pub(crate) duration_ms: u64,
    /// How many deliveries had each outcome, in the order of [`Outcome::ALL`].
    #[serde(rename = "o")]
    pub(crate) outcomes: [u32; 4],
    /// For how many milliseconds each event had waited that came for the first time.
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lags: Vec<u64>,
}

impl BatchLine {
    pub(crate) fn of(batch: &Receipts) -> Self {
        let count = |outcome| {
            let those = batch.receipts.iter().filter(|receipt| receipt.outcome == outcome);
            u32::try_from(those.count()).unwrap_or(u32::MAX)
        };
        let lag = |receipt: &Receipt| {
            let waited = batch.started_at.as_millis() - receipt.event_time?.as_millis();
            (receipt.attempt == 1).then(|| u64::try_from(waited).unwrap_or(0))
        };
        Self {
            consumer: batch.consumer.clone(),
            batch: batch.batch.clone(),
            part: batch.part,
            started_at: batch.started_at,
            duration_ms: batch.duration_ms,
            outcomes: Outcome::ALL.map(count),
            lags: batch.receipts.iter().filter_map(lag).collect(),
        }
    }

    /// Two lines that agree in this are one.
    pub(crate) fn key(&self) -> (&str, &str, u32) {
        (&self.consumer, &self.batch, self.part)
    }

    pub(crate) fn count(&self, outcome: Outcome) -> u64 {
        let all = Outcome::ALL.into_iter().zip(self.outcomes);
        all.filter(|(this, _)| *this == outcome).map(|(_, count)| u64::from(count)).sum()
    }

    pub(crate) fn events(&self) -> u64 {
        self.outcomes.iter().map(|count| u64::from(*count)).sum()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

mod millis {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Timestamp};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        time.as_millis().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_millis)
    }
}

mod optional_millis {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Timestamp};

    #[expect(clippy::ref_option, reason = "serde asks for a reference")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Timestamp::as_millis).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<i64>::deserialize(deserializer)?.map(Timestamp::from_millis))
    }
}

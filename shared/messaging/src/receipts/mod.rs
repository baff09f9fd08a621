//! Receipts: what a consumer tells the journal of a batch, event by event (docs/monitor.md).
//!
//! They are told on a best effort: where they cannot be sent it is logged, and nothing else is different. So whoever
//! reads them takes a missing one for "not known", never for "not done".

mod journal;
mod plain;

use serde::{Deserialize, Serialize};
use shop_types::Timestamp;

pub(crate) use journal::Journal;
pub(crate) use plain::plain;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done, or there is nothing to do.
    Done,
    /// The same batch had the event before, and that was done.
    Repeated,
    /// It failed, and comes again.
    Retrying,
    /// It failed for the last time, or can never be read: it goes to the dead-letter queue.
    Dead,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Done, Self::Repeated, Self::Retrying, Self::Dead];

    /// The name, as it is written everywhere.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Repeated => "repeated",
            Self::Retrying => "retrying",
            Self::Dead => "dead",
        }
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done | Self::Repeated)
    }
}

/// What became of one delivery of an event. It holds ids, codes and times, and never a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The event's id; that of the message, where it is none.
    pub id: String,
    /// Whose story the event is part of; none of what is none of the shop's own events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub story: Option<String>,
    /// When the event happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_time: Option<Timestamp>,
    /// How often the message was received, this time included.
    pub attempt: u32,
    /// Which of the batch's deliveries of the event it is: 0, but for repeated ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub copy: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it failed, in a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it failed, with its causes; nothing that says who somebody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it comes again, at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
}

/// The receipts of a batch: the body of a message to the journal's queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipts {
    /// The consumer's one name.
    pub consumer: String,
    /// The invocation that handled it, which tells it from every other batch.
    pub batch: String,
    /// The message of several that the batch's receipts are told in, from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub part: u32,
    /// When the consumer began, by its clock.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// One for each delivery.
    pub receipts: Vec<Receipt>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

//! A redrive: an operator's order to send dead letters to their queue again, or to give them up, as it is stored and
//! shown. Pure: no AWS, no clock.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_dynamo::Record;
use shop_events::{Cause, Disposal};
use shop_http::{FieldCode, FieldError, Input, Keyword, Node, Problem};
use shop_types::{RedriveId, Timestamp};

use crate::letter::{self, expires_at};

/// Letters a second.
const RATES: std::ops::RangeInclusive<u32> = 1..=1000;
const DEFAULT_RATE: u32 = 100;
/// The longest name of a consumer and of a failure's code, and the longest reason, in characters.
const MAX_NAME: usize = 64;
const MAX_REASON: usize = 200;

/// How far a redrive is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "RedriveStatus")]
pub enum Status {
    /// It moves letters.
    Running,
    /// Somebody stopped it for a time.
    Paused,
    /// It has moved all of its letters.
    Done,
    /// It has ended before that: its consumer has no queue any more. What it has not moved is parked.
    Failed,
}

/// A redrive, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redrive {
    /// Its id.
    pub id: RedriveId,
    /// One more with every change but its progress.
    pub(crate) version: u64,
    /// What becomes of the letters.
    pub disposal: Disposal,
    /// Whose letters.
    pub consumer: String,
    /// Those that failed like this; all, without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<String>,
    /// Letters that were parked later are left alone.
    pub cutoff: Timestamp,
    /// Letters a second.
    pub(crate) rate: u32,
    pub(crate) reason: String,
    /// How far it is.
    pub status: Status,
    /// How many letters there were when it was asked for.
    pub(crate) matched: u64,
    /// How many it has moved.
    pub moved: u64,
    /// Behind which place it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) behind: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) finished_at: Option<Timestamp>,
    /// What tells the request from another under the same key.
    pub(crate) request_hash: String,
    /// Seconds since the epoch: DynamoDB deletes the item some time after.
    pub(crate) expires_at: i64,
    /// Why it was written last.
    #[serde(flatten)]
    pub(crate) cause: Cause,
}

impl Status {
    /// Whether nothing is moved any more, whatever anybody wants.
    pub(crate) const fn has_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

impl Record for Redrive {
    const KIND: &'static str = "redrive";
}

/// What an operator asks for.
#[derive(Debug, Serialize)]
pub(crate) struct RedriveRequest {
    pub(crate) consumer: String,
    pub(crate) failure_code: Option<String>,
    pub(crate) cutoff: Option<Timestamp>,
    pub(crate) rate: u32,
    pub(crate) reason: String,
}

impl RedriveRequest {
    /// Reads the body: `{"consumer": "send-email", "failure_code": "...", "cutoff": "...", "rate": 100, "reason": "..."}`.
    pub(crate) fn read(input: Input<'_>) -> Result<Self, Problem> {
        input.read_object(|body| {
            let consumer = body.required("consumer", word);
            let failure_code = body.optional("failure_code", word);
            let cutoff = body.optional("cutoff", |node| {
                node.parsed(FieldCode::InvalidFilter, "This must be a time, as in RFC 3339.")
            });
            let rate = body.optional("rate", |node| node.integer(RATES));
            let reason = body.required("reason", |node| node.line(1..=MAX_REASON));
            Some(Self {
                consumer: consumer?,
                failure_code: failure_code?,
                cutoff: cutoff?,
                rate: rate?.unwrap_or(DEFAULT_RATE),
                reason: reason?,
            })
        })
    }
}

/// The refusal of a redrive to a consumer that has no queue here.
pub(crate) fn no_such_consumer() -> Problem {
    Problem::invalid(vec![FieldError {
        pointer: "/consumer".to_owned(),
        code: FieldCode::InvalidFilter,
        detail: "There is no such consumer, or its dead letters are not kept.".to_owned(),
    }])
}

/// Whether a text can be a consumer's name, or a failure's code.
pub(crate) fn is_word(text: &str) -> bool {
    let is_of_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_of_word)
}

/// A consumer's name, or a failure's code: words of the shop's own, which events tell to everybody.
fn word(node: &Node<'_>) -> Option<String> {
    node.describe(Keyword::Pattern("^[a-z0-9_-]+$"));
    let word = node.line(1..=MAX_NAME)?;
    if is_word(&word) {
        return Some(word);
    }
    node.error(FieldCode::InvalidFilter, "This must be lower-case letters, digits, - and _.");
    None
}

impl Redrive {
    /// Whether nobody has moved letters of it, or decided otherwise of it, between the two.
    pub(crate) fn is_as_far_as(&self, other: &Self) -> bool {
        let place = |redrive: &Self| (redrive.version, redrive.moved, redrive.behind.clone());
        place(self) == place(other)
    }

    /// A redrive that was asked for just now, of so many letters.
    pub(crate) fn new(
        (id, request_hash): (RedriveId, String),
        (disposal, request): (Disposal, RedriveRequest),
        matched: u64,
        now: Timestamp,
        cause: Cause,
    ) -> Self {
        Self {
            id,
            version: 1,
            disposal,
            consumer: request.consumer,
            failure_code: request.failure_code,
            // What is parked from now on is not meant, whatever is said.
            cutoff: request.cutoff.map_or(now, |cutoff| cutoff.min(now)),
            rate: request.rate,
            reason: request.reason,
            status: Status::Running,
            matched,
            moved: 0,
            behind: None,
            created_at: now,
            updated_at: now,
            finished_at: None,
            request_hash,
            expires_at: expires_at(now),
            cause,
        }
    }

    /// Whether a parked letter is one of those that it is about.
    pub(crate) fn is_about(&self, code: &str) -> bool {
        self.failure_code.as_deref().is_none_or(|wanted| wanted == code)
    }

    /// The places of the letters that it is about: all up to the cutoff.
    pub(crate) fn places(&self) -> (String, String) {
        letter::places(&self.consumer, self.cutoff)
    }

    pub(crate) fn view(&self) -> RedriveView<'_> {
        RedriveView {
            id: &self.id,
            disposal: self.disposal,
            consumer: &self.consumer,
            failure_code: self.failure_code.as_deref(),
            cutoff: self.cutoff,
            rate: self.rate,
            reason: &self.reason,
            status: self.status,
            letters: Progress { matched: self.matched, moved: self.moved },
            created_at: self.created_at,
            finished_at: self.finished_at,
        }
    }
}

/// A redrive or a discard, as administrators see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Redrive")]
pub(crate) struct RedriveView<'a> {
    id: &'a RedriveId,
    disposal: Disposal,
    consumer: &'a str,
    failure_code: Option<&'a str>,
    /// Letters that were parked later are left alone.
    cutoff: Timestamp,
    /// Letters a second, at most.
    rate: u32,
    reason: &'a str,
    status: Status,
    letters: Progress,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
}

/// How many letters a redrive has moved.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RedriveProgress")]
struct Progress {
    /// How many there were when it was asked for.
    matched: u64,
    /// How many were sent again, or given up.
    moved: u64,
}

//! A queue's message and its attributes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(in crate::cloud) type Attributes = BTreeMap<String, Attribute>;

/// A message attribute as SQS writes it in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct Attribute {
    /// `String` or `Number`, perhaps with a label after a dot. Nobody sends bytes.
    pub(in crate::cloud) data_type: String,
    pub(in crate::cloud) string_value: String,
}

impl Attribute {
    /// Its text; none where it is of another type. (A list of texts, `String.Array`, is used by nobody here.)
    pub(in crate::cloud) fn text(&self) -> Option<&str> {
        Some(self.string_value.as_str()).filter(|_| self.data_type == "String")
    }
}

/// A message to be sent.
#[derive(Clone, Debug)]
pub(in crate::cloud) struct NewMessage {
    pub(in crate::cloud) body: Arc<str>,
    pub(in crate::cloud) attributes: Arc<Attributes>,
    /// How long it is held back, in milliseconds.
    pub(in crate::cloud) delay: i64,
}

impl NewMessage {
    /// The message, which arrives so much later.
    pub(in crate::cloud) fn held_back(mut self, wait: Duration) -> Self {
        let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        self.delay = self.delay.saturating_add(wait);
        self
    }
}

/// A message in a queue. Times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cloud) struct Message {
    /// Its place among all messages, and its key in the journal.
    pub(in crate::cloud) key: i64,
    /// The message id that SQS shows.
    pub(in crate::cloud) id: String,
    pub(in crate::cloud) body: Arc<str>,
    pub(in crate::cloud) attributes: Arc<Attributes>,
    pub(in crate::cloud) sent: i64,
    pub(in crate::cloud) first_received: Option<i64>,
    pub(in crate::cloud) receives: u32,
    /// When its last receiver received it; a process that finds it in the journal does not ask.
    pub(in crate::cloud) received: Option<i64>,
    /// When it can be received.
    pub(in crate::cloud) visible: i64,
    /// The queue that it was received from too often.
    pub(in crate::cloud) dead_letter_source: Option<String>,
    /// What its last receiver may delete it with.
    pub(in crate::cloud) receipt: Option<String>,
}

impl Message {
    /// The system attributes as `ReceiveMessage` and Lambda show them.
    pub(in crate::cloud) fn system_attributes(&self) -> BTreeMap<&'static str, String> {
        let mut attributes = BTreeMap::from([
            ("ApproximateReceiveCount", self.receives.to_string()),
            ("SenderId", crate::template::ACCOUNT.to_owned()),
            ("SentTimestamp", self.sent.to_string()),
        ]);
        if let Some(time) = self.first_received {
            attributes.insert("ApproximateFirstReceiveTimestamp", time.to_string());
        }
        if let Some(source) = &self.dead_letter_source {
            attributes.insert("DeadLetterQueueSourceArn", crate::template::queue_arn(source));
        }
        attributes
    }
}

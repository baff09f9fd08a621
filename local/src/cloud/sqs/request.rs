//! The operations of SQS in its JSON protocol: those that the shop and its tools call. An operation, or a member of
//! one, that is not known here is an error, so that nobody takes it for done.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::message::Attributes;
use crate::cloud::AwsError;
use crate::cloud::observer::Access;

/// The most messages of one reception, and the most entries of a batch.
pub(super) const MAX_MESSAGES: usize = 10;
pub(super) const MAX_MESSAGE_BYTES: usize = 1_048_576;
/// The longest that a message may be held back.
pub(super) const MAX_DELAY_SECONDS: i64 = 900;

#[derive(Debug)]
pub(in crate::cloud) enum Request {
    Send(Send),
    SendBatch(SendBatch),
    Receive(Receive),
    Delete(Receipt),
    DeleteBatch(DeletionBatch),
    ChangeVisibility(VisibilityBatch),
    Attributes(AttributesOf),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct Send {
    pub(super) queue_url: String,
    pub(super) message_body: String,
    #[serde(default)]
    pub(super) message_attributes: Attributes,
    /// How long nobody receives it.
    #[serde(default)]
    pub(super) delay_seconds: i64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct SendBatch {
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) entries: Vec<SendEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct SendEntry {
    pub(super) id: String,
    pub(super) message_body: String,
    #[serde(default)]
    pub(super) message_attributes: Attributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct Receive {
    pub(super) queue_url: String,
    pub(super) max_number_of_messages: Option<usize>,
    pub(super) visibility_timeout: Option<u32>,
    /// How long to wait where nothing is there. Here all of a queue is seen at once, and nobody waits.
    pub(super) wait_time_seconds: Option<u32>,
    /// The message attributes to be shown.
    #[serde(default)]
    pub(super) message_attribute_names: Vec<String>,
    #[serde(default)]
    pub(super) message_system_attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct Receipt {
    pub(super) queue_url: String,
    pub(super) receipt_handle: String,
}

/// Of `DeleteMessageBatch`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct DeletionBatch {
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) entries: Vec<DeletionEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct DeletionEntry {
    pub(super) id: String,
    pub(super) receipt_handle: String,
}

/// Of `ChangeMessageVisibilityBatch`: functions change no single one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct VisibilityBatch {
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) entries: Vec<VisibilityEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct VisibilityEntry {
    pub(super) id: String,
    pub(super) receipt_handle: String,
    /// In seconds from now.
    pub(super) visibility_timeout: i64,
}

/// Of `GetQueueAttributes`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(in crate::cloud) struct AttributesOf {
    pub(super) queue_url: String,
    #[serde(default)]
    pub(super) attribute_names: Vec<String>,
}

impl Request {
    pub(in crate::cloud) fn parse(operation: &str, body: &[u8]) -> Result<Self, AwsError> {
        Ok(match operation {
            "SendMessage" => Self::Send(decode(body)?),
            "SendMessageBatch" => Self::SendBatch(decode(body)?),
            "ReceiveMessage" => Self::Receive(decode(body)?),
            "DeleteMessage" => Self::Delete(decode(body)?),
            "DeleteMessageBatch" => Self::DeleteBatch(decode(body)?),
            "ChangeMessageVisibilityBatch" => Self::ChangeVisibility(decode(body)?),
            "GetQueueAttributes" => Self::Attributes(decode(body)?),
            other => return Err(AwsError::client("InvalidAction", other)),
        })
    }

    pub(in crate::cloud) fn accesses(&self) -> Vec<Access> {
        let (action, url) = match self {
            Self::Send(send) => ("SendMessage", &send.queue_url),
            // A batch has no permission of its own.
            Self::SendBatch(batch) => ("SendMessage", &batch.queue_url),
            Self::Receive(receive) => ("ReceiveMessage", &receive.queue_url),
            Self::Delete(receipt) => ("DeleteMessage", &receipt.queue_url),
            Self::DeleteBatch(batch) => ("DeleteMessage", &batch.queue_url),
            Self::ChangeVisibility(batch) => ("ChangeMessageVisibility", &batch.queue_url),
            Self::Attributes(asked) => ("GetQueueAttributes", &asked.queue_url),
        };
        vec![Access { action: format!("sqs:{action}"), resource: queue_of(url).to_owned() }]
    }
}

/// The physical name of the queue that a URL names.
pub(super) fn queue_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, AwsError> {
    serde_json::from_slice(body)
        .map_err(|error| AwsError::client("SerializationException", error.to_string()))
}

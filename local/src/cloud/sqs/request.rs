//! The operations of SQS in its JSON protocol.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::message::Attributes;
use crate::cloud::AwsError;
use crate::cloud::observer::Access;

/// The most entries of a batch call, and the most messages of one reception.
pub(super) const MAX_ENTRIES: usize = 10;
/// The most bytes of a message, and of a batch of them.
pub(super) const MAX_BYTES: usize = 1_048_576;

/// One operation.
#[derive(Debug)]
pub(in crate::cloud) struct Request {
    /// The physical name of the queue; empty for `ListQueues`.
    pub(super) queue: String,
    pub(super) operation: Operation,
}

#[derive(Debug)]
pub(super) enum Operation {
    SendMessage(Send),
    SendMessageBatch(Vec<Entry<Send>>),
    ReceiveMessage(Receive),
    DeleteMessage(Receipt),
    DeleteMessageBatch(Vec<Entry<Receipt>>),
    ChangeMessageVisibility(Visibility),
    ChangeMessageVisibilityBatch(Vec<Entry<Visibility>>),
    GetQueueAttributes(Names),
    GetQueueUrl,
    ListQueues(String),
    PurgeQueue,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Send {
    pub(super) message_body: String,
    #[serde(default)]
    pub(super) message_attributes: Attributes,
    pub(super) delay_seconds: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Receive {
    pub(super) max_number_of_messages: Option<usize>,
    pub(super) visibility_timeout: Option<u32>,
    pub(super) wait_time_seconds: Option<u32>,
    /// The message attributes to be shown.
    #[serde(default)]
    pub(super) message_attribute_names: Vec<String>,
    /// The system attributes to be shown; the second name is the older one.
    #[serde(default)]
    pub(super) message_system_attribute_names: Vec<String>,
    #[serde(default)]
    pub(super) attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Receipt {
    pub(super) receipt_handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Visibility {
    pub(super) receipt_handle: String,
    pub(super) visibility_timeout: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Names {
    #[serde(default)]
    pub(super) attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Entry<T> {
    #[serde(rename = "Id")]
    pub(super) id: String,
    #[serde(flatten)]
    pub(super) entry: T,
}

impl Request {
    pub(in crate::cloud) fn parse(operation: &str, body: &[u8]) -> Result<Self, AwsError> {
        let mut body: Value = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
        let queue = match (&body["QueueUrl"], &body["QueueName"]) {
            (Value::String(url), _) => url.rsplit('/').next().unwrap_or_default().to_owned(),
            (_, Value::String(name)) => name.clone(),
            _ => String::new(),
        };
        let operation = match operation {
            "SendMessage" => Operation::SendMessage(decode(body)?),
            "SendMessageBatch" => Operation::SendMessageBatch(entries(&mut body)?),
            "ReceiveMessage" => Operation::ReceiveMessage(decode(body)?),
            "DeleteMessage" => Operation::DeleteMessage(decode(body)?),
            "DeleteMessageBatch" => Operation::DeleteMessageBatch(entries(&mut body)?),
            "ChangeMessageVisibility" => Operation::ChangeMessageVisibility(decode(body)?),
            "ChangeMessageVisibilityBatch" => Operation::ChangeMessageVisibilityBatch(entries(&mut body)?),
            "GetQueueAttributes" => Operation::GetQueueAttributes(decode(body)?),
            "GetQueueUrl" => Operation::GetQueueUrl,
            "ListQueues" => {
                Operation::ListQueues(body["QueueNamePrefix"].as_str().unwrap_or_default().to_owned())
            }
            "PurgeQueue" => Operation::PurgeQueue,
            other => return Err(AwsError::client("InvalidAction", other)),
        };
        Ok(Self { queue, operation })
    }

    /// The IAM action: a batch call needs that of the single call.
    pub(in crate::cloud) fn accesses(&self) -> Vec<Access> {
        let action = match &self.operation {
            Operation::SendMessage(_) | Operation::SendMessageBatch(_) => "SendMessage",
            Operation::ReceiveMessage(_) => "ReceiveMessage",
            Operation::DeleteMessage(_) | Operation::DeleteMessageBatch(_) => "DeleteMessage",
            Operation::ChangeMessageVisibility(_) | Operation::ChangeMessageVisibilityBatch(_) => {
                "ChangeMessageVisibility"
            }
            Operation::GetQueueAttributes(_) => "GetQueueAttributes",
            Operation::GetQueueUrl => "GetQueueUrl",
            Operation::ListQueues(_) => "ListQueues",
            Operation::PurgeQueue => "PurgeQueue",
        };
        let resource = if self.queue.is_empty() { "*".to_owned() } else { self.queue.clone() };
        vec![Access { action: format!("sqs:{action}"), resource }]
    }
}

/// The entries of a batch call: from one to ten, each with an id of its own.
fn entries<T: serde::de::DeserializeOwned>(body: &mut Value) -> Result<Vec<Entry<T>>, AwsError> {
    let entries: Vec<Entry<T>> = decode(body["Entries"].take())?;
    if entries.is_empty() {
        return Err(AwsError::client(
            "AWS.SimpleQueueService.EmptyBatchRequest",
            "The batch request doesn't contain any entries.",
        ));
    }
    if entries.len() > MAX_ENTRIES {
        let message = "Maximum number of entries per request are 10.";
        return Err(AwsError::client("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", message));
    }
    let ids: BTreeSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    if ids.len() < entries.len() {
        return Err(AwsError::client(
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            "Two or more batch entries have one Id.",
        ));
    }
    Ok(entries)
}

fn decode<T: serde::de::DeserializeOwned>(body: Value) -> Result<T, AwsError> {
    serde_json::from_value(body).map_err(|error| malformed(&error))
}

fn malformed(error: &serde_json::Error) -> AwsError {
    AwsError::client("SerializationException", error.to_string())
}

//! What the operations of SQS do, and what they answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::message::{Message, NewMessage};
use super::queues::Queues;
use super::request::{
    AttributesOf, DeletionBatch, MAX_DELAY_SECONDS, MAX_MESSAGE_BYTES, MAX_MESSAGES, Receipt, Receive,
    Request, Send, SendBatch, SendEntry, VisibilityBatch, VisibilityEntry, queue_of,
};
use crate::cloud::AwsError;

impl Request {
    /// `fails` says which entry of a batch is to fail, by its id.
    pub(in crate::cloud) fn execute(
        self,
        queues: &Queues,
        fails: &dyn Fn(&str) -> Option<AwsError>,
    ) -> Result<Value, AwsError> {
        match self {
            Self::Send(send) => send.execute(queues),
            Self::SendBatch(batch) => batch.execute(queues, fails),
            Self::Receive(receive) => receive.execute(queues),
            Self::Delete(receipt) => receipt.execute(queues),
            Self::DeleteBatch(batch) => batch.execute(queues, fails),
            Self::ChangeVisibility(batch) => batch.execute(queues, fails),
            Self::Attributes(asked) => asked.execute(queues),
        }
    }
}

impl Send {
    fn execute(self, queues: &Queues) -> Result<Value, AwsError> {
        let digest = md5(&self.message_body);
        let url = self.queue_url.clone();
        let ids = queues.send(vec![(queue_of(&url), self.message()?)])?;
        Ok(json!({"MessageId": ids.first(), "MD5OfMessageBody": digest}))
    }

    fn message(self) -> Result<NewMessage, AwsError> {
        if self.message_body.is_empty() {
            return Err(AwsError::client("MissingParameter", "The request must contain a MessageBody."));
        }
        if !self.message_body.chars().all(is_allowed) {
            let message = "The message contains characters outside the allowed set.";
            return Err(AwsError::client("InvalidMessageContents", message));
        }
        if self.message_body.len() > MAX_MESSAGE_BYTES {
            let message = format!("Message must be shorter than {MAX_MESSAGE_BYTES} bytes.");
            return Err(AwsError::client("InvalidParameterValue", message));
        }
        if !(0..=MAX_DELAY_SECONDS).contains(&self.delay_seconds) {
            let message = format!(
                "Value {} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= \
                 {MAX_DELAY_SECONDS}.",
                self.delay_seconds
            );
            return Err(AwsError::client("InvalidParameterValue", message));
        }
        Ok(NewMessage {
            body: self.message_body.into(),
            attributes: Arc::new(self.message_attributes),
            delay: self.delay_seconds * 1000,
        })
    }
}

impl SendBatch {
    fn execute(self, queues: &Queues, fails: &dyn Fn(&str) -> Option<AwsError>) -> Result<Value, AwsError> {
        let queue = queue_of(&self.queue_url);
        queues.settings(queue)?;
        let ids: Vec<_> = self.entries.iter().map(|entry| entry.id.as_str()).collect();
        check_entries(&ids)?;
        let bytes: usize = self.entries.iter().map(|entry| entry.message_body.len()).sum();
        if bytes > MAX_MESSAGE_BYTES {
            let message = "Batch requests cannot be longer than 1048576 bytes.";
            return Err(AwsError::client("AWS.SimpleQueueService.BatchRequestTooLong", message));
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for SendEntry { id, message_body, message_attributes } in self.entries {
            let queue_url = self.queue_url.clone();
            let send = Send { queue_url, message_body, message_attributes, delay_seconds: 0 };
            let outcome = match fails(&id) {
                Some(error) => Err(error),
                None => send.execute(queues),
            };
            match outcome {
                Ok(mut answer) => {
                    answer["Id"] = json!(id);
                    successful.push(answer);
                }
                Err(error) => failed.push(failed_entry(&id, &error)),
            }
        }
        Ok(json!({"Successful": successful, "Failed": failed}))
    }
}

/// What an answer says of an entry that failed.
fn failed_entry(id: &str, error: &AwsError) -> Value {
    let AwsError { status, code, message, .. } = error;
    json!({"Id": id, "Code": code, "Message": message, "SenderFault": *status < 500})
}

/// The characters of XML, which are all that a message may hold.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

impl Receive {
    fn execute(&self, queues: &Queues) -> Result<Value, AwsError> {
        let most = self.max_number_of_messages.unwrap_or(1);
        if !(1..=MAX_MESSAGES).contains(&most) {
            let message = "MaxNumberOfMessages must be between 1 and 10, if provided.";
            return Err(AwsError::client("InvalidParameterValue", message));
        }
        if self.wait_time_seconds.is_some_and(|seconds| seconds > MAX_WAIT) {
            let message = "WaitTimeSeconds must be between 0 and 20, if provided.";
            return Err(AwsError::client("InvalidParameterValue", message));
        }
        let hidden = self.visibility_timeout.map(|seconds| i64::from(seconds) * 1000);
        let messages = queues.receive(queue_of(&self.queue_url), most, hidden)?;
        let messages: Vec<Value> = messages.iter().map(|message| self.shown(message)).collect();
        Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) })
    }

    /// A message with the attributes that the receiver names, or all of them.
    fn shown(&self, message: &Message) -> Value {
        let mut shown = json!({
            "MessageId": message.id,
            "ReceiptHandle": message.receipt,
            "MD5OfBody": md5(&message.body),
            "Body": &*message.body,
        });
        let named =
            |names: &[String], attribute: &str| names.iter().any(|name| name == "All" || name == attribute);
        let mut system = message.system_attributes();
        system.retain(|name, _| named(&self.message_system_attribute_names, name));
        if !system.is_empty() {
            shown["Attributes"] = json!(system);
        }
        let attributes = message.attributes.iter();
        let attributes: BTreeMap<_, _> =
            attributes.filter(|(name, _)| named(&self.message_attribute_names, name)).collect();
        if !attributes.is_empty() {
            shown["MessageAttributes"] = json!(attributes);
        }
        shown
    }
}

impl Receipt {
    fn execute(&self, queues: &Queues) -> Result<Value, AwsError> {
        match queues.delete(queue_of(&self.queue_url), &[&self.receipt_handle])?.first() {
            Some(true) => Ok(json!({})),
            _ => Err(AwsError::client("ReceiptHandleIsInvalid", "The receipt handle is not valid.")),
        }
    }
}

/// The longest that a receiver waits, in seconds.
const MAX_WAIT: u32 = 20;

impl AttributesOf {
    /// How many messages there are: what the shop asks. SQS's own figures are those of a moment ago.
    fn execute(&self, queues: &Queues) -> Result<Value, AwsError> {
        let queue = queue_of(&self.queue_url);
        queues.settings(queue)?;
        let depth = queues.depth(queue);
        let mut attributes = BTreeMap::new();
        for name in &self.attribute_names {
            let count = match name.as_str() {
                "ApproximateNumberOfMessages" => depth.visible,
                "ApproximateNumberOfMessagesNotVisible" => depth.in_flight,
                "ApproximateNumberOfMessagesDelayed" => depth.delayed,
                other => {
                    let message = format!("Unknown Attribute {other}.");
                    return Err(AwsError::client("InvalidAttributeName", message));
                }
            };
            attributes.insert(name, count.to_string());
        }
        Ok(json!({"Attributes": attributes}))
    }
}

/// The longest that a message is hidden, in seconds: at once, and from its reception on.
const MAX_VISIBILITY: i64 = 43_200;

impl VisibilityBatch {
    fn execute(&self, queues: &Queues, fails: &dyn Fn(&str) -> Option<AwsError>) -> Result<Value, AwsError> {
        let queue = queue_of(&self.queue_url);
        queues.settings(queue)?;
        let entries: Vec<_> = self.entries.iter().map(|entry| (entry.id.as_str(), entry)).collect();
        batch(&entries, fails, |entry| entry.execute(queues, queue))
    }
}

impl DeletionBatch {
    fn execute(&self, queues: &Queues, fails: &dyn Fn(&str) -> Option<AwsError>) -> Result<Value, AwsError> {
        let queue = queue_of(&self.queue_url);
        queues.settings(queue)?;
        let entries: Vec<_> = self.entries.iter().map(|entry| (entry.id.as_str(), entry)).collect();
        batch(&entries, fails, |entry| match queues.delete(queue, &[&entry.receipt_handle])?.first() {
            Some(true) => Ok(()),
            _ => Err(AwsError::client("ReceiptHandleIsInvalid", "The receipt handle is not valid.")),
        })
    }
}

/// Carries each entry of a batch out, and says of each what came of it.
fn batch<T>(
    entries: &[(&str, &T)],
    fails: &dyn Fn(&str) -> Option<AwsError>,
    execute: impl Fn(&T) -> Result<(), AwsError>,
) -> Result<Value, AwsError> {
    check_entries(&entries.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, entry) in entries {
        match fails(id).map_or_else(|| execute(entry), Err) {
            Ok(()) => successful.push(json!({"Id": id})),
            Err(error) => failed.push(failed_entry(id, &error)),
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

/// What makes a batch fail as a whole.
fn check_entries(entries: &[&str]) -> Result<(), AwsError> {
    let refuse =
        |code: &str, message: &str| Err(AwsError::client(&format!("AWS.SimpleQueueService.{code}"), message));
    if entries.is_empty() {
        return refuse("EmptyBatchRequest", "There should be at least one entry in the request.");
    }
    if entries.len() > MAX_MESSAGES {
        return refuse("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.");
    }
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    let is_id = |id: &str| (1..=80).contains(&id.len()) && id.chars().all(allowed);
    if !entries.iter().all(|id| is_id(id)) {
        let message = "A batch entry id can only contain letters, digits, - and _.";
        return refuse("InvalidBatchEntryId", message);
    }
    if entries.iter().collect::<BTreeSet<_>>().len() < entries.len() {
        return refuse("BatchEntryIdsNotDistinct", "Two entries have one id.");
    }
    Ok(())
}

impl VisibilityEntry {
    fn execute(&self, queues: &Queues, queue: &str) -> Result<(), AwsError> {
        let (receipt, seconds) = (&self.receipt_handle, self.visibility_timeout);
        if !(0..=MAX_VISIBILITY).contains(&seconds) {
            let message = format!("Value {seconds} for parameter VisibilityTimeout is invalid.");
            return Err(AwsError::client("InvalidParameterValue", message));
        }
        queues.change_visibility(queue, receipt, seconds * 1000, MAX_VISIBILITY * 1000)
    }
}

fn md5(text: &str) -> String {
    format!("{:x}", md5::compute(text))
}

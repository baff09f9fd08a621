//! What the operations of SQS do, and what they answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::message::{Message, NewMessage};
use super::queues::Queues;
use super::request::{MAX_MESSAGE_BYTES, MAX_MESSAGES, Receipt, Receive, Request, Send, queue_of};
use crate::cloud::AwsError;

impl Request {
    pub(in crate::cloud) fn execute(self, queues: &Queues) -> Result<Value, AwsError> {
        match self {
            Self::Send(send) => send.execute(queues),
            Self::Receive(receive) => receive.execute(queues),
            Self::Delete(receipt) => receipt.execute(queues),
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
        Ok(NewMessage {
            body: self.message_body.into(),
            attributes: Arc::new(self.message_attributes),
            delay: 0,
        })
    }
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

fn md5(text: &str) -> String {
    format!("{:x}", md5::compute(text))
}

//! What the operations of SQS do, and what they answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::message::{Message, NewMessage};
use super::queues::Queues;
use super::request::{Entry, MAX_BYTES, MAX_ENTRIES, Operation, Receive, Request, Send};
use crate::cloud::AwsError;
use crate::cloud::clock::Clock;
use crate::template::{queue_arn, queue_url};

/// The failure of one entry, as decided by an interceptor.
pub(in crate::cloud) type FailsEntry<'a> = &'a (dyn Fn(&str) -> Option<AwsError> + std::marker::Send + Sync);

impl Request {
    /// Runs it. Only a reception may wait.
    pub(in crate::cloud) async fn execute(
        self,
        queues: &Queues,
        clock: &Clock,
        fails_entry: FailsEntry<'_>,
    ) -> Result<Value, AwsError> {
        let queue = self.queue.as_str();
        match self.operation {
            Operation::SendMessage(send) => {
                let message = send.message()?;
                let digest = md5(&message.body);
                let ids = queues.send(vec![(queue, message)])?;
                Ok(json!({"MessageId": ids.first(), "MD5OfMessageBody": digest}))
            }
            Operation::SendMessageBatch(entries) => send_batch(queue, entries, queues, fails_entry),
            Operation::ReceiveMessage(wanted) => {
                let messages = receive(&wanted, queue, queues, clock).await?;
                let messages: Vec<Value> = messages.iter().map(|message| shown(message, &wanted)).collect();
                Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) })
            }
            Operation::DeleteMessage(receipt) => {
                match queues.delete(queue, &[&receipt.receipt_handle])?.first() {
                    Some(true) => Ok(json!({})),
                    _ => Err(invalid_receipt()),
                }
            }
            Operation::DeleteMessageBatch(entries) => batch(entries, fails_entry, |entry| {
                match queues.delete(queue, &[&entry.receipt_handle])?.first() {
                    Some(true) => Ok(()),
                    _ => Err(invalid_receipt()),
                }
            }),
            Operation::ChangeMessageVisibility(change) => {
                queues.change_visibility(queue, &change.receipt_handle, millis(change.visibility_timeout))?;
                Ok(json!({}))
            }
            Operation::ChangeMessageVisibilityBatch(entries) => batch(entries, fails_entry, |entry| {
                queues.change_visibility(queue, &entry.receipt_handle, millis(entry.visibility_timeout))
            }),
            Operation::GetQueueAttributes(names) => attributes(queue, &names.attribute_names, queues),
            Operation::GetQueueUrl => {
                queues.settings(queue)?;
                Ok(json!({"QueueUrl": queue_url(queue)}))
            }
            Operation::ListQueues(prefix) => {
                let urls: Vec<String> =
                    queues.names().filter(|name| name.starts_with(&prefix)).map(queue_url).collect();
                Ok(json!({"QueueUrls": urls}))
            }
            Operation::PurgeQueue => {
                queues.purge(queue)?;
                Ok(json!({}))
            }
        }
    }
}

impl Send {
    fn message(self) -> Result<NewMessage, AwsError> {
        if self.message_body.is_empty() {
            return Err(AwsError::client("MissingParameter", "The request must contain a MessageBody."));
        }
        if !self.message_body.chars().all(is_allowed) {
            let message = "The message contains characters outside the allowed set.";
            return Err(AwsError::client("InvalidMessageContents", message));
        }
        if self.message_body.len() > MAX_BYTES {
            let message = format!("Message must be shorter than {MAX_BYTES} bytes.");
            return Err(AwsError::client("InvalidParameterValue", message));
        }
        Ok(NewMessage {
            body: self.message_body.into(),
            attributes: Arc::new(self.message_attributes),
            delay: self.delay_seconds.map(millis),
        })
    }
}

/// The characters of XML, which are all that a message may hold.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

async fn receive(
    wanted: &Receive,
    queue: &str,
    queues: &Queues,
    clock: &Clock,
) -> Result<Vec<Message>, AwsError> {
    let most = wanted.max_number_of_messages.unwrap_or(1);
    if !(1..=MAX_ENTRIES).contains(&most) {
        let message = "MaxNumberOfMessages must be between 1 and 10, if provided.";
        return Err(AwsError::client("InvalidParameterValue", message));
    }
    let end = clock.now().saturating_add(wanted.wait_time_seconds.map_or(0, millis));
    let arrivals = queues.arrivals(queue).unwrap_or_else(|| Arc::new(Notify::new()));
    loop {
        let arrived = arrivals.notified();
        tokio::pin!(arrived);
        arrived.as_mut().enable();
        let received = queues.receive(queue, most, wanted.visibility_timeout.map(millis))?;
        if !received.is_empty() || clock.now() >= end {
            return Ok(received);
        }
        let (_, next) = queues.ready(queue);
        let wake = next.map_or(end, |next| next.min(end));
        tokio::select! {
            biased;
            () = arrived => {}
            () = clock.until(wake) => {}
        }
    }
}

fn send_batch(
    queue: &str,
    entries: Vec<Entry<Send>>,
    queues: &Queues,
    fails_entry: FailsEntry<'_>,
) -> Result<Value, AwsError> {
    let (mut failed, mut sent, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    let size: usize = entries.iter().map(|entry| entry.entry.message_body.len()).sum();
    if size > MAX_BYTES {
        return Err(AwsError::client(
            "AWS.SimpleQueueService.BatchRequestTooLong",
            "Batch requests are too long.",
        ));
    }
    for Entry { id, entry } in entries {
        let message = fails_entry(&id).map_or_else(|| entry.message(), Err);
        match message {
            Ok(message) => {
                sent.push((id, md5(&message.body)));
                messages.push((queue, message));
            }
            Err(error) => failed.push(failure(&id, &error)),
        }
    }
    let ids = queues.send(messages)?;
    let successful: Vec<Value> = sent
        .into_iter()
        .zip(ids)
        .map(|((id, digest), message)| json!({"Id": id, "MessageId": message, "MD5OfMessageBody": digest}))
        .collect();
    Ok(json!({"Successful": successful, "Failed": failed}))
}

fn batch<T>(
    entries: Vec<Entry<T>>,
    fails_entry: FailsEntry<'_>,
    mut step: impl FnMut(T) -> Result<(), AwsError>,
) -> Result<Value, AwsError> {
    let (mut failed, mut successful) = (Vec::new(), Vec::new());
    for Entry { id, entry } in entries {
        match fails_entry(&id).map_or_else(|| step(entry), Err) {
            Ok(()) => successful.push(json!({"Id": id})),
            Err(error) if error.status >= 500 => return Err(error),
            Err(error) => failed.push(failure(&id, &error)),
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

fn failure(id: &str, error: &AwsError) -> Value {
    let sender = error.status < 500;
    json!({"Id": id, "Code": error.code, "Message": error.message, "SenderFault": sender})
}

fn attributes(queue: &str, names: &[String], queues: &Queues) -> Result<Value, AwsError> {
    let settings = queues.settings(queue)?;
    let depth = queues.depth(queue);
    let seconds = |millis: i64| (millis / 1000).to_string();
    let mut attributes = BTreeMap::from([
        ("ApproximateNumberOfMessages", depth.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", depth.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", depth.delayed.to_string()),
        ("VisibilityTimeout", seconds(settings.visibility)),
        ("MessageRetentionPeriod", seconds(settings.retention)),
        ("DelaySeconds", seconds(settings.delay)),
        ("QueueArn", queue_arn(queue)),
    ]);
    if let Some((target, count)) = &settings.redrive {
        let policy = json!({"deadLetterTargetArn": queue_arn(target), "maxReceiveCount": count});
        attributes.insert("RedrivePolicy", policy.to_string());
    }
    let all = names.iter().any(|name| name == "All");
    attributes.retain(|name, _| all || names.iter().any(|wanted| wanted == name));
    Ok(json!({"Attributes": attributes}))
}

/// A message with the attributes that the receiver names: by their names, all of them, or by a prefix.
fn shown(message: &Message, wanted: &Receive) -> Value {
    let mut shown = json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": md5(&message.body),
        "Body": &*message.body,
    });
    let named = |names: &[String], attribute: &str| {
        let matches = |name: &String| match name.strip_suffix(".*") {
            Some(prefix) => attribute.starts_with(prefix),
            None => name == "All" || name == attribute,
        };
        names.iter().any(matches)
    };
    let mut system = message.system_attributes();
    system.retain(|name, _| {
        named(&wanted.message_system_attribute_names, name) || named(&wanted.attribute_names, name)
    });
    if !system.is_empty() {
        shown["Attributes"] = json!(system);
    }
    let attributes = message.attributes.iter();
    let attributes: BTreeMap<_, _> =
        attributes.filter(|(name, _)| named(&wanted.message_attribute_names, name)).collect();
    if !attributes.is_empty() {
        shown["MessageAttributes"] = json!(attributes);
    }
    shown
}

fn invalid_receipt() -> AwsError {
    AwsError::client("ReceiptHandleIsInvalid", "The receipt handle is not valid.")
}

fn md5(text: &str) -> String {
    format!("{:x}", md5::compute(text))
}

fn millis(seconds: u32) -> i64 {
    i64::from(seconds).saturating_mul(1000)
}

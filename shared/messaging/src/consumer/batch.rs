//! A raw batch: what of it is events, what is none, and what of it failed.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;
use shop_lambda::FunctionError;
use shop_lambda::log::Chain;
use shop_lambda::recovery::KEEPS_FAILING_AT;

use super::retries::{Failed, Retries};
use super::{Body, Failure, Message, MessageResult, Unreadable};

/// The log lines that the template's metric filters count, by the field `consumer`.
pub const KEEPS_FAILING: &str = "message keeps failing";
/// As above.
pub const MALFORMED: &str = "message malformed";

/// What a raw batch holds: distinct events, whose messages share their result, and what is no event.
pub(super) struct Batch<B> {
    /// One message per distinct event.
    pub(super) messages: Vec<Message<B>>,
    /// Each delivery of an event, and the index in `messages` of that.
    readable: Vec<(Delivery, usize)>,
    /// Deliveries whose body is no event, and why not.
    unreadable: Vec<(Delivery, Unreadable)>,
}

/// A message as it was received this time.
struct Delivery {
    message_id: String,
    receipt_handle: Option<String>,
    receive_count: u32,
}

impl<B: Body> Batch<B> {
    pub(super) fn read(records: Vec<SqsMessage>) -> Result<Self, FunctionError> {
        let mut batch = Self { messages: Vec::new(), readable: Vec::new(), unreadable: Vec::new() };
        let mut index_of: BTreeMap<String, usize> = BTreeMap::new();
        for record in records {
            // Without an id a failure cannot be reported, so it would be acknowledged.
            let Some(message_id) = record.message_id.filter(|id| !id.is_empty()) else {
                return Err(FunctionError::new("the batch is not from SQS", "a message has no id"));
            };
            let count = record.attributes.get("ApproximateReceiveCount");
            let delivery = Delivery {
                message_id,
                receipt_handle: record.receipt_handle,
                receive_count: count.and_then(|count| count.parse().ok()).unwrap_or(1),
            };
            let event = match B::parse(record.body.as_deref().unwrap_or_default()) {
                Ok(event) => event,
                Err(error) => {
                    batch.unreadable.push((delivery, error));
                    continue;
                }
            };
            let next = batch.messages.len();
            let index = *index_of.entry(event.id().to_owned()).or_insert(next);
            if index == next {
                let (message_id, receive_count) = (delivery.message_id.clone(), delivery.receive_count);
                batch.messages.push(Message { message_id, receive_count, event });
            }
            batch.readable.push((delivery, index));
        }
        Ok(batch)
    }

    /// The messages that are not done, each with its pause. What is no event will be none however often it comes: it
    /// does not wait, so that it is in the dead-letter queue within seconds.
    pub(super) fn failed(self, results: &[MessageResult], retries: &Retries) -> Vec<Failed> {
        let missing = Err(Failure::code_only("no_result"));
        let mut failed = Vec::new();
        for (delivery, error) in self.unreadable {
            if error.may_be_newer {
                delivery.log_failure(retries.consumer(), error.code, None, &*error.source);
                failed.push(delivery.failed(retries));
            } else {
                // The code only: the parser's own text may quote the body.
                tracing::error!(
                    consumer = retries.consumer(),
                    message.id = delivery.message_id,
                    message.receive_count = delivery.receive_count,
                    failure.code = error.code,
                    "{MALFORMED}"
                );
                failed.push(delivery.parked());
            }
        }
        for (delivery, index) in self.readable {
            if let Err(failure) = results.get(index).unwrap_or(&missing) {
                let event = self.messages.get(index).map(|message| message.event.id());
                delivery.log_failure(retries.consumer(), failure.code(), event, failure);
                failed.push(delivery.failed(retries));
            }
        }
        failed
    }
}

impl Delivery {
    /// A moment's failure is a line; one that lasts is a line that an alarm counts, whatever the log's level.
    fn log_failure(
        &self,
        consumer: &str,
        code: &str,
        event: Option<&str>,
        error: &(dyn std::error::Error + 'static),
    ) {
        let error = Chain(error);
        let (id, count) = (&self.message_id, self.receive_count);
        if count < KEEPS_FAILING_AT {
            tracing::warn!(
                consumer, message.id = id, message.receive_count = count, event.id = event, failure.code = code,
                %error, "message failed"
            );
        } else {
            tracing::error!(
                consumer, message.id = id, message.receive_count = count, event.id = event, failure.code = code,
                %error, "{KEEPS_FAILING}"
            );
        }
    }

    fn failed(self, retries: &Retries) -> Failed {
        let wait = retries.pause(self.receive_count);
        Failed { wait, ..self.parked() }
    }

    fn parked(self) -> Failed {
        let Self { message_id, receipt_handle, .. } = self;
        Failed { message_id, receipt_handle, wait: Duration::ZERO }
    }
}

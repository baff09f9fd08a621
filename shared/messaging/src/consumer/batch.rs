//! A raw batch: what of it is events, what is none, and what of it failed.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use aws_lambda_events::sqs::SqsMessage;
use shop_lambda::FunctionError;
use shop_lambda::log::Chain;
use shop_lambda::recovery::{KEEPS_FAILING_AT, MAX_RECEIVES};
use shop_types::Timestamp;

use super::retries::{Failed, Retries};
use super::{About, Body, Failure, Message, MessageResult, Unreadable};
use crate::receipts::{Outcome, Receipt, plain};

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
    /// How many deliveries of the same event the batch had before it.
    copy: u32,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// The messages that are not done, each with its pause.
    pub(super) failed: Vec<Failed>,
    /// What the journal is told: one for each delivery.
    pub(super) receipts: Vec<Receipt>,
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
                copy: 0,
            };
            let event = match B::parse(record.body.as_deref().unwrap_or_default()) {
                Ok(event) => event,
                Err(error) => {
                    batch.unreadable.push((delivery, error));
                    continue;
                }
            };
            let next = batch.messages.len();
            let index = *index_of.entry(event.id().into_owned()).or_insert(next);
            if index == next {
                let (message_id, receive_count) = (delivery.message_id.clone(), delivery.receive_count);
                batch.messages.push(Message { message_id, receive_count, event });
            }
            let copies = batch.readable.iter().filter(|(_, other)| *other == index).count();
            let copy = u32::try_from(copies).unwrap_or(u32::MAX);
            batch.readable.push((Delivery { copy, ..delivery }, index));
        }
        Ok(batch)
    }

    /// What became of each delivery, at this time. What is no event will be none however often it comes: it does not
    /// wait, so that its queue gives it up as soon as it can.
    pub(super) fn settle(self, results: &[MessageResult], retries: &Retries, now: Timestamp) -> Settled {
        let missing = Err(Failure::code_only("no_result"));
        let mut settled = Settled::default();
        for (delivery, error) in self.unreadable {
            let id = delivery.message_id.clone();
            if error.may_be_newer {
                let failure = Failure::new(error.code, error.source);
                delivery.log_failure(retries.consumer(), None, &About::default(), &failure);
                delivery.fail((&id, &About::default()), &failure, retries, now, &mut settled);
            } else {
                // The code only: the parser's own text may quote the body.
                tracing::error!(
                    consumer = retries.consumer(),
                    message.id = delivery.message_id,
                    message.receive_count = delivery.receive_count,
                    failure.code = error.code,
                    "{MALFORMED}"
                );
                let failure = Failure::code_only(error.code);
                delivery.park((&id, &About::default()), &failure, &mut settled);
            }
        }
        for (delivery, index) in self.readable {
            let Some(message) = self.messages.get(index) else { continue };
            let (id, about) = (message.event.id(), message.event.about());
            let event = (&*id, &about);
            // Whoever finds it among the dead letters knows what is no event by its message.
            let known = if about.story.is_some() { &*id } else { &*delivery.message_id }.to_owned();
            let known = (known.as_str(), &about);
            match results.get(index).unwrap_or(&missing) {
                Ok(()) => {
                    delivery.log_done(retries.consumer(), event);
                    settled.receipts.push(delivery.done(known));
                }
                Err(failure) => {
                    delivery.log_failure(retries.consumer(), Some(event.0), event.1, failure);
                    delivery.fail(known, failure, retries, now, &mut settled);
                }
            }
        }
        settled
    }
}

impl Delivery {
    /// A line for each event that a consumer is done with: with those of the requests it is an order's way through the
    /// functions (docs/monitor.md).
    fn log_done(&self, consumer: &str, (event, about): (&str, &About<'_>)) {
        let (id, count) = (&self.message_id, self.receive_count);
        tracing::info!(
            consumer,
            message.id = id,
            message.receive_count = count,
            event.id = event,
            story.id = about.story,
            correlation.id = about.correlation,
            actor = about.actor,
            "message done"
        );
    }

    /// A moment's failure is a line; one that lasts is a line that an alarm counts, whatever the log's level.
    fn log_failure(&self, consumer: &str, event: Option<&str>, about: &About<'_>, failure: &Failure) {
        let (code, error) = (failure.code(), Chain(failure));
        let (id, count) = (&self.message_id, self.receive_count);
        let About { story, correlation, actor, .. } = about;
        if count < KEEPS_FAILING_AT {
            tracing::warn!(
                consumer, message.id = id, message.receive_count = count, event.id = event, story.id = story,
                correlation.id = correlation, actor, failure.code = code, %error, "message failed"
            );
        } else {
            tracing::error!(
                consumer, message.id = id, message.receive_count = count, event.id = event, story.id = story,
                correlation.id = correlation, actor, failure.code = code, %error, "{KEEPS_FAILING}"
            );
        }
    }

    fn done(&self, event: (&str, &About<'_>)) -> Receipt {
        self.receipt(event, if self.copy == 0 { Outcome::Done } else { Outcome::Repeated })
    }

    /// It comes again, unless it was received for the last time.
    fn fail(
        self,
        event: (&str, &About<'_>),
        failure: &Failure,
        retries: &Retries,
        now: Timestamp,
        settled: &mut Settled,
    ) {
        if self.receive_count >= MAX_RECEIVES {
            return self.park(event, failure, settled);
        }
        let wait = retries.pause(self.receive_count);
        let next = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX).saturating_add(now.as_millis());
        settled.receipts.push(Receipt {
            next_attempt_at: Some(Timestamp::from_millis(next)),
            ..self.failure(event, failure, Outcome::Retrying)
        });
        settled.failed.push(self.waiting(wait));
    }

    /// It goes to the dead-letter queue when it would be received once more: somebody may as well hear of it now.
    fn park(self, event: (&str, &About<'_>), failure: &Failure, settled: &mut Settled) {
        settled.receipts.push(self.failure(event, failure, Outcome::Dead));
        settled.failed.push(self.waiting(Duration::ZERO));
    }

    fn failure(&self, event: (&str, &About<'_>), failure: &Failure, outcome: Outcome) -> Receipt {
        let cause = failure.source().map(|cause| plain(&Chain(cause).to_string()));
        Receipt { code: Some(failure.code().to_owned()), error: cause, ..self.receipt(event, outcome) }
    }

    fn receipt(&self, (id, about): (&str, &About<'_>), outcome: Outcome) -> Receipt {
        Receipt {
            id: id.to_owned(),
            story: about.story.clone(),
            event_time: about.time,
            attempt: self.receive_count,
            copy: self.copy,
            outcome,
            code: None,
            error: None,
            next_attempt_at: None,
        }
    }

    fn waiting(self, wait: Duration) -> Failed {
        let Self { message_id, receipt_handle, .. } = self;
        Failed { message_id, receipt_handle, wait }
    }
}

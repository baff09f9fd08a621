//! The Lambda handler of a stream: from raw records to `batchItemFailures`.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::value::{RawValue, to_raw_value};
use shop_events::Event;
use shop_lambda::log::Chain;
use shop_lambda::{FunctionError, Handler, Invocation};

use super::EventsOf;
use super::dead_letters::DeadLetters;
use super::publisher::{Entry, PublishOutcome, Publisher};
use super::record::{Record, StreamEvent, sequence_number};
use crate::panics::Panicked;

pub(super) struct Relay<E> {
    events: EventsOf<E>,
    publisher: Publisher,
    dead_letters: DeadLetters,
}

/// Why each poison record, by its index, cannot become events.
type Poison = BTreeMap<usize, &'static str>;

impl<E: std::error::Error + Send + Sync + 'static> Relay<E> {
    pub(super) fn new(events: EventsOf<E>, publisher: Publisher, dead_letters: DeadLetters) -> Self {
        Self { events, publisher, dead_letters }
    }

    async fn relay(&self, payload: &str) -> Result<Box<RawValue>, FunctionError> {
        let stream: StreamEvent = serde_json::from_str(payload)
            .map_err(|error| FunctionError::new("the payload is not a stream event", error))?;
        let records = stream.records;

        let mut poison = Poison::new();
        let entries = self.entries(&records, &mut poison);
        let outcomes = self.publisher.publish(&entries).await;
        let mut first_failed = None;
        for (entry, outcome) in entries.iter().zip(outcomes) {
            match outcome {
                PublishOutcome::Published => {}
                PublishOutcome::Refused => {
                    poison.entry(entry.record).or_insert("refused_by_topic");
                }
                PublishOutcome::Failed => {
                    first_failed.get_or_insert(entry.record);
                }
            }
        }
        let first_failed = self.park(&records, &poison, first_failed).await;
        tracing::info!(
            batch.records = records.len(),
            batch.events = entries.len(),
            batch.poison = poison.len(),
            batch.done = first_failed.unwrap_or(records.len()),
            "stream relayed"
        );
        answer(&records, first_failed)
    }

    /// The events of all records, in order.
    fn entries(&self, records: &[Box<RawValue>], poison: &mut Poison) -> Vec<Entry> {
        let mut entries = Vec::new();
        for (index, record) in records.iter().enumerate() {
            match self.entries_of(index, record) {
                Ok(of_record) => entries.extend(of_record),
                Err(reason) => {
                    poison.insert(index, reason);
                }
            }
        }
        entries
    }

    fn entries_of(&self, index: usize, record: &RawValue) -> Result<Vec<Entry>, &'static str> {
        let Ok(Record { change }) = serde_json::from_str(record.get()) else {
            return Err("unreadable_record");
        };
        let events: Vec<Event> =
            catch_unwind(AssertUnwindSafe(|| (self.events)(change.old.as_ref(), change.new.as_ref())))
                .map_err(|payload| {
                    tracing::error!(error = %Panicked::new(&*payload), "no events of a record");
                    "panicked"
                })?
                .map_err(|error| {
                    // Without its sources: those may quote the item, which is parked for whoever looks.
                    tracing::error!(%error, "no events of a record");
                    "unreadable_image"
                })?;
        let entries = events.iter().map(|event| Entry::new(index, event)).collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|_| "unwritable_event")?;
        if entries.iter().any(Entry::is_too_large) {
            return Err("event_too_large");
        }
        Ok(entries)
    }

    /// Parks the poison records before the first that failed; those after it come again. Answers with the
    /// first record that is not done: the first that failed, or that could not be parked.
    async fn park(
        &self,
        records: &[Box<RawValue>],
        poison: &Poison,
        first_failed: Option<usize>,
    ) -> Option<usize> {
        for (&index, &reason) in poison.range(..first_failed.unwrap_or(records.len())) {
            let sequence_number = sequence_number(&records[index]);
            if let Err(error) = self.dead_letters.park(&records[index], reason).await {
                let error = Chain(&error);
                tracing::error!(record.sequence_number = sequence_number, %error, "a record cannot be parked");
                return Some(index);
            }
            tracing::error!(record.sequence_number = sequence_number, failure.code = reason, "record parked");
        }
        first_failed
    }
}

/// Names the first record that is not done: Lambda takes the stream up again from there.
fn answer(records: &[Box<RawValue>], first_failed: Option<usize>) -> Result<Box<RawValue>, FunctionError> {
    let mut response = DynamoDbEventResponse::default();
    if let Some(record) = first_failed.and_then(|index| records.get(index)) {
        let Some(number) = sequence_number(record) else {
            return Err(FunctionError::new("a record cannot be relayed", "it has no sequence number"));
        };
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(number);
        response.batch_item_failures.push(failure);
    }
    to_raw_value(&response).map_err(|error| FunctionError::new("the answer cannot be written", error))
}

impl<E: std::error::Error + Send + Sync + 'static> Handler for Relay<E> {
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>> {
        async move { self.relay(invocation.payload.get()).await }.boxed()
    }
}

#[cfg(test)]
mod tests;

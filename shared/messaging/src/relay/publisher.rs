//! Publishes entries in batches, and says of each what became of it.
use aws_sdk_sns::error::{BuildError, SdkError};
use aws_sdk_sns::operation::publish_batch::{PublishBatchError, PublishBatchOutput};
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use shop_events::{Event, EventId, EventType};
use shop_lambda::log::Chain;
use shop_lambda::{Backoff, Environment};

use crate::safe_text::queue_safe;

/// Most entries of one `PublishBatch` call, and most bytes of all its messages together (its reference).
const MAX_ENTRIES: usize = 10;
const MAX_BYTES: usize = 256 * 1024;

/// An event on its way to the topic.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The index of the record that it comes from.
    pub(super) record: usize,
    id: EventId,
    event_type: EventType,
    body: String,
}

impl Entry {
    pub(super) fn new(record: usize, event: &Event) -> Result<Self, serde_json::Error> {
        let body = queue_safe(event.to_json()?);
        Ok(Self { record, id: event.id().clone(), event_type: event.event_type(), body })
    }

    /// Whether no call can carry it.
    pub(super) fn is_too_large(&self) -> bool {
        self.size() > MAX_BYTES
    }

    /// The bytes that SNS counts: the body, and the attribute's name, data type and value.
    fn size(&self) -> usize {
        self.body.len() + "type".len() + "String".len() + self.event_type.as_str().len()
    }
}

/// What became of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PublishOutcome {
    /// On the topic.
    Published,
    /// SNS will never take it.
    Refused,
    /// Not published; another try may help.
    Failed,
}

/// The topic.
pub(super) struct Publisher {
    client: aws_sdk_sns::Client,
    backoff: Backoff,
    topic_arn: String,
}

impl Publisher {
    pub(super) fn new(environment: &Environment, topic_arn: &str) -> Self {
        Self {
            client: aws_sdk_sns::Client::new(environment.sdk_config()),
            backoff: Backoff::start(environment),
            topic_arn: topic_arn.to_owned(),
        }
    }

    /// Publishes the entries in order, in as few calls as possible, and stops at the first call that leaves
    /// an entry unpublished. The answer has one outcome per entry; those that were not tried have failed.
    pub(super) async fn publish(&self, entries: &[Entry]) -> Vec<PublishOutcome> {
        let mut outcomes = Vec::with_capacity(entries.len());
        let mut rest = entries;
        while !rest.is_empty() && !outcomes.contains(&PublishOutcome::Failed) {
            let (batch, later) = rest.split_at(batch_length(rest));
            outcomes.extend(self.publish_batch(batch).await);
            rest = later;
        }
        outcomes.resize(entries.len(), PublishOutcome::Failed);
        outcomes
    }

    async fn publish_batch(&self, batch: &[Entry]) -> Vec<PublishOutcome> {
        let mut outcomes = vec![PublishOutcome::Failed; batch.len()];
        let mut tries = self.backoff.tries();
        let mut open: Vec<usize> = (0..batch.len()).collect();
        // What is left behind the last try Lambda's own retry takes up.
        loop {
            match self.call(batch, &open).await {
                Ok(answer) => record_answer(&mut outcomes, batch, &answer),
                Err(error) if is_refusal(&error) && open.len() == 1 => {
                    tracing::warn!(error = %Chain(&error), "the topic refuses an event");
                    outcomes[open[0]] = PublishOutcome::Refused;
                }
                Err(error) if is_refusal(&error) => {
                    tracing::warn!(error = %Chain(&error), "the topic refuses a batch: one by one");
                    return self.publish_one_by_one(batch, outcomes).await;
                }
                Err(error) => {
                    // The SDK has tried this call as often as makes sense.
                    tracing::warn!(error = %Chain(&error), "events cannot be published");
                    break;
                }
            }
            open.retain(|&index| outcomes[index] == PublishOutcome::Failed);
            if open.is_empty() || tries.pause().await.is_err() {
                break;
            }
        }
        outcomes
    }

    /// For a batch that is refused as a whole because of one of its entries.
    async fn publish_one_by_one(
        &self,
        batch: &[Entry],
        mut outcomes: Vec<PublishOutcome>,
    ) -> Vec<PublishOutcome> {
        for (index, entry) in batch.iter().enumerate() {
            if outcomes[index] == PublishOutcome::Failed {
                let alone = Box::pin(self.publish_batch(std::slice::from_ref(entry))).await;
                outcomes[index] = alone.first().copied().unwrap_or(PublishOutcome::Failed);
            }
        }
        outcomes
    }

    async fn call(
        &self,
        batch: &[Entry],
        open: &[usize],
    ) -> Result<PublishBatchOutput, SdkError<PublishBatchError>> {
        let entries = open.iter().map(|&index| request_entry(index, &batch[index])).collect::<Result<_, _>>();
        let entries = entries.map_err(SdkError::construction_failure)?;
        let call = self.client.publish_batch().topic_arn(&self.topic_arn);
        call.set_publish_batch_request_entries(Some(entries)).send().await
    }
}

/// How many of the next entries one call can carry; at least one.
fn batch_length(entries: &[Entry]) -> usize {
    let mut bytes = 0;
    let fitting = entries.iter().take(MAX_ENTRIES).take_while(|entry| {
        bytes += entry.size();
        bytes <= MAX_BYTES
    });
    fitting.count().max(1)
}

fn request_entry(index: usize, entry: &Entry) -> Result<PublishBatchRequestEntry, BuildError> {
    let event_type = MessageAttributeValue::builder()
        .data_type("String")
        .string_value(entry.event_type.as_str())
        .build()?;
    PublishBatchRequestEntry::builder()
        .id(index.to_string())
        .message(&entry.body)
        .message_attributes("type", event_type)
        .build()
}

/// What is named neither as published nor as failed stays as it was, so it is tried again.
fn record_answer(outcomes: &mut [PublishOutcome], batch: &[Entry], answer: &PublishBatchOutput) {
    for published in answer.successful() {
        if let Some(outcome) = index_of(published.id()).and_then(|index| outcomes.get_mut(index)) {
            *outcome = PublishOutcome::Published;
        }
    }
    for failed in answer.failed() {
        let index = index_of(Some(failed.id()));
        if let Some((outcome, entry)) =
            index.and_then(|index| Some((outcomes.get_mut(index)?, batch.get(index)?)))
        {
            *outcome = if failed.sender_fault() { PublishOutcome::Refused } else { PublishOutcome::Failed };
            tracing::warn!(event.id = %entry.id, failure.code = failed.code(), "event not published");
        }
    }
}

fn index_of(id: Option<&str>) -> Option<usize> {
    id.and_then(|id| id.parse().ok())
}

/// Whether the call failed because of what its entries say, so that the same entries will fail again.
fn is_refusal(error: &SdkError<PublishBatchError>) -> bool {
    matches!(
        error.as_service_error(),
        Some(
            PublishBatchError::InvalidParameterException(_)
                | PublishBatchError::InvalidParameterValueException(_)
                | PublishBatchError::BatchRequestTooLongException(_)
                | PublishBatchError::ValidationException(_)
        )
    )
}

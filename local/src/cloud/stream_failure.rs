//! The note that tells where in a stream records were given up, and its destination.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use shop_types::Timestamp;

use super::AwsError;
use super::core::Core;
use super::dynamodb::Record;
use super::sns::Publication;
use super::sqs::NewMessage;
use super::stream_batch::Reason;
use crate::template::{OnFailure, Template, stream_arn};

/// Where notes go, by physical name.
#[derive(Clone, Debug)]
pub(super) enum Destination {
    Queue(String),
    Topic(String),
}

/// What was given up.
#[derive(Debug)]
pub(super) struct Failure<'a> {
    pub(super) function_arn: &'a str,
    pub(super) table: &'a str,
    pub(super) attempts: u32,
    pub(super) reason: Reason,
}

impl Destination {
    pub(super) fn of(template: &Template, on_failure: &OnFailure) -> Option<Self> {
        Some(match on_failure {
            OnFailure::Queue(id) => Self::Queue(template.queues.get(id)?.name.clone()),
            OnFailure::Topic(id) => Self::Topic(template.topics.get(id)?.name.clone()),
        })
    }

    /// Stores the note. As in Lambda it holds the position of the records, not the records.
    pub(super) fn send(&self, core: &Core, failure: &Failure<'_>, batch: &[Record]) -> Result<(), AwsError> {
        let body = failure.note(core, batch).to_string();
        match self {
            Self::Queue(queue) => {
                let message = NewMessage { body: body.into(), attributes: Arc::default(), delay: None };
                core.queues.send(vec![(queue, message)]).map(drop)
            }
            Self::Topic(topic) => {
                let publication = Publication { message: body, subject: None, attributes: BTreeMap::new() };
                core.topics.publish(topic, vec![publication], &core.queues).map(drop)
            }
        }
    }
}

impl Failure<'_> {
    fn note(&self, core: &Core, batch: &[Record]) -> Value {
        let time =
            |record: Option<&Record>| record.map(|record| Timestamp::from_millis(record.time()).to_string());
        let number = |record: Option<&Record>| record.map(|record| record.number.clone());
        json!({
            "version": "1.0",
            "timestamp": Timestamp::from_millis(core.clock.now()).to_string(),
            "requestContext": {
                "requestId": core.random.uuid(),
                "functionArn": self.function_arn,
                "condition": format!("{:?}", self.reason),
                "approximateInvokeCount": self.attempts,
            },
            "DDBStreamBatchInfo": {
                "shardId": "shardId-00000000000000000000-00000000",
                "startSequenceNumber": number(batch.first()),
                "endSequenceNumber": number(batch.last()),
                "approximateArrivalOfFirstRecord": time(batch.first()),
                "approximateArrivalOfLastRecord": time(batch.last()),
                "batchSize": batch.len(),
                "streamArn": stream_arn(self.table),
            },
        })
    }
}

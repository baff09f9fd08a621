//! The note that tells where in a stream records were given up.

use std::sync::Arc;

use serde_json::{Value, json};
use shop_types::Timestamp;

use super::AwsError;
use super::core::Core;
use super::dynamodb::Record;
use super::sqs::NewMessage;
use super::stream_batch::Reason;
use crate::template::stream_arn;

#[derive(Debug)]
pub(super) struct Failure<'a> {
    pub(super) function_arn: &'a str,
    pub(super) table: &'a str,
    pub(super) attempts: u32,
    pub(super) reason: Reason,
}

impl Failure<'_> {
    /// Stores the note in a queue, by its physical name. As in Lambda it holds the position of the records, not the
    /// records.
    pub(super) fn send(&self, queue: &str, core: &Core, batch: &[Record]) -> Result<(), AwsError> {
        let body = self.note(core, batch).to_string().into();
        let message = NewMessage { body, attributes: Arc::default(), delay: 0 };
        core.queues.send(vec![(queue, message)]).map(drop)
    }

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

//! The Lambda handler of a queue: from the raw SQS event to `batchItemFailures`.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::value::{RawValue, to_raw_value};
use shop_events::{Event, EventId};
use shop_lambda::log::Chain;
use shop_lambda::{FunctionError, Handler, Invocation};

use super::{BatchConsumer, Failure, Message, MessageResult};
use crate::panics::Panicked;

pub(super) struct QueueHandler<C> {
    consumer: C,
}

impl<C: BatchConsumer> QueueHandler<C> {
    pub(super) fn new(consumer: C) -> Self {
        Self { consumer }
    }

    async fn handle_batch(&self, payload: &str) -> Result<Box<RawValue>, FunctionError> {
        let event: SqsEvent = serde_json::from_str(payload)
            .map_err(|error| FunctionError::new("the payload is not an SQS event", error))?;
        let count = event.records.len();
        let batch = Batch::read(event.records)?;
        let results = self.consume(&batch.messages).await;
        let failed = batch.failed(&results);
        tracing::info!(batch.messages = count, batch.failed = failed.len(), "batch handled");

        let mut response = SqsBatchResponse::default();
        response.set_failures(failed);
        to_raw_value(&response).map_err(|error| FunctionError::new("the answer cannot be written", error))
    }

    /// Hands the batch over. Where that panics, each message is handed over alone, so that only the one that
    /// panics fails; what was done before the panic is done twice, which a consumer must bear anyway.
    async fn consume(&self, messages: &[Message]) -> Vec<MessageResult> {
        if messages.is_empty() {
            return Vec::new();
        }
        match self.consume_or_panic(messages).await {
            Ok(results) => results,
            Err(panic) if messages.len() == 1 => vec![Err(Failure::new("panicked", panic))],
            Err(panic) => {
                tracing::error!(error = %panic, batch.messages = messages.len(), "panic in a batch: one by one");
                let mut results = Vec::with_capacity(messages.len());
                for message in messages {
                    let alone = self.consume_or_panic(std::slice::from_ref(message)).await;
                    results.push(match alone {
                        Ok(results) => results.into_iter().next().unwrap_or_else(no_result),
                        Err(panic) => Err(Failure::new("panicked", panic)),
                    });
                }
                results
            }
        }
    }

    async fn consume_or_panic(&self, messages: &[Message]) -> Result<Vec<MessageResult>, Panicked> {
        AssertUnwindSafe(self.consumer.consume(messages))
            .catch_unwind()
            .await
            .map_err(|payload| Panicked::new(&*payload))
    }
}

impl<C: BatchConsumer> Handler for QueueHandler<C> {
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>> {
        async move { self.handle_batch(invocation.payload.get()).await }.boxed()
    }
}

fn no_result() -> MessageResult {
    Err(Failure::code_only("no_result"))
}

/// What a raw batch holds: distinct events, whose messages share their result, and what is no event.
struct Batch {
    /// One message per distinct event.
    messages: Vec<Message>,
    /// Each message's id, and the index in `messages` of its event.
    readable: Vec<(String, usize)>,
    /// Messages whose body is no event.
    malformed: Vec<String>,
}

impl Batch {
    fn read(records: Vec<SqsMessage>) -> Result<Self, FunctionError> {
        let mut batch = Self { messages: Vec::new(), readable: Vec::new(), malformed: Vec::new() };
        let mut index_of: BTreeMap<EventId, usize> = BTreeMap::new();
        for record in records {
            // Without an id a failure cannot be reported, so it would be acknowledged.
            let Some(message_id) = record.message_id.filter(|id| !id.is_empty()) else {
                return Err(FunctionError::new("the batch is not from SQS", "a message has no id"));
            };
            let event = match Event::from_json(record.body.as_deref().unwrap_or_default()) {
                Ok(event) => event,
                Err(error) => {
                    // The code only: the parser's own text may quote the body.
                    tracing::warn!(message.id = message_id, failure.code = error.code(), "message refused");
                    batch.malformed.push(message_id);
                    continue;
                }
            };
            let next = batch.messages.len();
            let index = *index_of.entry(event.id().clone()).or_insert(next);
            batch.readable.push((message_id.clone(), index));
            if index == next {
                let count = record.attributes.get("ApproximateReceiveCount");
                let receive_count = count.and_then(|count| count.parse().ok()).unwrap_or(1);
                batch.messages.push(Message { message_id, receive_count, event });
            }
        }
        Ok(batch)
    }

    /// The ids of the messages that are not done.
    fn failed(self, results: &[MessageResult]) -> Vec<String> {
        let missing = no_result();
        let mut failed = self.malformed;
        for (message_id, index) in self.readable {
            if let Err(failure) = results.get(index).unwrap_or(&missing) {
                let message = self.messages.get(index);
                tracing::warn!(
                    message.id = message_id,
                    message.receive_count = message.map(|message| message.receive_count),
                    event.id = message.map(|message| message.event.id().as_str()),
                    failure.code = failure.code(),
                    error = %Chain(failure),
                    "message failed"
                );
                failed.push(message_id);
            }
        }
        failed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};
    use shop_events::{Cause, EventData, ProductDeleted};
    use shop_types::Timestamp;

    use super::*;
    use crate::consumer::{Consumer, Each, handler};
    use crate::testing::invocation;

    fn event(product: &str) -> Event {
        let data = EventData::ProductDeleted(ProductDeleted { product_id: product.parse().unwrap() });
        Event::new(data, 1, Timestamp::from_millis(0), Cause::request("request-1"))
    }

    fn record(message_id: &str, body: &str) -> Value {
        json!({
            "messageId": message_id, "receiptHandle": "r", "body": body,
            "attributes": { "ApproximateReceiveCount": "2" }, "messageAttributes": {},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:q", "awsRegion": "eu-west-1"
        })
    }

    fn of(message_id: &str, product: &str) -> Value {
        record(message_id, &event(product).to_json().unwrap())
    }

    async fn failures(handler: &dyn Handler, records: Vec<Value>) -> Vec<String> {
        let answer = handler.handle(invocation(&json!({ "Records": records }))).await.unwrap();
        let answer: Value = serde_json::from_str(answer.get()).unwrap();
        let failures = answer["batchItemFailures"].as_array().unwrap();
        failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// Fails products named "fail", panics at "panic", and remembers what it was handed.
    #[derive(Default)]
    struct Recorder {
        seen: std::sync::Arc<Mutex<Vec<Vec<String>>>>,
    }

    fn judge(event: &Event) -> MessageResult {
        match event.subject().as_str() {
            "fail" => Err(Failure::code_only("told_to")),
            "panic" => panic!("told to"),
            _ => Ok(()),
        }
    }

    impl BatchConsumer for Recorder {
        async fn consume(&self, batch: &[Message]) -> Vec<MessageResult> {
            self.seen.lock().unwrap().push(batch.iter().map(|message| message.event.subject()).collect());
            batch.iter().map(|message| judge(&message.event)).collect()
        }
    }

    struct Judge;

    impl Consumer for Judge {
        async fn consume(&self, event: &Event) -> MessageResult {
            judge(event)
        }
    }

    #[tokio::test]
    async fn a_malformed_body_fails_alone() {
        let recorder = Recorder::default();
        let seen = recorder.seen.clone();
        let mut without_body = record("no-body", "");
        without_body.as_object_mut().unwrap().remove("body");
        let records =
            vec![of("1", "a"), record("2", "{not json"), of("3", "fail"), record("4", "{}"), without_body];
        assert_eq!(failures(&*handler(recorder), records).await, ["2", "4", "no-body", "3"]);
        assert_eq!(*seen.lock().unwrap(), [["a", "fail"]]);
    }

    #[tokio::test]
    async fn the_same_event_twice_is_handed_over_once_and_shares_its_result() {
        let recorder = Recorder::default();
        let seen = recorder.seen.clone();
        let records = vec![of("1", "a"), of("2", "a"), of("3", "fail"), of("4", "fail")];
        assert_eq!(failures(&*handler(recorder), records).await, ["3", "4"]);
        assert_eq!(*seen.lock().unwrap(), [["a", "fail"]]);
    }

    #[tokio::test]
    async fn a_panic_fails_only_the_message_that_causes_it() {
        let records = || vec![of("1", "a"), of("2", "panic"), of("3", "b"), of("4", "fail")];
        assert_eq!(failures(&*handler(Recorder::default()), records()).await, ["2", "4"]);
        assert_eq!(failures(&*handler(Each(Judge)), records()).await, ["2", "4"]);
        assert_eq!(failures(&*handler(Recorder::default()), vec![of("1", "panic")]).await, ["1"]);
    }

    /// Judges each message after it has waited for so many others: the last one ends first.
    struct Slow(std::sync::atomic::AtomicUsize);

    impl Consumer for Slow {
        async fn consume(&self, event: &Event) -> MessageResult {
            let place = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            for _ in place..10 {
                tokio::task::yield_now().await;
            }
            judge(event)
        }
    }

    #[tokio::test]
    async fn a_result_is_its_message_s_in_whatever_order_they_end() {
        let names = ["a", "fail", "b", "c", "d", "e"];
        for failing in 0..names.len() {
            let product = |index: usize| match (index, names[index]) {
                (index, _) if index == failing => "fail",
                (_, "fail") => "f",
                (_, other) => other,
            };
            let records = (0..names.len()).map(|index| of(&index.to_string(), product(index))).collect();
            assert_eq!(failures(&*handler(Each(Slow(0.into()))), records).await, [failing.to_string()]);
        }
    }

    #[tokio::test]
    async fn a_missing_result_is_a_failure() {
        struct Silent;
        impl BatchConsumer for Silent {
            async fn consume(&self, _: &[Message]) -> Vec<MessageResult> {
                vec![Ok(())]
            }
        }
        assert_eq!(failures(&*handler(Silent), vec![of("1", "a"), of("2", "b")]).await, ["2"]);
    }

    #[tokio::test]
    async fn an_empty_batch_is_done() {
        assert!(failures(&*handler(Recorder::default()), vec![]).await.is_empty());
    }

    #[tokio::test]
    async fn what_is_no_batch_fails_as_a_whole() {
        let mut without_id = of("1", "a");
        without_id.as_object_mut().unwrap().remove("messageId");
        for payload in [json!({ "Records": [without_id] }), json!({}), json!([])] {
            let handler = handler(Recorder::default());
            assert!(handler.handle(invocation(&payload)).await.is_err(), "{payload}");
        }
    }
}

//! The event source mapping of a queue: takes messages in batches, invokes the function, deletes what it
//! handled.
//!
//! What failed is left alone: it becomes visible again at the end of its visibility timeout, which the function may have
//! changed meanwhile, and goes to the dead-letter queue when it was received too often. A batch is taken as soon as there is a message,
//! or when the batching window ends; waiting ends by notification, never by asking again and again.

use std::sync::Arc;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::batch;
use super::core::Core;
use super::lambda::Lambda;
use super::observer::Delivery;
use super::running::Running;
use super::sqs::Message;
use crate::template::{REGION, SqsEvent, queue_arn};

/// How many batches Lambda's pollers take at once before they scale up.
const DEFAULT_CONCURRENCY: usize = 5;

pub(super) struct SqsMapping {
    pub(super) core: Arc<Core>,
    pub(super) lambda: Arc<Lambda>,
    pub(super) running: Running,
    /// The one name of the function.
    pub(super) function: String,
    /// The physical name of the queue.
    pub(super) queue: String,
    pub(super) event: SqsEvent,
}

impl SqsMapping {
    /// Polls until the cloud stops.
    pub(super) async fn run(self) {
        let concurrency = self.event.maximum_concurrency.unwrap_or(DEFAULT_CONCURRENCY);
        let slots = Arc::new(Semaphore::new(concurrency));
        let mapping = Arc::new(self);
        loop {
            let next = async {
                let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
                Some((slot, mapping.next_batch().await))
            };
            let next = tokio::select! {
                biased;
                () = mapping.running.stopped() => return,
                next = next => next,
            };
            let Some((slot, messages)) = next else { return };
            let batch = Arc::clone(&mapping);
            let spawned = mapping.running.spawn(async move {
                batch.handle(messages).await;
                drop(slot);
            });
            // None means that the cloud stops. The messages stay in the queue: they were not deleted.
            if spawned.is_none() {
                return;
            }
        }
    }

    /// Waits for a batch and receives it.
    async fn next_batch(&self) -> Vec<Message> {
        let window = i64::try_from(self.event.window.as_millis()).unwrap_or(i64::MAX);
        let Some(arrivals) = self.core.queues.arrivals(&self.queue) else {
            return std::future::pending().await;
        };
        let mut window_end: Option<i64> = None;
        loop {
            self.core.while_down(&self.function).await;
            let arrived = arrivals.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            let (ready, next_change) = self.core.queues.ready(&self.queue);
            let now = self.core.clock.now();
            if ready > 0 {
                let end = *window_end.get_or_insert(now.saturating_add(window));
                if ready >= self.event.batch_size || now >= end {
                    window_end = None;
                    let interceptor = self.core.interceptor.as_ref();
                    let hidden = interceptor.and_then(|interceptor| interceptor.visibility(&self.queue));
                    let hidden = hidden.map(|hidden| i64::try_from(hidden.as_millis()).unwrap_or(i64::MAX));
                    match self.core.queues.receive(&self.queue, self.event.batch_size, hidden) {
                        Ok(messages) if !messages.is_empty() => return messages,
                        // All of them went to the dead-letter queue.
                        Ok(_) => continue,
                        // Logged where it happened. The next arrival tries again.
                        Err(_) => {}
                    }
                }
            } else {
                window_end = None;
            }
            let wake = match (window_end, next_change) {
                (Some(end), Some(change)) => Some(end.min(change)),
                (end, change) => end.or(change),
            };
            let timer = async {
                match wake {
                    Some(wake) => self.core.clock.until(wake).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = arrived => {}
                () = timer => {}
            }
        }
    }

    /// Delivers a batch and deletes what was handled.
    async fn handle(&self, messages: Vec<Message>) {
        let ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
        let earlier = messages.first().map_or(0, |message| message.receives.saturating_sub(1));
        let delivery = Delivery { function: &self.function, source: &self.queue, ids: &ids, earlier };
        let times = self.core.deliveries(&delivery).await;
        let mut failed = (0..messages.len()).collect();
        for _ in 0..times {
            let payload = match self.payload(&messages) {
                Ok(payload) => payload,
                Err(error) => {
                    tracing::error!(%error, queue.name = %self.queue, "a batch cannot be written as JSON");
                    return;
                }
            };
            let answer = self.lambda.invoke(&self.function, payload).await;
            let says = batch::failures(&answer, self.event.reports_failures, &ids);
            failed = self.core.batch_completed(&delivery, says);
        }
        let handled: Vec<&str> = messages
            .iter()
            .enumerate()
            .filter(|(place, _)| !failed.contains(place))
            .filter_map(|(_, message)| message.receipt.as_deref())
            .collect();
        // A failure is logged where it happens; the messages come again, as they may at any time.
        drop(self.core.queues.delete(&self.queue, &handled));
    }

    /// The batch as Lambda delivers it.
    fn payload(&self, messages: &[Message]) -> serde_json::Result<Box<RawValue>> {
        let arn = queue_arn(&self.queue);
        let records: Vec<Value> = messages
            .iter()
            .map(|message| {
                let attributes: Map<String, Value> = message
                    .attributes
                    .iter()
                    .map(|(name, attribute)| {
                        let value = json!({
                            "stringListValues": [], "binaryListValues": [],
                            "dataType": attribute.data_type, "stringValue": attribute.string_value,
                        });
                        (name.clone(), value)
                    })
                    .collect();
                json!({
                    "messageId": message.id,
                    "receiptHandle": message.receipt,
                    "body": &*message.body,
                    "attributes": message.system_attributes(),
                    "messageAttributes": attributes,
                    "md5OfBody": format!("{:x}", md5::compute(&*message.body)),
                    "eventSource": "aws:sqs",
                    "eventSourceARN": arn,
                    "awsRegion": REGION,
                })
            })
            .collect();
        to_raw_value(&json!({"Records": records}))
    }
}

//! The Lambda handler of a queue: from the raw SQS event to `batchItemFailures`.

use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::value::{RawValue, to_raw_value};
use shop_lambda::{FunctionError, Handler, Invocation, OutOfTime};

use super::batch::{Batch, Settled};
use super::retries::Retries;
use super::{BatchConsumer, Body, Failure, Message, MessageResult};
use crate::panics::Panicked;
use crate::receipts::{Journal, Receipts};

/// What an invocation keeps of its time for saying when what failed comes again, and for its answer.
const LAST_CALL: Duration = Duration::from_secs(2);
/// What it keeps of that for its answer.
const ANSWER: Duration = Duration::from_millis(500);

pub(super) struct QueueHandler<C, B> {
    consumer: C,
    reads: PhantomData<fn() -> B>,
    retries: Retries,
    /// Who is told what became of each delivery; nobody, of the journal's own consumer.
    journal: Option<Journal>,
}

impl<B: Body, C: BatchConsumer<B>> QueueHandler<C, B> {
    pub(super) fn new(consumer: C, retries: Retries, journal: Option<Journal>) -> Self {
        Self { consumer, reads: PhantomData, retries, journal }
    }

    async fn handle_batch(&self, invocation: &Invocation) -> Result<Box<RawValue>, FunctionError> {
        let event: SqsEvent = serde_json::from_str(invocation.payload.get())
            .map_err(|error| FunctionError::new("the payload is not an SQS event", error))?;
        let count = event.records.len();
        let batch = Batch::<B>::read(event.records)?;

        let timer = self.retries.timer();
        let (began, left) = (timer.clock().now(), invocation.time_left(timer.clock()));
        let limit = left.map(|left| left.saturating_sub(LAST_CALL));
        let results = timer.within(limit, self.consume(&batch.messages)).await;
        let results = results.unwrap_or_else(|out_of_time| not_done(&batch.messages, out_of_time));
        let ended = timer.clock().now();
        let Settled { failed, receipts } = batch.settle(&results, &self.retries, ended);
        tracing::info!(batch.messages = count, batch.failed = failed.len(), "batch handled");

        // The answer says what failed, whatever becomes of this: without it a message comes again later than it would.
        let spent = ended.abs_diff(began);
        let limit = left.map(|left| left.saturating_sub(spent).saturating_sub(ANSWER));
        let tell = async {
            if let Some(journal) = &self.journal {
                let told = Receipts {
                    consumer: self.retries.consumer().to_owned(),
                    batch: invocation.context.request_id.clone(),
                    part: 0,
                    started_at: began,
                    duration_ms: u64::try_from(spent.as_millis()).unwrap_or(u64::MAX),
                    receipts,
                };
                journal.tell(told, limit).await;
            }
        };
        futures::join!(self.retries.put_off(&failed, limit), tell);

        let mut response = SqsBatchResponse::default();
        response.set_failures(failed.into_iter().map(|failed| failed.message_id));
        to_raw_value(&response).map_err(|error| FunctionError::new("the answer cannot be written", error))
    }

    /// Hands the batch over. Where that panics, each message is handed over alone, so that only the one that
    /// panics fails; what was done before the panic is done twice, which a consumer must bear anyway.
    async fn consume(&self, messages: &[Message<B>]) -> Vec<MessageResult> {
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

    async fn consume_or_panic(&self, messages: &[Message<B>]) -> Result<Vec<MessageResult>, Panicked> {
        AssertUnwindSafe(self.consumer.consume(messages))
            .catch_unwind()
            .await
            .map_err(|payload| Panicked::new(&*payload))
    }
}

impl<B: Body, C: BatchConsumer<B>> Handler for QueueHandler<C, B> {
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>> {
        async move { self.handle_batch(&invocation).await }.boxed()
    }
}

fn no_result() -> MessageResult {
    Err(Failure::code_only("no_result"))
}

/// What the consumer has not finished in its time has failed, all of it: nobody knows how far it came.
fn not_done<B>(messages: &[Message<B>], out_of_time: OutOfTime) -> Vec<MessageResult> {
    messages.iter().map(|_| Err(Failure::new("out_of_time", out_of_time))).collect()
}

#[cfg(test)]
mod tests;

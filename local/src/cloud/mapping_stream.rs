//! The event source mapping of a table's stream: takes records in their order, in batches, and retries a
//! batch until it is handled or given up.
//!
//! Records are spread over shards by their partition key, so that the order per key is kept while several
//! batches run. A record leaves the stream only after it was handled, or after its position was written to
//! the failure destination.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::{Notify, mpsc};

use super::batch;
use super::core::Core;
use super::dynamodb::Record;
use super::lambda::Lambda;
use super::observer::Delivery;
use super::running::Running;
use super::stream_batch::{Next, Plan, Reason, Span};
use super::stream_failure::Failure;
use crate::template::StreamEvent;

/// How many records are read at once, and how many wait in a shard; the rest stays in the storage.
const PAGE: usize = 500;
/// The wait before the first retry of a batch; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// How long a stream keeps a record (DynamoDB Developer Guide, "Change data capture for DynamoDB Streams").
const RETENTION: Duration = Duration::from_hours(24);
/// The longest wait before a retry.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

pub(super) struct StreamMapping {
    pub(super) core: Arc<Core>,
    pub(super) lambda: Arc<Lambda>,
    pub(super) running: Running,
    /// The one name of the function.
    pub(super) function: String,
    /// The ARN of the function.
    pub(super) function_arn: String,
    /// The physical name of the table.
    pub(super) table: String,
    pub(super) event: StreamEvent,
    /// The physical name of the queue that is told what is given up.
    pub(super) destination: Option<String>,
    pub(super) wake: Arc<Notify>,
}

impl StreamMapping {
    /// Reads until the cloud stops.
    pub(super) async fn run(self) {
        let mapping = Arc::new(self);
        let mut shards = Vec::with_capacity(mapping.event.shards);
        for _ in 0..mapping.event.shards.max(1) {
            let (shard, records) = mpsc::channel(PAGE);
            mapping.running.worker(Arc::clone(&mapping).run_shard(records));
            shards.push(shard);
        }
        tokio::select! {
            biased;
            () = mapping.running.stopped() => {}
            () = mapping.read(&shards) => {}
        }
    }

    /// Passes the records of the stream to the shards. A full shard holds it up.
    async fn read(&self, shards: &[mpsc::Sender<Record>]) {
        let mut position = 0;
        loop {
            // A failure is logged where it happens. The next write tries again.
            let records = self.core.dynamodb.read_stream(&self.table, position, PAGE).unwrap_or_default();
            if records.is_empty() {
                self.wake.notified().await;
                continue;
            }
            for record in records {
                position = record.position;
                let Some(shard) = shards.get(shard_of(&record.partition, shards.len())) else { return };
                if shard.send(record).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn run_shard(self: Arc<Self>, mut records: mpsc::Receiver<Record>) {
        loop {
            let batch = tokio::select! {
                biased;
                () = self.running.stopped() => return,
                batch = self.next_batch(&mut records) => batch,
            };
            if batch.is_empty() {
                return;
            }
            let mapping = Arc::clone(&self);
            let handled = self.running.spawn(async move { mapping.handle(batch).await });
            let Some(handled) = handled else { return };
            if handled.await.is_err() {
                tracing::error!(table.name = %self.table, "a stream batch was not handled to its end");
                return;
            }
        }
    }

    /// The next batch: full, or what there is when the window ends. Empty when the reader has ended.
    async fn next_batch(&self, records: &mut mpsc::Receiver<Record>) -> Vec<Record> {
        let mut batch = Vec::new();
        let size = self.event.batch_size;
        if records.recv_many(&mut batch, size).await == 0 {
            return batch;
        }
        let end = tokio::time::Instant::now() + self.event.window;
        while batch.len() < size && !self.event.window.is_zero() {
            let left = size - batch.len();
            match tokio::time::timeout_at(end, records.recv_many(&mut batch, left)).await {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
        }
        batch
    }

    /// Delivers a batch until every record of it was handled or given up.
    async fn handle(&self, records: Vec<Record>) {
        let records = self.without_lost(records);
        let mut plan = Plan::new(records.len(), self.event.bisect, self.event.maximum_retries);
        while let Some(span) = plan.next() {
            let batch = &records[span.range()];
            let Some(first) = batch.first() else { continue };
            tokio::select! {
                biased;
                () = self.running.stopped() => return,
                () = self.core.while_down(&self.function) => {}
            }
            if self.is_trimmed(first) {
                // The oldest records go one by one: the next may be young enough.
                self.complete(&batch[..1]);
                plan.skip_first(span);
                continue;
            }
            if let Some(maximum) = self.event.maximum_age
                && self.core.clock.now().saturating_sub(first.time()) > millis(maximum)
            {
                self.give_up(batch, span, Reason::RecordAgeExceeded).await;
                continue;
            }
            let lowest_failure = match self.deliver(batch, span).await {
                Ok(lowest_failure) => lowest_failure,
                // The cloud stops: what was not handled stays in the stream.
                Err(Stopping) => return,
            };
            let done = lowest_failure.unwrap_or(batch.len());
            self.complete(&batch[..done]);
            match plan.report(span, lowest_failure) {
                Next::Continue => {}
                Next::Retry { attempts } => {
                    let wait = FIRST_RETRY.saturating_mul(1 << attempts.min(16)).min(LONGEST_RETRY);
                    tokio::select! {
                        biased;
                        () = self.running.stopped() => return,
                        () = tokio::time::sleep(wait) => {}
                    }
                }
                Next::GiveUp(rest) => {
                    self.give_up(&records[rest.range()], rest, Reason::RetryAttemptsExhausted).await;
                }
            }
        }
    }

    /// Invokes the function. Returns the place of the lowest record that failed.
    async fn deliver(&self, batch: &[Record], span: Span) -> Result<Option<usize>, Stopping> {
        let ids: Vec<&str> = batch.iter().map(|record| record.number.as_str()).collect();
        let delivery =
            Delivery { function: &self.function, source: &self.table, ids: &ids, earlier: span.attempts };
        let times = self.core.deliveries(&delivery).await;
        let mut lowest = None;
        for _ in 0..times {
            let answer = match payload(batch) {
                Ok(payload) => self.lambda.invoke(&self.function, payload).await,
                Err(error) => {
                    tracing::error!(%error, table.name = %self.table, "a batch cannot be written as JSON");
                    return Ok(Some(0));
                }
            };
            if matches!(answer, Err(super::InvokeError::Stopping)) {
                return Err(Stopping);
            }
            let says = batch::failures(&answer, self.event.reports_failures, &ids);
            lowest = self.core.batch_completed(&delivery, says).first().copied();
            if lowest.is_some() {
                break;
            }
        }
        Ok(lowest)
    }

    /// The records that no fault loses. Nobody is told of the others.
    fn without_lost(&self, records: Vec<Record>) -> Vec<Record> {
        let Some(interceptor) = &self.core.interceptor else { return records };
        let (lost, left): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| interceptor.loses_record(&self.table, &record.json));
        self.complete(&lost);
        left
    }

    /// Whether a record is no longer in the stream, for its age. Nobody is told of it.
    fn is_trimmed(&self, record: &Record) -> bool {
        self.core.clock.now().saturating_sub(record.time()) > millis(RETENTION)
    }

    fn complete(&self, batch: &[Record]) {
        // A failure is logged where it happens; the records come again after a restart, as they may.
        drop(self.core.dynamodb.complete(&self.table, batch));
    }

    async fn give_up(&self, batch: &[Record], span: Span, reason: Reason) {
        let first = batch.first().map(|record| record.number.as_str()).unwrap_or_default();
        tracing::warn!(table.name = %self.table, first.sequence_number = first, records = batch.len(), ?reason, "stream records were given up");
        let failure =
            Failure { function_arn: &self.function_arn, table: &self.table, attempts: span.attempts, reason };
        let mut wait = FIRST_RETRY;
        // Without the note the records would be gone without a trace, so it is tried until it is stored.
        while let Some(destination) = &self.destination
            && failure.send(destination, &self.core, batch).is_err()
        {
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2).min(LONGEST_RETRY);
        }
        self.complete(batch);
    }
}

struct Stopping;

/// The shard of a partition key: always the same one.
fn shard_of(partition: &str, shards: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    partition.hash(&mut hasher);
    let shards = u64::try_from(shards).unwrap_or(1).max(1);
    usize::try_from(hasher.finish() % shards).unwrap_or(0)
}

/// The batch as Lambda delivers it.
fn payload(batch: &[Record]) -> serde_json::Result<Box<RawValue>> {
    let size: usize = batch.iter().map(|record| record.json.len() + 1).sum();
    let mut json = String::with_capacity(size + 16);
    json.push_str("{\"Records\":[");
    for (place, record) in batch.iter().enumerate() {
        if place > 0 {
            json.push(',');
        }
        json.push_str(&record.json);
    }
    json.push_str("]}");
    RawValue::from_string(json)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

//! `GET /monitor/queues`: every consumer's queue, what waits in it and what goes through it. Administrators only.
//!
//! How many messages wait is what SQS says at the moment; it is exact once nothing changes for a while. What went through is
//! worked out of the log of the last minutes, as far as a request reads: `from` says since when.

use std::collections::BTreeMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName as Name;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use schemars::JsonSchema;
use serde::Serialize;
use shop_dynamo::StoreError;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Clock, Environment, Function, Internal, StartError};
use shop_types::Timestamp;

use crate::consumers::CONSUMERS;
use crate::packing::{HOUR_MS, LOG_BUCKET_MS, bucket};
use crate::store::{LogContent, Store};
use crate::traffic::{Traffic, traffic};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ListQueues>();

/// How far back is looked.
const WINDOW_MS: i64 = 300_000;
/// Calls for that; each reads 1 MB at most.
const MAX_CALLS: usize = 3;
/// Queues that are asked at a time.
const CONCURRENCY: usize = 12;

pub(crate) struct ListQueues {
    store: Store,
    client: Client,
    clock: Clock,
    queues: Vec<Watched>,
}

/// A consumer's queues, by their URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Watched {
    consumer: String,
    name: String,
    url: String,
    dead_letter_url: String,
}

/// A consumer, and what is in its queue.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Queue")]
struct Shown {
    /// The consumer's name.
    consumer: String,
    /// The queue's.
    queue: String,
    /// The types of events that it is sent; none where it holds something else.
    event_types: Vec<&'static str>,
    /// Messages that can be received.
    ready: u64,
    /// Messages that somebody has received, or that wait for their next try.
    in_flight: u64,
    /// Messages in its dead-letter queue.
    dead_letters: u64,
    traffic: Traffic,
}

/// Every queue.
#[derive(Debug, Serialize, JsonSchema)]
struct Queues {
    /// By the consumers' names.
    data: Vec<Shown>,
    /// Since when the traffic is counted.
    from: Timestamp,
    /// Until when.
    to: Timestamp,
}

/// SQS did not say what is in a queue.
#[derive(Debug, thiserror::Error)]
#[error("SQS did not say what is in a queue")]
struct NotTold(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Internal for NotTold {}

impl Route for ListQueues {
    const NAME: &'static str = "list-queues";
    const ENDPOINT: Endpoint = get("/monitor/queues");
    const ACCESS: Access = Access::Admin;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self {
            store: Store::start(start.environment(), start.client())?,
            client: Client::new(start.environment().sdk_config()),
            clock: start.environment().clock(),
            queues: watched(start.environment())?,
        })
    }

    fn contract() -> Contract {
        Contract::new("Shows every queue: what waits in it, and what has gone through it in the last minutes")
            .ok::<Queues>("Every queue.")
    }

    async fn handle(&self, _call: Call) -> Result<Reply, Problem> {
        let now = self.clock.now();
        let depths = stream::iter(self.queues.iter().map(|queue| self.depths(queue)).collect::<Vec<_>>());
        let depths = depths.buffered(CONCURRENCY).try_collect::<Vec<_>>();
        let (depths, read) = futures::join!(depths, self.log(now));
        let (log, from) = read?;
        let mut traffic: BTreeMap<String, Traffic> = traffic(log, from, now);
        let queue = |(watched, [ready, in_flight, dead_letters]): (&Watched, [u64; 3])| Shown {
            consumer: watched.consumer.clone(),
            queue: watched.name.clone(),
            event_types: types(&watched.consumer),
            ready,
            in_flight,
            dead_letters,
            traffic: traffic.remove(&watched.consumer).unwrap_or_default(),
        };
        let data = self.queues.iter().zip(depths?).map(queue).collect();
        Reply::ok(&Queues { data, from, to: now })
    }
}

/// The types of events that a consumer is sent.
fn types(consumer: &str) -> Vec<&'static str> {
    let known = CONSUMERS.iter().find(|known| known.name == consumer);
    known.map(|known| known.types.to_vec()).unwrap_or_default()
}

impl ListQueues {
    /// What is ready, in flight and dead of a consumer.
    async fn depths(&self, queue: &Watched) -> Result<[u64; 3], NotTold> {
        let (own, dead) = futures::try_join!(self.depth(&queue.url), self.depth(&queue.dead_letter_url))?;
        Ok([own[0], own[1], dead[0] + dead[1]])
    }

    /// What is ready in a queue, and what is hidden.
    async fn depth(&self, url: &str) -> Result<[u64; 2], NotTold> {
        let names = [Name::ApproximateNumberOfMessages, Name::ApproximateNumberOfMessagesNotVisible];
        let call = self.client.get_queue_attributes().queue_url(url);
        let answer = call.set_attribute_names(Some(names.to_vec())).send().await;
        let answer = answer.map_err(|error| NotTold(error.into()))?;
        let attributes = answer.attributes.unwrap_or_default();
        Ok(names.map(|name| attributes.get(&name).and_then(|count| count.parse().ok()).unwrap_or_default()))
    }

    /// The log of the last minutes, as far as the budget goes, and since when that is.
    async fn log(&self, now: Timestamp) -> Result<(Vec<LogContent>, Timestamp), StoreError> {
        let from = Timestamp::from_millis(now.as_millis().saturating_sub(WINDOW_MS));
        let mut all = Vec::new();
        let mut calls = 0;
        let (mut hour, mut open) = (bucket(now, HOUR_MS), from);
        while hour.as_millis().saturating_add(HOUR_MS) > from.as_millis() {
            let mut after = None;
            loop {
                let found = self.store.log(hour, now, after).await?;
                calls += 1;
                for (of, content) in found.items {
                    if of < bucket(from, LOG_BUCKET_MS) {
                        return Ok((all, from));
                    }
                    open = of;
                    all.push(content);
                }
                after = found.next;
                if after.is_none() {
                    break;
                }
                // Of the bucket that was read last, perhaps a part is missing.
                if calls >= MAX_CALLS {
                    return Ok((all, Timestamp::from_millis(open.as_millis().saturating_add(LOG_BUCKET_MS))));
                }
            }
            hour = Timestamp::from_millis(hour.as_millis().saturating_sub(HOUR_MS));
        }
        Ok((all, from))
    }
}

/// The settings of the queues: names by threes, of a consumer, its queue and its dead-letter queue. Their URLs differ in
/// the name alone.
fn watched(environment: &Environment) -> Result<Vec<Watched>, StartError> {
    let journal = environment.required("JOURNAL_QUEUE_URL")?;
    let base = journal.rsplit_once('/').map_or("", |(base, _)| base);
    let names: Vec<&str> = environment.required("QUEUES")?.split_whitespace().collect();
    let (threes, rest) = names.as_chunks::<3>();
    if !rest.is_empty() {
        let name = "QUEUES".to_owned();
        return Err(StartError::InvalidVariable { name, expected: "names by threes" });
    }
    let url = |name: &str| format!("{base}/{name}");
    let mut all: Vec<_> = threes
        .iter()
        .map(|[consumer, queue, dead]| Watched {
            consumer: (*consumer).to_owned(),
            name: (*queue).to_owned(),
            url: url(queue),
            dead_letter_url: url(dead),
        })
        .collect();
    all.sort_by(|left, right| left.consumer.cmp(&right.consumer));
    Ok(all)
}

//! Every five minutes: finds orders that have been pending for too long, and drives them on.
//!
//! Events are delivered at least once, but not for ever: a relay that is down for longer than the stream keeps
//! its records, or a message that ends in a dead-letter queue, leaves its order pending. A nudge is a write to
//! such an order that changes nothing but a counter. The relay tells it as order.stalled, and reserve-stock
//! answers by settling the order's stock, or by telling once more what became of it.
//!
//! - It publishes nothing, and knows nothing of stock.
//! - It nudges for as long as an order is pending, without growing pauses: when whatever was broken is mended,
//!   the order is settled within minutes.
//! - Two sweeps at once, or one that is repeated, nudge an order once: the nudge is conditional on the one
//!   before it.
//! - What fails is tried by the next sweep; the others are nudged all the same, and the invocation fails, so
//!   that its alarm tells.
//!
//! Needs `dynamodb:Query` on the index by-status, and `UpdateItem` on the orders table.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use futures::future::join_all;
use serde::Serialize;
use serde::de::IgnoredAny;
use shop_dynamo::StoreError;
use shop_lambda::log::Chain;
use shop_lambda::{Budget, Clock, Function, FunctionError, Task, task};
use shop_types::Timestamp;

use crate::order::Order;
use crate::store::{OrderStore, STATUS_SHARDS};

/// The Lambda function.
pub const FUNCTION: Function = Function::new("sweep-orders", |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        Ok(task(SweepOrders {
            orders: OrderStore::new(client, environment.required("ORDERS_TABLE")?),
            clock: environment.clock(),
        }))
    })
});

/// Below the function's timeout of 240 s by more than one call may take. The next sweep goes on.
const BUDGET: Duration = Duration::from_secs(210);
/// How many orders of a shard are nudged at a time.
const CONCURRENCY: usize = 8;

struct SweepOrders {
    orders: OrderStore,
    clock: Clock,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// How many orders the index has as pending, the newest among them.
    pub pending: u64,
    /// How many of them are stalled.
    pub found: u64,
    /// How many were nudged.
    pub nudged: u64,
    /// How many had been settled or nudged by somebody else when it came to them.
    pub let_be: u64,
    /// How many could not be nudged.
    pub failed: u64,
    /// For how long the oldest of the stalled orders has been pending.
    pub oldest_seconds: u64,
    /// The parts of the index whose end was not reached: for lack of time, or because a call failed.
    pub unfinished_shards: u64,
}

impl Swept {
    fn add(&mut self, other: Self) {
        self.pending += other.pending;
        self.found += other.found;
        self.nudged += other.nudged;
        self.let_be += other.let_be;
        self.failed += other.failed;
        self.oldest_seconds = self.oldest_seconds.max(other.oldest_seconds);
        self.unfinished_shards += other.unfinished_shards;
    }

    fn find(&mut self, order: &Order, now: Timestamp) {
        self.found += 1;
        self.oldest_seconds = self.oldest_seconds.max(now.distance(order.placed_at).as_secs());
    }
}

impl Task for SweepOrders {
    type Input = IgnoredAny;
    type Answer = Swept;

    async fn run(&self, _: Self::Input, _: &str) -> Result<Swept, FunctionError> {
        let budget = Budget::start(&self.clock, BUDGET);
        let mut swept = Swept::default();
        let mut failure = None;
        for (of_shard, failed) in join_all((0..STATUS_SHARDS).map(|shard| self.sweep(shard, &budget))).await {
            swept.add(of_shard);
            failure = failure.or(failed);
        }
        log(&swept);
        match failure {
            None => Ok(swept),
            Some(error) => Err(FunctionError::new("some stalled orders could not be nudged", error)),
        }
    }
}

impl SweepOrders {
    /// Sweeps a shard, and says what it did, whether or not it came to the end.
    async fn sweep(&self, shard: u8, budget: &Budget) -> (Swept, Option<StoreError>) {
        let mut swept = Swept::default();
        let mut failure = None;
        let mut next = None;
        loop {
            let page = match self.orders.pending(shard, next).await {
                Ok(page) => page,
                Err(error) => {
                    swept.unfinished_shards = 1;
                    return (swept, failure.or(Some(error)));
                }
            };
            swept.pending += u64::try_from(page.orders.len()).unwrap_or(u64::MAX);
            let now = self.clock.now();
            let stalled: Vec<_> = page.orders.iter().filter(|order| order.is_stalled(now)).collect();
            for orders in stalled.chunks(CONCURRENCY) {
                if budget.is_over() {
                    swept.unfinished_shards = 1;
                    return (swept, failure);
                }
                let now = self.clock.now();
                for order in orders {
                    swept.find(order, now);
                }
                for nudged in join_all(orders.iter().map(|order| self.orders.nudge(order, now))).await {
                    match nudged {
                        Ok(true) => swept.nudged += 1,
                        Ok(false) => swept.let_be += 1,
                        Err(error) => {
                            tracing::warn!(error = %Chain(&error), "an order is not nudged");
                            swept.failed += 1;
                            failure = failure.or(Some(error));
                        }
                    }
                }
            }
            next = page.next;
            if next.is_none() {
                return (swept, failure);
            }
        }
    }
}

fn log(swept: &Swept) {
    let Swept { pending, found, nudged, failed, oldest_seconds, unfinished_shards, .. } = *swept;
    if failed + unfinished_shards > 0 {
        tracing::error!(
            orders.pending = pending,
            orders.stalled = found,
            orders.nudged = nudged,
            orders.failed = failed,
            orders.oldest_seconds = oldest_seconds,
            "not all stalled orders were nudged"
        );
    } else if found > 0 {
        tracing::warn!(
            orders.pending = pending,
            orders.stalled = found,
            orders.nudged = nudged,
            orders.oldest_seconds = oldest_seconds,
            "orders are stalled"
        );
    } else {
        tracing::info!(orders.pending = pending, "no order is stalled");
    }
}

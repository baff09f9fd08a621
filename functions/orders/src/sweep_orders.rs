//! Every five minutes: finds orders that have been pending for too long, and drives them on.
//!
//! Events are delivered at least once, but not for ever: a relay that is down for longer than the stream keeps
//! its records, or a message that ends in a dead-letter queue, leaves its order pending. A nudge is a write to
//! such an order that changes nothing but a counter. The relay tells it as order.stalled, and reserve-stock
//! answers by settling the order's stock, or by telling once more what became of it.
//!
//! - It publishes nothing, and knows nothing of stock.
//! - It nudges for as long as an order is pending. While orders are being settled, each sweep nudges all that
//!   are stalled. While none is, nudges would only pile up before whatever is broken: each order is nudged with
//!   growing pauses, up to an hour, and only the newest of each shard by every sweep. When one of those is
//!   settled, things move again, and the next sweep nudges all: ten minutes after the end of an outage at most.
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
use shop_events::OrderStatus;
use shop_lambda::{Budget, Clock, Function, FunctionError, Task, task};
use shop_lambda::{Environment, Start, StartError, log::Chain};
use shop_types::Timestamp;

use crate::order::Order;
use crate::store::{OrderStore, STATUS_SHARDS, Window};

/// The Lambda function.
pub const FUNCTION: Function = task::<SweepOrders>();

/// Below the function's timeout of 240 s by more than one call may take. The next sweep goes on.
const BUDGET: Duration = Duration::from_secs(210);
/// How many orders of a shard are nudged at a time.
const CONCURRENCY: usize = 8;
/// An order that was settled less long ago says that things move: it is more than the five minutes between two
/// sweeps, and less than twice as much.
const LATELY: Duration = Duration::from_mins(7);
/// How many of the newest settled orders are looked at for that.
const NEWEST: i32 = 5;

/// The function of this module.
pub struct SweepOrders {
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
    /// How many are left for a later sweep, since no order is being settled.
    pub put_off: u64,
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
        self.put_off += other.put_off;
        self.failed += other.failed;
        self.oldest_seconds = self.oldest_seconds.max(other.oldest_seconds);
        self.unfinished_shards += other.unfinished_shards;
    }

    fn find(&mut self, order: &Order, now: Timestamp) {
        self.found += 1;
        self.oldest_seconds = self.oldest_seconds.max(now.distance(order.placed_at).as_secs());
    }
}

impl Start for SweepOrders {
    const NAME: &'static str = "sweep-orders";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let orders = OrderStore::start(environment, Client::new(environment.sdk_config()))?;
        Ok(Self { orders, clock: environment.clock() })
    }
}

impl Task for SweepOrders {
    type Input = IgnoredAny;
    type Answer = Swept;

    async fn run(&self, _: Self::Input, request_id: &str) -> Result<Swept, FunctionError> {
        let sweep = Sweep {
            id: request_id,
            orders: &self.orders,
            clock: &self.clock,
            budget: Budget::start(&self.clock, BUDGET),
        };
        let mut shards = join_all((0..STATUS_SHARDS).map(|shard| sweep.due(shard))).await;
        if shards.iter().any(|shard| !shard.put_off.is_empty()) {
            sweep.put_off(&mut shards).await;
        }
        let mut swept = Swept::default();
        let mut failure = None;
        for shard in shards {
            swept.add(shard.swept);
            failure = failure.or(shard.failure);
        }
        log(&swept);
        match failure {
            None => Ok(swept),
            Some(error) => Err(FunctionError::new("some stalled orders could not be nudged", error)),
        }
    }
}

/// One sweep.
struct Sweep<'a> {
    id: &'a str,
    orders: &'a OrderStore,
    clock: &'a Clock,
    budget: Budget,
}

/// What a sweep has done of a shard, and what is left of it.
#[derive(Default)]
struct Shard {
    swept: Swept,
    failure: Option<StoreError>,
    /// What need not be nudged unless things move, oldest first. Some hundred bytes each.
    put_off: Vec<Order>,
}

impl Sweep<'_> {
    /// Nudges what is due of a shard, and puts the rest off.
    async fn due(&self, number: u8) -> Shard {
        let mut shard = Shard::default();
        let mut next = None;
        loop {
            let page = match self.orders.pending(number, next).await {
                Ok(page) => page,
                Err(error) => {
                    shard.swept.unfinished_shards = 1;
                    shard.failure = shard.failure.or(Some(error));
                    return shard;
                }
            };
            shard.swept.pending += count(page.orders.len());
            let now = self.clock.now();
            let stalled = page.orders.into_iter().filter(|order| order.is_stalled(now));
            let (due, later): (Vec<_>, Vec<_>) = stalled.partition(|order| order.is_due(now));
            shard.put_off.extend(later);
            self.nudge(&due, &mut shard).await;
            next = page.next;
            if next.is_none() || self.budget.is_over() {
                shard.swept.unfinished_shards = u64::from(next.is_some());
                return shard;
            }
        }
    }

    /// Nudges what is not due: all of it if things move, and otherwise the newest of each shard, to find out.
    async fn put_off(&self, shards: &mut [Shard]) {
        let move_on = self.things_move().await;
        for shard in &mut *shards {
            let mut orders = std::mem::take(&mut shard.put_off);
            match &move_on {
                Ok(true) => self.nudge(&orders, shard).await,
                Ok(false) => {
                    let newest = orders.pop();
                    for order in &orders {
                        shard.swept.find(order, self.clock.now());
                    }
                    shard.swept.put_off = count(orders.len());
                    self.nudge(newest.as_slice(), shard).await;
                }
                Err(_) => shard.swept.failed += count(orders.len()),
            }
        }
        if let (Err(error), Some(first)) = (move_on, shards.first_mut()) {
            first.failure = first.failure.take().or(Some(error));
        }
    }

    /// Whether an order was settled lately.
    async fn things_move(&self) -> Result<bool, StoreError> {
        for status in [OrderStatus::Confirmed, OrderStatus::Rejected] {
            let newest = self.orders.of_everybody(Some(status), Window::default(), None, NEWEST).await?;
            let now = self.clock.now();
            if newest.orders.iter().any(|order| now.distance(order.updated_at) < LATELY) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn nudge(&self, orders: &[Order], shard: &mut Shard) {
        for orders in orders.chunks(CONCURRENCY) {
            if self.budget.is_over() {
                shard.swept.unfinished_shards = 1;
                return;
            }
            let now = self.clock.now();
            for order in orders {
                shard.swept.find(order, now);
            }
            for nudged in join_all(orders.iter().map(|order| self.orders.nudge(order, now, self.id))).await {
                match nudged {
                    Ok(true) => shard.swept.nudged += 1,
                    Ok(false) => shard.swept.let_be += 1,
                    Err(error) => {
                        tracing::warn!(error = %Chain(&error), "an order is not nudged");
                        shard.swept.failed += 1;
                        shard.failure = shard.failure.take().or(Some(error));
                    }
                }
            }
        }
    }
}

fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
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

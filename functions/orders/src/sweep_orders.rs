//! On a schedule: finds orders that have been pending for too long, and drives them on.
//!
//! Events are delivered at least once, but not for ever: a relay that is down for longer than the stream keeps
//! its records, or a message that ends in a dead-letter queue, leaves its order pending. Such an order is
//! re-emitted: a counter of it is written, and nothing else. The relay publishes that as order.stalled, and
//! reserve-stock answers by settling the order's stock, or by publishing once more what became of it.
//!
//! - It publishes nothing, and knows nothing of stock.
//! - An order is re-emitted for as long as it is pending. While orders are being settled, each sweep re-emits all
//!   that are stalled. While none is, more events would only pile up before whatever is broken: each order is
//!   re-emitted with growing pauses, and only the newest of each shard by every sweep. When one of
//!   those is settled, the next sweep re-emits all: two intervals after the end of an outage at most
//!   ([`shop_lambda::recovery`]).
//! - Two sweeps at once, or one that is repeated, re-emit an order once: the write is conditional on the one
//!   before it.
//! - What fails is tried by the next sweep; the others are re-emitted all the same, and the invocation fails, so
//!   that its alarm tells.

use aws_sdk_dynamodb::Client;
use futures::future::join_all;
use serde::Serialize;
use serde::de::IgnoredAny;
use shop_dynamo::StoreError;
use shop_events::OrderStatus;
use shop_lambda::recovery::{NOT_RE_EMITTED, RECENT_WINDOW, STALLED, SWEEP_TIMEOUT};
use shop_lambda::{Budget, Clock, Function, FunctionError, Task, task};
use shop_lambda::{Environment, Start, StartError, log::Chain};
use shop_types::Timestamp;

use crate::order::Order;
use crate::store::{OrderStore, STATUS_SHARDS, Window};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = task::<SweepOrders>();

/// How many orders of a shard are re-emitted at a time.
const CONCURRENCY: usize = 8;
/// How many of the newest settled orders are looked at for that.
const NEWEST: i32 = 5;

pub(crate) struct SweepOrders {
    orders: OrderStore,
    clock: Clock,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Swept {
    /// How many orders the index has as pending, the newest among them.
    pub(crate) pending: u64,
    /// How many of them are stalled.
    pub(crate) found: u64,
    pub(crate) re_emitted: u64,
    /// How many had been settled or re-emitted by somebody else when it came to them.
    pub(crate) skipped: u64,
    /// How many are left for a later sweep, since no order is being settled.
    pub(crate) deferred: u64,
    pub(crate) failed: u64,
    /// For how long the oldest of the stalled orders has been pending.
    pub(crate) oldest_seconds: u64,
    /// The parts of the index whose end was not reached: for lack of time, or because a call failed.
    pub(crate) unfinished_shards: u64,
}

impl Swept {
    fn add(&mut self, other: Self) {
        self.pending += other.pending;
        self.found += other.found;
        self.re_emitted += other.re_emitted;
        self.skipped += other.skipped;
        self.deferred += other.deferred;
        self.failed += other.failed;
        self.oldest_seconds = self.oldest_seconds.max(other.oldest_seconds);
        self.unfinished_shards += other.unfinished_shards;
    }

    fn find(&mut self, order: &Order, now: Timestamp) {
        self.found += 1;
        self.oldest_seconds = self.oldest_seconds.max(now.abs_diff(order.placed_at).as_secs());
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
            budget: Budget::start(&self.clock, SWEEP_TIMEOUT),
        };
        let mut shards = join_all((0..STATUS_SHARDS).map(|shard| sweep.due(shard))).await;
        if shards.iter().any(|shard| !shard.deferred.is_empty()) {
            sweep.retry_deferred(&mut shards).await;
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
            Some(error) => Err(FunctionError::new("some stalled orders could not be re-emitted", error)),
        }
    }
}

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
    /// What need not be re-emitted unless orders are progressing, oldest first. Some hundred bytes each.
    deferred: Vec<Order>,
}

impl Sweep<'_> {
    /// Re-emits what is due of a shard, and puts the rest off.
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
            shard.deferred.extend(later);
            self.re_emit(&due, &mut shard).await;
            next = page.next;
            if next.is_none() || self.budget.is_over() {
                shard.swept.unfinished_shards = u64::from(next.is_some());
                return shard;
            }
        }
    }

    /// Re-emits what is not due: all of it if orders are progressing, and otherwise the newest of each shard, to find out.
    async fn retry_deferred(&self, shards: &mut [Shard]) {
        let progressing = self.is_progressing().await;
        for shard in &mut *shards {
            let mut orders = std::mem::take(&mut shard.deferred);
            match &progressing {
                Ok(true) => self.re_emit(&orders, shard).await,
                Ok(false) => {
                    let newest = orders.pop();
                    for order in &orders {
                        shard.swept.find(order, self.clock.now());
                    }
                    shard.swept.deferred = count(orders.len());
                    self.re_emit(newest.as_slice(), shard).await;
                }
                Err(_) => shard.swept.failed += count(orders.len()),
            }
        }
        if let (Err(error), Some(first)) = (progressing, shards.first_mut()) {
            first.failure = first.failure.take().or(Some(error));
        }
    }

    /// Whether an order was settled within the [`RECENT_WINDOW`].
    async fn is_progressing(&self) -> Result<bool, StoreError> {
        for status in [OrderStatus::Confirmed, OrderStatus::Rejected] {
            let newest = self.orders.of_everybody(Some(status), Window::default(), None, NEWEST).await?;
            let now = self.clock.now();
            if newest.orders.iter().any(|order| now.abs_diff(order.updated_at) < RECENT_WINDOW) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn re_emit(&self, orders: &[Order], shard: &mut Shard) {
        for orders in orders.chunks(CONCURRENCY) {
            if self.budget.is_over() {
                shard.swept.unfinished_shards = 1;
                return;
            }
            let now = self.clock.now();
            for order in orders {
                shard.swept.find(order, now);
            }
            for re_emitted in
                join_all(orders.iter().map(|order| self.orders.re_emit(order, now, self.id))).await
            {
                match re_emitted {
                    Ok(true) => shard.swept.re_emitted += 1,
                    Ok(false) => shard.swept.skipped += 1,
                    Err(error) => {
                        tracing::warn!(error = %Chain(&error), "an order is not re-emitted");
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
    let Swept { pending, found, re_emitted, failed, oldest_seconds, unfinished_shards, .. } = *swept;
    if failed + unfinished_shards > 0 {
        tracing::error!(
            orders.pending = pending,
            orders.stalled = found,
            orders.re_emitted = re_emitted,
            orders.failed = failed,
            orders.oldest_seconds = oldest_seconds,
            "{NOT_RE_EMITTED}"
        );
    } else if found > 0 {
        tracing::warn!(
            orders.pending = pending,
            orders.stalled = found,
            orders.re_emitted = re_emitted,
            orders.oldest_seconds = oldest_seconds,
            "{STALLED}"
        );
    } else {
        tracing::info!(orders.pending = pending, "no order is stalled");
    }
}

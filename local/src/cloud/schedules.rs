//! Scheduled invocations, and the housekeeping that AWS does by itself.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use serde_json::value::to_raw_value;
use shop_types::Timestamp;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::core::Core;
use super::lambda::Lambda;
use super::running::Running;
use crate::template::{ACCOUNT, REGION};

/// How often items are looked for whose time to live has passed. Every item of each table that has one is read for that:
/// once a minute it was two fifths of what a simulation computes. DynamoDB itself takes some days.
const EXPIRY: Duration = Duration::from_hours(1);

/// Invokes a function again and again, until the cloud stops. One run that takes longer delays the next.
pub(super) async fn run(
    core: Arc<Core>,
    lambda: Arc<Lambda>,
    running: Running,
    function: String,
    every: Duration,
) {
    let every = core.interceptor.as_ref().map_or(every, |interceptor| interceptor.distance(every));
    let mut ticks = Ticks::every(every);
    while ticks.next(&running).await {
        if core.interceptor.as_ref().is_some_and(|interceptor| interceptor.skips_schedule(&function)) {
            continue;
        }
        let payload = to_raw_value(&json!({
            "version": "0",
            "id": core.random.uuid(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": Timestamp::from_millis(core.clock.now()).to_string(),
            "region": REGION,
            "resources": [],
            "detail": {},
        }));
        match payload {
            // A failure is logged by the invocation; the next run comes in its time.
            Ok(payload) => drop(lambda.invoke(&function, payload).await),
            Err(error) => tracing::error!(%error, function.name = %function, "no payload for a schedule"),
        }
    }
}

/// Moments at an even distance, the first one after it.
struct Ticks(Interval);

impl Ticks {
    fn every(distance: Duration) -> Self {
        let mut ticks = interval_at(Instant::now() + distance, distance);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(ticks)
    }

    /// Waits for the next one; false when the cloud stops first.
    async fn next(&mut self, running: &Running) -> bool {
        tokio::select! {
            biased;
            () = running.stopped() => false,
            _ = self.0.tick() => true,
        }
    }
}

/// Deletes expired items, until the cloud stops.
pub(super) async fn expire_items(core: Arc<Core>, running: Running) {
    let mut ticks = Ticks::every(EXPIRY);
    while ticks.next(&running).await {
        // Logged where it happens; the next hour tries again.
        drop(core.dynamodb.expire_items());
        core.wrote("time-to-live", &core.dynamodb.streamed_tables());
    }
}

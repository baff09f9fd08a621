//! How long what fails is tried again, and from when on what is late counts as lost.
//!
//! These belong together: each is computed from those above it, and a test holds the template's queues, schedules,
//! timeouts and alarms to them (tests/template). The table of docs/reliability.md is written from them.

use std::time::Duration;

/// How long a queue keeps a message from others once a consumer has it: six times the consumers' timeout and the
/// batching window on top, as AWS asks for (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>).
pub const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(65);
/// How often a message is tried before it goes to the dead-letter queue.
pub const MAX_RECEIVES: u32 = 5;
/// A message that fails each time comes again for so long.
pub const RETRIED_FOR: Duration = VISIBILITY_TIMEOUT.saturating_mul(MAX_RECEIVES);

/// How often orders that may have lost an event are looked for.
pub const SWEEP_INTERVAL: Duration = Duration::from_mins(5);
/// What a sweep may take: it is over when the next begins.
pub const SWEEP_TIMEOUT: Duration = part(SWEEP_INTERVAL, 4, 5);
/// An order that is pending for longer is stalled. Orders settle within seconds; that an event was lost is noticed
/// after two intervals at most.
pub const STALLED_AFTER: Duration = SWEEP_INTERVAL;
/// A stalled order that was re-emitted less long ago is left alone. It is less than the time between two sweeps, so
/// that each finds the orders that the one before re-emitted.
pub const RETRY_INTERVAL: Duration = part(SWEEP_INTERVAL, 9, 10);
/// The longest pause between two re-emits of an order while no order is progressing.
pub const MAX_RETRY_INTERVAL: Duration = SWEEP_INTERVAL.saturating_mul(12);
/// An order that was settled less long ago says that orders are progressing: more than the time between two sweeps,
/// and less than twice as much.
pub const RECENT_WINDOW: Duration = part(SWEEP_INTERVAL, 7, 5);

/// How often the services' books are compared.
pub const VERIFY_INTERVAL: Duration = Duration::from_hours(24);
/// What a comparison may take: the longest that Lambda gives.
pub const VERIFY_TIMEOUT: Duration = Duration::from_mins(15);
/// What changed less long ago is not judged: its event may be on its way. An order whose event was lost is stalled,
/// is found by the sweep after that, and settled before another has passed.
pub const GRACE_PERIOD: Duration = STALLED_AFTER.saturating_add(SWEEP_INTERVAL.saturating_mul(2));

const _: () = {
    assert!(GRACE_PERIOD.as_millis() > RETRIED_FOR.as_millis(), "a message that may still come is drift");
    assert!(
        RETRY_INTERVAL.as_millis() < SWEEP_INTERVAL.as_millis(),
        "a sweep skips what the last re-emitted"
    );
    assert!(
        RECENT_WINDOW.as_millis() > SWEEP_INTERVAL.as_millis(),
        "what settled between two sweeps is missed"
    );
};

const fn part(of: Duration, numerator: u64, denominator: u64) -> Duration {
    Duration::from_secs(of.as_secs() * numerator / denominator)
}

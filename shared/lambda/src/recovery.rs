//! How long what fails is tried again, and from when on what is late counts as lost.
//!
//! These belong together: each is computed from those above it, and a test holds the template's queues, schedules,
//! timeouts and alarms to them (tests/template). The table of docs/reliability.md is written from them.

use std::time::Duration;

/// What a consumer may take: the template's timeout of every function that has none of its own.
pub const CONSUMER_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest that a queue's mapping waits for a batch to fill, of which nobody waits for what it does.
pub const MAX_BATCH_WINDOW: Duration = Duration::from_secs(5);
/// The same of record-sale, whose figures are looked at later: the more orders share their writes, the less each costs.
pub const SALES_BATCH_WINDOW: Duration = Duration::from_secs(30);
/// How long a queue keeps a message from others once a consumer has it, which is what a message waits whose consumer
/// died before it could say how long.
pub const VISIBILITY_TIMEOUT: Duration = visibility_timeout(MAX_BATCH_WINDOW);

/// The same where a batch may take so long to fill: six times the consumers' timeout and the batching window on top, as
/// AWS asks for (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>).
#[must_use]
pub const fn visibility_timeout(window: Duration) -> Duration {
    CONSUMER_TIMEOUT.saturating_mul(6).saturating_add(window)
}

/// How long a message that has failed waits before it is tried again: at least, and at most. Each time is drawn, so
/// that those who failed together do not come back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// In whole seconds, which is what a queue counts in.
    pub at_least: Duration,
    /// As above.
    pub at_most: Duration,
}

/// The pause after the first failure, the second, and so on; the last one is that of all further ones. Who met another
/// at an item has only to step aside; a dependency that is down for an hour is not asked a thousand times. The longest
/// leaves a try its time within a quarter of an hour, so that what failed last before an outage is over is done a
/// quarter of an hour after.
const PAUSES: [Pause; 5] = [pause(1, 2), pause(5, 10), pause(30, 60), pause(240, 300), pause(850, 890)];
/// How often a message is tried before it goes to the dead-letter queue.
pub const MAX_RECEIVES: u32 = 9;
/// A message that is received for this time has waited for more than a moment. It is the first that the age of a
/// queue's oldest message leaves out, so from here on the consumer says it in words that have an alarm
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>).
pub const KEEPS_FAILING_AT: u32 = 3;
/// An outage of what a consumer needs that costs no message its tries.
pub const BORNE_OUTAGE: Duration = Duration::from_hours(1);
/// A message that fails each time is tried for so long at least, unless its consumer dies each time.
pub const RETRIED_AT_LEAST: Duration = retried(false);
/// A message that fails each time comes again for so long at most.
pub const RETRIED_FOR: Duration = retried(true);

/// How long a message waits that has failed when it was received for this time (the first is 1).
#[must_use]
pub const fn pause_after(receives: u32) -> Pause {
    let (mut index, mut counted) = (0, 1);
    while index + 1 < PAUSES.len() && counted < receives {
        index += 1;
        counted += 1;
    }
    PAUSES[index]
}

/// How often orders that may have lost an event are looked for.
pub const SWEEP_INTERVAL: Duration = Duration::from_mins(5);
/// What a sweep may take: it is over when the next begins.
pub const SWEEP_TIMEOUT: Duration = part(SWEEP_INTERVAL, 4, 5);
/// An order that is pending for longer is stalled. Orders settle within seconds; that an event was lost is noticed
/// after two intervals at most.
pub const STALLED_AFTER: Duration = SWEEP_INTERVAL;
/// The log line of a sweep that found stalled orders, which the template's metric filter counts.
pub const STALLED: &str = "orders are stalled";
/// The log line of a sweep that could not re-emit all it found; it is counted with [`STALLED`].
pub const NOT_RE_EMITTED: &str = "not all stalled orders were re-emitted";
/// A stalled order that was re-emitted less long ago is left alone. It is less than the time between two sweeps, so
/// that each finds the orders that the one before re-emitted.
pub const RETRY_INTERVAL: Duration = part(SWEEP_INTERVAL, 9, 10);
/// The longest pause between two re-emits of an order while no order is progressing.
pub const MAX_RETRY_INTERVAL: Duration = SWEEP_INTERVAL.saturating_mul(12);
/// An order that was settled less long ago says that orders are progressing: more than the time between two sweeps,
/// and less than twice as much.
pub const RECENT_WINDOW: Duration = part(SWEEP_INTERVAL, 7, 5);

/// How often mails are looked for that nobody is sending any more. With [`EMAIL_UNCERTAIN_FOR`] it is less than the quarter
/// of an hour in which all is done after an outage.
pub const RESEND_INTERVAL: Duration = Duration::from_mins(2);
/// What that may take: it is over when the next begins.
pub const RESEND_TIMEOUT: Duration = part(RESEND_INTERVAL, 3, 4);
/// A mail whose sending was begun longer ago, and of which the mail service has told nothing, was not sent. Its word
/// comes within seconds; a repeated mail is worse than a late one. One that waits is tried again after as long: a message
/// in a queue may be about it and do so, too, and who claims it first does.
pub const EMAIL_UNCERTAIN_FOR: Duration = Duration::from_mins(10);
/// A mail that could not be sent for so long says nothing any more that its recipient does not know.
pub const EMAIL_EXPIRES_AFTER: Duration = Duration::from_hours(72);

/// How often dead-letter queues are emptied into the table of dead letters: somebody hears of them by its alarm.
pub const COLLECT_INTERVAL: Duration = Duration::from_mins(1);
/// What that may take: it is over when the next begins.
pub const COLLECT_TIMEOUT: Duration = part(COLLECT_INTERVAL, 4, 5);

/// How often the services' books are compared.
pub const VERIFY_INTERVAL: Duration = Duration::from_hours(24);
/// What a comparison may take: the longest that Lambda gives.
pub const VERIFY_TIMEOUT: Duration = Duration::from_mins(15);
/// What changed less long ago is not judged: its event may be on its way. An order whose event was lost is stalled,
/// is found by the sweep after that, and has another sweep's time; and what that sweep says is tried for as long as any
/// message.
pub const GRACE_PERIOD: Duration =
    STALLED_AFTER.saturating_add(SWEEP_INTERVAL.saturating_mul(2)).saturating_add(RETRIED_FOR);

const _: () = {
    assert!(GRACE_PERIOD.as_millis() > RETRIED_FOR.as_millis(), "a message that may still come is drift");
    assert!(RETRIED_AT_LEAST.as_millis() > BORNE_OUTAGE.as_millis(), "an outage uses up a message's tries");
    assert!(
        EMAIL_UNCERTAIN_FOR.as_millis() + RESEND_INTERVAL.as_millis() + RESEND_TIMEOUT.as_millis() < 900_000,
        "mails are late after an outage"
    );
    assert!(
        RETRY_INTERVAL.as_millis() < SWEEP_INTERVAL.as_millis(),
        "a sweep skips what the last re-emitted"
    );
    assert!(
        RECENT_WINDOW.as_millis() > SWEEP_INTERVAL.as_millis(),
        "what settled between two sweeps is missed"
    );
};

const fn pause(at_least: u64, at_most: u64) -> Pause {
    Pause { at_least: Duration::from_secs(at_least), at_most: Duration::from_secs(at_most) }
}

/// All pauses between the tries of a message. The longest that they can be together, whatever the queue: a batch takes
/// its time to fill, and a consumer all its time before it says how long, or dies before that, so that the queue's own
/// time passes; and after the last try too the message lies in its queue until it would be received once more.
const fn retried(longest: bool) -> Duration {
    let hidden = visibility_timeout(SALES_BATCH_WINDOW);
    let mut sum = if longest { hidden } else { Duration::ZERO };
    let mut receives = 1;
    while receives < MAX_RECEIVES {
        let pause = pause_after(receives);
        let after = CONSUMER_TIMEOUT.saturating_add(SALES_BATCH_WINDOW).saturating_add(pause.at_most);
        let wait = match longest {
            false => pause.at_least,
            true if after.as_secs() > hidden.as_secs() => after,
            true => hidden,
        };
        sum = sum.saturating_add(wait);
        receives += 1;
    }
    sum
}

const fn part(of: Duration, numerator: u64, denominator: u64) -> Duration {
    Duration::from_secs(of.as_secs() * numerator / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_pause_and_the_last_one_stays() {
        let at_most: Vec<_> = (0..12).map(|receives| pause_after(receives).at_most.as_secs()).collect();
        assert_eq!(at_most, [2, 2, 10, 60, 300, 890, 890, 890, 890, 890, 890, 890]);
        for receives in 0..12 {
            let pause = pause_after(receives);
            assert!(pause.at_least < pause.at_most, "{receives}: nothing is drawn");
            assert!(pause.at_most + CONSUMER_TIMEOUT <= Duration::from_mins(15), "{receives}");
        }
    }

    #[test]
    fn the_tries_of_a_message_add_up() {
        assert_eq!(RETRIED_AT_LEAST.as_secs(), 1 + 5 + 30 + 240 + 4 * 850);
        assert_eq!(RETRIED_FOR.as_secs(), 90 + 90 + 100 + 340 + 4 * 930 + 90);
    }
}

//! Schedules, redelivery and alarms: they go together with what the code takes for late ([`shop_lambda::recovery`]).

use std::time::Duration;

use serde_json::Value;
use shop_lambda::recovery::{
    COLLECT_INTERVAL, COLLECT_TIMEOUT, CONSUMER_TIMEOUT, MAX_BATCH_WINDOW, MAX_RECEIVES, RESEND_INTERVAL,
    RESEND_TIMEOUT, RETRIED_FOR, SALES_BATCH_WINDOW, STALLED_AFTER, SWEEP_INTERVAL, SWEEP_TIMEOUT,
    VERIFY_INTERVAL, VERIFY_TIMEOUT, pause_after, visibility_timeout,
};

use crate::names;
use crate::template::{Template, list, refers};

/// The scheduled functions: how often each runs, and what it may take.
const SCHEDULED: [(&str, Duration, Duration); 7] = [
    ("rebuild-search", VERIFY_INTERVAL, VERIFY_TIMEOUT),
    ("resend-emails", RESEND_INTERVAL, RESEND_TIMEOUT),
    ("collect-dead-letters", COLLECT_INTERVAL, COLLECT_TIMEOUT),
    ("sweep-orders", SWEEP_INTERVAL, SWEEP_TIMEOUT),
    ("verify-sales", VERIFY_INTERVAL, VERIFY_TIMEOUT),
    ("verify-stock", VERIFY_INTERVAL, VERIFY_TIMEOUT),
    ("verify-user-stats", VERIFY_INTERVAL, VERIFY_TIMEOUT),
];

/// Where the template's times are not those that the code was written for.
#[must_use]
pub fn check(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    for (function, event) in template.sources("Schedule") {
        let name = names::of_logical_id(function.id).unwrap_or_default();
        let Some((_, interval, timeout)) = SCHEDULED.iter().find(|(scheduled, ..)| *scheduled == name) else {
            wrong.push(format!("{}: nothing says how often it should run", function.id));
            continue;
        };
        if rate(&event["Schedule"]) != Some(*interval) {
            wrong.push(format!("{}: it does not run every {} s", function.id, interval.as_secs()));
        }
        if function.property("Timeout").as_u64() != Some(timeout.as_secs()) {
            wrong.push(format!("{}: its timeout is not {} s", function.id, timeout.as_secs()));
        }
        let period = Period::of(template, "Errors", |value| refers(value, None) == Some(function.id));
        if period
            .is_none_or(|period| period.length < *interval || period.length * period.count < *interval * 2)
        {
            wrong.push(format!("{}: its alarm takes a pause for an outage", function.id));
        }
    }
    redelivery(template, &mut wrong);
    for (function, _) in template.sources("DynamoDB") {
        let alarm = Period::of(template, "IteratorAge", |value| refers(value, None) == Some(function.id));
        early(function.id, alarm, Duration::from_millis(1), &mut wrong);
    }
    for (function, event) in template.sources("SQS") {
        let queue = refers(&event["Queue"], Some("Arn"));
        let this = |value: &Value| refers(value, Some("QueueName")) == queue;
        let alarm = Period::of(template, "ApproximateAgeOfOldestMessage", this);
        early(function.id, alarm, Duration::from_secs(1), &mut wrong);
        if !lasting(template, &names::of_logical_id(function.id).unwrap_or_default()) {
            wrong.push(format!("{}: its alarm ends between two tries of what keeps failing", function.id));
        }
    }
    wrong
}

/// How long a queue keeps a message where the template does not say: four days.
const DEFAULT_RETENTION: u64 = 345_600;

/// A consumed queue and its consumer have the times that the pauses between tries were written for, so that no message
/// comes again for longer than the code waits before it calls a difference drift; and a message that is tried to the
/// last is still there then.
fn redelivery(template: &Template, wrong: &mut Vec<String>) {
    for (function, event) in template.sources("SQS") {
        let id = refers(&event["Queue"], Some("Arn")).unwrap_or_default();
        let queue = &template.resource(id)["Properties"];
        let mut must = |what: &str, found: Option<u64>, is_right: &dyn Fn(u64) -> bool| {
            if !found.is_some_and(is_right) {
                wrong.push(format!("{id}: {what}"));
            }
        };
        let is_of_sales = names::of_logical_id(function.id).is_some_and(|name| name == "record-sale");
        let longest = if is_of_sales { SALES_BATCH_WINDOW } else { MAX_BATCH_WINDOW };
        let hidden = visibility_timeout(longest).as_secs();
        let visible = format!("it hides a message for {hidden} s, or the pauses do not add up");
        must(&visible, queue["VisibilityTimeout"].as_u64(), &|found| found == hidden);
        let receives = format!("a message is tried {MAX_RECEIVES} times, or is parked at another time");
        let found = queue["RedrivePolicy"]["maxReceiveCount"].as_u64();
        must(&receives, found, &|found| found == u64::from(MAX_RECEIVES));
        let kept = queue["MessageRetentionPeriod"].as_u64().or(Some(DEFAULT_RETENTION));
        must("a message is gone before its last try", kept, &|kept| kept > RETRIED_FOR.as_secs());
        let timeout = template.largest(function.property("Timeout"));
        must("its consumer takes longer than the pauses allow for", timeout, &|found| {
            found <= CONSUMER_TIMEOUT.as_secs()
        });
        let window = template.largest(&event["MaximumBatchingWindowInSeconds"]);
        must("its batches wait for longer than the pauses allow for", window, &|found| {
            found <= longest.as_secs()
        });
    }
}

/// An alarm on messages that keep failing stays on between two tries.
fn lasting(template: &Template, consumer: &str) -> bool {
    let alarm = Period::of(template, "FailingMessages", |value| value == consumer);
    alarm.is_some_and(|alarm| alarm.length * alarm.count >= pause_after(MAX_RECEIVES).at_most)
}

/// An operator hears that events wait before the first order counts as stalled.
fn early(function: &str, alarm: Option<Period>, unit: Duration, wrong: &mut Vec<String>) {
    let sounds_after = alarm.and_then(|alarm| {
        let waited = unit.checked_mul(u32::try_from(alarm.threshold).ok()?)?;
        Some(waited + alarm.length * alarm.count)
    });
    if sounds_after.is_none_or(|after| after > STALLED_AFTER) {
        wrong.push(format!("{function}: orders are stalled before its alarm says that events wait"));
    }
}

/// When an alarm sounds.
#[derive(Clone, Copy)]
struct Period {
    length: Duration,
    count: u32,
    threshold: u64,
}

impl Period {
    fn of(template: &Template, metric: &str, watches: impl Fn(&Value) -> bool) -> Option<Self> {
        let (_, alarm) = template.of_type("AWS::CloudWatch::Alarm").find(|(_, alarm)| {
            alarm["MetricName"] == metric
                && list(&alarm["Dimensions"]).iter().any(|dimension| watches(&dimension["Value"]))
        })?;
        Some(Self {
            length: Duration::from_secs(alarm["Period"].as_u64()?),
            count: u32::try_from(alarm["EvaluationPeriods"].as_u64()?).ok()?,
            threshold: alarm["Threshold"].as_u64()?,
        })
    }
}

/// `rate(5 minutes)` and its like.
fn rate(schedule: &Value) -> Option<Duration> {
    let (count, unit) = schedule.as_str()?.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let seconds = match unit.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(count.parse::<u64>().ok()?.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use anyhow::{Result, ensure};

    use super::*;

    const TEMPLATE: &str = include_str!("../../../template.yaml");

    #[test]
    fn a_time_that_does_not_go_with_the_code_is_found() -> Result<()> {
        for (from, to, what) in [
            ("Schedule: rate(5 minutes)", "Schedule: rate(6 minutes)", "does not run every 300 s"),
            ("Schedule: rate(1 day)", "Schedule: rate(1 hour)", "does not run every 86400 s"),
            ("Timeout: 240", "Timeout: 100", "its timeout is not 240 s"),
            ("Timeout: 900", "Timeout: 800", "its timeout is not 900 s"),
            ("maxReceiveCount: 9", "maxReceiveCount: 10", "tried 9 times"),
            ("maxReceiveCount: 9", "maxReceiveCount: 8", "tried 9 times"),
            ("VisibilityTimeout: 65", "VisibilityTimeout: 66", "hides a message for 65 s"),
            (
                "      VisibilityTimeout: 65",
                "      VisibilityTimeout: 65\n      MessageRetentionPeriod: 3600",
                "gone before its last try",
            ),
            ("    Timeout: 10", "    Timeout: 11", "consumer takes longer"),
            ("MaxValue: 5\n", "MaxValue: 6\n", "batches wait for longer"),
            ("MaxValue: 30\n", "MaxValue: 31\n", "batches wait for longer"),
            ("VisibilityTimeout: 90", "VisibilityTimeout: 65", "hides a message for 90 s"),
            (
                "Value: settle-order }],\n      Period: 900",
                "Value: settle-order }],\n      Period: 600",
                "ends between two tries",
            ),
            ("Threshold: 60000", "Threshold: 240000", "before its alarm says that events wait"),
            ("Threshold: 60,", "Threshold: 180,", "before its alarm says that events wait"),
            (
                "Period: 900, EvaluationPeriods: 2",
                "Period: 240, EvaluationPeriods: 2",
                "takes a pause for an outage",
            ),
            ("Period: 172800", "Period: 86400", "takes a pause for an outage"),
        ] {
            ensure!(TEMPLATE.contains(from), "{from}: the template does not have it");
            let wrong = check(&Template::parse(&TEMPLATE.replace(from, to))?);
            ensure!(wrong.iter().any(|text| text.contains(what)), "{from} -> {to}: {wrong:#?}");
        }
        let renamed = TEMPLATE.replace("SweepOrdersFunction", "SweepBasketsFunction");
        let wrong = check(&Template::parse(&renamed)?);
        ensure!(wrong.iter().any(|text| text.contains("nothing says how often")), "{wrong:#?}");
        Ok(())
    }
}

//! Schedules, redelivery and alarms: they go together with what the code takes for late ([`shop_lambda::recovery`]).

use std::time::Duration;

use serde_json::Value;
use shop_lambda::recovery::{
    RETRIED_FOR, STALLED_AFTER, SWEEP_INTERVAL, SWEEP_TIMEOUT, VERIFY_INTERVAL, VERIFY_TIMEOUT,
};

use crate::names;
use crate::template::{Template, list, refers};

/// The scheduled functions: how often each runs, and what it may take.
const SCHEDULED: [(&str, Duration, Duration); 3] = [
    ("sweep-orders", SWEEP_INTERVAL, SWEEP_TIMEOUT),
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
        let period = Period::of(template, "Invocations", |value| refers(value, None) == Some(function.id));
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
    }
    wrong
}

/// No message comes again for longer than the code waits before it calls a difference drift, and the code does not
/// wait for longer than any does.
fn redelivery(template: &Template, wrong: &mut Vec<String>) {
    let mut longest = Duration::ZERO;
    for (id, queue) in template.of_type("AWS::SQS::Queue") {
        let visible = queue["VisibilityTimeout"].as_u64();
        let times = queue["RedrivePolicy"]["maxReceiveCount"].as_u64();
        let Some((visible, times)) = visible.zip(times) else { continue };
        let tried = Duration::from_secs(visible.saturating_mul(times));
        longest = longest.max(tried);
        if tried > RETRIED_FOR {
            wrong.push(format!("{id}: a message comes again for more than {} s", RETRIED_FOR.as_secs()));
        }
    }
    if longest < RETRIED_FOR {
        wrong.push(format!("no queue's messages come again for {} s", RETRIED_FOR.as_secs()));
    }
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
            ("maxReceiveCount: 5", "maxReceiveCount: 6", "comes again for more than 325 s"),
            ("maxReceiveCount: 5", "maxReceiveCount: 4", "no queue's messages come again for 325 s"),
            ("VisibilityTimeout: 65", "VisibilityTimeout: 66", "comes again for more than 325 s"),
            ("Threshold: 60000", "Threshold: 240000", "before its alarm says that events wait"),
            ("Threshold: 60,", "Threshold: 180,", "before its alarm says that events wait"),
            ("Period: 900", "Period: 240", "takes a pause for an outage"),
            ("Period: 86400", "Period: 3600", "takes a pause for an outage"),
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

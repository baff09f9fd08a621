//! What is counted of the functions' log lines, and what AWS counts of the account's mails: each has its alarm.

use serde_json::{Value, json};
use shop_lambda::recovery::{NOT_RE_EMITTED, STALLED};
use shop_lambda::report::{DRIFT, INCOMPLETE};
use shop_messaging::consumer::{KEEPS_FAILING, MALFORMED};

use crate::names;
use crate::template::{Template, list, refers};

pub(super) fn check(template: &Template, wrong: &mut Vec<String>) {
    messages(template, wrong);
    for (metric, prefix, lines) in [
        ("StalledOrders", "sweep-", &[STALLED, NOT_RE_EMITTED][..]),
        ("Drift", "verify-", &[DRIFT]),
        ("IncompleteVerifications", "verify-", &[INCOMPLETE]),
    ] {
        found(template, metric, prefix, lines, wrong);
    }
    reputation(template, wrong);
}

pub(super) fn reaches_somebody(alarm: &Value) -> bool {
    list(&alarm["AlarmActions"]).iter().any(|action| refers(action, None) == Some("AlarmTopic"))
}

/// SES stops an account whose mails bounce or are called spam too often. It reviews one from these shares on
/// (<https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html>).
fn reputation(template: &Template, wrong: &mut Vec<String>) {
    if template.of_type("AWS::SES::ConfigurationSet").next().is_none() {
        return;
    }
    for (metric, share) in [("Reputation.BounceRate", 0.05), ("Reputation.ComplaintRate", 0.001)] {
        let has_alarm = template.of_type("AWS::CloudWatch::Alarm").any(|(_, alarm)| {
            alarm["Namespace"] == "AWS/SES"
                && alarm["MetricName"] == metric
                && alarm["Threshold"].as_f64().is_some_and(|threshold| threshold <= share)
                && reaches_somebody(alarm)
        });
        if !has_alarm {
            wrong.push(format!("{metric}: no alarm before SES reviews the account"));
        }
    }
}

/// What a function on a schedule says that it found is counted, and has an alarm. `prefix` begins the name of whoever
/// says so.
fn found(template: &Template, metric: &str, prefix: &str, lines: &[&str], wrong: &mut Vec<String>) {
    let is_one = |id: &str| names::of_logical_id(id).is_some_and(|name| name.starts_with(prefix));
    if !template.functions().iter().any(|function| is_one(function.id)) {
        return;
    }
    let terms: Vec<_> = lines.iter().map(|line| format!("$.message = \"{line}\"")).collect();
    let pattern = format!("{{ {} }}", terms.join(" || "));
    let is_counted = template.of_type("AWS::Logs::MetricFilter").any(|(_, filter)| {
        filter["FilterPattern"] == pattern.as_str()
            && list(&filter["MetricTransformations"]).iter().any(|to| to["MetricName"] == metric)
    });
    let mut alarms = template.of_type("AWS::CloudWatch::Alarm");
    if !is_counted || !alarms.any(|(_, alarm)| alarm["MetricName"] == metric && reaches_somebody(alarm)) {
        wrong.push(format!("{metric}: nothing counts the lines {pattern}, or it has no alarm"));
    }
}

/// What a consumer logs of its messages is counted, and whoever counts it is an alarm's metric.
fn messages(template: &Template, wrong: &mut Vec<String>) {
    if template.sources("SQS").is_empty() {
        return;
    }
    let stack = |value: &Value| refers(value, None) == Some("AWS::StackName");
    for (metric, line, dimensions) in [
        ("FailingMessages", KEEPS_FAILING, json!([{ "Key": "Consumer", "Value": "$.consumer" }])),
        ("MalformedMessages", MALFORMED, Value::Null),
    ] {
        let pattern = format!("{{ $.message = \"{line}\" && $.consumer = \"*\" }}");
        let is_counted = template.of_type("AWS::Logs::MetricFilter").any(|(_, filter)| {
            let [to] = list(&filter["MetricTransformations"]) else { return false };
            let group = refers(&filter["LogGroupName"], None).unwrap_or_default();
            filter["FilterPattern"] == pattern.as_str()
                && template.resource(group)["Type"] == "AWS::Logs::LogGroup"
                && to["MetricName"] == metric
                && to["MetricValue"] == "1"
                && to["Dimensions"] == dimensions
                && stack(&to["MetricNamespace"])
        });
        if !is_counted {
            wrong.push(format!("{metric}: nothing counts the lines that say \"{line}\""));
        }
        let alarms = template.of_type("AWS::CloudWatch::Alarm").map(|(_, alarm)| alarm);
        let alarms: Vec<_> = alarms.filter(|alarm| alarm["MetricName"] == metric).collect();
        let is_alarm = |alarm: &Value| stack(&alarm["Namespace"]) && reaches_somebody(alarm);
        if alarms.is_empty() || !alarms.into_iter().all(is_alarm) {
            wrong.push(format!("{metric}: it has no alarm, or one that looks elsewhere"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check;
    use crate::broken::{finds, good};

    #[test]
    fn what_is_counted_and_raises_no_alarm_is_found() {
        assert_eq!(check(&good()), [""; 0]);
        finds(
            check,
            &[
                ("message keeps failing", "message failed", "nothing counts"),
                ("message malformed", "message refused", "nothing counts"),
                ("LogGroupName: !Ref LogGroup # failing", "LogGroupName: other", "nothing counts"),
                (
                    "MetricNamespace: !Ref AWS::StackName # failing",
                    "MetricNamespace: Other",
                    "nothing counts",
                ),
                (
                    "Namespace: !Ref AWS::StackName\n      MetricName",
                    "Namespace: Other\n      MetricName",
                    "looks elsewhere",
                ),
                ("AlarmActions: [!Ref AlarmTopic] # malformed", "AlarmActions: []", "looks elsewhere"),
                ("MetricName: MalformedMessages\n", "MetricName: Other\n", "has no alarm"),
                ("Threshold: 0.05", "Threshold: 0.1", "BounceRate: no alarm"),
                ("MetricName: Reputation.ComplaintRate", "MetricName: Other", "ComplaintRate: no alarm"),
                (
                    "AlarmActions: [!Ref AlarmTopic] # complaints",
                    "AlarmActions: []",
                    "ComplaintRate: no alarm",
                ),
            ],
        );
    }
}

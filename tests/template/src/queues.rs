//! Queues: nothing is lost on the way to a consumer, and nothing comes back while it is worked on.

use std::collections::BTreeSet;

use serde_json::Value;
use shop_events::EventType;

use crate::template::{Function, Statement, Template, list, members, refers, render, statements};

/// Days that a dead-letter queue keeps a message: the longest that SQS allows.
const DEAD_LETTER_SECONDS: u64 = 14 * 24 * 60 * 60;

/// The topic of the shop's own events. Another one says what a service of AWS has to say, in its own form.
const EVENTS_TOPIC: &str = "EventsTopic";

/// What the policy of a queue says in the place of the queue's own name, since it holds for that one alone.
pub const THE_QUEUE: &str = "*";

/// The one queue that is sent everything: the journal's.
pub const UNFILTERED: &str = "JournalQueue";

/// The event types that each subscription lets through: the queue's logical id, and the types, which are all where it has
/// no filter; none for a queue that hears of something else than the shop's own events.
#[must_use]
pub fn subscribed(template: &Template) -> Vec<(String, BTreeSet<String>)> {
    template
        .of_type("AWS::SNS::Subscription")
        .filter(|(_, subscription)| subscription["Protocol"] == "sqs")
        .map(|(_, subscription)| {
            let queue = refers(&subscription["Endpoint"], Some("Arn")).unwrap_or_default();
            let types = list(&subscription["FilterPolicy"]["type"]);
            let is_own = refers(&subscription["TopicArn"], None) == Some(EVENTS_TOPIC);
            let types = if is_own && subscription["FilterPolicy"].is_null() {
                EventType::ALL.iter().map(ToString::to_string).collect()
            } else {
                types.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
            };
            (queue.to_owned(), types)
        })
        .collect()
}

/// What is wrong with the queues, their subscriptions and their event source mappings.
#[must_use]
pub fn check(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    for (function, event) in template.sources("SQS") {
        mapping(template, function.property("Timeout"), event, &mut |text| {
            wrong.push(format!("{}: {text}", function.id));
        });
        let queue = refers(&event["Queue"], Some("Arn")).unwrap_or_default();
        wrong.extend(retries(function, queue).map(|text| format!("{}: {text}", function.id)));
    }
    watched(template, &mut wrong);
    loops(template, &mut wrong);
    for (id, queue) in template.of_type("AWS::SQS::Queue") {
        if queue["SqsManagedSseEnabled"] != true {
            wrong.push(format!("{id}: it is not encrypted"));
        }
    }
    for (id, subscription) in template.of_type("AWS::SNS::Subscription") {
        if subscription["Protocol"] != "sqs" {
            continue;
        }
        if subscription["RawMessageDelivery"] != true {
            wrong.push(format!("{id}: delivery is not raw"));
        }
        if refers(&subscription["TopicArn"], None) != Some(EVENTS_TOPIC) {
            if !subscription["FilterPolicy"].is_null() {
                wrong.push(format!("{id}: it filters what is none of the shop's own events"));
            }
            continue;
        }
        if refers(&subscription["Endpoint"], Some("Arn")) == Some(UNFILTERED) {
            if !subscription["FilterPolicy"].is_null() {
                wrong.push(format!("{id}: the journal would miss events"));
            }
            continue;
        }
        if subscription["FilterPolicyScope"] != "MessageAttributes"
            || list(&subscription["FilterPolicy"]["type"]).is_empty()
            || members(&subscription["FilterPolicy"]).count() != 1
        {
            wrong.push(format!("{id}: it does not filter by the message attribute type alone"));
        }
    }
    wrong
}

/// The monitor watches every consumer's queue, where there is a monitor.
fn watched(template: &Template, wrong: &mut Vec<String>) {
    let functions = template.functions();
    let Some(monitor) = functions.iter().find(|function| function.id == "ListQueuesFunction") else { return };
    let names = render(&monitor.property("Environment")["Variables"]["QUEUES"]);
    let found: BTreeSet<Vec<&str>> =
        names.split_whitespace().collect::<Vec<_>>().chunks(3).map(<[_]>::to_vec).collect();
    let expected = template.sources("SQS").into_iter().map(|(function, event)| {
        let queue = refers(&event["Queue"], Some("Arn")).unwrap_or_default();
        let dead = queue.replace("Queue", "DeadLetterQueue");
        let name = crate::names::of_logical_id(function.id).unwrap_or_default();
        [name, format!("${{{queue}.QueueName}}"), format!("${{{dead}.QueueName}}")]
    });
    let expected: Vec<_> = expected.collect();
    let expected: BTreeSet<Vec<&str>> =
        expected.iter().map(|three| three.iter().map(String::as_str).collect()).collect();
    for three in found.symmetric_difference(&expected) {
        wrong.push(format!("{}: {three:?} is missing in QUEUES, or is none", monitor.id));
    }
}

/// A consumer that may send to its own queue says that this is meant, and nothing else does: without the word, Lambda ends
/// such a chain after some 16 calls, and the message is gone
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>).
fn loops(template: &Template, wrong: &mut Vec<String>) {
    let sources = template.sources("SQS");
    for function in template.functions() {
        let mut queues = sources.iter().filter(|(consumer, _)| consumer.id == function.id);
        let is_loop = queues.any(|(_, event)| {
            refers(&event["Queue"], Some("Arn")).is_some_and(|queue| may_send(function, queue))
        });
        let said = function.property("RecursiveLoop");
        if is_loop && said != "Allow" {
            wrong.push(format!("{}: it sends to its own queue, and RecursiveLoop is not Allow", function.id));
        }
        if !is_loop && !said.is_null() {
            wrong.push(format!("{}: RecursiveLoop is set where nothing is sent to itself", function.id));
        }
    }
}

/// A consumer tells its own queue, and no other, when what failed comes again.
fn retries(function: Function<'_>, queue: &str) -> Option<String> {
    let of = |statement: &Statement| {
        statement
            .actions
            .iter()
            .any(|action| action == "sqs:ChangeMessageVisibility")
            .then(|| statement.resources.clone())
    };
    let granted: Vec<String> = function.statements().iter().filter_map(of).flatten().collect();
    if granted != [format!("${{{queue}.Arn}}")] {
        return Some(format!("it may change the visibility of {granted:?}, not of {queue} alone"));
    }
    let named = refers(&function.property("Environment")["Variables"]["QUEUE_URL"], None);
    (named != Some(queue)).then(|| format!("its QUEUE_URL is {named:?}, not {queue}"))
}

/// One consumed queue, seen from the mapping of its consumer.
fn mapping(template: &Template, timeout: &Value, event: &Value, wrong: &mut dyn FnMut(String)) {
    if event["ScalingConfig"]["MaximumConcurrency"].as_u64().is_none_or(|most| most < 2) {
        // A backlog would take every function's share of the account, and consumers would meet at the same items.
        wrong("nothing bounds how many of it run at once: MaximumConcurrency is not set".to_owned());
    }
    if event["FunctionResponseTypes"] != serde_json::json!(["ReportBatchItemFailures"]) {
        wrong("one bad message would fail its batch: ReportBatchItemFailures is not set".to_owned());
    }
    let window = &event["MaximumBatchingWindowInSeconds"];
    let (size, window) = (template.largest(&event["BatchSize"]), template.largest(window));
    if size.is_none() || window.is_none() {
        wrong("its batch size and window are not numbers, or parameters with a MaxValue".to_owned());
    }
    let Some(id) = refers(&event["Queue"], Some("Arn")) else {
        return wrong("its queue is not of this template".to_owned());
    };
    let queue = &template.resource(id)["Properties"];
    let least = template.largest(timeout).zip(window).map(|(timeout, window)| 6 * timeout + window);
    if template.largest(&queue["VisibilityTimeout"]).zip(least).is_none_or(|(visible, least)| visible < least)
    {
        wrong(format!("{id} shows a message again before 6 x the timeout and the window"));
    }
    let redrive = &queue["RedrivePolicy"];
    let dead = refers(&redrive["deadLetterTargetArn"], Some("Arn")).unwrap_or_default();
    let dead_letters = template.resource(dead);
    if dead_letters["Type"] != "AWS::SQS::Queue" || !redrive["maxReceiveCount"].is_u64() {
        wrong(format!("{id} has no dead-letter queue"));
    } else if dead_letters["Properties"]["MessageRetentionPeriod"] != DEAD_LETTER_SECONDS {
        wrong(format!("{dead} does not keep messages for 14 days"));
    }
    if dead != id.replace("Queue", "DeadLetterQueue") {
        wrong(format!("{id}'s dead-letter queue is not named after it"));
    }
    // Who else may send there, bus looks at.
    let is_work = is_work(template, id);
    let is_guarded = template
        .of_type("AWS::SQS::QueuePolicy")
        .any(|(_, policy)| is_guard(policy, id, topic_of(template, id)));
    if !is_work && !is_guarded {
        wrong(format!("{id} has no policy that lets only the topic send, and only over TLS"));
    }
    if !is_work && !subscribed(template).iter().any(|(queue, _)| queue == id) {
        wrong(format!("{id} is subscribed to no topic"));
    }
}

/// Whether a queue holds what functions have for later, and no topic feeds it.
#[must_use]
pub fn is_work(template: &Template, queue: &str) -> bool {
    sends(template, queue) && !subscribed(template).iter().any(|(id, _)| id == queue)
}

/// Whether any function may send to a queue.
fn sends(template: &Template, queue: &str) -> bool {
    template.functions().into_iter().any(|function| may_send(function, queue))
}

/// Whether a function may send to a queue itself.
fn may_send(function: Function<'_>, queue: &str) -> bool {
    let to = format!("${{{queue}.Arn}}");
    let is_sent = |statement: &Statement| {
        statement.actions.iter().any(|action| action == "sqs:SendMessage")
            && statement.resources.contains(&to)
    };
    function.statements().iter().any(is_sent)
}

/// The topic that a queue is subscribed to.
fn topic_of<'a>(template: &'a Template, queue: &str) -> Option<&'a str> {
    let mut all = template.of_type("AWS::SNS::Subscription");
    let found = all.find(|(_, one)| refers(&one["Endpoint"], Some("Arn")) == Some(queue));
    found.and_then(|(_, one)| refers(&one["TopicArn"], None))
}

/// Whether a queue policy lets the topic alone send to the queue, and refuses what comes without TLS.
fn is_guard(policy: &Value, queue: &str, topic: Option<&str>) -> bool {
    let covers = list(&policy["Queues"]).iter().any(|covered| refers(covered, None) == Some(queue));
    let document = &policy["PolicyDocument"];
    let (allowed, denied): (Vec<_>, Vec<_>) =
        list(&document["Statement"]).iter().partition(|statement| statement["Effect"] == "Allow");
    let only_topic = allowed.iter().all(|statement| {
        statement["Principal"] == serde_json::json!({ "Service": "sns.amazonaws.com" })
            && refers(&statement["Condition"]["ArnEquals"]["aws:SourceArn"], None)
                == Some(topic.unwrap_or(EVENTS_TOPIC))
    });
    let only_tls = denied.iter().any(|statement| {
        statement["Principal"] == "*" && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
    });
    let this_queue = statements(document).iter().all(|statement| {
        statement.resources == [format!("${{{queue}.Arn}}")] || statement.resources == [THE_QUEUE]
    });
    covers && !allowed.is_empty() && only_topic && only_tls && this_queue
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broken::{finds, good};

    #[test]
    fn broken_queues_are_found() {
        assert_eq!(check(&good()), [""; 0]);
        finds(
            check,
            &[
                ("[ReportBatchItemFailures]", "[]", "ReportBatchItemFailures"),
                ("ScalingConfig: { MaximumConcurrency: 2 }", "Enabled: true", "how many of it run at once"),
                ("BatchSize: 10", "BatchSize: !Ref Unknown", "MaxValue"),
                ("VisibilityTimeout: 65", "VisibilityTimeout: 64", "6 x the timeout"),
                ("MaxValue: 5", "MaxValue: 6", "6 x the timeout"),
                ("Timeout: 10", "Timeout: 11", "6 x the timeout"),
                ("GetAtt PackDeadLetterQueue.Arn", "GetAtt Nowhere.Arn", "no dead-letter queue"),
                ("maxReceiveCount: 9", "maxReceiveCount: nine", "no dead-letter queue"),
                (
                    "sqs:ChangeMessageVisibility, Resource",
                    "sqs:GetQueueUrl, Resource",
                    "change the visibility of []",
                ),
                ("PackQueue.Arn } # retries", "PackDeadLetterQueue.Arn }", "not of PackQueue alone"),
                ("QUEUE_URL: !Ref PackQueue", "QUEUE_URL: !Ref PackDeadLetterQueue", "its QUEUE_URL is"),
                ("QUEUE_URL: !Ref PackQueue", "OTHER_URL: !Ref PackQueue", "its QUEUE_URL is None"),
                ("MessageRetentionPeriod: 1209600", "MessageRetentionPeriod: 345600", "14 days"),
                ("SqsManagedSseEnabled: true", "SqsManagedSseEnabled: false", "not encrypted"),
                ("\"aws:SourceArn\": !Ref EventsTopic", "\"aws:SourceArn\": !Ref Other", "only the topic"),
                ("\"false\" } } # queue", "\"true\" } }", "over TLS"),
                (
                    "Action: sqs:SendMessage\n            Resource: !GetAtt PackQueue.Arn",
                    "Action: x\n            Resource: y",
                    "only the topic",
                ),
                ("Endpoint: !GetAtt PackQueue.Arn", "Endpoint: !GetAtt Other.Arn", "subscribed to no topic"),
                ("RawMessageDelivery: true", "RawMessageDelivery: false", "not raw"),
                ("type: [order.placed]", "type: []", "does not filter"),
                ("FilterPolicyScope: MessageAttributes", "FilterPolicyScope: MessageBody", "does not filter"),
            ],
        );
    }

    #[test]
    fn a_loop_that_nobody_meant_is_found() {
        let (one, two) = (
            "sqs:ChangeMessageVisibility, Resource",
            "[sqs:ChangeMessageVisibility, sqs:SendMessage], Resource",
        );
        finds(
            check,
            &[
                (one, two, "RecursiveLoop is not Allow"),
                (
                    "CodeUri: target",
                    "RecursiveLoop: Allow\n      CodeUri: target",
                    "nothing is sent to itself",
                ),
                ("Timeout: 10", "RecursiveLoop: Allow\n    Timeout: 10", "nothing is sent to itself"),
            ],
        );
        let said = |word: &str| {
            let text = crate::broken::text().replacen(one, two, 1);
            let function = format!("RecursiveLoop: {word}\n      CodeUri: target");
            check(&Template::parse(&text.replacen("CodeUri: target", &function, 1)).unwrap())
        };
        assert_eq!(said("Allow"), [""; 0]);
        assert!(said("Terminate").iter().any(|line| line.contains("RecursiveLoop is not Allow")));
    }

    #[test]
    fn filter_policies_are_read() {
        let types = BTreeSet::from(["order.placed".to_owned()]);
        assert_eq!(subscribed(&good()), [("PackQueue".to_owned(), types)]);
    }
}

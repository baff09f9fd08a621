//! The bus: only relays publish, only this stack's queues are subscribed, only its topic sends to a queue, and
//! nobody can plant a message where an operator would move it on in good faith.
//!
//! A resource's policy decides this whatever the policies of identities say, so one identity of the account that
//! may do too much cannot forge an event.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::names;
use crate::queues::THE_QUEUE;
use crate::template::{Template, list, refers, render, statements};

/// What an operator's role may do with a dead-letter queue.
const REDRIVES: [&str; 6] = [
    "sqs:CancelMessageMoveTask",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ListMessageMoveTasks",
    "sqs:ReceiveMessage",
    "sqs:StartMessageMoveTask",
];

/// What lets somebody else in.
#[must_use]
pub fn check(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    let fed: BTreeSet<&str> = subscriptions(template).filter_map(|(_, one)| topic_of(one)).collect();
    for id in fed.into_iter().chain(["EventsTopic"]).collect::<BTreeSet<_>>() {
        topic(template, id, &mut wrong);
    }
    let sources = dead_letter_sources(template);
    for (id, queue) in template.of_type("AWS::SQS::Queue") {
        let source = sources.iter().find(|(_, dead)| dead == id).map(|(source, _)| source.as_str());
        let denied = if source.is_some() {
            an_identity()
        } else if let Some(topic) = subscribed_to(template, id) {
            // Whoever may send to it beside the topic, by its own policy; of most queues nobody.
            let mut senders = roles_that_may(template, "sqs:SendMessage", &format!("${{{id}.Arn}}"));
            senders.insert("RedriveRole".to_owned());
            let senders: Vec<_> = senders.iter().map(|role| json!({ "Fn::GetAtt": [role, "Arn"] })).collect();
            let senders = if senders.len() == 1 { senders[0].clone() } else { Value::Array(senders) };
            json!({ "ArnNotEquals": { "aws:SourceArn": { "Ref": topic }, "aws:PrincipalArn": senders } })
        } else {
            let mut senders = roles_that_may(template, "sqs:SendMessage", &format!("${{{id}.Arn}}"));
            if sources.iter().any(|(source, _)| source == id) {
                senders.insert("RedriveRole".to_owned());
            }
            others_than(&senders)
        };
        if !denies(template, "AWS::SQS::QueuePolicy", "Queues", id, &["sqs:SendMessage"], &denied) {
            wrong.push(format!("{id}: others could send to it"));
        }
        if !denies(template, "AWS::SQS::QueuePolicy", "Queues", id, &["sqs:*"], &without_tls()) {
            wrong.push(format!("{id}: it can be reached without TLS"));
        }
        only_policy(template, id, &mut wrong);
        redrive_allowed(id, queue, source, subscribed_to(template, id).is_some(), &mut wrong);
    }
    redrive_role(template, &sources, &mut wrong);
    kept(template, &sources, &mut wrong);
    wrong
}

/// Whoever may publish is a function's role; or it is a service of AWS, which has none, and nobody's role may.
fn topic(template: &Template, id: &str, wrong: &mut Vec<String>) {
    let kind = "AWS::SNS::TopicPolicy";
    let relays = roles_that_may(template, "sns:Publish", &format!("${{{id}}}"));
    let is_fed_by_a_service = id != "EventsTopic" && relays.is_empty();
    let others = if is_fed_by_a_service { an_identity() } else { others_than(&relays) };
    if !denies(template, kind, "Topics", id, &["sns:Publish"], &others) {
        wrong.push(format!("{id}: others than the relays could publish"));
    }
    if !denies(template, kind, "Topics", id, &["sns:Publish"], &without_tls()) {
        wrong.push(format!("{id}: it can be reached without TLS"));
    }
    let own = || subscriptions(template).filter(|(_, subscription)| topic_of(subscription) == Some(id));
    let endpoints: BTreeSet<String> =
        own().map(|(_, subscription)| render(&subscription["Endpoint"])).collect();
    let denied: Vec<_> = policies(template, kind, "Topics", id)
        .filter(|statement| statement["Effect"] == "Deny" && statement["Action"] == "sns:Subscribe")
        .collect();
    let known = |statement: &&Value| {
        let known = list(&statement["Condition"]["StringNotEquals"]["sns:Endpoint"]).iter().map(render);
        statement["Principal"] == "*" && known.collect::<BTreeSet<_>>() == endpoints
    };
    if denied.is_empty() || !denied.iter().all(known) {
        wrong.push(format!("{id}: others than this stack's queues could be subscribed, or one of them not"));
    }
    for (subscription, _) in own() {
        if template.resource(subscription)["DependsOn"] != format!("{id}Policy") {
            wrong.push(format!("{subscription}: it may come before the policy that allows it"));
        }
    }
}

/// A queue's subscriptions.
fn subscriptions(template: &Template) -> impl Iterator<Item = (&str, &Value)> {
    template.of_type("AWS::SNS::Subscription").filter(|(_, subscription)| subscription["Protocol"] == "sqs")
}

fn topic_of(subscription: &Value) -> Option<&str> {
    refers(&subscription["TopicArn"], None)
}

/// The topic that a queue is subscribed to.
fn subscribed_to<'a>(template: &'a Template, queue: &str) -> Option<&'a str> {
    let is_its = |subscription: &&Value| refers(&subscription["Endpoint"], Some("Arn")) == Some(queue);
    subscriptions(template).map(|(_, subscription)| subscription).find(is_its).and_then(topic_of)
}

/// Each queue with its dead-letter queue.
fn dead_letter_sources(template: &Template) -> Vec<(String, String)> {
    template
        .of_type("AWS::SQS::Queue")
        .filter_map(|(id, queue)| {
            let dead = refers(&queue["RedrivePolicy"]["deadLetterTargetArn"], Some("Arn"))?;
            Some((id.to_owned(), dead.to_owned()))
        })
        .collect()
}

/// The roles of the functions whose own policies grant an action on a resource.
fn roles_that_may(template: &Template, action: &str, resource: &str) -> BTreeSet<String> {
    let grants = |statement: &crate::template::Statement| {
        statement.actions.iter().any(|granted| granted == action)
            && statement.resources.iter().any(|granted| granted == resource)
    };
    template
        .functions()
        .into_iter()
        .filter(|function| function.statements().iter().any(grants))
        .map(|function| format!("{}Role", function.id))
        .collect()
}

fn others_than(roles: &BTreeSet<String>) -> Value {
    let roles: Vec<_> = roles.iter().map(|role| json!({ "Fn::GetAtt": [role, "Arn"] })).collect();
    json!({ "ArnNotEquals": { "aws:PrincipalArn": roles } })
}

/// Who has a role or is a user: SQS, when it moves what failed, and other services have none.
fn an_identity() -> Value {
    json!({ "Null": { "aws:PrincipalArn": "false" } })
}

fn without_tls() -> Value {
    json!({ "Bool": { "aws:SecureTransport": "false" } })
}

/// The statements of the policies that are put on a resource.
fn policies<'a>(
    template: &'a Template,
    kind: &str,
    covers: &'static str,
    id: &'a str,
) -> impl Iterator<Item = &'a Value> {
    template
        .of_type(kind)
        .filter(move |(_, policy)| {
            list(&policy[covers]).iter().any(|covered| refers(covered, None) == Some(id))
        })
        .flat_map(|(_, policy)| list(&policy["PolicyDocument"]["Statement"]))
}

/// A queue has exactly one policy: of two, CloudFormation would leave the one that it writes last. And what that allows is
/// that the queue's topic sends, where it has one.
fn only_policy(template: &Template, id: &str, wrong: &mut Vec<String>) {
    let all = template.of_type("AWS::SQS::QueuePolicy");
    let named = all.flat_map(|(_, policy)| list(&policy["Queues"]));
    let count = named.filter(|queue| refers(queue, None) == Some(id)).count();
    if count != 1 {
        wrong.push(format!("{id}: {count} policies name it, not one"));
    }
    let topic = subscribed_to(template, id);
    let is_of_topic = |statement: &&Value| {
        statement["Principal"] == json!({ "Service": "sns.amazonaws.com" })
            && statement["Action"] == "sqs:SendMessage"
            && topic.is_some_and(|topic| {
                statement["Condition"] == json!({ "ArnEquals": { "aws:SourceArn": { "Ref": topic } } })
            })
    };
    let own = policies(template, "AWS::SQS::QueuePolicy", "Queues", id);
    let allowed: Vec<_> = own.filter(|statement| statement["Effect"] != "Deny").collect();
    if allowed.len() != usize::from(topic.is_some()) || !allowed.iter().all(is_of_topic) {
        wrong.push(format!("{id}: its policy allows more, or less, than that its topic sends"));
    }
}

/// Whether a policy of the resource refuses everybody actions on it under exactly this condition.
fn denies(
    template: &Template,
    kind: &str,
    covers: &'static str,
    id: &str,
    actions: &[&str],
    condition: &Value,
) -> bool {
    policies(template, kind, covers, id).any(|statement| {
        statement["Effect"] == "Deny"
            && statement["Principal"] == "*"
            && list(&statement["Action"]).iter().eq(actions.iter().copied())
            && is_about(kind, id, &statement["Resource"])
            && sorted(&statement["Condition"]) == sorted(condition)
    })
}

/// Whether a policy's statement is about the resource that has the policy.
fn is_about(kind: &str, id: &str, resource: &Value) -> bool {
    let resource = render(resource);
    [format!("${{{id}}}"), format!("${{{id}.Arn}}")].contains(&resource)
        || (kind == "AWS::SQS::QueuePolicy" && resource == THE_QUEUE)
}

/// A condition whose lists are in order: that of their values says nothing.
fn sorted(condition: &Value) -> Value {
    match condition {
        Value::Array(values) => {
            let mut values = values.clone();
            values.sort_by_key(Value::to_string);
            Value::Array(values)
        }
        Value::Object(members) if !members.contains_key("Fn::GetAtt") => {
            members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        other => other.clone(),
    }
}

/// A dead-letter queue takes the failed messages of its own queue, by the name that this one has; any other
/// queue without a subscription takes no queue's.
fn redrive_allowed(id: &str, queue: &Value, source: Option<&str>, subscribed: bool, wrong: &mut Vec<String>) {
    let expected = match source {
        Some(source) => {
            let arn = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-";
            json!({ "redrivePermission": "byQueue", "sourceQueueArns": [{ "Fn::Sub": format!("{arn}{source}") }] })
        }
        None if subscribed => return,
        None => json!({ "redrivePermission": "denyAll" }),
    };
    if queue["RedriveAllowPolicy"] != expected {
        wrong.push(format!("{id}: other queues could move their messages to it"));
    }
}

/// The redrive's role reaches each dead-letter queue and the queue before it, and nothing else.
fn redrive_role(template: &Template, sources: &[(String, String)], wrong: &mut Vec<String>) {
    for (source, _) in sources {
        let name = &template.resource(source)["Properties"]["QueueName"];
        if name != &json!({ "Fn::Sub": format!("${{AWS::StackName}}-{source}") }) {
            wrong.push(format!("{source}: it has another name than its dead-letter queue knows"));
        }
    }
    let arns = |queue: &String| format!("${{{queue}.Arn}}");
    let from: BTreeSet<_> =
        sources.iter().flat_map(|(_, dead)| REDRIVES.map(|action| (action.to_owned(), arns(dead)))).collect();
    let to = sources.iter().map(|(source, _)| ("sqs:SendMessage".to_owned(), arns(source)));
    let expected: BTreeSet<_> = from.into_iter().chain(to).collect();
    let granted: BTreeSet<_> = list(&template.resource("RedriveRole")["Properties"]["Policies"])
        .iter()
        .flat_map(|policy| statements(&policy["PolicyDocument"]))
        .flat_map(|statement| {
            let resources = statement.resources;
            statement.actions.into_iter().flat_map(move |action| {
                resources.clone().into_iter().map(move |resource| (action.clone(), resource))
            })
        })
        .collect();
    for (action, resource) in granted.symmetric_difference(&expected) {
        wrong.push(format!("RedriveRole: {action} on {resource} is missing, or too much"));
    }
}

/// What a consumer gives up on is kept and can be sent again, except what another topic than the shop's own brings: it
/// names people (docs/decisions/0064).
fn kept(template: &Template, sources: &[(String, String)], wrong: &mut Vec<String>) {
    for (function, variable, place) in [
        ("CollectDeadLettersFunction", "DEAD_LETTER_QUEUES", "DeadLetterQueue"),
        ("RunRedriveFunction", "CONSUMER_QUEUES", "Queue"),
        ("CreateRedriveFunction", "CONSUMER_QUEUES", "Queue"),
        ("ListDeadLettersFunction", "CONSUMER_QUEUES", "Queue"),
    ] {
        let function_of = template.resource(function);
        if function_of.is_null() {
            continue;
        }
        let of = |(source, dead): &(String, String)| {
            let is_ours = subscribed_to(template, source).is_none_or(|topic| topic == "EventsTopic");
            let consumer = consumer_of(template, source).filter(|_| is_ours)?;
            let url = if place == "Queue" { source } else { dead };
            Some(format!("{consumer}=${{{url}}}"))
        };
        let expected: BTreeSet<_> = sources.iter().filter_map(of).collect();
        let named = function_of["Properties"]["Environment"]["Variables"][variable]["Fn::Sub"].as_str();
        let named: BTreeSet<_> = named.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        for queue in named.symmetric_difference(&expected) {
            wrong.push(format!("{function}: {queue} is missing in {variable}, or too much"));
        }
    }
}

/// The name of the function that a queue's messages go to.
fn consumer_of(template: &Template, queue: &str) -> Option<String> {
    let mut sources = template.sources("SQS").into_iter();
    let is_its = |event: &Value| refers(&event["Queue"], Some("Arn")) == Some(queue);
    sources.find_map(|(function, event)| is_its(event).then(|| names::of_logical_id(function.id)).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broken::{finds, good};

    #[test]
    fn what_lets_somebody_else_in_is_found() {
        assert_eq!(check(&good()), [""; 0]);
        finds(
            check,
            &[
                ("Effect: Deny # publish", "Effect: Allow", "could publish"),
                ("PlaceOrderFunctionRole.Arn] } } # publish", "OtherRole.Arn] } }", "could publish"),
                (
                    "ArnNotEquals: { \"aws:PrincipalArn\"",
                    "ArnEquals: { \"aws:PrincipalArn\"",
                    "could publish",
                ),
                ("[!GetAtt PackQueue.Arn] } }", "[!GetAtt PackQueue.Arn, x] } }", "could be subscribed"),
                ("Action: sns:Subscribe", "Action: sns:Receive", "could be subscribed"),
                ("DependsOn: EventsTopicPolicy", "DependsOn: EventsTopic", "may come before"),
                ("\"aws:SecureTransport\": \"false\"", "\"aws:SecureTransport\": \"true\"", "without TLS"),
                (
                    "\"false\" } } # relay",
                    "\"true\" } }",
                    "RelayDeadLetterQueue: it can be reached without TLS",
                ),
                (
                    "\"false\" } } # dead",
                    "\"true\" } }",
                    "PackDeadLetterQueue: it can be reached without TLS",
                ),
                ("\"false\" } } # queue", "\"true\" } }", "PackQueue: it can be reached without TLS"),
                ("Effect: Deny # relay", "Effect: Allow", "RelayDeadLetterQueue: others could send"),
                ("PlaceOrderFunctionRole.Arn] } } # relay", "OtherRole.Arn] } }", "others could send"),
                ("\"Null\"", "Bool", "PackDeadLetterQueue: others could send"),
                ("!GetAtt RedriveRole.Arn", "!GetAtt OtherRole.Arn", "PackQueue: others could send"),
                ("Queues: [!Ref PackQueue]", "Queues: []", "PackQueue: 0 policies name it"),
                (
                    "Queues: [!Ref PackQueue]",
                    "Queues: [!Ref PackQueue, !Ref PackDeadLetterQueue]",
                    "PackDeadLetterQueue: 2 policies name it",
                ),
                (
                    "Queues: [!Ref PackDeadLetterQueue]",
                    "Queues: [!Ref PackDeadLetterQueue, !Ref PackDeadLetterQueue]",
                    "PackDeadLetterQueue: 2 policies name it",
                ),
                (
                    "{ Service: sns.amazonaws.com }\n            Action: sqs:SendMessage",
                    "\"*\"\n            Action: sqs:SendMessage",
                    "PackQueue: its policy allows more",
                ),
                (
                    "{ Service: sns.amazonaws.com }\n            Action: sqs:SendMessage",
                    "{ Service: sns.amazonaws.com }\n            Action: sqs:*",
                    "PackQueue: its policy allows more",
                ),
                (
                    "ArnEquals: { \"aws:SourceArn\": !Ref EventsTopic } }",
                    "ArnEquals: { \"aws:SourceArn\": !Ref OtherTopic } }",
                    "PackQueue: its policy allows more",
                ),
                ("Effect: Deny # nobody", "Effect: Allow", "PackDeadLetterQueue: its policy allows more"),
                ("Resource: \"*\" # nobody", "Resource: x", "PackDeadLetterQueue: others could send"),
                ("Resource: !Ref EventsTopic # publish", "Resource: \"*\"", "could publish"),
                ("denyAll", "allowAll", "RelayDeadLetterQueue: other queues"),
                ("byQueue", "allowAll", "PackDeadLetterQueue: other queues"),
                ("QueueName: !Sub ${AWS::StackName}-PackQueue", "QueueName: pack", "another name"),
                ("                  - sqs:StartMessageMoveTask\n", "", "is missing"),
                ("Resource: [!GetAtt PackQueue.Arn] }", "Resource: [!GetAtt OtherQueue.Arn] }", "too much"),
            ],
        );
    }

    #[test]
    fn a_queue_whose_dead_letters_are_not_kept_is_found() {
        let text = crate::project::text("template.yaml").unwrap();
        assert_eq!(check(&Template::parse(&text).unwrap()), [""; 0]);
        for line in ["settle-order=${SettleOrderDeadLetterQueue}", "settle-order=${SettleOrderQueue}"] {
            let places: Vec<_> = text.match_indices(line).collect();
            assert!(!places.is_empty(), "{line}");
            // In each function that is told of them.
            for (at, line) in places {
                let broken = [&text[..at], "other=${OtherQueue}", &text[at + line.len()..]].concat();
                let found = check(&Template::parse(&broken).unwrap());
                assert!(found.iter().any(|wrong| wrong.contains("settle-order")), "{found:?}");
            }
        }
    }
}

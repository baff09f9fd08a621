//! The dashboard of template.yaml: every queue, consumer, relay and table of the template, and what the shop counts of its
//! own log. A newcomer is on it by `cargo xtask sync` (docs/decisions/0065).
//!
//! It names metrics that AWS has for nothing, but for those that a metric filter of the template makes. What is on it, and
//! that each of its metrics exists, a test holds to the template (`template_truth::dashboard`).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use template_truth::template::{Template, refers};
use template_truth::{dashboard, names};

use crate::output::Output;

/// Metrics of the whole shop that a filter of the template makes, and that have a graph.
const LAG: &str = "JournalLag";
const PARKED: &str = "ParkedDeadLetters";
const MALFORMED: &str = "MalformedMessages";
const TEMPLATE: &str = "template.yaml";
/// Of the 24 columns of a dashboard.
const WIDTH: usize = 12;
const HEIGHT: usize = 6;
/// The lines of words above the graphs.
const HEAD: usize = 2;
const MINUTE: u64 = 60;
/// A batch is received in one minute and deleted in the next: what is told by both is told of a longer time.
const FIVE_MINUTES: u64 = 300;
/// 5xx and time to answer by route, of the access log: metrics by route would be paid for each route. The fields are texts
/// there; a status divided by 500 and rounded down is 1 for 5xx, and 0 for all below.
const BY_ROUTE: &str = "SOURCE '${ApiLogGroup}' | stats count(*) as requests, sum(floor(status / 500)) as errors, \
    100 * sum(floor(status / 500)) / count(*) as percent, pct(latency_ms, 50) as p50, pct(latency_ms, 99) as p99 \
    by route | sort percent desc, p99 desc | limit 100";
const WORDS: &str = "What each figure means: docs/monitor.md, CloudWatch. What to do about an alarm: docs/operations.md, Runbooks.";

pub(crate) fn write(output: &mut Output, template: &Template) -> Result<()> {
    output.put_block(TEMPLATE, "dashboard", &block(template)?)
}

/// A graph.
struct Graph {
    title: &'static str,
    statistic: &'static str,
    seconds: u64,
    lines: Vec<Value>,
}

impl Graph {
    const fn new(title: &'static str, statistic: &'static str, lines: Vec<Value>) -> Self {
        Self { title, statistic, seconds: MINUTE, lines }
    }
}

/// A consumer with its queue and its dead-letter queue, by their logical ids.
struct Consumer {
    name: String,
    function: String,
    queue: String,
    dead_letters: String,
}

/// The property of the dashboard that holds it, as it is written.
fn block(template: &Template) -> Result<String> {
    let mut graphs = whole(template);
    graphs.extend(queues(template)?);
    graphs.extend(functions(template)?);
    graphs.push(Graph::new("What else is counted in the log, in a minute", "Sum", counted(template)));
    graphs.push(Graph::new("Write units of tables, without their indexes", "Sum", tables(template)));
    Ok(written(&graphs))
}

/// The shop as a whole: requests, events, the journal.
fn whole(template: &Template) -> Vec<Graph> {
    let api = |name: &str, options: Value| metric("AWS/ApiGateway", name, "ApiId", "${Api}", &options);
    let order = |name: &str, options: Value| {
        metric("AWS/Lambda", name, "FunctionName", "${CreateOrderFunction}", &options)
    };
    let topic = |name: &str, label: &str| {
        metric("AWS/SNS", name, "TopicName", "${EventsTopic.TopicName}", &json!({ "label": label }))
    };
    let relays = template.sources("DynamoDB").into_iter().map(|(relay, _)| {
        let label = json!({ "label": names::of_logical_id(relay.id).unwrap_or_default() });
        metric("AWS/Lambda", "IteratorAge", "FunctionName", &format!("${{{}}}", relay.id), &label)
    });
    let lag = |statistic: &str| own(LAG, &[], json!({ "label": statistic, "stat": statistic }));
    vec![
        Graph::new(
            "Requests in a minute",
            "Sum",
            vec![
                api("Count", json!({ "label": "all" })),
                api("4xx", json!({ "label": "4xx" })),
                api("5xx", json!({ "label": "5xx" })),
            ],
        ),
        Graph::new(
            "Time to answer, ms",
            "p99",
            vec![
                api("Latency", json!({ "label": "all, p50", "stat": "p50" })),
                api("Latency", json!({ "label": "all, p99" })),
                order("Duration", json!({ "label": "POST /orders, p99" })),
            ],
        ),
        Graph::new(
            "POST /orders in a minute",
            "Sum",
            vec![
                order("Invocations", json!({ "label": "all" })),
                order("Errors", json!({ "label": "failed or timed out" })),
            ],
        ),
        Graph::new(
            "Events published in a minute",
            "Sum",
            vec![
                topic("NumberOfMessagesPublished", "published"),
                topic("NumberOfNotificationsFailed", "not delivered to a queue"),
            ],
        ),
        Graph::new("Events that leave a table's stream late: age, ms", "Maximum", relays.collect()),
        Graph::new("From an event to its entry in the journal, ms", "p50", vec![lag("p50"), lag("Maximum")]),
    ]
}

/// What waits in the queues, and what goes through them.
fn queues(template: &Template) -> Result<Vec<Graph>> {
    let consumers = consumers(template)?;
    let of_each = |name: &str| -> Vec<Value> {
        let line =
            |consumer: &Consumer| queue(name, &consumer.queue, &json!({ "label": consumer.name.as_str() }));
        consumers.iter().map(line).collect()
    };
    let mut failed = Vec::new();
    for (place, consumer) in consumers.iter().enumerate() {
        let (received, deleted) = (format!("r{place}"), format!("d{place}"));
        let hidden = |id: &str| json!({ "id": id, "visible": false });
        failed.push(
            json!([{ "expression": format!("{received} - {deleted}"), "label": consumer.name.as_str() }]),
        );
        failed.push(queue("NumberOfMessagesReceived", &consumer.queue, &hidden(&received)));
        failed.push(queue("NumberOfMessagesDeleted", &consumer.queue, &hidden(&deleted)));
    }
    let mut dead = vec![own(PARKED, &[], json!({ "label": "parked" }))];
    let known: BTreeSet<&str> = consumers.iter().map(|consumer| consumer.dead_letters.as_str()).collect();
    let others = template.of_type(dashboard::QUEUE).map(|(id, _)| id).filter(|id| {
        // A queue that nobody consumes holds what somebody else gave up on.
        !known.contains(id) && !consumers.iter().any(|consumer| consumer.queue == *id)
    });
    for id in known.iter().copied().chain(others) {
        dead.push(queue("ApproximateNumberOfMessagesVisible", id, &json!({ "label": id })));
    }
    Ok(vec![
        Graph::new(
            "Queues: age of the oldest message, s",
            "Maximum",
            of_each("ApproximateAgeOfOldestMessage"),
        ),
        Graph::new("Queues: ready", "Maximum", of_each("ApproximateNumberOfMessagesVisible")),
        Graph::new(
            "Queues: in flight, or waiting for the next try",
            "Maximum",
            of_each("ApproximateNumberOfMessagesNotVisible"),
        ),
        Graph::new("Queues: in, in a minute", "Sum", of_each("NumberOfMessagesSent")),
        Graph::new("Queues: done, in a minute", "Sum", of_each("NumberOfMessagesDeleted")),
        Graph {
            seconds: FIVE_MINUTES,
            ..Graph::new("Deliveries that failed in five minutes: received, less deleted", "Sum", failed)
        },
        Graph::new("Dead letters", "Maximum", dead),
    ])
}

/// What the consumers do.
fn functions(template: &Template) -> Result<Vec<Graph>> {
    let consumers = consumers(template)?;
    let of_each = |name: &str| -> Vec<Value> {
        let line = |consumer: &Consumer| {
            let (function, label) =
                (format!("${{{}}}", consumer.function), json!({ "label": consumer.name.as_str() }));
            metric("AWS/Lambda", name, "FunctionName", &function, &label)
        };
        consumers.iter().map(line).collect()
    };
    let failing = consumers.iter().map(|consumer| {
        let name = consumer.name.as_str();
        own("FailingMessages", &[("Consumer", name)], json!({ "label": name }))
    });
    let malformed = own(MALFORMED, &[], json!({ "label": "no event, of any consumer" }));
    let failing = failing.chain([malformed]).collect();
    Ok(vec![
        Graph::new("Messages that fail for the third time or more, in a minute", "Sum", failing),
        Graph::new("Consumers: batches in a minute", "Sum", of_each("Invocations")),
        Graph::new("Consumers: calls that failed or timed out", "Sum", of_each("Errors")),
        Graph::new("Consumers: time of a batch, p99, ms", "p99", of_each("Duration")),
    ])
}

/// What has no graph of its own: roles that are given, log-ins that are refused, and whatever else is counted.
fn counted(template: &Template) -> Vec<Value> {
    let others = dashboard::counted(template)
        .into_iter()
        .filter(|name| ![LAG, PARKED, MALFORMED].contains(&name.as_str()));
    others.map(|name| own(&name, &[], json!({ "label": name.as_str() }))).collect()
}

fn tables(template: &Template) -> Vec<Value> {
    let tables = template.of_type("AWS::DynamoDB::Table");
    let line = |(id, _): (&str, &Value)| {
        let label = json!({ "label": id });
        metric("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", &format!("${{{id}}}"), &label)
    };
    tables.map(line).collect()
}

fn consumers(template: &Template) -> Result<Vec<Consumer>> {
    let consumer = |(function, event): (template_truth::template::Function<'_>, &Value)| {
        let queue = refers(&event["Queue"], Some("Arn")).context("a consumer's queue is of the template")?;
        Ok(Consumer {
            name: names::of_logical_id(function.id).unwrap_or_default(),
            function: function.id.to_owned(),
            queue: queue.to_owned(),
            dead_letters: queue.replace("Queue", "DeadLetterQueue"),
        })
    };
    template.sources("SQS").into_iter().map(consumer).collect()
}

/// A line of a queue's, by its logical id.
fn queue(name: &str, id: &str, options: &Value) -> Value {
    metric("AWS/SQS", name, "QueueName", &format!("${{{id}.QueueName}}"), options)
}

/// A line of a metric that AWS has of a thing.
fn metric(namespace: &str, name: &str, dimension: &str, value: &str, options: &Value) -> Value {
    json!([namespace, name, dimension, value, options])
}

/// A line of a metric that a metric filter of the template makes.
fn own(name: &str, dimensions: &[(&str, &str)], options: Value) -> Value {
    let mut line = vec![json!(dashboard::OWN), json!(name)];
    line.extend(dimensions.iter().flat_map(|(dimension, value)| [json!(dimension), json!(value)]));
    line.push(options);
    Value::Array(line)
}

/// The property, a line of text for each line of a graph.
fn written(graphs: &[Graph]) -> String {
    let mut text = format!(
        "      DashboardBody: !Sub |\n        {{\"widgets\": [\n        {{\"type\": \"text\", \"x\": 0, \"y\": 0, \
         \"width\": {}, \"height\": {HEAD}, \"properties\": {{\n          \"markdown\": {}}}}}",
        2 * WIDTH,
        json!(WORDS)
    );
    for (place, graph) in graphs.iter().enumerate() {
        let (x, y) = (place % 2 * WIDTH, HEAD + place / 2 * HEIGHT);
        // To a String it cannot fail.
        let _ = write!(
            text,
            ",\n        {{\"type\": \"metric\", \"x\": {x}, \"y\": {y}, \"width\": {WIDTH}, \"height\": {HEIGHT}, \
             \"properties\": {{\n          \"title\": {}, \"region\": \"${{AWS::Region}}\", \"stat\": {}, \
             \"period\": {},\n          \"yAxis\": {{\"left\": {{\"min\": 0}}}}, \"metrics\": [",
            json!(graph.title),
            json!(graph.statistic),
            graph.seconds
        );
        for (number, line) in graph.lines.iter().enumerate() {
            let _ = write!(text, "{}\n            {line}", if number == 0 { "" } else { "," });
        }
        text.push_str("]}}");
    }
    // To a String it cannot fail.
    let _ = write!(
        text,
        ",\n        {{\"type\": \"log\", \"x\": 0, \"y\": {}, \"width\": {}, \"height\": {}, \"properties\": {{\n          \
         \"title\": \"5xx and time to answer by route, ms\", \"region\": \"${{AWS::Region}}\", \"view\": \"table\",\n          \
         \"query\": {}}}}}",
        HEAD + graphs.len().div_ceil(2) * HEIGHT,
        2 * WIDTH,
        2 * HEIGHT,
        json!(BY_ROUTE)
    );
    text + "\n        ]}"
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn whoever_is_new_in_the_template_is_on_the_dashboard() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = std::fs::read_to_string(root.join("template.yaml")).unwrap();
        let added = text.replacen(
            "\nOutputs:\n",
            "\n  PackOrderFunction:\n    Type: AWS::Serverless::Function\n    Properties:\n      Events:\n        Queue: \
             { Type: SQS, Properties: { Queue: !GetAtt PackOrderQueue.Arn } }\n  PackOrderQueue: { Type: AWS::SQS::Queue }\n  \
             PackOrderDeadLetterQueue: { Type: AWS::SQS::Queue }\n  PacksTable: { Type: AWS::DynamoDB::Table }\n\nOutputs:\n",
            1,
        );
        assert_ne!(added, text);
        let new = block(&Template::parse(&added).unwrap()).unwrap();
        for (name, times) in [
            ("${PackOrderQueue.QueueName}", 7),
            ("${PackOrderDeadLetterQueue.QueueName}", 1),
            ("${PackOrderFunction}", 3),
            ("\"Consumer\",\"pack-order\"", 1),
            ("${PacksTable}", 1),
        ] {
            assert_eq!(new.matches(name).count(), times, "{name}");
        }
    }
}

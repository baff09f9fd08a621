//! The dashboard shows everything that it is to show, and nothing that does not exist: each queue, consumer, relay and table
//! of the template, and metrics that AWS has or that a metric filter of the template makes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::names;
use crate::template::{Template, list, refers, render};

/// The type of a queue.
pub const QUEUE: &str = "AWS::SQS::Queue";
/// The namespace of the metrics that the template's own filters make, as the body of a dashboard names it.
pub const OWN: &str = "${AWS::StackName}";
const FUNCTION: &str = "AWS::Serverless::Function";
const TABLE: &str = "AWS::DynamoDB::Table";
const WHAT_TO_DO: &str = "run cargo xtask sync";

/// Metrics that AWS has of a thing for nothing.
struct Free {
    namespace: &'static str,
    dimension: &'static str,
    /// The type of the resource that the dimension names, and the attribute by which it does.
    resource: &'static str,
    attribute: Option<&'static str>,
    metrics: &'static [&'static str],
}

/// Those that the dashboard may name; whoever wants another adds it here, after a look at what AWS documents.
const FREE: &[Free] = &[
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    Free {
        namespace: "AWS/SQS",
        dimension: "QueueName",
        resource: QUEUE,
        attribute: Some("QueueName"),
        metrics: &[
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfMessagesDeleted",
            "NumberOfMessagesReceived",
            "NumberOfMessagesSent",
        ],
    },
    // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    Free {
        namespace: "AWS/Lambda",
        dimension: "FunctionName",
        resource: FUNCTION,
        attribute: None,
        metrics: &["Duration", "Errors", "Invocations", "IteratorAge"],
    },
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
    Free {
        namespace: "AWS/ApiGateway",
        dimension: "ApiId",
        resource: "AWS::Serverless::HttpApi",
        attribute: None,
        metrics: &["4xx", "5xx", "Count", "Latency"],
    },
    // https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
    Free {
        namespace: "AWS/SNS",
        dimension: "TopicName",
        resource: "AWS::SNS::Topic",
        attribute: Some("TopicName"),
        metrics: &["NumberOfMessagesPublished", "NumberOfNotificationsFailed"],
    },
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    Free {
        namespace: "AWS/DynamoDB",
        dimension: "TableName",
        resource: TABLE,
        attribute: None,
        metrics: &["ConsumedWriteCapacityUnits"],
    },
];

/// A metric that a dashboard names: its namespace, its name and its dimensions, as they are written there.
type Metric = (String, String, BTreeMap<String, String>);

/// What is wrong with the dashboard.
#[must_use]
pub fn check(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    let all: Vec<_> = template.of_type("AWS::CloudWatch::Dashboard").collect();
    let [(id, dashboard)] = all[..] else {
        return vec![format!("there are {} dashboards, not one", all.len())];
    };
    let body = serde_json::from_str(&render(&dashboard["DashboardBody"])).unwrap_or(Value::Null);
    let shown: BTreeSet<Metric> = shown(&body, &mut wrong).into_iter().collect();
    if shown.is_empty() {
        wrong.push(format!("{id}: its body is no dashboard as JSON: {WHAT_TO_DO}"));
    }
    let own = own(template);
    for metric in &shown {
        if !is_free(template, metric) && !own.contains(metric) {
            let (namespace, name, dimensions) = metric;
            wrong
                .push(format!("{id}: nobody has the metric {namespace} {name} {dimensions:?}: {WHAT_TO_DO}"));
        }
    }
    for metric in needed(template).into_iter().chain(own) {
        if !shown.contains(&metric) {
            let (namespace, name, dimensions) = metric;
            wrong.push(format!("{id}: it does not show {namespace} {name} {dimensions:?}: {WHAT_TO_DO}"));
        }
    }
    wrong
}

/// The metrics that the graphs of a dashboard name; what else stands among them is a formula of those.
fn shown(body: &Value, wrong: &mut Vec<String>) -> Vec<Metric> {
    let graphs = list(&body["widgets"]).iter().filter(|widget| widget["type"] == "metric");
    let lines = graphs.flat_map(|widget| list(&widget["properties"]["metrics"]));
    let mut found = Vec::new();
    for line in lines {
        let words: Option<Vec<&str>> = match line.as_array().map(Vec::as_slice) {
            Some([one]) if one["expression"].is_string() => continue,
            Some([words @ .., last]) if last.is_object() => words.iter().map(Value::as_str).collect(),
            Some(words) => words.iter().map(Value::as_str).collect(),
            None => None,
        };
        match words.as_deref() {
            Some([namespace, name, dimensions @ ..]) if dimensions.len() % 2 == 0 => {
                let pairs = dimensions.chunks(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned()));
                found.push(((*namespace).to_owned(), (*name).to_owned(), pairs.collect()));
            }
            _ => wrong.push(format!("the dashboard names no metric by {line}")),
        }
    }
    found
}

/// Whether AWS has a metric of a thing that is in every stack of the template.
fn is_free(template: &Template, (namespace, name, dimensions): &Metric) -> bool {
    let Some(free) = FREE.iter().find(|free| free.namespace == namespace) else { return false };
    let value = dimensions.get(free.dimension).map_or("", String::as_str);
    let inner = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or_default();
    let id = match free.attribute {
        Some(attribute) => inner.strip_suffix(attribute).and_then(|rest| rest.strip_suffix('.')),
        None => Some(inner),
    };
    let resource = template.resource(id.unwrap_or_default());
    let is_of_a_stream = || template.sources("DynamoDB").iter().any(|(function, _)| Some(function.id) == id);
    dimensions.len() == 1
        && free.metrics.contains(&name.as_str())
        && resource["Type"] == free.resource
        && resource["Condition"].is_null()
        && (name != "IteratorAge" || is_of_a_stream())
}

/// The metrics that the template's own filters make: those of all dimensions' values.
fn own(template: &Template) -> BTreeSet<Metric> {
    let filters = template.of_type("AWS::Logs::MetricFilter");
    let transformations = filters.flat_map(|(_, filter)| list(&filter["MetricTransformations"]));
    let mut found = BTreeSet::new();
    for to in transformations {
        let name = to["MetricName"].as_str().unwrap_or_default().to_owned();
        let namespace = render(&to["MetricNamespace"]);
        match list(&to["Dimensions"]) {
            [] => {
                found.insert((namespace, name, BTreeMap::new()));
            }
            [consumer] if consumer["Key"] == "Consumer" => {
                found.extend(template.sources("SQS").into_iter().map(|(function, _)| {
                    let value = names::of_logical_id(function.id).unwrap_or_default();
                    (namespace.clone(), name.clone(), BTreeMap::from([("Consumer".to_owned(), value)]))
                }));
            }
            // Of what values it has, the template does not say.
            _ => {}
        }
    }
    found
}

/// The names of the metrics that the template's own filters make of the whole shop, not of each consumer.
#[must_use]
pub fn counted(template: &Template) -> BTreeSet<String> {
    own(template)
        .into_iter()
        .filter(|(.., dimensions)| dimensions.is_empty())
        .map(|(_, name, _)| name)
        .collect()
}

/// The metrics without which something would be missing.
fn needed(template: &Template) -> Vec<Metric> {
    let mut needed = Vec::new();
    let mut add = |namespace: &str, names: &[&str], dimension: &str, value: String| {
        needed.extend(names.iter().map(|name| {
            let dimensions = BTreeMap::from([(dimension.to_owned(), value.clone())]);
            (namespace.to_owned(), (*name).to_owned(), dimensions)
        }));
    };
    for (id, _) in template.of_type("AWS::Serverless::HttpApi") {
        add("AWS/ApiGateway", &["Count", "5xx", "Latency"], "ApiId", format!("${{{id}}}"));
    }
    let consumed: BTreeSet<_> = template
        .sources("SQS")
        .iter()
        .filter_map(|(_, event)| refers(&event["Queue"], Some("Arn")))
        .collect();
    for (id, _) in template.of_type(QUEUE) {
        let all = [
            "ApproximateNumberOfMessagesVisible",
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesNotVisible",
            "NumberOfMessagesSent",
            "NumberOfMessagesDeleted",
        ];
        let names = if consumed.contains(id) { &all[..] } else { &all[..1] };
        add("AWS/SQS", names, "QueueName", format!("${{{id}.QueueName}}"));
    }
    for (function, _) in template.sources("SQS") {
        add(
            "AWS/Lambda",
            &["Duration", "Errors", "Invocations"],
            "FunctionName",
            format!("${{{}}}", function.id),
        );
    }
    for (function, _) in template.sources("DynamoDB") {
        add("AWS/Lambda", &["IteratorAge"], "FunctionName", format!("${{{}}}", function.id));
    }
    for (id, _) in template.of_type(TABLE) {
        add("AWS/DynamoDB", &["ConsumedWriteCapacityUnits"], "TableName", format!("${{{id}}}"));
    }
    needed
}

/// What the template's metric filters look for in the log: whole texts, and the names of fields whose values are taken.
#[must_use]
pub fn looked_for(template: &Template) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut texts, mut fields) = (BTreeSet::new(), BTreeSet::new());
    for (_, filter) in template.of_type("AWS::Logs::MetricFilter") {
        let pattern = filter["FilterPattern"].as_str().unwrap_or_default();
        let quoted = pattern.split('"').skip(1).step_by(2).filter(|text| *text != "*");
        texts.extend(quoted.map(str::to_owned));
        for to in list(&filter["MetricTransformations"]) {
            fields.extend(
                to["MetricValue"].as_str().and_then(|value| value.strip_prefix("$.")).map(str::to_owned),
            );
        }
    }
    (texts, fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broken::{finds, good};

    #[test]
    fn what_is_not_shown_and_what_nobody_has_is_found() {
        assert_eq!(check(&good()), [""; 0]);
        finds(
            check,
            &[
                ("Type: AWS::CloudWatch::Dashboard", "Type: AWS::CloudWatch::Other", "there are 0"),
                ("{\"widgets\": [", "{\"widgets\": ", "no dashboard as JSON"),
                ("[\"AWS/SQS\", \"NumberOfMessagesSent\"", "[\"AWS/SQS\"", "no metric by"),
                (
                    "\"NumberOfMessagesSent\"",
                    "\"NumberOfMessagesLost\"",
                    "nobody has the metric AWS/SQS NumberOfMessagesLost",
                ),
                (
                    "\"NumberOfMessagesSent\"",
                    "\"NumberOfMessagesReceived\"",
                    "not show AWS/SQS NumberOfMessagesSent",
                ),
                (
                    "\"AWS/SQS\", \"NumberOfMessagesSent\", \"QueueName\", \"${PackQueue.QueueName}\"",
                    "\"AWS/SQS\", \"NumberOfMessagesSent\", \"QueueName\", \"${OtherQueue.QueueName}\"",
                    "nobody has",
                ),
                (
                    "\"AWS/Lambda\", \"IteratorAge\", \"FunctionName\", \"${PlaceOrderFunction}\"",
                    "\"AWS/Lambda\", \"IteratorAge\", \"FunctionName\", \"${OrdersTable}\"",
                    "nobody has",
                ),
                ("\"Consumer\", \"place-order\"", "\"Consumer\", \"place-orders\"", "nobody has"),
                (
                    "\"${AWS::StackName}\", \"MalformedMessages\"",
                    "\"Shop\", \"MalformedMessages\"",
                    "nobody has",
                ),
                (
                    "  PackQueue:\n    Type: AWS::SQS::Queue",
                    "  PackQueue:\n    Condition: A\n    Type: AWS::SQS::Queue",
                    "nobody has",
                ),
                (
                    "  EventsTopic: { Type: AWS::SNS::Topic }",
                    "  OtherQueue: { Type: AWS::SQS::Queue }",
                    "not show AWS/SQS ApproximateNumberOfMessagesVisible {\"QueueName\": \"${OtherQueue.QueueName}\"}: run cargo xtask sync",
                ),
            ],
        );
    }

    #[test]
    fn what_the_filters_look_for_is_read() {
        let (texts, fields) = looked_for(&good());
        assert_eq!(texts, ["message keeps failing", "message malformed"].map(str::to_owned).into());
        assert_eq!(fields, BTreeSet::new());
    }
}

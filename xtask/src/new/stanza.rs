//! What template.yaml needs of a skeleton, written once, in the form of what is there.

use anyhow::{Context, Result};

use super::rename::fill;
use super::text::{at_end_of_section, before, behind_last};
use super::tree::Tree;

const TEMPLATE: &str = "template.yaml";
const ALARMS: &str = "Alarms";
const OUTPUTS: &str = "Outputs:";

/// A function with a route.
pub(super) struct Route<'a> {
    pub(super) service: &'a str,
    pub(super) name: &'a str,
    pub(super) camel: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) table: &'a str,
    pub(super) variable: &'a str,
    /// What it does with the table.
    pub(super) action: &'a str,
}

impl Route<'_> {
    /// Adds it to its service's section.
    pub(super) fn add(&self, tree: &mut Tree) -> Result<()> {
        let values = [
            ("name", self.name),
            ("camel", self.camel),
            ("method", self.method),
            ("path", self.path),
            ("table", self.table),
            ("variable", self.variable),
            ("action", self.action),
        ];
        let mut function = fill(include_str!("skeletons/route.yaml.txt"), &values);
        if self.method == "GET" {
            function.push_str(&fill(include_str!("skeletons/head.yaml.txt"), &values));
        }
        let section = format!("HTTP functions: {}", self.service);
        tree.edit(TEMPLATE, |text| at_end_of_section(text, &section, &function))
    }
}

/// A function with a route that changes an item, for administrators.
pub(super) fn add_change(tree: &mut Tree, service: &str, values: &[(&str, &str)]) -> Result<()> {
    let function = fill(include_str!("skeletons/change_route.yaml.txt"), values);
    let section = format!("HTTP functions: {service}");
    tree.edit(TEMPLATE, |text| at_end_of_section(text, &section, &function))
}

/// A section for the routes of a service.
pub(super) fn add_section(tree: &mut Tree, service: &str) -> Result<()> {
    let rule = format!("  # {}\n", "-".repeat(98));
    let section = format!("{rule}  # HTTP functions: {service}\n{rule}\n");
    let next = format!("{rule}  # Functions without a route");
    tree.edit(TEMPLATE, |text| before(text, &next, &section))
}

/// The limits of a route that changes something.
pub(super) fn add_limits(tree: &mut Tree, route: &str) -> Result<()> {
    let limits = format!(
        "        {route}:\n          ThrottlingRateLimit: !Ref SessionRateLimit\n          \
         ThrottlingBurstLimit: !Ref SessionBurstLimit\n"
    );
    tree.edit(TEMPLATE, |text| before(text, "      AccessLogSettings:\n", &limits))
}

/// A table; one with a stream is of a service, whose routes reach it.
pub(super) fn add_table(tree: &mut Tree, table: &str, is_of_service: bool) -> Result<()> {
    let stream = if is_of_service {
        "\n      StreamSpecification: { StreamViewType: NEW_AND_OLD_IMAGES }"
    } else {
        ""
    };
    let stanza = fill(include_str!("skeletons/table.yaml.txt"), &[("table", table), ("stream", stream)]);
    tree.edit(TEMPLATE, |text| {
        let mut text = at_end_of_section(text, "Tables", &stanza)?;
        if is_of_service {
            let line = format!("              - !GetAtt {table}.Arn");
            text = behind_last(&text, "  FunctionBoundary:", "Table.Arn", &line)?;
        }
        let output = format!("  {table}Name:\n    Value: !Ref {table}");
        behind_last(&text, OUTPUTS, "Value: !Ref KeysTable", &output)
    })
}

/// The relay of a table.
pub(super) fn add_relay(tree: &mut Tree, name: &str, camel: &str, table: &str, plural: &str) -> Result<()> {
    let values = [("name", name), ("camel", camel), ("table", table), ("plural", plural)];
    let role = format!("                  - !GetAtt {camel}FunctionRole.Arn");
    tree.edit(TEMPLATE, |text| {
        let boundary = fill(include_str!("skeletons/relay_boundary.yaml.txt"), &values);
        let text = at_end_of_section(text, "API: one route", &boundary)?;
        let relay = fill(include_str!("skeletons/relay.yaml.txt"), &values);
        let text = at_end_of_section(&text, "Relays", &relay)?;
        let text = behind_last(&text, "  EventsTopicPolicy:", "FunctionRole.Arn", &role)?;
        let text = behind_last(&text, "  RelayDeadLetterQueuePolicy:", "FunctionRole.Arn", &role)?;
        at_end_of_section(&text, ALARMS, &fill(include_str!("skeletons/relay_alarm.yaml.txt"), &values))
    })
}

/// A consumer with its queue and its dead-letter queue.
pub(super) fn add_consumer(
    tree: &mut Tree,
    name: &str,
    camel: &str,
    upper: &str,
    events: &[String],
) -> Result<()> {
    let events = events.join(", ");
    let values = [("name", name), ("camel", camel), ("upper", upper), ("events", &events)];
    tree.edit(TEMPLATE, |text| {
        let boundary = fill(include_str!("skeletons/consumer_boundary.yaml.txt"), &values);
        let text = at_end_of_section(text, "API: one route", &boundary)?;
        let consumer = fill(include_str!("skeletons/consumer.yaml.txt"), &values);
        let text = at_end_of_section(&text, "Consumers", &consumer)?;
        let queue = fill(include_str!("skeletons/queue.yaml.txt"), &values);
        let text = before(&text, "  # Who moves messages back from a dead-letter queue", &queue)?;
        let text =
            behind_last(&text, "  ConsumerQueuesPolicy:", "- !Ref", &format!("        - !Ref {camel}Queue"))?;
        let dead = format!("        - !Ref {camel}DeadLetterQueue");
        let text = behind_last(&text, "  DeadLetterQueuesPolicy:", "- !Ref", &dead)?;
        let endpoint = format!("                  - !GetAtt {camel}Queue.Arn");
        let text = behind_last(&text, "  EventsTopicPolicy:", "Queue.Arn", &endpoint)?;
        let text =
            behind_last(&text, "  RedriveRole:", "DeadLetterQueue.Arn", &endpoint_of(camel, "DeadLetter"))?;
        let text = behind_last(&text, "  RedriveRole:", "Queue.Arn", &endpoint_of(camel, ""))?;
        let text = kept(&text, name, camel)?;
        let text = watch(&text, name, camel)?;
        let alarms = fill(include_str!("skeletons/queue_alarms.yaml.txt"), &values);
        let text = at_end_of_section(&text, ALARMS, &alarms)?;
        let urls = format!(
            "  {camel}QueueUrl:\n    Value: !Ref {camel}Queue\n  {camel}DeadLetterQueueUrl:\n    \
             Value: !Ref {camel}DeadLetterQueue"
        );
        let text = before(&text, "  RelayDeadLetterQueueUrl:\n", &format!("{urls}\n"))?;
        let arn = format!("  {camel}DeadLetterQueueArn:\n    Value: !GetAtt {camel}DeadLetterQueue.Arn\n");
        before(&text, "  RedriveRoleArn:\n", &arn)
    })
}

/// What the consumer gives up on is kept, and can be sent again.
fn kept(text: &str, name: &str, camel: &str) -> Result<String> {
    let mut text = text.to_owned();
    for (function, queue) in
        [("CollectDeadLetters", format!("{camel}DeadLetterQueue")), ("RunRedrive", format!("{camel}Queue"))]
    {
        let boundary = format!("              - !GetAtt {queue}.Arn");
        text = behind_last(&text, &format!("  {function}Boundary:"), "Queue.Arn", &boundary)?;
        let url = format!("            {name}=${{{queue}}}");
        text = behind_last(&text, &format!("  {function}Function:"), "=${", &url)?;
        let grant = format!("                - !GetAtt {queue}.Arn");
        text = behind_last(&text, &format!("  {function}Function:"), "                - !GetAtt", &grant)?;
    }
    // Who is asked about its letters knows that there is such a consumer.
    for function in ["CreateRedrive", "ListDeadLetters"] {
        let url = format!("            {name}=${{{camel}Queue}}");
        text = behind_last(&text, &format!("  {function}Function:"), "=${", &url)?;
    }
    Ok(text)
}

/// The monitor watches the queue, and its consumer tells the journal.
fn watch(text: &str, name: &str, camel: &str) -> Result<String> {
    let role = format!("                  - !GetAtt {camel}FunctionRole.Arn");
    let text = behind_last(text, "  JournalQueuePolicy:", "FunctionRole.Arn", &role)?;
    let attributes = format!(
        "                - !GetAtt {camel}Queue.Arn\n                - !GetAtt {camel}DeadLetterQueue.Arn"
    );
    let text = behind_last(&text, "  ListQueuesFunction:", "DeadLetterQueue.Arn", &attributes)?;
    let names =
        format!("            {name} ${{{camel}Queue.QueueName}} ${{{camel}DeadLetterQueue.QueueName}}");
    behind_last(&text, "  ListQueuesFunction:", "DeadLetterQueue.QueueName}", &names)
}

fn endpoint_of(camel: &str, kind: &str) -> String {
    format!("                  - !GetAtt {camel}{kind}Queue.Arn")
}

/// The key attributes of a table.
///
/// # Errors
/// The template has no such table.
pub(super) fn keys(tree: &Tree, table: &str) -> Result<Vec<String>> {
    let text = tree.text(TEMPLATE)?;
    let (_, stanza) = text
        .split_once(&format!("\n  {table}:\n"))
        .with_context(|| format!("template.yaml has no {table}: the skeleton reads its service's table"))?;
    let (_, schema) = stanza.split_once("KeySchema:\n").context("a table has a key")?;
    let names = schema.lines().map_while(|line| line.trim().strip_prefix("- { AttributeName: "));
    Ok(names.filter_map(|line| line.split(',').next()).map(str::to_owned).collect())
}

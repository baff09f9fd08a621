//! Least privilege: what each function may do, no wider, and the same as the documentation says.

use serde_json::Value;

use crate::names;
use crate::queues::THE_QUEUE;
use crate::template::{Function, Statement, Template, list, members, refers, statements};

/// What is too wide, or granted in another way than by exact statements.
#[must_use]
pub fn check(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    for function in template.functions() {
        for policy in list(function.policies()) {
            if policy["Statement"].is_null() {
                wrong.push(format!("{}: a policy that is no list of statements", function.id));
            }
        }
        let boundary = boundary(template, function);
        if refers(function.property("PermissionsBoundary"), None) != Some(boundary.as_str()) {
            wrong.push(format!("{}: {boundary} does not bound what SAM adds to its policies", function.id));
        }
        wrong.extend(outside(template, function));
        for statement in function.statements() {
            wildcards(function.id, &statement, &mut wrong);
        }
    }
    for kind in ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::IAM::ManagedPolicy"] {
        for (id, policy) in template.of_type(kind) {
            for mut statement in statements(&policy["PolicyDocument"]) {
                if kind == "AWS::SQS::QueuePolicy" {
                    statement.resources.retain(|resource| resource != THE_QUEUE);
                }
                wildcards(id, &statement, &mut wrong);
            }
        }
    }
    wrong.extend(boundaries(template));
    wrong
}

/// The name of the boundary that a function must have: its own, where AWS's managed policies let it read each
/// stream or queue of the account, or where it may write to people, reach files or look at queues, as few may; else the
/// common one.
fn boundary(template: &Template, function: Function<'_>) -> String {
    let stem = function.id.strip_suffix("Function").unwrap_or(function.id);
    let is_rare = |statement: &Statement| {
        let is_rare = |action: &String| {
            ["ses:", "s3:", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
                .iter()
                .any(|rare| action.starts_with(rare))
        };
        statement.actions.iter().any(is_rare)
    };
    if reading(template, function).is_empty() && !function.statements().iter().any(is_rare) {
        "FunctionBoundary".to_owned()
    } else {
        format!("{stem}Boundary")
    }
}

/// What a boundary may hold in the place of the one distribution: that one's origin is the API, whose functions have
/// boundaries, which would make a circle.
const EVERY_DISTRIBUTION: &str = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/*";

/// What a boundary may hold in the place of each queue: a policy is too short to name them all.
const EVERY_QUEUE: &str = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-*";

/// Whether a boundary that names `held` lets through what is granted on `resource`.
fn covers(held: &str, resource: &str) -> bool {
    held == resource
        || (is_wide(held) && resource.starts_with(held.trim_end_matches('*')))
        || (held == EVERY_QUEUE && resource.ends_with("Queue.Arn}"))
}

/// Whether this is one of the few things that a boundary may name by a pattern: every distribution, every queue, and every
/// index of one table, since a policy is too short to name all of each.
fn is_wide(held: &str) -> bool {
    held == EVERY_DISTRIBUTION
        || held == EVERY_QUEUE
        || (held.starts_with("${") && held.ends_with("Table.Arn}/index/*"))
}

/// What SAM lets a function do that is traced, by a policy of AWS's (`AWSXRayDaemonWriteAccess`); its boundary must, too.
const TRACES: [&str; 2] = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"];

/// The most characters of a managed policy, without white space.
const MAX_CHARACTERS: usize = 6144;
/// More than an ARN of this stack has, in the region and with the stack name that are longest.
const ARN_CHARACTERS: usize = 200;
/// More than `{"Effect":"Allow","Action":[],"Resource":[]},` has.
const STATEMENT_CHARACTERS: usize = 60;

/// Boundaries that are too long, or hold a stream, a queue, a topic or a secret that none of their functions needs.
fn boundaries(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    for (id, policy) in template.of_type("AWS::IAM::ManagedPolicy") {
        let users = template.functions().into_iter().filter(|function| boundary(template, *function) == id);
        let needed: Vec<_> = users
            .flat_map(|function| [function.statements(), reading(template, function)].concat())
            .collect();
        let is_needed = |action: &String, resource: &String| {
            needed.iter().any(|need| {
                need.actions.contains(action) && need.resources.iter().any(|needed| covers(resource, needed))
            })
        };
        let held = statements(&policy["PolicyDocument"]);
        if !TRACES.iter().all(|trace| held.iter().any(|one| one.actions.iter().any(|action| action == trace)))
        {
            wrong.push(format!("{id}: with Tracing its functions could send no trace"));
        }
        let mut characters = 0;
        for statement in held {
            let arns = statement.resources.iter().filter(|resource| *resource != "*").count();
            characters += STATEMENT_CHARACTERS + arns * ARN_CHARACTERS;
            characters += statement.actions.iter().map(|action| action.len() + 3).sum::<usize>();
            for (action, resource) in pairs(&statement) {
                let is_common = action.starts_with("logs:")
                    || TRACES.contains(&action.as_str())
                    || (action.starts_with("dynamodb:") && !resource.ends_with(".StreamArn}"));
                if !is_common && !is_needed(action, resource) {
                    wrong.push(format!("{id}: none of its functions needs {action} on {resource}"));
                }
            }
        }
        if characters > MAX_CHARACTERS {
            wrong.push(format!("{id}: with {characters} characters it is too long"));
        }
    }
    wrong
}

/// Each action of a statement with each of its resources.
fn pairs(statement: &Statement) -> impl Iterator<Item = (&String, &String)> {
    let resources = &statement.resources;
    statement.actions.iter().flat_map(move |action| resources.iter().map(move |resource| (action, resource)))
}

/// The exceptions for `*` are the action of a statement that denies, since wider is stricter there, and all that is in one
/// folder of a bucket: objects are not resources of the template.
fn wildcards(id: &str, statement: &Statement, wrong: &mut Vec<String>) {
    let denies = statement.effect == "Deny";
    let actions = statement.actions.iter().filter(|_| !denies);
    let is_folder = |text: &str| {
        let folder = text.strip_suffix("/*").and_then(|text| text.split_once("Bucket.Arn}/"));
        folder.is_some_and(|(_, folder)| !folder.is_empty() && !folder.contains('*'))
    };
    // A trace has no ARN.
    let is_of_traces = !statement.actions.is_empty()
        && statement.actions.iter().all(|action| TRACES.contains(&action.as_str()));
    let is_allowed =
        |text: &&String| id.ends_with("Boundary") && (is_wide(text) || (is_of_traces && *text == "*"));
    let wide = actions.chain(&statement.resources).filter(|text| text.contains('*') && !is_folder(text));
    for wide in wide.filter(|text| !is_allowed(text)) {
        wrong.push(format!("{id}: {wide} is a wildcard"));
    }
}

/// What a function is granted, or its event source needs, that the boundary does not hold.
fn outside(template: &Template, function: Function<'_>) -> Vec<String> {
    let id = boundary(template, function);
    let boundary = statements(&template.resource(&id)["Properties"]["PolicyDocument"]);
    let holds = |action: &String, resource: &String| {
        boundary.iter().any(|statement| {
            statement.effect == "Allow"
                && statement.actions.contains(action)
                && statement.resources.iter().any(|held| covers(held, resource))
        })
    };
    let mut wrong = Vec::new();
    for statement in function.statements().into_iter().chain(reading(template, function)) {
        for action in &statement.actions {
            for resource in statement.resources.iter().filter(|resource| !holds(action, resource)) {
                wrong.push(format!("{}: {id} does not hold {action} on {resource}", function.id));
            }
        }
    }
    wrong
}

/// What Lambda needs to read a function's queue or stream on its behalf.
fn reading(template: &Template, function: Function<'_>) -> Vec<Statement> {
    let needs = |resource: &Value, actions: &[&str]| Statement {
        effect: "Allow".to_owned(),
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        resources: vec![crate::template::render(resource)],
        keys: Vec::new(),
    };
    let of_function =
        |kind| template.sources(kind).into_iter().filter(move |(found, _)| found.id == function.id);
    let queues = of_function("SQS").map(|(_, event)| {
        needs(&event["Queue"], &["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"])
    });
    let streams = of_function("DynamoDB").map(|(_, event)| {
        needs(
            &event["Stream"],
            &[
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ],
        )
    });
    queues.chain(streams).collect()
}

/// The permissions of all functions as a Markdown table: a row for each function and resource.
#[must_use]
pub fn table(template: &Template) -> String {
    let mut rows = vec!["| function | may | on |".to_owned(), "|---|---|---|".to_owned()];
    for function in template.functions() {
        let name = names::of_logical_id(function.id).unwrap_or_default();
        for statement in function.statements() {
            let actions = statement.actions.join(", ");
            let keys: Vec<_> = statement.keys.iter().map(|key| format!("`{key}`")).collect();
            let keys = if keys.is_empty() { String::new() } else { format!(": {}", keys.join(", ")) };
            for resource in &statement.resources {
                let resource = resource.rsplit(':').next().unwrap_or_default();
                let resource = resource.replace("${", "").replace(".Arn}", "").replace('}', "");
                rows.push(format!("| {name} | {actions} | {resource}{keys} |"));
            }
        }
    }
    rows.join("\n")
}

/// Which functions name which secret, among their variables or resources.
#[must_use]
pub fn readers_of_secrets(template: &Template) -> Vec<String> {
    let mut readers = Vec::new();
    for function in template.functions() {
        let resource = template.resource(function.id);
        for (secret, _) in template.of_type("AWS::SecretsManager::Secret") {
            if members(resource).any(|(_, value)| value.to_string().contains(secret)) {
                let name = names::of_logical_id(function.id).unwrap_or_default();
                readers.push(format!("{name} reads {secret}"));
            }
        }
    }
    readers.sort();
    readers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broken::{changed, finds, good};

    #[test]
    fn wide_permissions_are_found() {
        assert_eq!(check(&good()), [""; 0]);
        finds(
            check,
            &[
                ("Action: dynamodb:PutItem", "Action: dynamodb:*", "is a wildcard"),
                ("Resource: !GetAtt OrdersTable.Arn", "Resource: \"*\"", "is a wildcard"),
                ("Action: sqs:SendMessage", "Action: sqs:*", "is a wildcard"),
                (
                    "PermissionsBoundary: !Ref PlaceOrderBoundary",
                    "MemorySize: 128",
                    "PlaceOrderBoundary does not bound",
                ),
                ("xray:PutTraceSegments", "xray:GetTraces", "could send no trace"),
                ("xray:PutTraceSegments]", "xray:PutTraceSegments, sns:Publish]", "* is a wildcard"),
                ("!GetAtt PackQueue.Arn # boundary", "!GetAtt OtherQueue.Arn", "needs sqs:ReceiveMessage"),
                ("!GetAtt OrdersTable.StreamArn # boundary", "!GetAtt OtherTable.StreamArn", "none of its"),
            ],
        );
        let many = "[!GetAtt OrdersTable.Arn, ".to_owned() + &"!GetAtt T.Arn, ".repeat(30) + "] # boundary";
        finds(
            check,
            &[
                ("[!GetAtt OrdersTable.Arn] # boundary", &many, "too long"),
                ("dynamodb:PutItem # boundary", "dynamodb:GetItem", "does not hold dynamodb:PutItem"),
                ("sqs:ReceiveMessage", "sqs:SendMessage", "does not hold sqs:ReceiveMessage"),
                ("dynamodb:GetRecords", "dynamodb:GetItem", "does not hold dynamodb:GetRecords"),
            ],
        );
        let crud = "- DynamoDBCrudPolicy: { TableName: !Ref OrdersTable }\n        - Version";
        finds(check, &[("- Version", crud, "no list of statements")]);
    }

    #[test]
    fn the_table_names_resources_plainly() {
        let expected = "| function | may | on |\n|---|---|---|\n| place-order | dynamodb:PutItem | OrdersTable |\n\
             | place-order | sns:Publish | EventsTopic |\n| place-order | sqs:SendMessage | RelayDeadLetterQueue |\n\
             | place-order | sqs:ChangeMessageVisibility | PackQueue |";
        assert_eq!(table(&good()), expected);
        let narrow = "Action: dynamodb:PutItem, Condition: { \"ForAllValues:StringLike\": { \
                      \"dynamodb:LeadingKeys\": [\"a#*\", \"b#*\"] } }";
        let row = "| place-order | dynamodb:PutItem | OrdersTable: `a#*`, `b#*` |";
        assert!(table(&changed("Action: dynamodb:PutItem", narrow)).contains(row));
    }

    #[test]
    fn a_reader_of_the_secret_is_found() {
        assert_eq!(readers_of_secrets(&good()), [""; 0]);
        let leaked = changed("ORDERS_TABLE: !Ref OrdersTable", "SECRET: !Ref TokenSecret");
        assert_eq!(readers_of_secrets(&leaked), ["place-order reads TokenSecret"]);
    }
}

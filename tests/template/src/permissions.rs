//! Least privilege: what each function may do, no wider, and the same as the documentation says.

use serde_json::Value;

use crate::names;
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
        if refers(function.property("PermissionsBoundary"), None) != Some("FunctionBoundary") {
            wrong.push(format!("{}: nothing bounds what SAM adds to its policies", function.id));
        }
        wrong.extend(outside(template, function));
        for statement in function.statements() {
            wildcards(function.id, &statement, &mut wrong);
        }
    }
    for kind in ["AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy", "AWS::IAM::ManagedPolicy"] {
        for (id, policy) in template.of_type(kind) {
            for statement in statements(&policy["PolicyDocument"]) {
                wildcards(id, &statement, &mut wrong);
            }
        }
    }
    wrong
}

/// The one exception for `*` is the action of a statement that denies: there, wider is stricter.
fn wildcards(id: &str, statement: &Statement, wrong: &mut Vec<String>) {
    let denies = statement.effect == "Deny";
    let actions = statement.actions.iter().filter(|_| !denies);
    for wide in actions.chain(&statement.resources).filter(|text| text.contains('*')) {
        wrong.push(format!("{id}: {wide} is a wildcard"));
    }
}

/// What a function is granted, or its event source needs, that the boundary does not hold.
fn outside(template: &Template, function: Function<'_>) -> Vec<String> {
    let boundary = statements(&template.resource("FunctionBoundary")["Properties"]["PolicyDocument"]);
    let holds = |action: &String, resource: &String| {
        boundary.iter().any(|statement| {
            statement.effect == "Allow"
                && statement.actions.contains(action)
                && statement.resources.contains(resource)
        })
    };
    let mut wrong = Vec::new();
    for statement in function.statements().into_iter().chain(reading(template, function)) {
        for action in &statement.actions {
            for resource in statement.resources.iter().filter(|resource| !holds(action, resource)) {
                wrong.push(format!("{}: FunctionBoundary does not hold {action} on {resource}", function.id));
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
            for resource in &statement.resources {
                let resource = resource.replace("${", "").replace(".Arn}", "").replace('}', "");
                rows.push(format!("| {name} | {actions} | {resource} |"));
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
        finds(check, "Action: dynamodb:PutItem", "Action: dynamodb:*", "is a wildcard");
        finds(check, "Resource: !GetAtt OrdersTable.Arn", "Resource: \"*\"", "is a wildcard");
        finds(check, "Action: sqs:SendMessage", "Action: sqs:*", "is a wildcard");
        finds(check, "PermissionsBoundary: !Ref FunctionBoundary", "MemorySize: 128", "nothing bounds");
        finds(check, "dynamodb:PutItem # boundary", "dynamodb:GetItem", "does not hold dynamodb:PutItem");
        finds(check, "sqs:ReceiveMessage", "sqs:SendMessage", "does not hold sqs:ReceiveMessage");
        finds(check, "dynamodb:GetRecords", "dynamodb:GetItem", "does not hold dynamodb:GetRecords");
        let crud = "- DynamoDBCrudPolicy: { TableName: !Ref OrdersTable }\n        - Version";
        finds(check, "- Version", crud, "no list of statements");
    }

    #[test]
    fn the_table_names_resources_plainly() {
        let expected =
            "| function | may | on |\n|---|---|---|\n| place-order | dynamodb:PutItem | OrdersTable |";
        assert_eq!(table(&good()), expected);
    }

    #[test]
    fn a_reader_of_the_secret_is_found() {
        assert_eq!(readers_of_secrets(&good()), [""; 0]);
        let leaked = changed("ORDERS_TABLE: !Ref OrdersTable", "SECRET: !Ref TokenSecret");
        assert_eq!(readers_of_secrets(&leaked), ["place-order reads TokenSecret"]);
    }
}

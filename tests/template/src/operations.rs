//! Operations: logs end, tables can be restored, what goes wrong raises an alarm, and a flood of one kind of
//! request stays its own.

mod counted;

use serde_json::{Value, json};

use crate::names::{self, Route};
use crate::template::{Statement, Template, list, members, refers, render};

/// What an operator would miss.
#[must_use]
pub fn check(template: &Template) -> Vec<String> {
    let mut wrong = Vec::new();
    logs(template, &mut wrong);
    tables(template, &mut wrong);
    buckets(template, &mut wrong);
    alarms(template, &mut wrong);
    apis(template, &mut wrong);
    hashing(template, &mut wrong);
    wrong
}

fn apis(template: &Template, wrong: &mut Vec<String>) {
    for (id, api) in template.of_type("AWS::Serverless::HttpApi") {
        let limits = &api["DefaultRouteSettings"];
        if limits["ThrottlingRateLimit"].is_null() || limits["ThrottlingBurstLimit"].is_null() {
            wrong.push(format!("{id}: nothing limits its requests"));
        }
        if refers(&api["AccessLogSettings"]["DestinationArn"], Some("Arn")).is_none() {
            wrong.push(format!("{id}: it has no access log"));
        }
        // Below it API Gateway shares one entry of the account's policy for logs, whose length is limited
        // (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html).
        let group = refers(&api["AccessLogSettings"]["DestinationArn"], Some("Arn")).unwrap_or_default();
        let name = render(&template.resource(group)["Properties"]["LogGroupName"]);
        if !name.starts_with("/aws/vendedlogs/") {
            wrong.push(format!("{id}: its access log is not below /aws/vendedlogs/"));
        }
        let format = api["AccessLogSettings"]["Format"].as_str().unwrap_or_default();
        for private in ["$context.identity", "$context.path", "$context.authorizer", "querystring"] {
            if format.contains(private) {
                wrong.push(format!("{id}: its access log holds personal data: {private}"));
            }
        }
        for Route { method, path, .. } in names::routes(template) {
            let route = format!("{method} {path}");
            let settings = &api["RouteSettings"][&route];
            let is_limited = ["ThrottlingRateLimit", "ThrottlingBurstLimit"]
                .iter()
                .all(|limit| !settings[limit].is_null());
            if changes_the_shop(&method, &path) && !is_limited {
                wrong.push(format!("{id}: {route} changes the shop, and has no limit of its own"));
            }
        }
        for (limited, _) in members(&api["RouteSettings"]) {
            if !names::routes(template)
                .iter()
                .any(|Route { method, path, .. }| format!("{method} {path}") == limited)
            {
                wrong.push(format!("{id}: it limits {limited}, which is no route"));
            }
        }
    }
}

/// Whether a route changes anything but orders: administrators' work, and people's own accounts. None of it is done
/// hundreds of times a second, and a stolen token must not do it either.
fn changes_the_shop(method: &str, path: &str) -> bool {
    !matches!(method, "GET" | "HEAD") && !path.starts_with("/orders") && path.starts_with('/')
}

/// Functions that hash passwords have a whole processor; with a route they have a limit of its own, and a
/// reserved concurrency where the account has one to give: each call costs a thousand times what others do.
/// Nothing else reserves any.
fn hashing(template: &Template, wrong: &mut Vec<String>) {
    let limited: Vec<_> = template
        .of_type("AWS::Serverless::HttpApi")
        .flat_map(|(_, api)| members(&api["RouteSettings"]))
        .map(|(route, _)| route)
        .collect();
    let hashes = |variables: std::collections::BTreeSet<&str>| variables.contains("PASSWORD_MEMORY_KIB");
    let reserved = json!({ "Fn::If": ["ReservesForPasswords", { "Ref": "PasswordConcurrency" }, { "Ref": "AWS::NoValue" }] });
    for function in template.functions() {
        let routed = template.sources("HttpApi").iter().any(|(found, _)| found.id == function.id);
        let found = function.property("ReservedConcurrentExecutions");
        if hashes(function.variables()) && routed {
            if found != &reserved {
                wrong
                    .push(format!("{}: a flood of passwords would take every function's share", function.id));
            }
        } else if !found.is_null() {
            wrong.push(format!("{}: what it reserves, a new account does not have", function.id));
        }
    }
    for function in template.functions().into_iter().filter(|function| hashes(function.variables())) {
        if function.property("MemorySize") != 1769 {
            wrong.push(format!("{}: it hashes passwords on less than a processor", function.id));
        }
        for (_, event) in template.sources("HttpApi").iter().filter(|(found, _)| found.id == function.id) {
            let route = format!(
                "{} {}",
                event["Method"].as_str().unwrap_or_default(),
                event["Path"].as_str().unwrap_or_default()
            );
            if !limited.contains(&route.as_str()) {
                wrong.push(format!("{}: {route} has no limit of its own", function.id));
            }
        }
    }
}

fn logs(template: &Template, wrong: &mut Vec<String>) {
    for (id, group) in template.of_type("AWS::Logs::LogGroup") {
        if refers(&group["RetentionInDays"], None) != Some("LogRetentionDays") {
            wrong.push(format!("{id}: its lines are kept for ever"));
        }
    }
    for function in template.functions() {
        let logging = function.property("LoggingConfig");
        let group = refers(&logging["LogGroup"], None).unwrap_or_default();
        if logging["LogFormat"] != "JSON" || template.resource(group)["Type"] != "AWS::Logs::LogGroup" {
            wrong.push(format!("{}: it does not log JSON to a group of this template", function.id));
        }
    }
}

fn tables(template: &Template, wrong: &mut Vec<String>) {
    for (id, table) in template.of_type("AWS::DynamoDB::Table") {
        let restore = &table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
        if table["BillingMode"] != "PAY_PER_REQUEST" {
            wrong.push(format!("{id}: it is not on demand"));
        }
        if restore != &json!({ "Fn::If": ["IsBackedUp", true, false] }) {
            wrong.push(format!("{id}: point-in-time recovery is not the parameter's"));
        }
        if table["DeletionProtectionEnabled"] != json!({ "Fn::If": ["IsProtected", true, false] }) {
            wrong.push(format!("{id}: deletion protection is not the parameter's"));
        }
        outlives(template, id, wrong);
    }
    for (id, secret) in template.of_type("AWS::SecretsManager::Secret") {
        // CloudFormation generates anew when this changes, and what is derived from the secret is gone.
        if secret["GenerateSecretString"] != json!({ "PasswordLength": 64, "ExcludePunctuation": true }) {
            wrong.push(format!("{id}: how it is generated has changed, and so would the secret"));
        }
        if id == "LookupSecret" {
            outlives(template, id, wrong);
        } else if id == "EdgeSecret" {
            // Nothing is derived from it: CloudFront and the API get another one together.
        } else if template.resource(id)["UpdateReplacePolicy"] != "Retain" {
            wrong.push(format!("{id}: a change that replaces it would delete its data"));
        }
    }
}

/// Files are nobody else's to read, are encrypted, and do not stay for ever.
fn buckets(template: &Template, wrong: &mut Vec<String>) {
    for (id, bucket) in template.of_type("AWS::S3::Bucket") {
        let rules = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"];
        if list(rules).iter().all(|rule| rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"].is_null()) {
            wrong.push(format!("{id}: it is not encrypted"));
        }
        let block = &bucket["PublicAccessBlockConfiguration"];
        let ways = ["BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"];
        if ways.iter().any(|way| block[way] != true) {
            wrong.push(format!("{id}: it could be opened to everybody"));
        }
        let is_cleaned = deletes(template, id);
        let expires = |rule: &Value| {
            rule["Status"] == "Enabled"
                && (rule["ExpirationInDays"].is_u64() || is_cleaned)
                && rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"].is_u64()
        };
        for rule in list(&bucket["CorsConfiguration"]["CorsRules"]) {
            if !lets_one_page_put(rule) {
                wrong.push(format!("{id}: pages of others could do more than put a file"));
            }
        }
        if !list(&bucket["LifecycleConfiguration"]["Rules"]).iter().any(expires) {
            wrong.push(format!("{id}: what is in it is kept for ever"));
        }
        let denies = |statement: &Value| {
            statement["Effect"] == "Deny"
                && statement["Principal"] == "*"
                && statement["Action"] == "s3:*"
                && statement["Condition"]["Bool"]["aws:SecureTransport"] == "false"
        };
        let policies = template.of_type("AWS::S3::BucketPolicy");
        let mut own = policies.filter(|(_, policy)| refers(&policy["Bucket"], None) == Some(id));
        if !own.any(|(_, policy)| list(&policy["PolicyDocument"]["Statement"]).iter().any(denies)) {
            wrong.push(format!("{id}: it can be reached without TLS"));
        }
        outlives(template, id, wrong);
    }
}

/// Whether a rule lets a page at the shop's own host, or at a host of the kind that AWS gives, put a file, and nothing else.
fn lets_one_page_put(rule: &Value) -> bool {
    let is_own = |origin: &Value| {
        let known = [
            "${ShopUrl}",
            "https://*.execute-api.${AWS::Region}.${AWS::URLSuffix}",
            "https://*.cloudfront.net",
        ];
        known.contains(&render(origin).as_str())
    };
    rule["AllowedMethods"] == json!(["PUT"])
        && rule["AllowedHeaders"] == json!(["content-type"])
        && rule["ExposedHeaders"].is_null()
        && alternatives(&rule["AllowedOrigins"]).into_iter().all(is_own)
}

/// The values of a list, on whichever side of its conditions; those that are none are left out.
fn alternatives(value: &Value) -> Vec<&Value> {
    if let [_, yes, no] = list(&value["Fn::If"]) {
        return [yes, no].into_iter().flat_map(alternatives).collect();
    }
    match value {
        Value::Array(values) => values.iter().flat_map(alternatives).collect(),
        none if none["Ref"] == "AWS::NoValue" => Vec::new(),
        one => vec![one],
    }
}

/// Whether a function deletes objects of a bucket. What is in it may be needed for as long as nothing takes its place.
fn deletes(template: &Template, bucket: &str) -> bool {
    let within = format!("${{{bucket}.Arn}}/");
    let deletes = |statement: &Statement| {
        statement.actions.iter().any(|action| action == "s3:DeleteObject")
            && statement.resources.iter().any(|resource| resource.starts_with(&within))
    };
    template.functions().iter().any(|function| function.statements().iter().any(deletes))
}

/// It outlives its stack, but for a creation that failed, which must leave nothing.
fn outlives(template: &Template, id: &str, wrong: &mut Vec<String>) {
    if template.resource(id)["UpdateReplacePolicy"] != "Retain" {
        wrong.push(format!("{id}: a change that replaces it would delete its data"));
    }
    if template.resource(id)["DeletionPolicy"] != "RetainExceptOnCreate" {
        wrong.push(format!("{id}: it goes with the stack, or stays of a creation that failed"));
    }
}

fn alarms(template: &Template, wrong: &mut Vec<String>) {
    let watched = |metric: &str, value: &dyn Fn(&Value) -> bool| {
        template.of_type("AWS::CloudWatch::Alarm").any(|(_, alarm)| {
            alarm["MetricName"] == metric
                && list(&alarm["Dimensions"]).iter().any(|dimension| value(&dimension["Value"]))
                && counted::reaches_somebody(alarm)
        })
    };
    for (id, _) in template.of_type("AWS::SQS::Queue").filter(|(id, _)| id.ends_with("DeadLetterQueue")) {
        let this = |value: &Value| refers(value, Some("QueueName")) == Some(id);
        // What is moved into a table within a minute is watched there.
        let is_watched = is_emptied(template, id) && watched_as(template, "ParkedDeadLetters");
        if !is_watched && !watched("ApproximateNumberOfMessagesVisible", &this) {
            wrong.push(format!("{id}: no alarm when a message lies in it"));
        }
    }
    // A route that fails is a 5xx of the API, which has an alarm of its own.
    if !watched("5xx", &|value| refers(value, None).is_some()) {
        wrong.push("the API: no alarm when it answers with 5xx".to_owned());
    }
    // Whoever is called again by a queue or a stream goes on failing, and all together have one (docs/decisions/0067).
    let of_all = |alarm: &Value| alarm["MetricName"] == "Errors" && alarm["Dimensions"].is_null();
    let alarms = || template.of_type("AWS::CloudWatch::Alarm");
    if !alarms().any(|(_, alarm)| of_all(alarm) && counted::reaches_somebody(alarm)) {
        wrong.push("no alarm when functions fail again and again".to_owned());
    }
    for (function, event) in template.sources("SQS") {
        let queue = refers(&event["Queue"], Some("Arn"));
        let this = |value: &Value| queue.is_some() && refers(value, Some("QueueName")) == queue;
        if !watched("ApproximateAgeOfOldestMessage", &this) {
            wrong.push(format!("{}: no alarm when its queue waits", function.id));
        }
        let name = names::of_logical_id(function.id).unwrap_or_default();
        if !watched("FailingMessages", &|value| value == name.as_str()) {
            wrong.push(format!("{}: no alarm when its messages keep failing", function.id));
        }
    }
    counted::check(template, wrong);
    // Lambda counts the errors of each call, none too: where the metric is missing there was no call.
    for (function, _) in template.sources("Schedule") {
        let own = alarms().find(|(_, alarm)| {
            alarm["MetricName"] == "Errors"
                && list(&alarm["Dimensions"])
                    .iter()
                    .any(|one| refers(&one["Value"], None) == Some(function.id))
        });
        if !own.is_some_and(|(_, alarm)| counted::reaches_somebody(alarm)) {
            wrong.push(format!("{}: no alarm when it fails", function.id));
        } else if own.is_some_and(|(_, alarm)| alarm["TreatMissingData"] != "breaching") {
            wrong.push(format!("{}: no alarm when it does not run", function.id));
        }
    }
    // An alarm is paid for, and without an address it reaches nobody.
    for (id, _) in alarms() {
        let condition = template.resource(id)["Condition"].as_str().unwrap_or_default();
        if condition != "HasAlarmEmail" && !includes(template.condition(condition), "HasAlarmEmail") {
            wrong.push(format!("{id}: it is paid for where it reaches nobody: Condition: HasAlarmEmail"));
        }
    }
    for (function, _) in template.sources("DynamoDB") {
        if !watched("IteratorAge", &|value| refers(value, None) == Some(function.id)) {
            wrong.push(format!("{}: no alarm when it falls behind", function.id));
        }
    }
}

/// Whether a condition holds only where another one does.
fn includes(condition: &Value, other: &str) -> bool {
    list(&condition["Fn::And"]).iter().any(|part| part["Condition"] == other)
}

/// Whether an alarm that reaches somebody has this metric.
fn watched_as(template: &Template, metric: &str) -> bool {
    template
        .of_type("AWS::CloudWatch::Alarm")
        .any(|(_, alarm)| alarm["MetricName"] == metric && counted::reaches_somebody(alarm))
}

/// Whether a function on a schedule takes away what lies in a queue.
fn is_emptied(template: &Template, queue: &str) -> bool {
    let arn = format!("${{{queue}.Arn}}");
    let takes = |statement: &Statement| {
        statement.actions.iter().any(|action| action == "sqs:DeleteMessage")
            && statement.resources.contains(&arn)
    };
    let scheduled = template.sources("Schedule");
    scheduled.iter().any(|(function, _)| function.statements().iter().any(takes))
}

/// How many resources CloudFormation takes
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>).
pub const MOST_RESOURCES: usize = 500;

/// How many resources the template is once SAM has transformed it: of a function its role, and what lets each of its
/// sources call it; of an API its stage.
#[must_use]
pub fn resources(template: &Template) -> usize {
    let of = |resource: &Value| match resource["Type"].as_str().unwrap_or_default() {
        "AWS::Serverless::Function" => {
            let own_role = usize::from(resource["Properties"]["Role"].is_null());
            let events = members(&resource["Properties"]["Events"]);
            // A rule and a permission; a permission; a mapping.
            let of_event = |event: &Value| if event["Type"] == "Schedule" { 2 } else { 1 };
            1 + own_role + events.map(|(_, event)| of_event(event)).sum::<usize>()
        }
        "AWS::Serverless::HttpApi" => 2,
        _ => 1,
    };
    template.resources().map(of).sum()
}

/// An item goes when the time in this attribute has come; where no code writes it, items stay for ever.
#[must_use]
pub fn times_to_live(template: &Template) -> Vec<(String, String)> {
    let tables = template.of_type("AWS::DynamoDB::Table");
    let of = |(id, table): (&str, &Value)| {
        let time = &table["TimeToLiveSpecification"];
        Some((id.to_owned(), time["AttributeName"].as_str()?.to_owned()))
    };
    tables.filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broken::{finds, good};

    #[test]
    fn a_route_that_changes_the_shop_needs_a_limit() {
        for (route, needs_one) in [
            ("POST /products", true),
            ("PATCH /products/{id}/stock", true),
            ("PUT /users/{id}/role", true),
            ("DELETE /users/{id}", true),
            ("GET /products", false),
            ("POST /orders", false),
            ("POST /orders/{id}/cancel", false),
        ] {
            let (method, path) = route.split_once(' ').unwrap();
            assert_eq!(changes_the_shop(method, path), needs_one, "{route}");
        }
        let unlimited = "Method: POST, Path: /orders";
        finds(check, &[(unlimited, "Method: POST, Path: /products", "no limit of its own")]);
    }

    #[test]
    fn what_an_operator_would_miss_is_found() {
        assert_eq!(check(&good()), [""; 0]);
        finds(
            check,
            &[
                ("ThrottlingRateLimit: 100", "Other: 100", "nothing limits"),
                ("POST /orders:", "POST /order:", "which is no route"),
                ("DestinationArn: !GetAtt LogGroup.Arn", "Other: 1", "no access log"),
                ("/aws/vendedlogs/", "/logs/", "not below"),
                ("PasswordLength: 64", "PasswordLength: 32", "how it is generated"),
                ("$context.routeKey", "$context.identity.sourceIp", "personal data"),
                ("RetentionInDays: !Ref LogRetentionDays", "Other: 1", "kept for ever"),
                ("LogFormat: JSON", "LogFormat: Text", "does not log JSON"),
                ("PAY_PER_REQUEST", "PROVISIONED", "not on demand"),
                ("!If [IsBackedUp, true, false]", "false", "point-in-time recovery"),
                ("!If [IsProtected, true, false]", "false", "deletion protection"),
                ("UpdateReplacePolicy: Retain", "UpdateReplacePolicy: Delete", "delete its data"),
                ("DeletionPolicy: RetainExceptOnCreate", "DeletionPolicy: Retain", "a creation that failed"),
                ("UpdateReplacePolicy: Retain # secret", "DeletionPolicy: Delete", "delete its data"),
                ("SSEAlgorithm: AES256", "Other: 1", "FilesBucket: it is not encrypted"),
                ("IgnorePublicAcls: true", "IgnorePublicAcls: false", "opened to everybody"),
                ("ExpirationInDays: 30", "Other: 30", "FilesBucket: what is in it"),
                ("AbortIncompleteMultipartUpload", "Other", "FilesBucket: what is in it"),
                ("Bucket: !Ref FilesBucket", "Bucket: !Ref OtherBucket", "FilesBucket: it can be reached"),
                ("\"false\" } } } # files", "\"true\" } } }", "FilesBucket: it can be reached"),
                ("UpdateReplacePolicy: Retain # bucket", "Other: 1", "FilesBucket: a change"),
                ("AllowedMethods: [PUT]", "AllowedMethods: [PUT, GET]", "FilesBucket: pages of others"),
                ("AllowedHeaders: [content-type]", "AllowedHeaders: ['*']", "FilesBucket: pages of others"),
                ("[https://*.cloudfront.net, ", "['*', ", "FilesBucket: pages of others"),
                ("[HasShopUrl, [!Ref ShopUrl],", "[HasShopUrl, [https://*],", "FilesBucket: pages of others"),
                ("TreatMissingData: breaching", "TreatMissingData: notBreaching", "does not run"),
                ("Condition: HasAlarmEmail # age", "Condition: Other", "reaches nobody"),
                (
                    "[!Condition HasMails, !Condition HasAlarmEmail]",
                    "[!Condition HasMails]",
                    "reaches nobody",
                ),
                ("!GetAtt PackDeadLetterQueue.QueueName", "other", "a message lies in it"),
                ("MetricName: ApproximateAgeOfOldestMessage", "MetricName: Other", "its queue waits"),
                ("Value: place-order }] # failing", "Value: other }]", "its messages keep failing"),
                ("MetricName: 5xx", "MetricName: 4xx", "answers with 5xx"),
                ("MetricName: Errors # one", "MetricName: Other", "when it fails"),
                ("AlarmActions: [!Ref AlarmTopic] # all", "AlarmActions: []", "fail again and again"),
                ("MetricName: IteratorAge", "MetricName: Duration", "falls behind"),
                ("AlarmActions: [!Ref AlarmTopic]", "AlarmActions: []", "no alarm"),
            ],
        );
    }

    #[test]
    fn passwords_that_are_hashed_on_too_little_are_found() {
        let hashing = "PASSWORD_MEMORY_KIB: !Ref Memory";
        finds(
            check,
            &[
                ("ORDERS_TABLE: !Ref OrdersTable", hashing, "less than a processor"),
                ("ORDERS_TABLE: !Ref OrdersTable", hashing, "every function's share"),
                (
                    "!Ref PlaceOrderBoundary",
                    "!Ref PlaceOrderBoundary\n      ReservedConcurrentExecutions: 1",
                    "a new account",
                ),
            ],
        );
        let unlimited = "POST /orders: { ThrottlingRateLimit: 10 }";
        let template = crate::broken::changed("ORDERS_TABLE: !Ref OrdersTable", hashing);
        assert!(check(&template).iter().all(|line| !line.contains("no limit of its own")));
        assert!(crate::broken::text().contains(unlimited));
        let text = crate::broken::text().replacen(unlimited, "", 1).replacen(
            "ORDERS_TABLE: !Ref OrdersTable",
            hashing,
            1,
        );
        let found = check(&Template::parse(&text).unwrap());
        assert!(found.iter().any(|line| line.contains("no limit of its own")), "{found:?}");
    }
}

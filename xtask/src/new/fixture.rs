//! Fixtures: what a function's trigger sends, in the form of the others in events/.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::tree::Tree;

/// The end of ids that stand for some thing.
pub(super) const SOME_ID: &str = "01jd9c3k7m2q8r5t6v0w1x2y3z";

/// An HTTP request of a signed-in user, without a body.
pub(super) fn request(method: &str, path: &str, id: &str) -> String {
    request_of(method, path, id, None)
}

/// An HTTP request of a signed-in user.
pub(super) fn request_of(method: &str, path: &str, id: &str, body: Option<&Value>) -> String {
    let route = format!("{method} {path}");
    let raw = path.replace("{id}", id);
    let mut request = json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": raw,
        "rawQueryString": "",
        "headers": {
            "accept": "application/json",
            "authorization": "Bearer TOKEN",
            "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "user-agent": "curl/8.5.0",
            "x-amzn-trace-id": "Root=1-69231f70-0123456789abcdef01234567",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https"
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": method,
                "path": raw,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "curl/8.5.0"
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": route,
            "stage": "$default",
            "time": "23/Nov/2026:15:00:00 +0000",
            "timeEpoch": 1_795_446_000_000_i64
        },
        "isBase64Encoded": false
    });
    if path.contains("{id}") {
        request["pathParameters"] = json!({ "id": id });
    }
    if let Some(body) = body {
        let body = body.to_string();
        request["headers"]["content-length"] = body.len().to_string().into();
        request["headers"]["content-type"] = "application/json".into();
        request["body"] = body.into();
    }
    written(&request)
}

/// A batch of a queue: the golden example of each type of event.
///
/// # Errors
/// There is no such type.
pub(super) fn batch(tree: &Tree, queue: &str, events: &[String]) -> Result<String> {
    let mut records = Vec::new();
    for (number, name) in (1..).zip(events) {
        let example = tree.text(&format!("docs/events/{name}.example.json"));
        let example = example.with_context(|| format!("{name} is no type of event"))?;
        let example: Value = serde_json::from_str(&example)?;
        records.push(json!({
            "messageId": format!("059f36b4-87a3-44ab-83d2-66197574{number:04}"),
            "receiptHandle": format!("AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a{number}"),
            "body": example.to_string(),
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1795446000480",
                "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
                "ApproximateFirstReceiveTimestamp": "1795446000484"
            },
            "messageAttributes": {
                "type": {
                    "stringValue": name,
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "String"
                }
            },
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:123456789012:shop-prod-{queue}"),
            "awsRegion": "us-east-1"
        }));
    }
    Ok(written(&json!({ "Records": records })))
}

/// A record of a table's stream: an item that was put.
pub(super) fn inserted(table: &str, item: &Value) -> String {
    written(&json!({
        "Records": [{
            "eventID": "723f21b1bd2a51a4c0b68e448429c045",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_795_446_000,
                "Keys": { "id": item["id"] },
                "NewImage": item,
                "SequenceNumber": "400000000000000000000111",
                "SizeBytes": 200,
                "StreamViewType": "NEW_AND_OLD_IMAGES"
            },
            "eventSourceARN": format!(
                "arn:aws:dynamodb:us-east-1:123456789012:table/shop-prod-{table}/stream/2026-11-01T00:00:00.000"
            )
        }]
    }))
}

/// JSON as a file.
pub(super) fn written(value: &Value) -> String {
    format!("{value:#}\n")
}

//! The relay against fakes of SNS (Query protocol: a form in, XML out) and SQS (JSON).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use shop_events::{Cause, EventData, ProductSnapshot};
use shop_lambda::{Environment, Random};
use shop_types::{Currency, Money, Timestamp};

use super::*;
use crate::relay::{Image, ImageError, start};
use crate::testing::{Call, invocation, sdk};

/// One event per record, two for "twice"; the name is as long as the item says.
fn events(_: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, ImageError> {
    #[derive(serde::Deserialize)]
    struct Item {
        id: String,
        name_length: usize,
    }
    let Some(new) = new else { return Ok(Vec::new()) };
    let item: Item = new.read("product")?;
    assert!(item.id != "panic", "told to");
    let data = ProductSnapshot {
        product_id: item.id.parse().unwrap(),
        name: "n".repeat(item.name_length),
        description: None,
        price: Money::zero(Currency::USD),
        category: None,
        image_url: None,
        created_at: Timestamp::from_millis(0),
    };
    let versions = if item.id == "twice" { 1..=2 } else { 1..=1 };
    let event = |version| {
        let data = EventData::ProductCreated(data.clone());
        Event::new(data, version, Timestamp::from_millis(0), Cause::request("request-1"))
    };
    Ok(versions.map(event).collect())
}

fn record(number: usize, id: &str, name_length: usize) -> Value {
    json!({ "eventName": "INSERT", "dynamodb": {
        "SequenceNumber": number.to_string(),
        "Keys": { "id": { "S": id } },
        "NewImage": { "id": { "S": id }, "name_length": { "N": name_length.to_string() } }
    } })
}

/// The entries of a `PublishBatch` form, by their ids: (product, attribute, body).
fn entries(call: &Call) -> Vec<(String, Value, String)> {
    let form: BTreeMap<_, _> = form_urlencoded::parse(call.body.as_bytes()).into_owned().collect();
    assert_eq!(form["Action"], "PublishBatch");
    assert_eq!(form["TopicArn"], "arn:topic");
    // SNS takes ten; more would show as an entry too many.
    (1..=20)
        .map(|n| format!("PublishBatchRequestEntries.member.{n}"))
        .take_while(|prefix| form.contains_key(&format!("{prefix}.Id")))
        .map(|prefix| {
            let body: Value = serde_json::from_str(&form[&format!("{prefix}.Message")]).unwrap();
            assert_eq!(form[&format!("{prefix}.MessageAttributes.entry.1.Name")], "type");
            assert_eq!(form[&format!("{prefix}.MessageAttributes.entry.1.Value.DataType")], "String");
            let attribute = form[&format!("{prefix}.MessageAttributes.entry.1.Value.StringValue")].clone();
            (form[&format!("{prefix}.Id")].clone(), body, attribute)
        })
        .collect()
}

fn product((_, body, _): &(String, Value, String)) -> String {
    body["subject"].as_str().unwrap().to_owned()
}

/// SNS's answer, where `result` says of each product whether it fails and whether by the sender's fault.
fn publish_answer(call: &Call, result: impl Fn(&str) -> Option<bool>) -> (u16, String) {
    let (mut successful, mut failed) = (String::new(), String::new());
    for entry in entries(call) {
        let id = &entry.0;
        match result(&product(&entry)) {
            None => {
                write!(successful, "<member><Id>{id}</Id><MessageId>m-{id}</MessageId></member>").unwrap();
            }
            Some(fault) => write!(
                failed,
                "<member><Id>{id}</Id><Code>Told</Code><SenderFault>{fault}</SenderFault></member>"
            )
            .unwrap(),
        }
    }
    let body = format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
         <Successful>{successful}</Successful><Failed>{failed}</Failed></PublishBatchResult>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishBatchResponse>"
    );
    (200, body)
}

fn error_answer(status: u16, code: &str) -> (u16, String) {
    let body = format!(
        "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>told to</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    (status, body)
}

struct Run {
    /// The sequence number that Lambda is told to go on from.
    failed: Option<String>,
    /// The products of each publish call.
    published: Vec<Vec<String>>,
    /// The parked records' numbers and reasons.
    parked: Vec<(String, String)>,
}

async fn run(records: Vec<Value>, sns: impl Fn(&Call) -> (u16, String) + Send + Sync + 'static) -> Run {
    run_with(records, sns, 200).await
}

async fn run_with(
    records: Vec<Value>,
    sns: impl Fn(&Call) -> (u16, String) + Send + Sync + 'static,
    sqs_status: u16,
) -> Run {
    let (sdk, calls) = sdk(move |call| {
        if call.host.contains("sns") {
            sns(call)
        } else {
            (sqs_status, json!({ "MessageId": "m" }).to_string())
        }
    });
    let variables =
        [("EVENTS_TOPIC_ARN", "arn:topic"), ("RELAY_DEAD_LETTER_QUEUE_URL", "https://sqs.test/1/dlq")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let environment = Environment::new(variables, sdk, Random::system());
    let handler = start(&environment, events).unwrap();
    let answer = handler.handle(invocation(&json!({ "Records": records }))).await.unwrap();
    let answer: Value = serde_json::from_str(answer.get()).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    assert!(failures.len() <= 1, "{failures:?}");

    let calls = calls.lock().unwrap();
    let (published, parked): (Vec<_>, Vec<_>) = calls.iter().partition(|call| call.host.contains("sns"));
    Run {
        failed: failures.first().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()),
        published: published.into_iter().map(|call| entries(call).iter().map(product).collect()).collect(),
        parked: parked.into_iter().map(parked_record).collect(),
    }
}

fn parked_record(call: &Call) -> (String, String) {
    let call: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(call["QueueUrl"], "https://sqs.test/1/dlq");
    let record: Value = serde_json::from_str(call["MessageBody"].as_str().unwrap()).unwrap();
    let reason = call["MessageAttributes"]["reason"]["StringValue"].as_str().unwrap().to_owned();
    (record["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned(), reason)
}

fn take_all(call: &Call) -> (u16, String) {
    publish_answer(call, |_| None)
}

#[tokio::test]
async fn records_become_events_with_their_type_as_attribute() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let sns = move |call: &Call| {
        sink.lock().unwrap().extend(entries(call));
        take_all(call)
    };
    let removed = json!({ "eventName": "REMOVE", "dynamodb": { "SequenceNumber": "2", "Keys": {} } });
    let run = run(vec![record(1, "twice", 1), removed, record(3, "b", 1)], sns).await;
    assert_eq!(run.failed, None);
    assert_eq!(run.published, [["twice", "twice", "b"]]);
    let (_, body, attribute) = seen.lock().unwrap()[1].clone();
    assert_eq!(attribute, "product.created");
    assert_eq!(Event::from_json(&body.to_string()).unwrap().id().as_str(), "twice:2:product.created");
}

#[tokio::test]
async fn calls_hold_ten_entries_and_256_kib() {
    let many = (0..25).map(|n| record(n, &format!("p{n}"), 1)).collect();
    let run_many = run(many, take_all).await;
    assert_eq!(run_many.published.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);

    let large = (0..3).map(|n| record(n, &format!("p{n}"), 100_000)).collect();
    let run_large = run(large, take_all).await;
    assert_eq!(run_large.published.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(run_large.failed, None);
}

#[tokio::test]
async fn only_what_failed_is_tried_again() {
    let tries = Mutex::new(0);
    let sns = move |call: &Call| {
        let mut tries = tries.lock().unwrap();
        *tries += 1;
        let first = *tries == 1;
        publish_answer(call, |product| (first && product == "b").then_some(false))
    };
    let run = run(vec![record(1, "a", 1), record(2, "b", 1), record(3, "c", 1)], sns).await;
    assert_eq!(run.published, [vec!["a", "b", "c"], vec!["b"]]);
    assert_eq!(run.failed, None);
}

#[tokio::test]
async fn a_failure_that_stays_is_reported_from_its_record_and_ends_the_batch() {
    let records = (0..25).map(|n| record(n, &format!("p{n}"), 1)).collect();
    let run = run(records, |call| publish_answer(call, |product| (product == "p12").then_some(false))).await;
    assert_eq!(run.failed.as_deref(), Some("12"));
    assert_eq!(run.published.len(), 9);
    assert_eq!(run.published[2..], vec![vec!["p12".to_owned()]; 7]);
    assert!(run.parked.is_empty());
}

#[tokio::test]
async fn an_outage_fails_from_the_first_record() {
    for answer in
        [(500, String::new()), error_answer(403, "AuthorizationError"), error_answer(404, "NotFound")]
    {
        let run = run(vec![record(1, "a", 1), record(2, "b", 1)], move |_| answer.clone()).await;
        assert_eq!(run.failed.as_deref(), Some("1"));
        assert_eq!(run.published.len(), 1);
        assert!(run.parked.is_empty());
    }
}

#[tokio::test]
async fn poison_is_parked_as_it_came_and_the_stream_goes_on() {
    let mut unreadable = record(2, "b", 1);
    unreadable["dynamodb"]["NewImage"] = json!({ "id": { "S": "b" } });
    let mut broken = record(3, "c", 1);
    broken["dynamodb"]["NewImage"] = json!(5);
    let records = vec![
        record(1, "a", 1),
        unreadable,
        broken,
        record(4, "panic", 1),
        record(5, "big", 300_000),
        record(6, "faulty", 1),
        record(7, "g", 1),
    ];
    let run =
        run(records, |call| publish_answer(call, |product| (product == "faulty").then_some(true))).await;
    assert_eq!(run.failed, None);
    assert_eq!(run.published, [["a", "faulty", "g"]]);
    let parked: Vec<_> =
        run.parked.iter().map(|(number, reason)| (number.as_str(), reason.as_str())).collect();
    assert_eq!(
        parked,
        [
            ("2", "unreadable_image"),
            ("3", "unreadable_record"),
            ("4", "panicked"),
            ("5", "event_too_large"),
            ("6", "refused_by_topic")
        ]
    );
}

#[tokio::test]
async fn a_batch_that_is_refused_as_a_whole_is_taken_apart() {
    let sns = |call: &Call| {
        if entries(call).iter().any(|entry| product(entry) == "faulty") {
            error_answer(400, "InvalidParameter")
        } else {
            take_all(call)
        }
    };
    let run = run(vec![record(1, "a", 1), record(2, "faulty", 1), record(3, "c", 1)], sns).await;
    assert_eq!(run.failed, None);
    assert_eq!(run.published, [vec!["a", "faulty", "c"], vec!["a"], vec!["faulty"], vec!["c"]]);
    assert_eq!(run.parked, [("2".to_owned(), "refused_by_topic".to_owned())]);
}

#[tokio::test]
async fn poison_that_cannot_be_parked_is_reported() {
    let records = vec![record(1, "a", 1), record(2, "panic", 1), record(3, "c", 1)];
    let run = run_with(records, take_all, 500).await;
    assert_eq!(run.failed.as_deref(), Some("2"));
}

#[tokio::test]
async fn poison_after_a_failure_waits_for_its_turn() {
    let records = vec![record(1, "a", 1), record(2, "panic", 1)];
    let run = run(records, |_| (500, String::new())).await;
    assert_eq!(run.failed.as_deref(), Some("1"));
    assert!(run.parked.is_empty());
}

#[tokio::test]
async fn a_missing_variable_is_named() {
    let (sdk, _) = sdk(|_| (500, String::new()));
    let environment = Environment::new(BTreeMap::new(), sdk, Random::system());
    let error = start(&environment, events).err().unwrap();
    assert_eq!(error.to_string(), "the environment variable EVENTS_TOPIC_ARN is not set");
}

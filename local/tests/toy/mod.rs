//! Toy functions over real SDK clients, wired by tests/template.yaml: place -> stream -> relay -> topic ->
//! queue -> count. What an item's kind says makes them fail.

#![allow(dead_code, clippy::unwrap_used, reason = "each test uses its part; what fails here fails the test")]

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use shop_lambda::{Environment, Function, FunctionError, Handler, Invocation, Kind};
use shop_local::cloud::{Cloud, Options};
use shop_local::template::Template;
use tokio::sync::Notify;

/// Told when an environment dies at a call; a function of kind "hasty" answers at the same moment.
pub(crate) static DIED: Notify = Notify::const_new();

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("place", Kind::Route, |environment| async { toy(environment, place) }.boxed()),
    Function::new("show", Kind::Route, |environment| async { toy(environment, show) }.boxed()),
    Function::new("relay", Kind::Relay, |environment| async { toy(environment, relay) }.boxed()),
    Function::new("count", Kind::Consumer, |environment| async { toy(environment, count) }.boxed()),
];

pub(crate) fn template() -> Template {
    Template::parse(include_str!("../template.yaml"), &BTreeMap::new()).unwrap()
}

pub(crate) async fn start(options: Options) -> Cloud {
    Cloud::start(&template(), FUNCTIONS, options).await.unwrap()
}

/// Runs a test in a cloud under a seed, in virtual time.
pub(crate) fn simulate<F: Future>(seed: u64, test: impl FnOnce(Cloud) -> F) -> F::Output {
    let runtime = shop_local::cloud::simulated_runtime().unwrap();
    runtime.block_on(async { test(start(Options::simulated(seed)).await).await })
}

type Step = fn(Environment, Value) -> BoxFuture<'static, Result<Value, FunctionError>>;

struct Toy(Environment, Step);

#[expect(clippy::unnecessary_wraps, reason = "the shape of a start")]
fn toy(environment: Environment, step: Step) -> Result<Box<dyn Handler>, shop_lambda::StartError> {
    Ok(Box::new(Toy(environment, step)))
}

impl Handler for Toy {
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>> {
        async move {
            let event = serde_json::from_str(invocation.payload.get()).unwrap();
            let answer = (self.1)(self.0.clone(), event).await?;
            Ok(to_raw_value(&answer).unwrap())
        }
        .boxed()
    }
}

fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> FunctionError {
    FunctionError::new("the toy failed", error)
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// POST /items {"id", "kind"}
fn place(environment: Environment, event: Value) -> BoxFuture<'static, Result<Value, FunctionError>> {
    async move {
        let body: Value = serde_json::from_str(event["body"].as_str().unwrap_or("{}")).map_err(failed)?;
        match body["kind"].as_str() {
            Some("panic") => panic!("asked to"),
            Some("hang") => std::future::pending().await,
            Some("fail") => return Err(failed("asked to")),
            Some("long") => return Ok(json!({"statusCode": 200, "body": "x".repeat(6 * 1024 * 1024)})),
            _ => {}
        }
        let put = aws_sdk_dynamodb::Client::new(environment.sdk_config())
            .put_item()
            .table_name(environment.required("ITEMS_TABLE").unwrap())
            .item("id", text(body["id"].as_str().unwrap_or_default()))
            .item("kind", text(body["kind"].as_str().unwrap_or("item.placed")))
            .condition_expression("attribute_not_exists(id)")
            .send();
        let result = if body["kind"] == "hasty" {
            tokio::select! {
                biased;
                result = put => result,
                () = DIED.notified() => return Ok(json!({"statusCode": 200, "body": ""})),
            }
        } else {
            put.await
        };
        let status = match result.map_err(aws_sdk_dynamodb::Error::from) {
            Ok(_) => 201,
            Err(aws_sdk_dynamodb::Error::ConditionalCheckFailedException(_)) => 409,
            Err(error) => return Err(failed(error)),
        };
        Ok(json!({"statusCode": status, "headers": {"x-toy": "place"}, "cookies": ["a=1", "b=2"], "body": ""}))
    }
    .boxed()
}

/// Answers with the event.
fn show(_: Environment, event: Value) -> BoxFuture<'static, Result<Value, FunctionError>> {
    async move { Ok(json!({"statusCode": 200, "body": event.to_string()})) }.boxed()
}

/// Stream records to the topic, with the item's kind as the type; kind "poison" fails.
fn relay(environment: Environment, event: Value) -> BoxFuture<'static, Result<Value, FunctionError>> {
    async move {
        let sns = aws_sdk_sns::Client::new(environment.sdk_config());
        let (mut entries, mut failure) = (Vec::new(), None);
        for record in event["Records"].as_array().unwrap() {
            let image = &record["dynamodb"]["NewImage"];
            let kind = image["kind"]["S"].as_str().unwrap();
            if kind == "poison" {
                failure = Some(record["dynamodb"]["SequenceNumber"].clone());
                break;
            }
            let attribute =
                MessageAttributeValue::builder().data_type("String").string_value(kind).build().unwrap();
            let entry = PublishBatchRequestEntry::builder()
                .id(entries.len().to_string())
                .message(image["id"]["S"].as_str().unwrap())
                .message_attributes("type", attribute);
            entries.push(entry.build().unwrap());
        }
        if !entries.is_empty() {
            let batch = sns.publish_batch().topic_arn(environment.required("TOPIC_ARN").unwrap());
            let result =
                batch.set_publish_batch_request_entries(Some(entries)).send().await.map_err(failed)?;
            assert!(result.failed().is_empty());
        }
        let failures: Vec<Value> = failure.iter().map(|number| json!({"itemIdentifier": number})).collect();
        Ok(json!({"batchItemFailures": failures}))
    }
    .boxed()
}

/// Adds one to the counter of the id in each message; a body that begins with "bad" fails.
fn count(environment: Environment, event: Value) -> BoxFuture<'static, Result<Value, FunctionError>> {
    async move {
        let dynamodb = aws_sdk_dynamodb::Client::new(environment.sdk_config());
        let mut failures = Vec::new();
        for record in event["Records"].as_array().unwrap() {
            let body = record["body"].as_str().unwrap();
            if body.starts_with("bad") {
                failures.push(json!({"itemIdentifier": record["messageId"]}));
                continue;
            }
            dynamodb
                .update_item()
                .table_name(environment.required("COUNTS_TABLE").unwrap())
                .key("id", text(body))
                .update_expression("ADD times :one")
                .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
                .send()
                .await
                .map_err(failed)?;
        }
        Ok(json!({"batchItemFailures": failures}))
    }
    .boxed()
}

pub(crate) async fn request(cloud: &Cloud, method: &str, path: &str, body: &str) -> (u16, String) {
    let request = http::Request::builder().method(method).uri(path);
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    let response = cloud.invoke_http(request, "127.0.0.1").await;
    (response.status().as_u16(), String::from_utf8(response.body().to_vec()).unwrap())
}

pub(crate) async fn place_item(cloud: &Cloud, id: &str, kind: &str) -> u16 {
    let body = json!({"id": id, "kind": kind}).to_string();
    request(cloud, "POST", "/items", &body).await.0
}

/// How often each id was counted.
pub(crate) async fn counts(cloud: &Cloud) -> BTreeMap<String, u32> {
    let dynamodb = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("test"));
    let pages = dynamodb.scan().table_name("CountsTable").into_paginator().items().send();
    let items = pages.try_collect().await.unwrap();
    let items = items.iter();
    items
        .map(|item| (item["id"].as_s().unwrap().clone(), item["times"].as_n().unwrap().parse().unwrap()))
        .collect()
}

/// Takes the bodies of all messages that a queue holds.
pub(crate) async fn drain(cloud: &Cloud, queue: &str) -> Vec<String> {
    let sqs = aws_sdk_sqs::Client::new(&cloud.sdk_config("test"));
    let url = cloud.physical(queue).unwrap();
    let mut bodies = Vec::new();
    loop {
        let answer = sqs.receive_message().queue_url(url).max_number_of_messages(10).send().await.unwrap();
        if answer.messages().is_empty() {
            return bodies;
        }
        for message in answer.messages() {
            bodies.push(message.body().unwrap().to_owned());
            let receipt = message.receipt_handle().unwrap();
            sqs.delete_message().queue_url(url).receipt_handle(receipt).send().await.unwrap();
        }
    }
}

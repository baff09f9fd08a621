//! Functions may do what the template grants them, and nothing else.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]


use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, DeleteRequest, KeysAndAttributes, Put, PutRequest,
    TransactWriteItem, Update, WriteRequest,
};
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_types::SdkConfig;
use shop_local::cloud::{Cloud, Options};
use shop_local::template::Template;
use crate::toy::{FUNCTIONS, counts, place_item};

fn template(without: &str) -> Template {
    let text = include_str!("template.yaml");
    assert!(text.contains(without), "{without}");
    Template::parse(&text.replacen(without, "dynamodb:GetItem", 1), &BTreeMap::new()).unwrap()
}

#[tokio::test]
async fn a_call_that_is_not_granted_is_refused() {
    let cloud = Cloud::start(&template("dynamodb:PutItem"), FUNCTIONS, Options::memory()).await.unwrap();
    assert_eq!(place_item(&cloud, "a", "item.placed").await, 500);
    let calls = cloud.meter().sum(|entry| entry.caller == "place");
    assert_eq!((calls.calls, calls.errors), (1, 1), "one call, refused, and not tried again");
    assert_eq!(cloud.meter().sum(|entry| entry.caller == "place").units.writes, 0);
    cloud.stop().await;
}

/// The toy's template, in which `place` may do to items with keys like `a-*` what it does, and nothing else.
fn narrowed() -> Template {
    let text = include_str!("template.yaml");
    let grant = "Action: dynamodb:PutItem\n";
    let keyed = "Action: [dynamodb:BatchGetItem, dynamodb:BatchWriteItem, dynamodb:ConditionCheckItem, \
                 dynamodb:DeleteItem, dynamodb:GetItem, dynamodb:PutItem, dynamodb:UpdateItem]\n              \
                 Condition: { 'ForAllValues:StringLike': { dynamodb:LeadingKeys: a-* } }\n";
    assert!(text.contains(grant));
    Template::parse(&text.replacen(grant, keyed, 1), &BTreeMap::new()).unwrap()
}

/// What a request of every kind that names items is answered with: nothing, or the error's code.
async fn each_kind(client: &Client, table: &str, keys: [&str; 2]) -> Vec<(&'static str, Option<String>)> {
    fn code<T, E: ProvideErrorMetadata>(answer: Result<T, E>) -> Option<String> {
        answer.err().map(|error| error.code().unwrap().to_owned())
    }
    let item = |key: &str| HashMap::from([("id".to_owned(), AttributeValue::S(key.to_owned()))]);
    let [one, other] = keys.map(item);
    let put = |item: &HashMap<String, AttributeValue>| {
        let put = Put::builder().table_name(table).set_item(Some(item.clone())).build().unwrap();
        TransactWriteItem::builder().put(put).build()
    };
    let written = |item: &HashMap<String, AttributeValue>| {
        let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let deleted = |item: &HashMap<String, AttributeValue>| {
        let delete = DeleteRequest::builder().set_key(Some(item.clone())).build().unwrap();
        WriteRequest::builder().delete_request(delete).build()
    };
    let to_check = ConditionCheck::builder().table_name(table).set_key(Some(other.clone()));
    let to_check = to_check.condition_expression("attribute_not_exists(x)").build().unwrap();
    let to_update = Update::builder().table_name(table).set_key(Some(other.clone()));
    let to_update = to_update.update_expression("REMOVE x").build().unwrap();
    let to_delete = Delete::builder().table_name(table).set_key(Some(other.clone())).build().unwrap();
    let transact = async |second: TransactWriteItem| {
        let items = client.transact_write_items().transact_items(put(&one)).transact_items(second);
        code(items.send().await)
    };
    let batch = async |second: WriteRequest| {
        code(client.batch_write_item().request_items(table, vec![written(&one), second]).send().await)
    };
    let wanted = KeysAndAttributes::builder().keys(one.clone()).keys(other.clone()).build().unwrap();
    let one_item = || Some(other.clone());
    vec![
        ("put", code(client.put_item().table_name(table).set_item(one_item()).send().await)),
        ("get", code(client.get_item().table_name(table).set_key(one_item()).send().await)),
        ("update", code(client.update_item().table_name(table).set_key(one_item()).send().await)),
        ("delete", code(client.delete_item().table_name(table).set_key(one_item()).send().await)),
        ("batch get", code(client.batch_get_item().request_items(table, wanted).send().await)),
        ("batch put", batch(written(&other)).await),
        ("batch delete", batch(deleted(&other)).await),
        ("transact put", transact(put(&other)).await),
        ("transact update", transact(TransactWriteItem::builder().update(to_update).build()).await),
        ("transact delete", transact(TransactWriteItem::builder().delete(to_delete).build()).await),
        ("transact check", transact(TransactWriteItem::builder().condition_check(to_check).build()).await),
    ]
}

#[tokio::test]
async fn a_grant_for_some_keys_holds_for_every_item_that_a_call_names() {
    let cloud = Cloud::start(&narrowed(), FUNCTIONS, Options::memory()).await.unwrap();
    let table = cloud.physical("ItemsTable").unwrap();
    let client = Client::new(&cloud.sdk_config("place"));
    for (kind, error) in each_kind(&client, table, ["a-1", "a-2"]).await {
        assert_eq!(error, None, "{kind}");
    }
    for other in ["b-1", "a", "A-1", "ba-1"] {
        for (kind, error) in each_kind(&client, table, ["a-1", other]).await {
            assert_eq!(error.as_deref(), Some("AccessDeniedException"), "{kind} of {other}");
        }
    }
    assert_eq!(place_item(&cloud, "b-1", "item.placed").await, 500);
    assert_eq!(place_item(&cloud, "a-3", "item.placed").await, 201);
    cloud.stop().await;
}

#[tokio::test]
async fn what_is_granted_works() {
    let cloud = crate::toy::start(Options::memory()).await;
    assert_eq!(place_item(&cloud, "a", "item.placed").await, 201);
    cloud.settled().await;
    assert_eq!(counts(&cloud).await.values().sum::<u32>(), 1);
    cloud.stop().await;
}

/// Publishes an event that the filter of the toy's queue lets through; the error's code, where it is refused.
async fn forge(cloud: &Cloud, sdk: &SdkConfig) -> Option<String> {
    let kind =
        MessageAttributeValue::builder().data_type("String").string_value("item.placed").build().unwrap();
    let entry = PublishBatchRequestEntry::builder().id("1").message(r#"{"id": "forged"}"#);
    let entry = entry.message_attributes("type", kind).build().unwrap();
    let topic = cloud.physical("EventsTopic").unwrap();
    let publish = aws_sdk_sns::Client::new(sdk).publish_batch().topic_arn(topic);
    let answer = publish.publish_batch_request_entries(entry).send().await;
    answer.err().map(|error| error.code().unwrap().to_owned())
}

async fn plant(cloud: &Cloud, sdk: &SdkConfig, queue: &str) -> Option<String> {
    let send = aws_sdk_sqs::Client::new(sdk).send_message().queue_url(cloud.physical(queue).unwrap());
    let answer = send.message_body(r#"{"id": "planted"}"#).send().await;
    answer.err().map(|error| error.code().unwrap().to_owned())
}

#[tokio::test]
async fn nobody_but_the_relay_publishes_and_nobody_but_the_topic_sends() {
    let cloud = crate::toy::start(Options::memory()).await;
    let stranger = cloud.sdk_config("stranger");
    // A consumer's own credentials, as somebody who has taken it over has them.
    let consumer = cloud.sdk_config("count");
    let redrive = cloud.assume_role("RedriveRole", "operator").unwrap();
    for forger in [&stranger, &consumer, &redrive] {
        assert_eq!(forge(&cloud, forger).await.as_deref(), Some("AuthorizationError"));
    }
    for planter in [&stranger, &consumer] {
        assert_eq!(plant(&cloud, planter, "CountQueue").await.as_deref(), Some("AccessDenied"));
    }
    assert_eq!(cloud.meter().sum(|entry| entry.caller == "stranger").errors, 2);
    cloud.settled().await;
    assert!(counts(&cloud).await.is_empty(), "nothing that was forged has arrived");

    assert_eq!(forge(&cloud, &cloud.sdk_config("relay")).await, None);
    assert_eq!(plant(&cloud, &redrive, "CountQueue").await, None);
    assert!(
        cloud.assume_role("RelayFunctionRole", "stranger").is_none(),
        "a function's role is nobody's to take"
    );
    cloud.stop().await;
}

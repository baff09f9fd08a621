//! Functions may do what the template grants them, and nothing else.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod toy;

use std::collections::BTreeMap;

use aws_sdk_sns::types::MessageAttributeValue;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_types::SdkConfig;
use shop_local::cloud::{Cloud, Options};
use shop_local::template::Template;
use toy::{FUNCTIONS, counts, place_item};

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

#[tokio::test]
async fn what_is_granted_works() {
    let cloud = toy::start(Options::memory()).await;
    assert_eq!(place_item(&cloud, "a", "item.placed").await, 201);
    cloud.settled().await;
    assert_eq!(counts(&cloud).await.values().sum::<u32>(), 1);
    cloud.stop().await;
}

/// Publishes an event that the filter of the toy's queue lets through; the error's code, where it is refused.
async fn forge(cloud: &Cloud, sdk: &SdkConfig) -> Option<String> {
    let kind =
        MessageAttributeValue::builder().data_type("String").string_value("item.placed").build().unwrap();
    let publish = aws_sdk_sns::Client::new(sdk).publish().topic_arn(cloud.physical("EventsTopic").unwrap());
    let answer = publish.message(r#"{"id": "forged"}"#).message_attributes("type", kind).send().await;
    answer.err().map(|error| error.code().unwrap().to_owned())
}

async fn plant(cloud: &Cloud, sdk: &SdkConfig, queue: &str) -> Option<String> {
    let send = aws_sdk_sqs::Client::new(sdk).send_message().queue_url(cloud.physical(queue).unwrap());
    let answer = send.message_body(r#"{"id": "planted"}"#).send().await;
    answer.err().map(|error| error.code().unwrap().to_owned())
}

#[tokio::test]
async fn nobody_but_the_relay_publishes_and_nobody_but_the_topic_sends() {
    let cloud = toy::start(Options::memory()).await;
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

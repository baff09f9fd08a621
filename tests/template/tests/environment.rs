//! A function's stanza sets exactly the variables that the function's code asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use monitor::get_settings::PARAMETERS;
use shop_bucket::Bucket;
use shop_lambda::{Environment, Function, Random, StartError};
use template_truth::{names, project};

/// The variables of a function, with values of their kind; and the names of those that are its own.
fn variables(name: &str) -> anyhow::Result<(BTreeMap<String, String>, Vec<String>)> {
    let template = project::template()?;
    let functions = template.functions();
    let stanza = functions.iter().find(|function| names::of_logical_id(function.id).as_deref() == Some(name));
    let stanza = stanza.with_context(|| format!("{name} is not in the template"))?;
    let all = stanza.variables().into_iter().map(|name| (name.to_owned(), value(name).to_owned())).collect();
    Ok((all, stanza.own_variables().into_iter().map(str::to_owned).collect()))
}

fn value(name: &str) -> &'static str {
    match name {
        "ACCOUNT_ORDER_LIMIT" | "ADDRESS_ORDER_LIMIT" => "60",
        "CONSUMER_QUEUES" | "DEAD_LETTER_QUEUES" => "settle-order=http://127.0.0.1:1/123456789012/queue",
        "EMAILS_SWITCHED_OFF" => "welcome",
        "EMAIL_FROM" => "mail@shop.example",
        "EVENTS_TOPIC_ARN" => "arn:aws:sns:us-east-1:123456789012:events",
        "INVALIDATION_PATHS_PER_DAY" => "200",
        "PASSWORD_MEMORY_KIB" => "19456",
        "REGISTRATIONS_PER_HOUR" => "20",
        "QUEUES" => "send-email SendEmailQueue SendEmailDeadLetterQueue",
        "TIME_ZONE" => "Europe/Berlin",
        "UPLOADS_ORIGIN" => "https://files.s3.us-east-1.amazonaws.com",
        "RELAY_DEAD_LETTER_QUEUE_URL" => "http://127.0.0.1:1/123456789012/relay-dead-letters",
        _ => "some-value",
    }
}

/// An AWS that cannot be reached: a function that reads something at its start fails after it has read its
/// variables.
fn unreachable_aws() -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url("http://127.0.0.1:1")
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "test", "test", None, None, "test",
        )))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::builder().operation_timeout(Duration::from_secs(5)).build())
        .build()
}

async fn start(function: Function, variables: BTreeMap<String, String>) -> Option<StartError> {
    function.start(Environment::new(variables, unreachable_aws(), Random::system())).await.err()
}

#[tokio::test]
async fn a_stanza_sets_all_that_the_function_asks_for() {
    for function in services::functions() {
        let error = start(function, variables(function.name()).unwrap().0).await;
        assert!(
            matches!(error, None | Some(StartError::Unavailable { .. })),
            "{}: {error:?}",
            function.name()
        );
    }
}

/// The policy of the console's page names where its browser is told to put a file, as the SDK writes that.
#[tokio::test]
async fn the_console_may_send_a_file_to_where_the_sdk_s_address_leads() -> anyhow::Result<()> {
    let template = project::template()?;
    let variables =
        &template.resource("AnswerUnknownRouteFunction")["Properties"]["Environment"]["Variables"];
    let origin = variables["UPLOADS_ORIGIN"]["Fn::Sub"].as_str().context("UPLOADS_ORIGIN")?;
    for (region, suffix) in
        [("eu-west-1", "amazonaws.com"), ("us-east-1", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn")]
    {
        let said = [("${ImportsBucket}", "files"), ("${AWS::Region}", region), ("${AWS::URLSuffix}", suffix)];
        let origin = said.iter().fold(origin.to_owned(), |text, (name, value)| text.replace(name, value));
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "test", "test", None, None, "test",
            )))
            .build();
        let named = BTreeMap::from([("BUCKET".to_owned(), "files".to_owned())]);
        let bucket = Bucket::start(&Environment::new(named, sdk, Random::system()), "BUCKET")?;
        let holds = PresigningConfig::expires_in(Duration::from_mins(15))?;
        let address = bucket.put_object("uploads/a").presigned(holds).await?;
        assert!(address.uri().starts_with(&format!("{origin}/uploads/a?")), "{origin}: {}", address.uri());
    }
    Ok(())
}

#[tokio::test]
async fn a_stanza_sets_nothing_that_the_function_does_not_ask_for() {
    for function in services::functions() {
        let (all, own) = variables(function.name()).unwrap();
        for missing in own {
            let mut rest = all.clone();
            rest.remove(&missing);
            let error = start(function, rest).await;
            let named = matches!(&error, Some(StartError::MissingVariable(name)) if *name == missing);
            assert!(named, "{} starts without {missing}: {error:?}", function.name());
        }
    }
}

/// What operators are shown of the parameters is all of them, but for the addresses of those who are told of alarms, and for
/// the ARNs of certificates.
#[test]
fn every_parameter_is_shown_in_the_settings() -> anyhow::Result<()> {
    const HIDDEN: [&str; 4] = ["AlarmEmail", "AlertEmail", "ApiCertificateArn", "EdgeCertificateArn"];
    let template = project::template()?;
    let shown: BTreeMap<_, _> =
        PARAMETERS.iter().map(|(_, name, _)| (*name, format!("${{{name}}}"))).collect();
    let variables = &template.resource("GetSettingsFunction")["Properties"]["Environment"]["Variables"];
    let lines = variables["SETTINGS"]["Fn::Sub"].as_str().context("SETTINGS")?.lines();
    let given: BTreeMap<_, _> = lines.filter_map(|line| line.split_once('=')).collect();
    assert!(given.iter().map(|(name, value)| (*name, (*value).to_owned())).eq(shown), "{given:?}");
    let mut known: Vec<_> = given.into_keys().chain(HIDDEN).collect();
    known.sort_unstable();
    let mut all: Vec<_> = template.parameters().into_iter().collect();
    all.sort_unstable();
    assert_eq!(known, all);
    Ok(())
}

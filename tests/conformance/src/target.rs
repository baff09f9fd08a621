//! Who is checked: clients of its services, and the names of what was created there.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use shop_lambda::http_client;
use shop_local::cloud::Cloud;
use shop_local::template::{REGION, Template};

use crate::changes::Changes;
use crate::{create, embedded};

const TEMPLATE: &str = include_str!("../template.yaml");
/// Longer than anything takes, and shorter than the longest poll, which must end before by an arrival.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// Who may send mails.
pub(crate) const SENDER: &str = "mail@verified.example";

/// What plays the services, with the resources of the checks' template.
#[derive(Debug)]
pub struct Target {
    /// What no other run at the same place is called.
    run: String,
    sdk: SdkConfig,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) ses: aws_sdk_sesv2::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    /// A table's name, a topic's ARN, a queue's URL, a bucket's name, by its logical id.
    names: BTreeMap<String, String>,
    pub(crate) changes: Changes,
    /// The embedded cloud ends with its last owner.
    cloud: Option<Cloud>,
}

impl Target {
    /// An embedded cloud of its own, in virtual time. Needs [`shop_local::cloud::simulated_runtime`].
    ///
    /// # Errors
    /// When it does not start.
    pub async fn embedded() -> Result<Self> {
        let template = template()?;
        let cloud = embedded::start(&template).await?;
        let sdk = checked(cloud.sdk_config("conformance").to_builder());
        let tables = template.tables.keys();
        let ids =
            tables.chain(template.topics.keys()).chain(template.queues.keys()).chain(template.buckets.keys());
        let names = ids.filter_map(|id| Some((id.clone(), cloud.physical(id)?.to_owned())));
        let names: BTreeMap<_, _> = names.collect();
        let recorded = names.get("RecordedTable").context("RecordedTable")?.clone();
        let changes = Changes::Recorded { client: aws_sdk_dynamodb::Client::new(&sdk), table: recorded };
        Ok(Self::new("embedded".to_owned(), sdk, names, changes, Some(cloud)))
    }

    /// Whatever answers at an endpoint, with resources that are created there now, beside those of other runs.
    ///
    /// # Errors
    /// When it cannot be reached, or something cannot be created.
    pub async fn endpoint(url: &str) -> Result<Self> {
        let credentials = Credentials::from_keys("test", "test", None);
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .endpoint_url(url)
            .http_client(http_client(&BTreeMap::new())?)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(SharedTimeSource::new(SystemTimeSource::new()));
        let sdk = checked(sdk);
        let created = create::create(&sdk, &template()?).await?;
        let client = aws_sdk_dynamodbstreams::Client::new(&sdk);
        let changes = Changes::Stream { client, arn: created.stream_arn };
        Ok(Self::new(created.run, sdk, created.names, changes, None))
    }

    fn new(
        run: String,
        sdk: SdkConfig,
        names: BTreeMap<String, String>,
        changes: Changes,
        cloud: Option<Cloud>,
    ) -> Self {
        Self {
            run,
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            s3: s3(&sdk),
            ses: aws_sdk_sesv2::Client::new(&sdk),
            sns: aws_sdk_sns::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            sdk,
            names,
            changes,
            cloud,
        }
    }

    /// A table's name, a topic's ARN, a queue's URL or a bucket's name.
    pub(crate) fn name(&self, id: &str) -> Result<&str> {
        self.names.get(id).map(String::as_str).with_context(|| format!("the template has no {id}"))
    }

    /// A client request token that no other run uses: tokens belong to the account.
    pub(crate) fn token(&self, name: &str) -> String {
        format!("{name}-{}", self.run)
    }

    /// Removes what [`Target::endpoint`] created. It fails too when nobody answers any more, so that a target
    /// that broke down amid the checks is not taken for one that differs.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub async fn remove(self) -> Result<()> {
        if self.cloud.is_some() { Ok(()) } else { create::remove(&self.sdk, &template()?, &self.names).await }
    }
}

/// One try for each call, so that a check sees what the first one was answered.
fn checked(sdk: aws_types::sdk_config::Builder) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    sdk.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build()
}

/// An emulator has one name for all buckets, which are folders there; the embedded cloud takes either.
pub(crate) fn s3(sdk: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(sdk).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

fn template() -> Result<Template> {
    Ok(Template::parse(TEMPLATE, &BTreeMap::new())?)
}

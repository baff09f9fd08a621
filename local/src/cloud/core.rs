//! What all parts of a cloud share: the services, the clock, the randomness, and who watches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use tokio::sync::Notify;

use super::clock::Clock;
use super::connector::Connector;
use super::dynamodb::DynamoDb;
use super::error::AwsError;
use super::meter::Counter;
use super::observer::{Access, Call, Delivery, Interceptor, Invoked, Observer, Outcome};
use super::random::Random;
use super::secrets::Secrets;
use super::sns::Topics;
use super::sqs::Queues;
use crate::template::{Grants, REGION};

/// The longest that one way of a simulated call takes, in milliseconds. It lets calls of several
/// invocations run into each other, in an order that the seed decides.
const SIMULATED_LATENCY: u64 = 5;
/// As the functions have it on AWS: see the environment in shop-lambda.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

pub(super) struct Core {
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) dynamodb: DynamoDb,
    pub(super) queues: Queues,
    pub(super) topics: Topics,
    pub(super) secrets: Secrets,
    /// What each function may do. Callers that are no functions may do anything.
    pub(super) grants: BTreeMap<String, Grants>,
    /// Tells who waits for everything to be done that something was done.
    pub(super) changed: Arc<Notify>,
    pub(super) counter: Counter,
    pub(super) observers: Vec<Arc<dyn Observer>>,
    pub(super) interceptor: Option<Arc<dyn Interceptor>>,
    pub(super) simulated: bool,
    pub(super) deliver_twice: bool,
}

impl Core {
    /// Settings for the AWS clients of one caller.
    pub(super) fn sdk_config(self: &Arc<Self>, caller: &str) -> SdkConfig {
        let connector = Connector { core: Arc::downgrade(self), caller: caller.into() };
        let credentials = Credentials::from_keys("local", "local", None);
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            // Never resolved: it only spares each call the search for one.
            .endpoint_url("http://aws.localhost")
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(SharedHttpClient::new(connector))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(SharedTimeSource::new(self.clock.clone()))
            .retry_config(RetryConfig::standard())
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .operation_timeout(CALL_TIMEOUT)
                    .build(),
            )
            // Bodies are whole when they arrive.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    }

    /// Refuses a function's call that the template does not grant, as IAM does.
    pub(super) fn authorize(&self, call: &Call) -> Result<(), AwsError> {
        let Some(grants) = self.grants.get(&*call.caller) else { return Ok(()) };
        let denied = |access: &&Access| !grants.allow(&access.action, &access.resource);
        match call.accesses.iter().find(denied) {
            None => Ok(()),
            Some(Access { action, resource }) => {
                let caller = &call.caller;
                let message =
                    format!("{caller} is not authorized to perform: {action} on resource: {resource}");
                tracing::error!("template.yaml does not grant it: {message}");
                Err(AwsError::denied(call.service, message))
            }
        }
    }

    /// Waits as long as one way of a call takes under simulation.
    pub(super) async fn latency(&self) {
        if self.simulated {
            let millis = 1 + self.random.below(SIMULATED_LATENCY);
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
    }

    pub(super) fn called(&self, call: &Call, outcome: &Outcome<'_>) {
        self.observe(|observer, now| observer.called(now, call, outcome));
    }

    pub(super) fn invoked(&self, invoked: &Invoked<'_>) {
        self.observe(|observer, now| observer.invoked(now, invoked));
    }

    /// Announces a batch. Returns how often it is to be delivered, after a wait.
    pub(super) async fn deliveries(&self, delivery: &Delivery<'_>) -> u32 {
        self.observe(|observer, now| observer.delivered(now, delivery));
        let (times, wait) = match &self.interceptor {
            Some(interceptor) => interceptor.deliver(delivery),
            None => (1, Duration::ZERO),
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        if self.deliver_twice { times.max(2) } else { times.max(1) }
    }

    fn observe(&self, tell: impl Fn(&dyn Observer, i64)) {
        let now = self.clock.now();
        tell(&self.counter, now);
        for observer in &self.observers {
            tell(&**observer, now);
        }
    }
}

//! A DynamoDB that answers by script, and remembers what it was asked; and a table of it, whose timer notes pauses.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::Client;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use serde::Deserialize;
use serde_json::{Value, json};
use shop_lambda::{Environment, Random};

use crate::{Item, Record, Table, string};

/// The script: a status and a body for each call, the last of them for ever.
#[derive(Clone, Debug)]
pub(super) struct Script(Arc<Mutex<Played>>);

#[derive(Debug)]
struct Played {
    answers: VecDeque<(u16, Value)>,
    asked: Vec<(String, Value)>,
    pauses: usize,
}

/// What the tests' items are.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Thing {
    pub(super) id: String,
}

impl Record for Thing {
    const KIND: &'static str = "thing";
}

/// The key of a thing, which is all that it has.
pub(super) fn key(id: &str) -> Item {
    Item::from([("id".to_owned(), string(id))])
}

/// The same as the wire has it.
pub(super) fn wire(id: &str) -> Value {
    json!({ "id": { "S": id } })
}

impl Script {
    pub(super) fn new(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        let answers = answers.into_iter().collect();
        Self(Arc::new(Mutex::new(Played { answers, asked: Vec::new(), pauses: 0 })))
    }

    /// A table whose client tries once.
    pub(super) fn table(&self) -> Table {
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .retry_config(RetryConfig::disabled())
            // It would watch each call by this timer.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(SharedAsyncSleep::new(self.clone()))
            .http_client(self.clone())
            .build();
        let variables = BTreeMap::from([("TABLE".to_owned(), "t".to_owned())]);
        let environment = Environment::new(variables, sdk, Random::system());
        Table::start(&environment, Client::new(environment.sdk_config()), "TABLE", "id").unwrap()
    }

    /// The bodies of the calls so far.
    pub(super) fn asked(&self) -> Vec<Value> {
        self.played().asked.iter().map(|(_, body)| body.clone()).collect()
    }

    /// Their operations.
    pub(super) fn operations(&self) -> Vec<String> {
        self.played().asked.iter().map(|(operation, _)| operation.clone()).collect()
    }

    /// How many pauses there were.
    pub(super) fn pauses(&self) -> usize {
        self.played().pauses
    }

    fn played(&self) -> MutexGuard<'_, Played> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncSleep for Script {
    fn sleep(&self, duration: Duration) -> Sleep {
        // The SDK's own timeouts are seconds, and never over here.
        if duration >= Duration::from_secs(1) {
            return Sleep::new(std::future::pending());
        }
        self.played().pauses += 1;
        Sleep::new(std::future::ready(()))
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut played = self.played();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        played.asked.push((operation, body));
        let (status, body) = match played.answers.len() {
            0 => (200, json!({})),
            1 => played.answers[0].clone(),
            _ => played.answers.pop_front().unwrap_or_default(),
        };
        let status = status.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body.to_string()))))
    }
}

impl HttpClient for Script {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

/// An error of DynamoDB's.
pub(super) fn error(code: &str) -> (u16, Value) {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{code}");
    (400, json!({ "__type": kind, "message": "no" }))
}

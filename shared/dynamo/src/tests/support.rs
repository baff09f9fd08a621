//! A DynamoDB that answers by script, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// The script: a status and a body for each call, the last of them for ever.
#[derive(Clone, Debug)]
pub(super) struct Script(Arc<Mutex<Played>>);

#[derive(Debug)]
struct Played {
    answers: VecDeque<(u16, Value)>,
    asked: Vec<Value>,
}

impl Script {
    pub(super) fn new(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        Self(Arc::new(Mutex::new(Played { answers: answers.into_iter().collect(), asked: Vec::new() })))
    }

    /// A client of it that tries once.
    pub(super) fn client(&self) -> Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::for_tests())
            .retry_config(RetryConfig::disabled())
            .http_client(self.clone())
            .build();
        Client::from_conf(config)
    }

    /// The bodies of the calls so far.
    pub(super) fn asked(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).asked.clone()
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut played = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        played.asked.push(body);
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
pub(super) fn error(code: &str) -> Value {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no" })
}

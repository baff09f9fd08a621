//! What the tests of this crate share: an invocation, and AWS clients whose wire is a closure.

use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use serde_json::Value;
use serde_json::value::to_raw_value;
use shop_lambda::Invocation;

/// A request as the fake service sees it: the host it was for and its body.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) host: String,
    pub(crate) body: String,
}

type Answer = dyn Fn(&Call) -> (u16, String) + Send + Sync;

#[derive(Clone)]
struct Fake {
    answer: Arc<Answer>,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let call = Call {
            host: request.uri().to_owned(),
            body: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
        };
        let (status, body) = (self.answer)(&call);
        self.calls.lock().unwrap().push(call);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
    }
}

/// SDK settings whose every call is answered by `answer` with a status and a body, and the calls so far.
/// There are no retries and no waiting, so that each call is one that the code under test decided on.
pub(crate) fn sdk(
    answer: impl Fn(&Call) -> (u16, String) + Send + Sync + 'static,
) -> (aws_types::SdkConfig, Arc<Mutex<Vec<Call>>>) {
    let fake = Fake { answer: Arc::new(answer), calls: Arc::default() };
    let calls = fake.calls.clone();
    (settings(SharedHttpConnector::new(fake)), calls)
}

/// The same where no call is ever answered.
pub(crate) fn silent_sdk() -> aws_types::SdkConfig {
    settings(SharedHttpConnector::new(Silent))
}

#[derive(Debug)]
struct Silent;

impl HttpConnector for Silent {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(std::future::pending())
    }
}

fn settings(connector: SharedHttpConnector) -> aws_types::SdkConfig {
    let credentials = aws_credential_types::Credentials::from_keys("key", "secret", None);
    aws_types::SdkConfig::builder()
        .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::v2026_01_12())
        .region(aws_types::region::Region::new("eu-west-1"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials))
        .retry_config(aws_smithy_types::retry::RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build()
}

/// An invocation with this payload.
pub(crate) fn invocation(payload: &Value) -> Invocation {
    Invocation { payload: to_raw_value(payload).unwrap(), context: lambda_runtime::Context::default() }
}

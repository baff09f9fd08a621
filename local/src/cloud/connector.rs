//! The SDK's HTTP connector, ending here instead of at AWS.
//!
//! Clients sign, encode and retry as they do against AWS; nothing of a request is trusted for more than
//! AWS would take it for.

use std::fmt;
use std::sync::{Arc, Weak};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_types::SdkConfig;
use shop_lambda::calls;

use super::core::Core;
use super::environment::Place;

/// Settings for the AWS clients of one caller.
pub(super) fn sdk_config(core: &Arc<Core>, place: Place) -> SdkConfig {
    let clock = core.clock.ahead(place.clock_skew);
    // A presigned URL names its signer by the access key.
    let credentials = Credentials::from_keys(&*place.caller, core.s3.secret(), None);
    let endpoint = core.endpoint.clone();
    let connector = Connector { core: Arc::downgrade(core), place };
    SdkConfig::builder()
        .behavior_version(calls::behavior_version())
        .region(core.region.clone())
        // Never resolved: it only spares each call the search for one.
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(SharedHttpClient::new(connector))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .time_source(SharedTimeSource::new(clock))
        .retry_config(calls::retries())
        .timeout_config(calls::timeouts())
        // Bodies are whole when they arrive.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// The connector of one caller.
#[derive(Clone)]
struct Connector {
    /// Weak: the cloud keeps the functions, which keep their clients, which keep this.
    core: Weak<Core>,
    place: Place,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.place.caller)
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let core = self.core.upgrade();
        let place = self.place.clone();
        HttpConnectorFuture::new(async move {
            match core {
                Some(core) => core.call(&place, &request).await,
                None => Err(ConnectorError::io("the cloud has stopped".into())),
            }
        })
    }
}

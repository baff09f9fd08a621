//! The one HTTP client of a function's calls of AWS: its connections, and what it trusts, are those of all its SDK clients.
//!
//! It is hyper's pool of HTTP/1.1 connections over rustls. The SDK's own has HTTP/2 as well, which no service here is asked
//! by, and a pool beside hyper's: a sixth of each binary (docs/decisions/0071).

mod roots;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::{
    CaptureConnection, HttpConnector as TcpConnector, capture_connection,
};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};

use crate::calls;
use crate::environment::StartError;

/// The client of all calls. `variables` may name whom it trusts instead of Amazon (see [`roots::of`]).
///
/// # Errors
/// When what it is to trust cannot be read.
pub fn http_client(variables: &BTreeMap<String, String>) -> Result<SharedHttpClient, StartError> {
    let connector = roots::of(variables).and_then(connector).map_err(|source| StartError::Unavailable {
        what: "the certificates of those whom calls of AWS trust",
        source,
    })?;
    // Timeouts of attempts and of calls are the SDK's, and nobody sets another one for connecting.
    Ok(http_client_fn(move |_, _| connector.clone()))
}

/// A pool of connections to those who prove themselves by one of the roots.
fn connector(roots: RootCertStore) -> Result<SharedHttpConnector, Box<dyn Error + Send + Sync>> {
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut tcp = TcpConnector::new();
    // A URL of `AWS_ENDPOINT_URL` may be one without TLS.
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(calls::CONNECT_TIMEOUT));
    let https =
        HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
    let pool = legacy::Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https);
    Ok(SharedHttpConnector::new(Connector(pool)))
}

/// A pool of connections, as the SDK asks it.
#[derive(Debug)]
struct Connector(legacy::Client<HttpsConnector<TcpConnector>, SdkBody>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let captured = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || connection(&captured));
        }
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(connector_error)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The connection of a call, which the SDK lets nobody use again after an answer that says it is a bad one.
fn connection(captured: &CaptureConnection) -> Option<ConnectionMetadata> {
    captured.connection_metadata().as_ref()?;
    let captured = captured.clone();
    let never_again = move || {
        if let Some(connected) = captured.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    Some(ConnectionMetadata::builder().proxied(false).poison_fn(never_again).build())
}

/// A request that nobody could send is the caller's fault. All else befell a connection, and the next try has another one.
fn connector_error(error: legacy::Error) -> ConnectorError {
    let hyper = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    if hyper.is_some_and(hyper::Error::is_user) {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

//! What stands behind the gateway: something that answers an HTTP API's requests.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, TRANSFER_ENCODING, UPGRADE,
};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use super::mailbox;
use crate::cloud::SentMail;

/// API Gateway gives a function 30 seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// API Gateway's own limit on an answer, in bytes.
const MAX_ANSWER_BYTES: usize = 10 * 1024 * 1024;

/// The HTTP API behind the gateway.
pub trait Backend: Send + Sync + fmt::Debug {
    /// Answers one request. Its path has the form of the template's routes; `source` is the client's
    /// address.
    fn call(
        &self,
        request: Request<Bytes>,
        source: IpAddr,
    ) -> BoxFuture<'_, Result<Response<Bytes>, BackendError>>;

    /// Answers a request that comes with a presigned URL of S3, its path and its host as the client has them. None where
    /// such a URL points elsewhere.
    fn presigned(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Option<Response<Bytes>>, BackendError>>;

    /// The mails that SES has taken, the newest last. None where nobody can say.
    fn mailbox(&self) -> BoxFuture<'_, Result<Option<Vec<SentMail>>, BackendError>>;

    /// Invokes create-admin, which has no route: what it answers, as JSON. None where there is no such function.
    fn create_admin(&self, payload: String) -> BoxFuture<'_, Result<Option<Bytes>, BackendError>>;
}

/// The backend gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// It took longer than an HTTP API may.
    #[error("no answer in time")]
    Timeout,
    /// It cannot be reached, or broke off.
    #[error("no answer")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The address of an upstream cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not of the form http://host:port")]
pub struct InvalidUpstream(String);

/// The HTTP API of an emulator, reached over HTTP.
#[derive(Debug)]
pub struct Upstream {
    client: Client<HttpConnector, Full<Bytes>>,
    authority: Authority,
    host: HeaderValue,
    admin_function: Option<String>,
}

impl Upstream {
    /// The API at `url` (`http://host:port`). Emulators tell their APIs apart by the host name, which need
    /// not resolve: `host` goes into the `Host` header.
    ///
    /// # Errors
    /// When the URL or the host name is not one.
    pub fn new(url: &str, host: &str) -> Result<Self, InvalidUpstream> {
        let invalid = || InvalidUpstream(url.to_owned());
        let parts = url.parse::<Uri>().map_err(|_| invalid())?.into_parts();
        let is_root = parts.path_and_query.is_none_or(|path| path == "/");
        let (Some(authority), true, true) = (parts.authority, is_root, parts.scheme == Some(Scheme::HTTP))
        else {
            return Err(invalid());
        };
        let host = HeaderValue::from_str(host).map_err(|_| InvalidUpstream(host.to_owned()))?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, authority, host, admin_function: None })
    }

    /// The same upstream, whose create-admin has this name there.
    #[must_use]
    pub fn with_admin_function(self, name: Option<String>) -> Self {
        Self { admin_function: name, ..self }
    }

    /// Lambda's Invoke (POST /2015-03-31/functions/{name}/invocations). An emulator asks for the form of a signature
    /// and checks none; against AWS this is a 403.
    async fn invoke(&self, function: &str, payload: String) -> Result<Bytes, BackendError> {
        const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, \
                                 SignedHeaders=host, Signature=0";
        let uri = format!("http://{}/2015-03-31/functions/{function}/invocations", self.authority);
        let request =
            Request::post(uri).header(AUTHORIZATION, SIGNATURE).header(CONTENT_TYPE, "application/json");
        let request = request.body(Full::new(Bytes::from(payload))).map_err(unreachable)?;
        let answer = self.client.request(request).await.map_err(unreachable)?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(BackendError::Unreachable)?.to_bytes();
        if status.is_success() {
            Ok(body)
        } else {
            Err(unreachable(format!("Invoke was answered with {status}")))
        }
    }

    /// What MiniStack's SES has taken; another emulator has no such page.
    async fn outbox(&self) -> Result<Option<Vec<SentMail>>, BackendError> {
        let uri = format!("http://{}/_ministack/ses/messages", self.authority);
        let request = Request::get(uri).body(Full::default()).map_err(unreachable)?;
        let answer = self.client.request(request).await.map_err(unreachable)?;
        if !answer.status().is_success() {
            return Ok(None);
        }
        let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(BackendError::Unreachable)?.to_bytes();
        mailbox::of_ministack(&body).map(Some).map_err(unreachable)
    }

    async fn forward(&self, request: Request<Bytes>) -> Result<Response<Bytes>, BackendError> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        parts.uri = Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(unreachable)?;
        remove_connection_headers(&mut parts.headers);
        parts.headers.insert(HOST, self.host.clone());
        let answer =
            self.client.request(Request::from_parts(parts, Full::new(body))).await.map_err(unreachable)?;
        let (mut parts, body) = answer.into_parts();
        remove_connection_headers(&mut parts.headers);
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(BackendError::Unreachable)?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

impl Backend for Upstream {
    fn call(
        &self,
        request: Request<Bytes>,
        _source: IpAddr,
    ) -> BoxFuture<'_, Result<Response<Bytes>, BackendError>> {
        Box::pin(async {
            timeout(ANSWER_TIMEOUT, self.forward(request)).await.unwrap_or(Err(BackendError::Timeout))
        })
    }

    fn presigned(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Option<Response<Bytes>>, BackendError>> {
        // The emulator's own address is in its URLs.
        Box::pin(async { Ok(None) })
    }

    fn mailbox(&self) -> BoxFuture<'_, Result<Option<Vec<SentMail>>, BackendError>> {
        Box::pin(async { timeout(ANSWER_TIMEOUT, self.outbox()).await.unwrap_or(Err(BackendError::Timeout)) })
    }

    fn create_admin(&self, payload: String) -> BoxFuture<'_, Result<Option<Bytes>, BackendError>> {
        Box::pin(async {
            let Some(function) = &self.admin_function else { return Ok(None) };
            let answer = timeout(ANSWER_TIMEOUT, self.invoke(function, payload)).await;
            answer.unwrap_or(Err(BackendError::Timeout)).map(Some)
        })
    }
}

fn unreachable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BackendError {
    BackendError::Unreachable(error.into())
}

/// These speak of one connection; a proxy has two. The length is that of the body it holds.
fn remove_connection_headers(headers: &mut HeaderMap) {
    for name in [CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, UPGRADE] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_a_plain_address() {
        let host = "abc.execute-api.localhost:4566";
        for url in ["http://127.0.0.1:4566", "http://localhost:4566/"] {
            assert!(Upstream::new(url, host).is_ok(), "{url}");
        }
        for url in ["https://127.0.0.1:4566", "127.0.0.1:4566", "http://localhost:4566/api", "", "http://"] {
            assert!(Upstream::new(url, host).is_err(), "{url}");
        }
        assert!(Upstream::new("http://127.0.0.1:4566", "a\nb").is_err());
    }
}

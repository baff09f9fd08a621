//! One request's way through the front door.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Body;
use shop_lambda::Random;
use shop_lambda::log::Chain;

use super::backend::{Backend, BackendError};
use super::identity::DemoIdentity;
use super::refusal::Refusal;
use super::{body, gate, path};

/// The front door before a backend.
#[derive(Debug)]
pub struct FrontDoor {
    backend: Arc<dyn Backend>,
    identity: Option<DemoIdentity>,
    welcome: Bytes,
    random: Random,
}

impl FrontDoor {
    /// A front door before `backend`. With an `identity`, a request without a token acts as the demo
    /// administrator. `welcome` is the plain text that `GET /` answers with.
    #[must_use]
    pub fn new(backend: Arc<dyn Backend>, identity: Option<DemoIdentity>, welcome: String) -> Self {
        Self { backend, identity, welcome: welcome.into(), random: Random::system() }
    }

    /// Answers a request that came over a connection from `source` to `port`. It always answers; every
    /// refusal of its own is a problem document.
    pub async fn answer<B>(&self, request: Request<B>, source: IpAddr, port: u16) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::error::Error,
    {
        let start = Instant::now();
        let (parts, body) = request.into_parts();
        let (method, instance) = (parts.method.clone(), parts.uri.path().to_owned());
        let response = self.answer_parts(parts, body, source, port).await.unwrap_or_else(|refusal| {
            tracing::info!(code = refusal.code(), "the front door does not pass this request on");
            refusal.response(&instance, &self.random)
        });
        tracing::info!(
            http.method = %method,
            http.path = instance,
            http.status = response.status().as_u16(),
            duration.millis = start.elapsed().as_millis(),
            "answered"
        );
        response
    }

    async fn answer_parts<B>(
        &self,
        mut parts: Parts,
        body: B,
        source: IpAddr,
        port: u16,
    ) -> Result<Response<Full<Bytes>>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::error::Error,
    {
        gate::check(&parts, port)?;
        parts.uri = path::normalise(&parts.uri);
        if parts.uri.path() == "/" {
            return Ok(self.welcome(&parts.method));
        }
        self.pass_on(parts, body, source).await.map(|response| response.map(Full::new))
    }

    async fn pass_on<B>(&self, mut parts: Parts, body: B, source: IpAddr) -> Result<Response<Bytes>, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::error::Error,
    {
        let body = body::read(&parts.headers, body).await?;
        if let Some(identity) = &self.identity
            && !parts.headers.contains_key(AUTHORIZATION)
        {
            let token = identity.authorization().map_err(|error| {
                tracing::error!(error = %Chain(&error), "no demo identity");
                Refusal::NoIdentity
            })?;
            parts.headers.insert(AUTHORIZATION, token);
        }
        let request = Request::from_parts(parts, body);
        let backend = Arc::clone(&self.backend);
        // A task of its own: like Lambda, a function runs to its end when its client goes away, and one
        // that panics takes no connection with it.
        let answer = tokio::spawn(async move { backend.call(request, source).await }).await;
        match answer {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => {
                tracing::warn!(error = %Chain(&error), "the backend did not answer");
                Err(match error {
                    BackendError::Timeout => Refusal::UpstreamSlow,
                    BackendError::Unreachable(_) => Refusal::Unreachable,
                })
            }
            Err(error) => {
                tracing::error!(%error, "a request's task ended early");
                Err(Refusal::Failed)
            }
        }
    }

    fn welcome(&self, method: &Method) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.welcome.clone()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if !matches!(*method, Method::GET | Method::HEAD) {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        }
        response
    }
}

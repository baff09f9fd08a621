//! One request's way through the gateway.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Body;
use shop_lambda::Random;
use shop_lambda::log::Chain;

use super::backend::{Backend, BackendError};
use super::error::{GatewayError, READ_METHODS, other_method};
use super::identity::DemoIdentity;
use super::{body, cors, faults, instance, mailbox, origin_check, path};
use crate::cloud::is_presigned;
use crate::demonstration::Demonstration;
use crate::template::Cors;

/// What the shop's own pages send with every request (docs/decisions/0061).
const BY_PAGES: &str = "session-transport";

/// The gateway before a backend.
#[derive(Debug)]
pub struct Gateway {
    backend: Arc<dyn Backend>,
    identity: Option<DemoIdentity>,
    banner: Bytes,
    cors: Cors,
    /// Where faults may be switched on.
    demonstration: Option<Arc<Demonstration>>,
    random: Random,
}

impl Gateway {
    /// A gateway before `backend`. With an `identity`, a request without a token acts as the demo
    /// administrator. `banner` is the plain text that `GET /` answers with.
    #[must_use]
    pub fn new(backend: Arc<dyn Backend>, identity: Option<DemoIdentity>, banner: String) -> Self {
        let (banner, cors, random) = (banner.into(), Cors::default(), Random::system());
        Self { backend, identity, banner, cors, demonstration: None, random }
    }

    /// The same gateway, at which faults may be switched on and off.
    #[must_use]
    pub fn with_demonstration(self, demonstration: Arc<Demonstration>) -> Self {
        Self { demonstration: Some(demonstration), ..self }
    }

    /// The same gateway, which lets in the pages of other origins that an API's configuration names.
    #[must_use]
    pub fn with_cors(self, cors: Option<Cors>) -> Self {
        Self { cors: cors.unwrap_or_default(), ..self }
    }

    /// Answers a request that came over a connection from `source` to `port`. It always answers; every
    /// error of its own is a problem document.
    pub async fn answer<B>(&self, request: Request<B>, source: IpAddr, port: u16) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::error::Error,
    {
        let start = Instant::now();
        let (parts, body) = request.into_parts();
        let (method, asked) = (parts.method.clone(), parts.uri.path().to_owned());
        let (origin, prefix) = (cors::allowed_origin(&self.cors, &parts.headers), path::prefix(&parts.uri));
        let answer = self.answer_parts(parts, body, source, port, origin.is_some()).await;
        let mut response = answer.unwrap_or_else(|error| {
            tracing::info!(code = error.code(), "the gateway does not pass this request on");
            error.response(&asked, &self.random)
        });
        path::lead_back(prefix, response.headers_mut());
        cors::expose(&self.cors, origin, response.headers_mut());
        tracing::info!(
            http.method = %method,
            http.path = asked,
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
        is_allowed_origin: bool,
    ) -> Result<Response<Full<Bytes>>, GatewayError>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::error::Error,
    {
        origin_check::check(&parts, port, is_allowed_origin)?;
        if is_allowed_origin && let Some(answer) = cors::preflight(&self.cors, &parts) {
            return Ok(answer);
        }
        let asked = parts.uri.path().to_owned();
        if is_presigned(&parts.uri) {
            return self.presigned(parts, body).await;
        }
        parts.uri = path::normalise(&parts.uri);
        if parts.uri.path() == "/" && !is_for_a_browser(&parts) {
            return self.root(&parts.method);
        }
        if let Some(shown) = &self.demonstration
            && let Some(asked) = faults::asked(parts.uri.path())
        {
            return faults::answer(shown, &parts.method, asked).map(|answer| own(answer.map(Full::new)));
        }
        if let Some(asked) = mailbox::asked(parts.uri.path()) {
            return self.mailbox(&parts.method, asked).await;
        }
        let mut response = self.pass_on(parts, body, source).await?;
        instance::name(&asked, &mut response);
        Ok(response.map(Full::new))
    }

    async fn pass_on<B>(
        &self,
        mut parts: Parts,
        body: B,
        source: IpAddr,
    ) -> Result<Response<Bytes>, GatewayError>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::error::Error,
    {
        let body = body::read(&parts.headers, body).await?;
        // The shop's own pages say that they hold sessions as a browser does: who has none there is a guest.
        let is_somebody = |name: &str| parts.headers.contains_key(name);
        let identity = self.identity.as_ref();
        let identity = identity.filter(|_| !is_somebody(AUTHORIZATION.as_str()) && !is_somebody(BY_PAGES));
        if let Some(identity) = identity {
            let token = identity.authorization().await.map_err(|error| {
                tracing::error!(error = %Chain(&error), "no demo identity");
                GatewayError::NoIdentity
            })?;
            parts.headers.extend(token.map(|token| (AUTHORIZATION, token)));
        }
        let request = Request::from_parts(parts, body);
        let backend = Arc::clone(&self.backend);
        // A task of its own: like Lambda, a function runs to its end when its client goes away, and one
        // that panics takes no connection with it.
        let answer = tokio::spawn(async move { backend.call(request, source).await }).await;
        match answer {
            Ok(Ok(response)) => {
                if let Some(identity) = identity.filter(|_| response.status() == StatusCode::UNAUTHORIZED) {
                    identity.forget();
                }
                Ok(response)
            }
            Ok(Err(error)) => {
                tracing::warn!(error = %Chain(&error), "the backend did not answer");
                Err(refusal(&error))
            }
            Err(error) => {
                tracing::error!(%error, "a request's task ended early");
                Err(GatewayError::Failed)
            }
        }
    }

    /// A presigned URL is S3's: nothing of it is the API's.
    async fn presigned<B>(&self, parts: Parts, body: B) -> Result<Response<Full<Bytes>>, GatewayError>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::error::Error,
    {
        let body = body::read_object(&parts.headers, body).await?;
        let answer = self.backend.presigned(Request::from_parts(parts, body)).await.map_err(|error| {
            tracing::warn!(error = %Chain(&error), "S3 did not answer");
            refusal(&error)
        })?;
        Ok(answer.ok_or(GatewayError::NoSuchObject)?.map(Full::new))
    }

    /// The root is no path of the API: whoever is no browser is answered here, whatever the method. The shop's first page
    /// is what a browser gets.
    fn root(&self, method: &Method) -> Result<Response<Full<Bytes>>, GatewayError> {
        match *method {
            Method::GET | Method::HEAD => Ok(self.banner()),
            _ => other_method(method, READ_METHODS).map(|answer| own(answer.map(Full::new))),
        }
    }

    /// The mailbox is no path of the API either.
    async fn mailbox(
        &self,
        method: &Method,
        asked: mailbox::Asked<'_>,
    ) -> Result<Response<Full<Bytes>>, GatewayError> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return other_method(method, READ_METHODS).map(|answer| own(answer.map(Full::new)));
        }
        let mails = self.backend.mailbox().await.map_err(|error| {
            tracing::warn!(error = %Chain(&error), "the backend did not show its mails");
            refusal(&error)
        })?;
        let mails = mails.ok_or(GatewayError::NoSuchMail)?;
        let page = match asked {
            mailbox::Asked::List => Some(mailbox::list(&mails)),
            mailbox::Asked::Mail(id) => mailbox::mail(&mails, id),
        };
        Ok(own(page.ok_or(GatewayError::NoSuchMail)?.map(Full::new)))
    }

    fn banner(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.banner.clone()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        own(response)
    }
}

/// Whether somebody asks for a page to look at: a browser names its type, and nobody else does.
fn is_for_a_browser(parts: &Parts) -> bool {
    let accepts = parts.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    matches!(parts.method, Method::GET | Method::HEAD)
        && accepts.into_iter().any(|accept| accept.contains("text/html"))
}

fn refusal(error: &BackendError) -> GatewayError {
    match error {
        BackendError::Timeout => GatewayError::UpstreamSlow,
        BackendError::Unreachable(_) => GatewayError::Unreachable,
    }
}

/// An answer of the gateway's own, with what every answer of the API has.
fn own(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in shop_http::SECURITY_HEADERS {
        // A page says itself what may be shown in it.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

//! A route as a Lambda function's handler: access first, then the handler, then one kind of answer.

use std::convert::Infallible;

use futures::future::BoxFuture;
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::{Adapter, Body, LambdaEvent, Request, RequestExt, Response, Service, service_fn};
use serde_json::value::RawValue;
use shop_auth::{Principal, Verified, Verifier, VerifyError};
use shop_lambda::{FunctionError, Handler, Invocation};

use crate::{Call, MAX_BODY_BYTES, Problem, Reply};

/// Who may call a route. Whose data it shows is the handler's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, guests included.
    Public,
    /// Whoever has a valid token.
    SignedIn,
    /// Administrators.
    Admin,
}

/// A REST route.
pub trait Route: Send + Sync + 'static {
    /// Who may call it.
    const ACCESS: Access;

    /// Answers a request that passed the access check.
    fn handle(&self, call: Call) -> impl Future<Output = Result<Reply, Problem>> + Send;
}

/// Makes a route the handler of its function.
pub fn handler<R: Route>(route: R, verifier: Verifier) -> Box<dyn Handler> {
    Box::new(HttpHandler { route, verifier })
}

struct HttpHandler<R> {
    route: R,
    verifier: Verifier,
}

impl<R: Route> Handler for HttpHandler<R> {
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let payload: LambdaRequest = serde_json::from_str(invocation.payload.get())
                .map_err(|error| FunctionError::new("the event is not an HTTP API request", error))?;
            let service =
                service_fn(|request: Request| async { Ok::<_, Infallible>(self.respond(request).await) });
            let event = LambdaEvent { payload, context: invocation.context };
            let response = match Adapter::from(service).call(event).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            serde_json::value::to_raw_value(&response)
                .map_err(|error| FunctionError::new("the answer cannot be written", error))
        })
    }
}

impl<R: Route> HttpHandler<R> {
    async fn respond(&self, request: Request) -> Response<Body> {
        let request_id = request_id(&request);
        let path = request.raw_http_path().to_owned();
        let mut response = match self.answer(request, &request_id).await {
            Ok(reply) => reply.into_response(),
            Err(problem) => problem.into_response(&request_id, &path),
        };
        let headers = response.headers_mut();
        // What is about somebody must stay in no cache; the catalogue says otherwise itself.
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert("x-request-id", id);
        }
        response
    }

    async fn answer(&self, request: Request, request_id: &str) -> Result<Reply, Problem> {
        let caller = self.caller(&request).await?;
        match (R::ACCESS, &caller.principal) {
            (Access::Public, _) => {}
            (_, Principal::Guest) => return Err(Problem::unauthorized("This needs an access token.", false)),
            (Access::SignedIn, _) => {}
            (Access::Admin, principal) if principal.is_admin() => {}
            (Access::Admin, _) => return Err(Problem::forbidden()),
        }
        if request.body().len() > MAX_BODY_BYTES {
            let detail = format!("The body has more than {MAX_BODY_BYTES} bytes.");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail));
        }
        self.route.handle(Call::new(caller, request_id.to_owned(), request)).await
    }

    /// No `Authorization` header is a guest; one that proves nothing is an error, never a guest.
    async fn caller(&self, request: &Request) -> Result<Verified, Problem> {
        let mut values = request.headers().get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Ok(Verified { principal: Principal::Guest, session: None });
        };
        let invalid = || Problem::unauthorized("The access token is not valid.", true);
        if values.next().is_some() {
            return Err(invalid());
        }
        // RFC 9110 section 11.1: the scheme's case does not matter.
        let token = match value.to_str().unwrap_or_default().split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(invalid()),
        };
        match self.verifier.verify_session(token).await {
            Ok(caller) => Ok(caller),
            Err(VerifyError::Invalid(reason)) => {
                tracing::info!(%reason, "a token was refused");
                Err(invalid())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The gateway's id of the request; Lambda's own where another caller left it out.
fn request_id(request: &Request) -> String {
    let gateway = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let lambda = || request.lambda_context_ref().map(|context| context.request_id.clone());
    gateway.filter(|id| !id.is_empty()).or_else(lambda).unwrap_or_default()
}

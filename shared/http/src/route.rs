//! A route as a Lambda function's handler: access first, then the handler, then one kind of answer.

use std::sync::Arc;

use futures::future::BoxFuture;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use lambda_http::{Body, Response};
use serde_json::value::RawValue;
use shop_auth::{AccountReader, Principal, Verified, Verifier, VerifyError};
use shop_lambda::{Environment, FunctionError, Handler, Invocation, StartError};

use crate::audit::{Outcome, Trail};
use crate::event::HttpRequest;
use crate::{Call, Code, Contract, Endpoint, MAX_BODY_BYTES, Problem, Reply, Start};

/// Who may call a route. Whose data it shows is the handler's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, and no token is looked at.
    Anonymous,
    /// Everybody, guests included.
    Public,
    /// Whoever has a valid token.
    SignedIn,
    /// Administrators, by what the account says now.
    Admin,
}

/// A REST route.
pub trait Route: Send + Sync + Sized + 'static {
    /// The function's one name: what the audit trail calls the act.
    const NAME: &'static str;

    /// Where it answers.
    const ENDPOINT: Endpoint;

    /// Who may call it.
    const ACCESS: Access;

    /// Whether it asks the account ([`Call::is_admin`], [`Call::check_session`]). Such a function
    /// needs `USERS_TABLE` and `SESSIONS_TABLE`, and `dynamodb:BatchGetItem` on both.
    const ASKS_ACCOUNT: bool = matches!(Self::ACCESS, Access::Admin);

    /// The query parameters that it takes: others are refused, on every route alike.
    const QUERY: &'static [&'static str] = &[];

    /// Whether it takes a body. Where it does not, a body that is more than an empty object is refused, on every such
    /// route alike.
    const TAKES_BODY: bool = false;

    /// Makes the route: reads the configuration, builds what it asks.
    ///
    /// # Errors
    /// A [`StartError`] that names what is missing.
    fn start(start: &mut Start) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// What is done once at the start, after the keys were read, and may fail: a request tries it again.
    fn warm_up(&self) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// What it takes and what it answers.
    fn contract() -> Contract;

    /// Answers a request that passed the access check.
    fn handle(&self, call: Call) -> impl Future<Output = Result<Reply, Problem>> + Send;
}

/// A route that has started.
pub(crate) struct HttpHandler<R> {
    route: R,
    /// None where no token is looked at.
    verifier: Option<Verifier>,
    accounts: Option<AccountReader>,
}

impl<R: Route> HttpHandler<R> {
    /// Starts a route. It comes before its verifier: one that issues tokens publishes its key first.
    ///
    /// # Errors
    /// A variable that is not set, by its name, or what the route cannot do without.
    pub(crate) async fn start(environment: Environment) -> Result<Self, StartError> {
        let mut start = Start::new(environment);
        if R::ACCESS == Access::Anonymous {
            let route = R::start(&mut start).await?;
            return Ok(Self { route, verifier: None, accounts: None });
        }
        start.check_verifier()?;
        let accounts = R::ASKS_ACCOUNT.then(|| start.accounts()).transpose()?;
        let route = R::start(&mut start).await?;
        let verifier = Some(start.verifier().await?);
        route.warm_up().await;
        Ok(Self { route, verifier, accounts })
    }
}

impl<R: Route> Handler for HttpHandler<R> {
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let request = HttpRequest::read(invocation.payload.get())
                .map_err(|error| FunctionError::new("the event is not an HTTP API request", error))?;
            let response = self.respond(request, invocation.context.request_id).await;
            written(response).map_err(|error| FunctionError::new("the answer cannot be written", error))
        })
    }
}

impl<R: Route> HttpHandler<R> {
    async fn respond(&self, request: HttpRequest, lambda_id: String) -> Response<Body> {
        let request_id = request.request_id(lambda_id);
        let (method, path) = (request.method.clone(), request.path.clone());
        let trail = Arc::new(Trail::default());
        let (mut response, code) = match self.answer(request, &request_id, &trail).await {
            Ok(reply) => (reply.into_response(), None),
            Err(problem) => {
                let code = problem.code();
                (problem.into_response(&request_id, &path), Some(code))
            }
        };
        let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let created = location.and_then(|location| location.rsplit('/').next());
        trail.write(
            R::NAME,
            &method,
            &request_id,
            &Outcome { status: response.status(), code: code.map(Code::as_str), created },
        );
        finish(&mut response, &method, &request_id);
        response
    }

    async fn answer(
        &self,
        request: HttpRequest,
        request_id: &str,
        trail: &Arc<Trail>,
    ) -> Result<Reply, Problem> {
        let caller = self.caller(&request.headers).await?;
        trail.caller(caller.principal.to_string(), caller.session.as_ref().map(|id| id.as_str().to_owned()));
        let is_guest = caller.principal == Principal::Guest;
        let body_length = request.body.as_ref().map_or(0, Vec::len);
        let mut call =
            Call::new(caller, request_id.to_owned(), request, self.accounts.clone(), Arc::clone(trail));
        if matches!(R::ACCESS, Access::SignedIn | Access::Admin) && is_guest {
            return Err(Problem::unauthorized("This needs an access token.", false));
        }
        if R::ACCESS == Access::Admin && !call.is_admin().await? {
            return Err(Problem::forbidden());
        }
        if body_length > MAX_BODY_BYTES {
            let detail = format!("The body has more than {MAX_BODY_BYTES} bytes.");
            return Err(Problem::new(Code::BodyTooLarge, detail));
        }
        call.read_query(R::QUERY)?;
        if !R::TAKES_BODY {
            call.check_no_body()?;
        }
        self.route.handle(call).await
    }

    /// No `Authorization` header is a guest; one that proves nothing is an error, never a guest.
    async fn caller(&self, headers: &HeaderMap) -> Result<Verified, Problem> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(verifier), Some(value)) = (&self.verifier, values.next()) else {
            return Ok(Verified { principal: Principal::Guest, session: None, epoch: None });
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
        match verifier.verify_session(token).await {
            Ok(caller) => Ok(caller),
            Err(VerifyError::Invalid(reason)) => {
                tracing::info!(%reason, "a token was refused");
                Err(invalid())
            }
            Err(error) => Err(Problem::internal(error)),
        }
    }
}

/// What every answer has, whatever it is.
pub(crate) fn finish(response: &mut Response<Body>, method: &Method, request_id: &str) {
    if *method == Method::HEAD {
        // RFC 9110 section 9.3.2: the headers of GET, and no content.
        *response.body_mut() = Body::Empty;
    }
    let headers = response.headers_mut();
    // What is about somebody must stay in no cache; the catalogue says otherwise itself.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id);
    }
}

/// OWASP ASVS 5, V3.4, as far as it concerns an API: no answer is sniffed, framed or rendered, and browsers come
/// back by HTTPS alone (RFC 6797; over plain HTTP, as on a laptop, they ignore it).
pub const SECURITY_HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// The answer in the gateway's form.
pub(crate) fn written(response: Response<Body>) -> Result<Box<RawValue>, serde_json::Error> {
    let (parts, body) = response.into_parts();
    let body = match body {
        Body::Empty => None,
        body => Some(body),
    };
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = i64::from(parts.status.as_u16());
    let mut headers = parts.headers;
    // The gateway takes them apart from the others.
    let cookies = headers.get_all(header::SET_COOKIE).iter();
    answer.cookies = cookies.filter_map(|cookie| Some(cookie.to_str().ok()?.to_owned())).collect();
    headers.remove(header::SET_COOKIE);
    answer.headers = headers;
    answer.is_base64_encoded = matches!(body, Some(Body::Binary(_)));
    answer.body = body;
    serde_json::value::to_raw_value(&answer)
}

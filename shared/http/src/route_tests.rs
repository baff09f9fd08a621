//! Routes as the gateway sees them: events in, answers out, with no network behind them.

mod bodies;
mod headers;

use std::collections::BTreeMap;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shop_lambda::{Environment, Handler, Invocation, Random, StartError};

use crate::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, function, post};

/// A key table without keys.
#[derive(Clone, Debug)]
struct EmptyTable;

impl HttpConnector for EmptyTable {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = 200.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from("{}"))))
    }
}

impl HttpClient for EmptyTable {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

async fn started<R: Route>() -> Box<dyn Handler> {
    let variables = ["KEYS_TABLE", "TOKEN_ISSUER", "TOKEN_AUDIENCE"];
    let variables: BTreeMap<_, _> = variables.map(|name| (name.to_owned(), "test".to_owned())).into();
    let sdk = aws_types::SdkConfig::builder()
        .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::v2026_01_12())
        .region(aws_types::region::Region::new("us-east-1"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(
            aws_credential_types::Credentials::for_tests(),
        ))
        .http_client(SharedHttpClient::new(EmptyTable))
        .build();
    function::<R>().start(Environment::new(variables, sdk, Random::system())).await.unwrap()
}

/// Answers with what it was asked, or with the problem of its kind.
struct Echo;

impl Route for Echo {
    const NAME: &'static str = "echo";
    const ENDPOINT: Endpoint = post("/things/{id}");
    const ACCESS: Access = Access::Public;
    const QUERY: &'static [&'static str] = &["limit", "cursor"];
    const TAKES_BODY: bool = true;

    async fn start(_: &mut Start) -> Result<Self, StartError> {
        Ok(Echo)
    }

    fn contract() -> Contract {
        Contract::new("A route of a test")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: shop_types::ProductId = call.id("product")?;
        if call.is_unchanged(3)? {
            return Reply::not_modified(3);
        }
        call.precondition()?.check(3)?;
        let page = call.page::<String>("things")?;
        let name = call.body()?.read_object(|body| body.required("name", |node| node.text(1..=5)))?;
        let key = call.idempotency_key()?.map_or("none", |key| key.as_str()).to_owned();
        Reply::ok(&json!({ "id": id, "name": name, "limit": page.limit, "key": key }))?.versioned(3)
    }
}

struct Members;

impl Route for Members {
    const NAME: &'static str = "members";
    const ENDPOINT: Endpoint = post("/things/{id}");
    const ACCESS: Access = Access::SignedIn;

    async fn start(_: &mut Start) -> Result<Self, StartError> {
        Ok(Members)
    }

    fn contract() -> Contract {
        Contract::new("A route of a test")
    }

    async fn handle(&self, _: Call) -> Result<Reply, Problem> {
        Ok(Reply::no_content())
    }
}

struct Broken;

impl Route for Broken {
    const NAME: &'static str = "broken";
    const ENDPOINT: Endpoint = post("/things/{id}");
    const ACCESS: Access = Access::Public;

    async fn start(_: &mut Start) -> Result<Self, StartError> {
        Ok(Broken)
    }

    fn contract() -> Contract {
        Contract::new("A route of a test")
    }

    async fn handle(&self, _: Call) -> Result<Reply, Problem> {
        Err(Problem::internal(std::io::Error::other("the password is 1234")))
    }
}

struct Crowded;

impl Route for Crowded {
    const NAME: &'static str = "crowded";
    const ENDPOINT: Endpoint = post("/things/{id}");
    const ACCESS: Access = Access::Public;

    async fn start(_: &mut Start) -> Result<Self, StartError> {
        Ok(Crowded)
    }

    fn contract() -> Contract {
        Contract::new("A route of a test")
    }

    async fn handle(&self, _: Call) -> Result<Reply, Problem> {
        let throttled = shop_lambda::Contention::of_throttled(std::io::Error::other("the table is busy"));
        Err(Problem::internal(throttled))
    }
}

fn request(headers: &[(&str, &str)], query: &str, body: &str) -> Value {
    let headers: BTreeMap<_, _> = headers.iter().copied().collect();
    json!({
        "version": "2.0", "routeKey": "POST /things/{id}", "rawPath": "/things/prod-1", "rawQueryString": query,
        "headers": headers, "pathParameters": { "id": "prod-1" }, "body": body, "isBase64Encoded": false,
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": "localhost", "requestId": "request-7",
            "stage": "$default", "time": "23/Nov/2026:15:00:00 +0000", "timeEpoch": 1_795_446_000_000_i64,
            "http": { "method": "POST", "path": "/things/prod-1", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                      "userAgent": "test" },
        },
    })
}

struct Answer {
    status: u64,
    headers: Value,
    body: Value,
}

async fn ask<R: Route>(_: R, event: &Value) -> Answer {
    let handler = started::<R>().await;
    let payload = RawValue::from_string(event.to_string()).unwrap();
    let invocation = Invocation { payload, context: lambda_http::Context::default() };
    let answer: Value = serde_json::from_str(handler.handle(invocation).await.unwrap().get()).unwrap();
    let body = answer["body"].as_str().filter(|body| !body.is_empty()).unwrap_or("null");
    Answer {
        status: answer["statusCode"].as_u64().unwrap(),
        headers: answer["headers"].clone(),
        // Bytes are no JSON, and come as Base64.
        body: serde_json::from_str(body).unwrap_or_else(|_| json!(body)),
    }
}

#[tokio::test]
async fn an_answer_has_its_version_its_request_and_no_cache() {
    let answer =
        ask(Echo, &request(&[("idempotency-key", "0123456789-0123456789")], "limit=5", r#"{"name":"a"}"#))
            .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({ "id": "prod-1", "name": "a", "limit": 5, "key": "0123456789-0123456789" })
    );
    assert_eq!(answer.headers["etag"], "\"v3\"");
    assert_eq!(answer.headers["x-request-id"], "request-7");
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
    assert!(answer.headers["strict-transport-security"].is_string());
}

#[tokio::test]
async fn a_head_has_the_headers_of_a_get_and_no_content() {
    let mut event = request(&[], "", r#"{"name":"a"}"#);
    event["requestContext"]["http"]["method"] = json!("HEAD");
    let answer = ask(Echo, &event).await;
    assert_eq!((answer.status, answer.body), (200, Value::Null));
    assert_eq!(answer.headers["etag"], "\"v3\"");
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_415_says_what_is_taken() {
    let answer = ask(Echo, &request(&[("content-encoding", "br")], "", "{}")).await;
    assert_eq!(answer.headers["accept-encoding"], "identity");
    let answer = ask(Echo, &request(&[("content-type", "text/xml")], "", "{}")).await;
    assert_eq!(answer.headers["accept"], "application/json");
    let merge_patch = [("content-type", "application/merge-patch+json")];
    let mut event = request(&merge_patch, "", r#"{"name":"a"}"#);
    assert_eq!(ask(Echo, &event).await.status, 415);
    event["requestContext"]["http"]["method"] = json!("PATCH");
    assert_eq!(ask(Echo, &event).await.status, 200);
    event["headers"]["content-type"] = json!("application/json-patch+json");
    let answer = ask(Echo, &event).await;
    assert_eq!(answer.headers["accept-patch"], "application/json, application/merge-patch+json");
}

#[tokio::test]
async fn conditions_are_honoured() {
    for (header, value, status) in [
        ("if-none-match", "\"v3\"", 304),
        ("if-none-match", "W/\"v3\", \"v9\"", 304),
        ("if-none-match", "\"v2\"", 200),
        ("if-match", "\"v3\"", 200),
        ("if-match", "*", 200),
        ("if-match", "\"v2\", \"v3\"", 200),
        ("if-match", "\"v2\"", 412),
        ("if-match", "\"another\"", 412),
        ("if-match", "W/\"v3\"", 412),
        ("if-match", "v3", 400),
    ] {
        let answer = ask(Echo, &request(&[(header, value)], "", r#"{"name":"a"}"#)).await;
        assert_eq!(answer.status, status, "{header}: {value}");
    }
}

#[tokio::test]
async fn bad_input_is_a_problem_that_names_its_place() {
    let large = format!(r#"{{"name":"{}"}}"#, "a".repeat(crate::MAX_BODY_BYTES));
    for (headers, query, body, status, code, pointer) in [
        (vec![], "", "", 400, "empty_body", None),
        (vec![], "", "{", 400, "malformed_json", None),
        (vec![], "", large.as_str(), 413, "body_too_large", None),
        (vec![], "", r#"{"name":""}"#, 422, "invalid_request", Some("/name")),
        (vec![], "", r#"{"name":"a","x":1}"#, 422, "invalid_request", Some("/x")),
        (vec![("content-type", "text/plain")], "", r#"{"name":"a"}"#, 415, "unsupported_media_type", None),
        (vec![], "limit=0", "{}", 400, "invalid_query", Some("?limit")),
        (vec![], "limit=101", "{}", 400, "invalid_query", Some("?limit")),
        (vec![], "cursor=x", "{}", 400, "invalid_query", Some("?cursor")),
        (vec![], "limit=1&limit=1", "{}", 400, "invalid_query", Some("?limit")),
        (vec![], "color=red", "{}", 400, "invalid_query", Some("?color")),
        (vec![("content-encoding", "gzip")], "", "{}", 415, "unsupported_content_encoding", None),
        (
            vec![("content-type", "application/json; charset=latin1")],
            "",
            "{}",
            415,
            "unsupported_media_type",
            None,
        ),
        (vec![("content-type", "text/plain")], "", "", 400, "empty_body", None),
        (
            vec![("idempotency-key", "aaaaaaaaaaaaaaaaaaaaaaaa")],
            "",
            r#"{"name":"a"}"#,
            400,
            "invalid_idempotency_key",
            Some("Idempotency-Key"),
        ),
        (
            vec![("idempotency-key", "0123456789-0123456789,0123456789-0123456789")],
            "",
            r#"{"name":"a"}"#,
            400,
            "invalid_idempotency_key",
            Some("Idempotency-Key"),
        ),
        (
            vec![("idempotency-key", "short")],
            "",
            r#"{"name":"a"}"#,
            400,
            "invalid_idempotency_key",
            Some("Idempotency-Key"),
        ),
        (
            vec![("idempotency-key", "")],
            "",
            r#"{"name":"a"}"#,
            400,
            "invalid_idempotency_key",
            Some("Idempotency-Key"),
        ),
        (vec![("authorization", "Basic abc")], "", r#"{"name":"a"}"#, 401, "unauthorized", None),
        (vec![("authorization", "Bearer abc")], "", r#"{"name":"a"}"#, 401, "unauthorized", None),
    ] {
        let answer = ask(Echo, &request(&headers, query, body)).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{}", answer.body);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.body["instance"], "/things/prod-1");
        assert_eq!(answer.body["request_id"], "request-7");
        assert_eq!(answer.body["errors"][0]["pointer"].as_str(), pointer, "{}", answer.body);
        assert_eq!(answer.headers["www-authenticate"].is_string(), status == 401);
    }
}

#[tokio::test]
async fn a_guest_s_key_is_one_that_nobody_else_thinks_of() {
    for (key, status) in [
        ("0b5f2a4e-93d1-4c7e-8c36-5d0c9e1f7a22", 200),
        ("01234012340123401234", 200),
        ("0123401234012340123", 400),
        ("aaaaaaaaaaaaaaaaaaaa", 400),
        ("abcdabcdabcdabcdabcd", 400),
        ("00000000-0000-0000-0000-000000000000", 400),
        ("0b5f2a4e-93d1-4c7e-8c36-5d0c9e1f7a22,0b5f2a4e-93d1-4c7e-8c36-5d0c9e1f7a22", 400),
        ("0b5f2a4e-93d1-4c7e-8c36-5d0c9e1f7a22, 7", 400),
    ] {
        let answer = ask(Echo, &request(&[("idempotency-key", key)], "", r#"{"name":"a"}"#)).await;
        assert_eq!(answer.status, status, "{key}");
        assert!(status == 200 || answer.body["code"] == "invalid_idempotency_key", "{}", answer.body);
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_so() {
    let answer = ask(Members, &request(&[], "", "")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.headers["www-authenticate"], "Bearer");
}

#[tokio::test]
async fn our_own_failures_tell_nothing() {
    let answer = ask(Broken, &request(&[], "", "")).await;
    assert_eq!((answer.status, &answer.body["code"]), (500, &json!("internal")));
    assert!(!answer.body.to_string().contains("1234"), "{}", answer.body);
}

#[tokio::test]
async fn what_passes_by_itself_says_so_and_when() {
    let answer = ask(Crowded, &request(&[], "", "")).await;
    assert_eq!((answer.status, &answer.body["code"]), (503, &json!("contended")));
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(!answer.body.to_string().contains("table"), "{}", answer.body);
}

#[tokio::test]
async fn an_event_that_is_no_request_fails_the_invocation() {
    let handler = started::<Members>().await;
    let payload = RawValue::from_string(r#"{"Records": []}"#.to_owned()).unwrap();
    let invocation = Invocation { payload, context: lambda_http::Context::default() };
    assert!(handler.handle(invocation).await.is_err());
}

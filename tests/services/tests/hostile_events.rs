//! No request of a client makes a function panic or fail: every HTTP function, with API Gateway events in which
//! whatever a client decides is arbitrary (its headers, query, path, body and their coding).
//!
//! `HOSTILE_EVENTS=200000` asks for more events than a normal run.

use anyhow::{Context, Result, ensure};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use service_tests::{Service, simulate};
use shop_local::cloud::Options;

/// Events in all, over all functions. CI asks for 100,000 (docs/testing.md).
const EVENTS: usize = 4000;

/// Texts that have broken parsers before, beside arbitrary ones.
fn text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        "",
        " ",
        ",",
        "\"",
        "<",
        ">",
        "\\",
        "\0",
        "\n",
        "\r\n",
        "%",
        "%zz",
        "%00",
        "%ff",
        "=",
        "&",
        ";",
        "a=b=c",
        "https,http",
        "null",
        "{}",
        "[]",
        "[[[[",
        "\u{FEFF}",
        "\u{202E}",
        "\u{200B}",
        "é",
        "\u{1F980}",
        "W/\"v1\"",
        "\"v1\",",
        "*",
        "Bearer",
        "Bearer ",
        "Bearer a.b.c",
        "bearer eyJ",
        "0",
        "-1",
        "1e999",
        "9".repeat(400).leak(),
        "application/json; charset=\"",
        "application/json;charset=utf-8",
        "gzip",
        "identity,",
        "usr_",
        "me",
        "../..",
        "[::1]",
        "999.999.999.999",
        "http://[",
        "2026-13-45T99:99:99Z",
        "Infinity",
        "\u{D7FF}\u{E000}",
    ])
    .prop_map(str::to_owned);
    prop_oneof![3 => awkward, 2 => any::<String>(), 1 => "[ -~]{0,80}", 1 => "\\PC{0,300}"]
}

fn header_name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "authorization",
        "content-type",
        "content-encoding",
        "content-length",
        "idempotency-key",
        "if-match",
        "if-none-match",
        "if-modified-since",
        "range",
        "expect",
        "host",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-forwarded-for",
        "x-forwarded-port",
        "forwarded",
        "x-amzn-trace-id",
        "cookie",
        "order-token",
        "te",
        "transfer-encoding",
        "accept",
        "accept-encoding",
        "origin",
        ":path",
        "connection",
        "user-agent",
    ])
    .prop_map(str::to_owned);
    prop_oneof![6 => known, 1 => text()]
}

/// JSON that is near to what routes read, and JSON that is nothing of it.
fn body() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "items",
        "product_id",
        "quantity",
        "price",
        "total_amount",
        "currency",
        "email",
        "password",
        "name",
        "role",
        "stock",
        "delta",
        "id",
        "description",
        "category",
        "image_url",
        "refresh_token",
        "current_password",
        "device_token",
        "x",
    ]);
    let leaf = prop_oneof![
        text().prop_map(Value::String),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ];
    let value = leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((names.clone(), inner), 0..8).prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    });
    prop_oneof![
        4 => value.prop_map(|value| value.to_string()),
        1 => value_with_escapes(),
        1 => text(),
        1 => Just("[".repeat(5000)),
    ]
}

fn value_with_escapes() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        r#"{"name":"\ud800"}"#,
        r#"{"\udfff":1}"#,
        r#"{"a":1,"a":2}"#,
        r#"{"items":[{"quantity":1e-400}]}"#,
        r#"{"price":1E+400,"stock":2.0}"#,
        "{\"a\":\"\u{FFFD}\"}",
        "\u{FEFF}{}",
        r#"{"email":"a@b","password":"\u0000"}"#,
    ]);
    pieces.prop_map(str::to_owned)
}

/// An event as API Gateway would send it to a route, with everything that a client decides made up.
fn event(method: String, route: String, takes_body: bool) -> impl Strategy<Value = Value> {
    let headers = prop::collection::btree_map(header_name(), text(), 0..8);
    let query = prop_oneof![2 => text(), 1 => prop::collection::vec((text(), text()), 0..5).prop_map(|pairs| {
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    })];
    // A route that takes no body refuses one before it looks at anything else.
    let nothing = prop::sample::select(vec!["", "{}"]).prop_map(str::to_owned);
    let body = prop_oneof![if takes_body { 0 } else { 3 } => nothing, 1 => body()];
    (headers, query, text(), text(), body, any::<bool>(), text()).prop_map(
        move |(headers, query, id, path, body, is_base64, source)| {
            json!({
                "version": "2.0", "routeKey": format!("{method} {route}"), "rawPath": path, "rawQueryString": query,
                "headers": headers, "pathParameters": { "id": id }, "cookies": [source],
                "body": body, "isBase64Encoded": is_base64,
                "requestContext": { "requestId": source, "stage": "$default", "timeEpoch": 1,
                    "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": source } },
            })
        },
    )
}

#[test]
fn no_request_makes_a_function_panic_or_fail() -> Result<()> {
    let events = match std::env::var("HOSTILE_EVENTS") {
        Ok(number) => number.parse().context("HOSTILE_EVENTS")?,
        Err(_) => EVENTS,
    };
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(7)).await?;
        let routes = service.cloud.routes().to_vec();
        let taking = services::routes().filter(|route| route.takes_body).map(|route| route.function.name());
        let taking: Vec<_> = taking.collect();
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[12; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let (mut asked, mut answered) = (0, std::collections::BTreeMap::<u64, usize>::new());
        while asked < events {
            for route in &routes {
                let takes_body = taking.contains(&route.function.as_str());
                let strategy = event(route.method.clone(), route.path.clone(), takes_body);
                let tree = strategy.new_tree(&mut runner).map_err(|reason| anyhow::anyhow!("{reason}"))?;
                let event = tree.current();
                let payload = RawValue::from_string(event.to_string())?;
                // A panic of a function, like any failure of it, is an error of the invocation.
                let answer = service.cloud.invoke(&route.function, payload).await;
                let answer = answer.with_context(|| format!("{}: {event}", route.function))?;
                let answer: Value = serde_json::from_str(answer.get())?;
                let status = answer["statusCode"].as_u64().context("a status")?;
                ensure!(
                    (200..500).contains(&status),
                    "{} answered {status}: {answer}\n{event}",
                    route.function
                );
                let kind = answer["headers"]["content-type"].as_str();
                ensure!(
                    status < 400 || kind == Some("application/problem+json"),
                    "{} answered {status} as {kind:?}",
                    route.function
                );
                *answered.entry(status).or_default() += 1;
                asked += 1;
            }
        }
        // The test must reach behind the first checks, or it shows nothing.
        ensure!(answered.len() >= 6, "only these statuses were seen: {answered:?}");
        Ok(())
    })
}

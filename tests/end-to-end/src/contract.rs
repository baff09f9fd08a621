//! What every answer must be, whatever was asked: a request id, security headers, the documented members
//! and no others, a problem of RFC 9457 for every refusal, and never an error of the shop's own.

mod shapes;

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Map, Value};

use crate::reply::Reply;
use shapes::{
    ALERTS, DEAD_LETTER, DEAD_LETTER_GROUPS, DEAD_LETTERS, EMAIL_WITH_LETTER, EMAILS, EVENTS, EXPORT,
    EXTENSIONS, IMPORT, KEYS, NEW_IMPORT, NOTHING, ORDER, ORDERS, PLACED, PROBLEM, PRODUCT, PRODUCT_SALES,
    PRODUCTS, QUEUES, REDRIVE, REFUSALS, SALES, SEARCH, SESSION, SETTINGS, STATISTICS, STOCK, STORY,
    SUGGESTIONS, Shape, TOKENS, USER, USERS,
};

/// Words of the inside, which no client may read. A request of the suite never says them.
const INTERNALS: [&str; 9] = [
    "dynamodb",
    "arn:aws",
    "panicked",
    "RUST_BACKTRACE",
    ".rs:",
    "ConditionalCheck",
    "sqlite",
    "exception",
    "stack trace",
];

/// Holds an answer to the contract.
///
/// # Errors
/// Says what breaks it, with the request and the reply.
pub(crate) fn check(method: &Method, path: &str, reply: &Reply) -> Result<()> {
    ensure!(reply.status < 500, reply.wrong("an error of the shop's own"));
    let internal = INTERNALS.iter().find(|word| reply.body.to_lowercase().contains(&word.to_lowercase()));
    if let Some(word) = internal {
        return Err(reply.wrong(&format!("the reply speaks of the inside: {word:?}")));
    }
    let route = route(path);
    let Some(answer) = documented(method, &route) else { return check_unrouted(&route, reply) };
    if reply.status == 404 && path.to_lowercase().contains("%2f") {
        // Whether an encoded slash divides a path is the gateway's choice; then it has no route for it.
        return check_unrouted(&route, reply);
    }
    reply.has_header("x-content-type-options", "nosniff")?;
    ensure!(!reply.required_header("x-request-id")?.is_empty(), reply.wrong("an empty request id"));
    reply.required_header("cache-control")?;
    match (reply.status, answer) {
        (204 | 304, _) => ensure!(reply.body.is_empty(), reply.wrong("this status has no body")),
        (200..300, Answer::JsonOrCsv(_)) if reply.json.is_null() => {
            reply.has_header("content-type", "text/csv; charset=utf-8")?;
            ensure!(reply.required_header("vary")?.contains("Accept"), reply.wrong("expected Vary: Accept"));
        }
        (200..300, Answer::Json(shape) | Answer::JsonOrCsv(shape)) => {
            reply.has_header("content-type", "application/json")?;
            has_shape(&reply.json, shape, "", reply)?;
            if shape.required.contains(&"version") {
                reply.required_header("etag")?;
            }
            // A session can be read nowhere.
            if reply.status == 201 && route != ["sessions"] {
                reply.required_header("location")?;
            }
        }
        (202, Answer::Nothing) => ensure!(reply.body.is_empty(), reply.wrong("expected no body")),
        (200..300, Answer::Nothing) => return Err(reply.wrong("expected another status")),
        _ => check_problem(path, reply)?,
    }
    Ok(())
}

/// What a route answers with.
enum Answer {
    Json(&'static Shape),
    /// By `Accept`.
    JsonOrCsv(&'static Shape),
    Nothing,
}

/// The routes that there are.
fn documented(method: &Method, route: &[&str]) -> Option<Answer> {
    Some(match (method.as_str(), route) {
        ("POST", ["orders"]) => Answer::Json(&PLACED),
        ("POST", ["orders", _, "cancel"]) | ("PATCH", ["orders", _, "status"]) | ("GET", ["orders", _]) => {
            Answer::Json(&ORDER)
        }
        ("GET", ["orders"]) => Answer::Json(&ORDERS),
        ("POST", ["products"]) | ("GET" | "PATCH", ["products", _]) => Answer::Json(&PRODUCT),
        ("GET", ["products"]) => Answer::Json(&PRODUCTS),
        ("GET" | "PATCH", ["products", _, "stock"]) => Answer::Json(&STOCK),
        ("POST", ["users"]) | ("GET" | "PATCH", ["users", _]) | ("PUT", ["users", _, "role"]) => {
            Answer::Json(&USER)
        }
        ("GET", ["users"]) => Answer::Json(&USERS),
        ("GET", ["alerts"]) => Answer::Json(&ALERTS),
        ("GET", ["analytics", "sales"]) => Answer::JsonOrCsv(&SALES),
        ("GET", ["analytics", "products"]) => Answer::JsonOrCsv(&PRODUCT_SALES),
        ("POST", ["imports"]) => Answer::Json(&NEW_IMPORT),
        ("POST", ["exports"]) | ("GET", ["exports", _]) => Answer::Json(&EXPORT),
        ("GET", ["imports", _]) => Answer::Json(&IMPORT),
        ("GET", ["imports", _, "refusals"]) => Answer::Json(&REFUSALS),
        ("GET", ["emails"]) => Answer::Json(&EMAILS),
        ("GET", ["emails", _]) => Answer::Json(&EMAIL_WITH_LETTER),
        ("GET", ["monitor", "events"]) => Answer::Json(&EVENTS),
        ("GET", ["monitor", "stories", _]) => Answer::Json(&STORY),
        ("GET", ["monitor", "settings"]) => Answer::Json(&SETTINGS),
        ("GET", ["monitor", "queues"]) => Answer::Json(&QUEUES),
        ("GET", ["search"]) => Answer::Json(&SEARCH),
        ("GET", ["search", "suggestions"]) => Answer::Json(&SUGGESTIONS),
        ("GET", ["monitor", "dead-letters"]) => Answer::Json(&DEAD_LETTER_GROUPS),
        ("GET", ["monitor", "dead-letters", _]) => Answer::Json(&DEAD_LETTER),
        ("GET", ["monitor", "queues", _, "dead-letters"]) => Answer::Json(&DEAD_LETTERS),
        ("POST", ["monitor", "redrives" | "discards"]) | ("GET" | "PATCH", ["monitor", "redrives", _]) => {
            Answer::Json(&REDRIVE)
        }
        ("DELETE", ["products" | "users", _] | ["sessions", "current"])
        | (
            "POST",
            ["users", _, "email-confirmation"]
            | ["imports", _, "start"]
            | ["email-confirmations" | "password-resets"]
            | ["password-resets", "complete"],
        ) => Answer::Nothing,
        ("POST", ["sessions"]) => Answer::Json(&SESSION),
        ("POST", ["sessions", "refresh"]) => Answer::Json(&TOKENS),
        ("GET", [".well-known", "jwks.json"]) => Answer::Json(&KEYS),
        ("GET", ["users", _, "stats"]) => Answer::Json(&STATISTICS),
        _ => return None,
    })
}

/// Where there is no route no function is asked: the gateway says so itself, in its own words. At `/` the
/// gateway may have a page.
fn check_unrouted(route: &[&str], reply: &Reply) -> Result<()> {
    let is_refusal = matches!(reply.status, 403..=405);
    ensure!(is_refusal || route.is_empty(), reply.wrong("a route that is not documented"));
    Ok(())
}

fn check_problem(path: &str, reply: &Reply) -> Result<()> {
    reply.has_header("content-type", "application/problem+json")?;
    let Value::Object(members) = &reply.json else { return Err(reply.wrong("a problem is an object")) };
    let code = reply.string("/code")?;
    let own = EXTENSIONS.iter().find(|(other, _)| *other == code).map_or(&NOTHING, |(_, shape)| shape);
    let (standard, rest): (Map<_, _>, Map<_, _>) = members.clone().into_iter().partition(|(name, _)| {
        PROBLEM.required.contains(&name.as_str()) || PROBLEM.optional.contains(&name.as_str())
    });
    has_shape(&Value::Object(standard), &PROBLEM, "", reply)?;
    has_shape(&Value::Object(rest), own, "", reply)?;
    reply.has("/status", reply.status)?;
    reply.has("/request_id", reply.required_header("x-request-id")?)?;
    for text in ["/type", "/title", "/detail"] {
        ensure!(!reply.string(text)?.is_empty(), reply.wrong(&format!("{text} is empty")));
    }
    // Behind the gateway the function sees the path in the form of its route.
    let instance = reply.string("/instance")?;
    let bare = |path: &str| path.split('?').next().unwrap_or_default().trim_end_matches('/').to_owned();
    let asked = bare(path);
    ensure!(
        asked.ends_with(&bare(instance)) || instance.contains('%') || asked.contains('%'),
        reply.wrong("another instance")
    );
    Ok(())
}

fn has_shape(value: &Value, shape: &Shape, pointer: &str, reply: &Reply) -> Result<()> {
    let Value::Object(members) = value else {
        return Err(reply.wrong(&format!("{pointer:?} is no object")));
    };
    for name in shape.required {
        ensure!(members.contains_key(*name), reply.wrong(&format!("{pointer}/{name} is missing")));
    }
    for name in members.keys() {
        let known = shape.required.contains(&name.as_str()) || shape.optional.contains(&name.as_str());
        ensure!(known, reply.wrong(&format!("{pointer}/{name} is not documented")));
    }
    for (name, shape) in shape.nested {
        let pointer = format!("{pointer}/{name}");
        match members.get(*name) {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    has_shape(item, shape, &format!("{pointer}/{index}"), reply)?;
                }
            }
            Some(value) => has_shape(value, shape, &pointer, reply)?,
        }
    }
    Ok(())
}

/// The path's parts, without `/api` and what is around it.
fn route(path: &str) -> Vec<&str> {
    let path = path.split('?').next().unwrap_or_default();
    let path = path.strip_prefix("/api").unwrap_or(path);
    path.split('/').filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reply(status: u16, content_type: &str, json: Value) -> Reply {
        let headers = [
            ("x-content-type-options", "nosniff"),
            ("x-request-id", "request-1"),
            ("cache-control", "no-store"),
            ("content-type", content_type),
            ("etag", "\"v1\""),
        ];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let body = json.to_string();
        Reply { request: String::new(), status, headers: headers.into_iter().collect(), body, json }
    }

    fn stock() -> Value {
        json!({"product_id": "a", "stock": 1, "reserved": 0, "version": 2, "updated_at": "2026-11-23T15:00:00.000Z",
            "low_stock_threshold": 5})
    }

    fn problem() -> Value {
        json!({
            "type": "urn:shop:problem:not_found", "title": "Not Found", "status": 404, "detail": "No such order.",
            "instance": "/orders/x", "code": "not_found", "request_id": "request-1",
        })
    }

    fn outcome(path: &str, reply: &Reply) -> Result<()> {
        let method = if path.contains("stock") { Method::PATCH } else { Method::GET };
        check(&method, path, reply)
    }

    #[test]
    fn documented_answers_pass() {
        let answer = reply(200, "application/json", stock());
        for path in ["/products/a/stock", "/api/products/a/stock/"] {
            outcome(path, &answer).unwrap();
        }
        for path in ["/orders/x", "/api/orders/x/?limit=1"] {
            outcome(path, &reply(404, "application/problem+json", problem())).unwrap();
        }
    }

    #[test]
    fn members_that_are_missing_or_undocumented_fail() {
        for member in ["stock", "version"] {
            let mut json = stock();
            json.as_object_mut().unwrap().remove(member);
            assert!(outcome("/products/a/stock", &reply(200, "application/json", json)).is_err(), "{member}");
        }
        let mut json = stock();
        json["secret"] = 1.into();
        assert!(outcome("/products/a/stock", &reply(200, "application/json", json)).is_err());
        let mut json = problem();
        json["current_version"] = 1.into();
        assert!(outcome("/orders/x", &reply(404, "application/problem+json", json)).is_err());
    }

    #[test]
    fn without_a_route_only_a_refusal_is_right() {
        let gateway = json!({"message": "Not Found"});
        outcome("/nothing", &reply(404, "application/json", gateway.clone())).unwrap();
        assert!(outcome("/nothing", &reply(200, "application/json", gateway.clone())).is_err());
        assert!(
            outcome("/orders/x", &reply(404, "application/json", gateway)).is_err(),
            "a route has problems"
        );
    }

    #[test]
    fn what_no_reply_may_be_fails() {
        let problem_type = "application/problem+json";
        assert!(outcome("/orders/x", &reply(500, problem_type, problem())).is_err(), "a server error");
        assert!(outcome("/orders/x", &reply(403, problem_type, problem())).is_err(), "another status");
        assert!(outcome("/orders/x", &reply(404, "application/json", problem())).is_err(), "another type");
        assert!(outcome("/orders/y", &reply(404, problem_type, problem())).is_err(), "another instance");
        let mut json = problem();
        json["detail"] = "DynamoDB said no".into();
        assert!(outcome("/orders/x", &reply(404, problem_type, json)).is_err(), "the inside");
        let mut bare = reply(404, problem_type, problem());
        bare.headers.remove("x-request-id");
        assert!(outcome("/orders/x", &bare).is_err(), "no request id");
    }
}

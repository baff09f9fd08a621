//! Requests that are wrong before a field is looked at: bodies, queries, paths and headers. Each gets a
//! problem of the 4xx kind, and none changes anything. That no reply is a 5xx or tells of the inside is
//! checked for every reply.

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::json;

use crate::shop::{Scale, Shop};
use crate::steps;

/// More than any body may have.
const TOO_LARGE: usize = 64 * 1024 + 1;

/// Bodies that are no JSON object at all, on every route that takes a body.
pub(super) async fn bodies_that_are_no_object_are_refused(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let product = steps::product(shop, 3.00, 5).await?;
    for (method, path) in [
        (Method::POST, "/orders".to_owned()),
        (Method::POST, "/products".to_owned()),
        (Method::PATCH, format!("/products/{product}")),
        (Method::PATCH, format!("/products/{product}/stock")),
    ] {
        let send = |body: &[u8]| administrator.request(method.clone(), path.clone()).body(body);
        for (body, code) in [
            (&b""[..], "empty_body"),
            (b"{", "malformed_json"),
            (b"{\"items\": [}", "malformed_json"),
            (b"{'name': 1}", "malformed_json"),
            (b"{} {}", "malformed_json"),
            (b"{\"stock\": NaN}", "malformed_json"),
            (b"{\"stock\": 01}", "malformed_json"),
            (b"stock=50", "malformed_json"),
            (b"<stock/>", "malformed_json"),
            (b"{\"name\": \"\xff\xfe\"}", "not_utf8"),
            (b"\xff", "not_utf8"),
            ("[".repeat(60_000).as_bytes(), "malformed_json"),
            ("{\"a\":".repeat(12_000).as_bytes(), "malformed_json"),
        ] {
            if code == "not_utf8" && shop.scale() == Scale::Emulator {
                // The emulator hands a body on as text, with what is not UTF-8 replaced; AWS hands it on as it is.
                continue;
            }
            send(body).await?.problem(400, code)?;
        }
        for body in [&b"[]"[..], b"null", b"7", b"\"text\"", b"true", b"[{\"stock\": 1}]"] {
            send(body).await?.problem(422, "invalid_request")?.names(&[""])?;
        }
        let padded = format!("{{\"name\": \"{}\"}}", "x".repeat(TOO_LARGE));
        send(padded.as_bytes()).await?.problem(413, "body_too_large")?;
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
            let request = administrator.request(method.clone(), path.clone());
            let reply = request.header("content-type", media_type).body("{}").await?;
            reply.problem(415, "unsupported_media_type")?;
        }
    }
    // A route that takes no body takes an empty object for none, and nothing else.
    let cancel = || administrator.post("/orders/ord_00000000000000000000000000/cancel");
    for body in [&b"{"[..], b"null", b"reason=none", b"{\"reason\": \"none\"}"] {
        cancel().body(body).await?.problem(400, "unexpected_body")?;
    }
    cancel().body("{}").await?.problem(404, "not_found")?;
    let unchanged = steps::catalogued(shop, &product).await?;
    unchanged.has("/version", 1)?;
    unchanged.has("/stock", 5)
}

/// Lists with a wrong query.
pub(super) async fn queries_are_checked(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    for list in ["/orders", "/products"] {
        for (query, parameters) in [
            ("limit=0", vec!["?limit"]),
            ("limit=-1", vec!["?limit"]),
            ("limit=101", vec!["?limit"]),
            ("limit=ten", vec!["?limit"]),
            ("limit=", vec!["?limit"]),
            ("limit=1.5", vec!["?limit"]),
            ("limit=99999999999999999999", vec!["?limit"]),
            ("limit=1&limit=2", vec!["?limit"]),
            ("cursor=x", vec!["?cursor"]),
            ("cursor=bnVsbA", vec!["?cursor"]),
            ("cursor=%00%ff", vec!["?cursor"]),
            ("cursor=eyJsIjoieCIsInAiOm51bGx9", vec!["?cursor"]),
            ("limit=0&cursor=x", vec!["?limit", "?cursor"]),
            ("colour=red&page=2", vec!["?colour", "?page"]),
        ] {
            let reply = administrator.get(format!("{list}?{query}")).await?;
            reply.problem(400, "invalid_query")?.names(&parameters)?;
        }
        let long = format!("{list}?cursor={}", "A".repeat(4_000));
        administrator.get(long).await?.problem(400, "invalid_query")?.names(&["?cursor"])?;
        administrator.get(format!("{list}?limit=1")).await?.expect(200)?;
        administrator.get(format!("{list}?limit=100")).await?.expect(200)?;
    }
    administrator.get("/orders?status=lost").await?.problem(400, "invalid_query")?.names(&["?status"])?;
    for (query, name) in [
        ("customer_id=nobody", "?customer_id"),
        ("from=yesterday", "?from"),
        ("to=2026-11-23", "?to"),
        ("from=2026-11-23T12:00:00Z&to=2026-11-23T11:59:59Z", "?to"),
    ] {
        administrator.get(format!("/orders?{query}")).await?.problem(400, "invalid_query")?.names(&[name])?;
    }
    administrator.get("/products?status=pending").await?.problem(400, "invalid_query")?.names(&["?status"])
}

/// Paths that name nothing, ids that are none, and methods that a path does not have.
pub(super) async fn paths_that_name_nothing_are_refused(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    for id in [
        "x",
        "ord_",
        "ORD_00000000000000000000000000",
        "ord_0000000000000000000000000u",
        "%00",
        "%ff",
        "a%2Fb",
        "'--",
    ] {
        for (method, path) in [
            (Method::GET, format!("/orders/{id}")),
            (Method::POST, format!("/orders/{id}/cancel")),
            (Method::GET, format!("/products/{id}-{}", shop.unique("none"))),
            (Method::GET, format!("/users/{id}/stats")),
        ] {
            let reply = administrator.request(method, path).await?;
            ensure!(matches!(reply.status, 400 | 404), reply.wrong("expected 404, or 400"));
        }
    }
    for (method, path) in [
        (Method::GET, "/"),
        (Method::GET, "/nothing"),
        (Method::GET, "/orders/ord_00000000000000000000000000/lines"),
        (Method::PUT, "/orders"),
        (Method::DELETE, "/orders/ord_00000000000000000000000000"),
        (Method::PUT, "/products/prod-1"),
        (Method::POST, "/products/prod-1/stock"),
        (Method::POST, "/users/me/stats"),
    ] {
        let reply = administrator.request(method, path).await?;
        let is_banner = path == "/" && reply.status == 200;
        ensure!(is_banner || matches!(reply.status, 404 | 405), reply.wrong("expected 404 or 405"));
    }
    Ok(())
}

/// Headers that are wrong.
pub(super) async fn headers_are_checked(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let id = steps::product(shop, 3.00, 5).await?;
    let order = steps::order_of(&[(&id, 1)]);
    for key in [String::new(), "x".repeat(256), "two words".to_owned(), "sch\u{fc}ssel".to_owned()] {
        let reply = administrator.post("/orders").idempotency_key(&key).json(&order).await?;
        reply.problem(400, "invalid_idempotency_key")?.names(&["Idempotency-Key"])?;
    }
    for tag in ["v1", "\"", "W", "1,2"] {
        let request = administrator.patch(format!("/products/{id}")).header("if-match", tag);
        request.json(&json!({"name": "x"})).await?.problem(400, "invalid_if_match")?;
    }
    let unchanged = steps::catalogued(shop, &id).await?;
    unchanged.has("/version", 1)?;
    unchanged.has("/stock", 5)
}

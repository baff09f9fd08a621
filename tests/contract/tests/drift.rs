//! The check notices each kind of drift between an answer and the document.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

use bytes::Bytes;
use contract_check::Contract;
use http::Response;
use serde_json::{Value, json};

fn contract() -> Contract {
    Contract::of(&services::openapi::document())
}

fn product() -> Value {
    json!({
        "id": "prod-1", "name": "Mug", "description": null, "price": 29.90, "currency": "USD", "category": null,
        "image_url": null, "stock": 3, "version": 1, "created_at": "2026-11-23T15:00:00.000Z",
        "updated_at": "2026-11-23T15:00:00.000Z"
    })
}

fn answer(status: u16, media_type: &str, body: &Value) -> Response<Bytes> {
    let response =
        Response::builder().status(status).header("content-type", media_type).header("etag", "\"v1.3\"");
    response.body(Bytes::from(body.to_string())).expect("a response")
}

fn check(status: u16, body: &Value) -> Result<(), String> {
    contract().check("get-product", "GET", &answer(status, "application/json", body))
}

#[test]
fn what_is_promised_passes() {
    assert_eq!(check(200, &product()), Ok(()));
}

#[test]
fn another_status_field_bound_type_or_header_is_noticed() {
    assert!(check(202, &product()).unwrap_err().contains("status"));
    for (field, value) in
        [("note", json!("x")), ("stock", json!(-1)), ("currency", json!("usd")), ("id", json!(7))]
    {
        let mut body = product();
        body[field] = value;
        assert!(check(200, &body).is_err(), "{field}");
    }
    let mut body = product();
    body.as_object_mut().unwrap().remove("price");
    assert!(check(200, &body).is_err(), "a field that is missing");
    let plain = answer(200, "text/plain", &product());
    assert!(contract().check("get-product", "GET", &plain).unwrap_err().contains("content type"));
    let mut untagged = answer(200, "application/json", &product());
    untagged.headers_mut().remove("etag");
    assert!(contract().check("get-product", "GET", &untagged).unwrap_err().contains("etag"));
    let mut elsewhere = answer(200, "application/json", &product());
    elsewhere.headers_mut().insert("location", "/".parse().unwrap());
    assert!(contract().check("get-product", "GET", &elsewhere).unwrap_err().contains("location"));
}

#[test]
fn a_code_of_another_route_is_noticed() {
    let problem = |code: &str| {
        json!({
            "type": format!("urn:shop:problem:{code}"), "title": "Not Found", "status": 404, "detail": "No.",
            "instance": "/products/x", "code": code, "request_id": "r"
        })
    };
    let check = |code| {
        let body = Bytes::from(problem(code).to_string());
        let response =
            Response::builder().status(404).header("content-type", "application/problem+json").body(body);
        contract().check("get-product", "GET", &response.unwrap())
    };
    assert_eq!(check("not_found"), Ok(()));
    assert!(check("id_taken").is_err());
}

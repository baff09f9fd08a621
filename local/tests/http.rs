//! The HTTP API: routes, the event that a function gets, and what a function's end means to the caller.


use bytes::Bytes;
use serde_json::Value;
use crate::toy::{place_item, request, simulate};

#[test]
fn requests_find_their_functions_or_are_not_found() {
    simulate(1, |cloud| async move {
        let (status, body) = request(&cloud, "GET", "/items/a%20b?x=1&x=2&y=%C3%A4", "").await;
        assert_eq!(status, 200);
        let event: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(event["routeKey"], "GET /items/{id}");
        assert_eq!(event["pathParameters"]["id"], "a b");
        assert_eq!(event["rawPath"], "/items/a%20b");
        assert_eq!(event["rawQueryString"], "x=1&x=2&y=%C3%A4");
        assert_eq!(event["queryStringParameters"], serde_json::json!({"x": "1,2", "y": "ä"}));
        assert_eq!(event["requestContext"]["http"]["sourceIp"], "127.0.0.1");
        let (_, body) = request(&cloud, "GET", "/items/latest", "").await;
        assert!(body.contains("\"routeKey\":\"GET /items/latest\""));
        assert_eq!(
            request(&cloud, "GET", "/nothing", "").await,
            (404, r#"{"message":"Not Found"}"#.to_owned())
        );
        assert_eq!(cloud.routes().len(), 4);
    });
}

#[test]
fn headers_cookies_and_bodies_arrive_and_return() {
    simulate(2, |cloud| async move {
        let request = http::Request::builder()
            .method("PUT")
            .uri("/files/a/b")
            .header("X-One", "1")
            .header("x-one", "2")
            .header("cookie", "a=1; b=2")
            .body(Bytes::from_static(&[0xff, 0xfe]))
            .unwrap();
        let response = cloud.invoke_http(request, "127.0.0.1").await;
        let event: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(event["headers"]["x-one"], "1,2");
        assert_eq!(event["cookies"], serde_json::json!(["a=1", "b=2"]));
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&"//4=".into(), &true.into()));
        let request = http::Request::builder().method("POST").uri("/items");
        let response =
            cloud.invoke_http(request.body(Bytes::from_static(b"{\"id\":\"x\"}")).unwrap(), "::1").await;
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["x-toy"], "place");
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    });
}

#[test]
fn a_function_that_fails_crashes_or_hangs_is_answered_for_and_the_next_call_works() {
    simulate(3, |cloud| async move {
        assert_eq!(place_item(&cloud, "a", "fail").await, 500);
        assert_eq!(place_item(&cloud, "a", "panic").await, 500);
        let before = tokio::time::Instant::now();
        assert_eq!(place_item(&cloud, "a", "hang").await, 503);
        assert_eq!(before.elapsed().as_secs(), 5);
        assert_eq!(place_item(&cloud, "a", "item.placed").await, 201);
        assert_eq!(place_item(&cloud, "a", "item.placed").await, 409);
        // Lambda hands on no answer of more than 6 MB.
        assert_eq!(place_item(&cloud, "a", "long").await, 500);
        // Kept after a failure; dropped after the crash and the timeout.
        assert_eq!(cloud.meter().invocations["place"].cold, 3);
    });
}

//! The edge before the shop: what a request says reaches the function that looks at it, and no answer that is kept.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use shop_local::cloud::{Cloud, Options, simulated_runtime};
use shop_local::demo;
use shop_local::gateway::{DemoIdentity, TokenSettings};
use shop_local::template::Template;

async fn shop() -> (Cloud, HeaderValue) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let parameters = BTreeMap::from([("EdgeCache".to_owned(), "true".to_owned())]);
    let template = Template::load(&path, &parameters).unwrap();
    let cloud = Cloud::start(&template, &services::functions(), Options::simulated(1)).await.unwrap();
    let tokens = TokenSettings::from_template(&template).unwrap();
    let identity = DemoIdentity::start(&cloud.sdk_config("gateway"), &tokens).await.unwrap();
    demo::seed(&cloud, &identity).await.unwrap();
    let administrator = identity.authorization().await.unwrap().unwrap();
    (cloud, administrator)
}

async fn send(cloud: &Cloud, request: Request<Bytes>) -> (Response<Bytes>, Value) {
    let response = cloud.invoke_http(request, "198.51.100.7").await;
    let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    (response, body)
}

#[test]
fn a_change_in_a_coding_is_refused_as_one_and_a_read_is_kept_whatever_it_says() {
    simulated_runtime().unwrap().block_on(async {
        let (cloud, administrator) = shop().await;
        let change = async |method: Method, path: &str, body: &Value, coding: &'static str| {
            let request = Request::builder().method(method).uri(path).header("authorization", &administrator);
            let request =
                request.header("content-type", "application/json").header("content-encoding", coding);
            send(&cloud, request.body(body.to_string().into()).unwrap()).await
        };
        let mug = json!({ "id": "mug", "name": "Mug", "price": 12.5, "stock": 3 });
        let (made, body) = change(Method::POST, "/products", &mug, "identity").await;
        assert_eq!(made.status(), StatusCode::CREATED, "{body}");
        let dearer = json!({ "price": 13 });
        for (method, path, body) in
            [(Method::POST, "/products", &mug), (Method::PATCH, "/products/mug", &dearer)]
        {
            let (answer, problem) = change(method, path, body, "br").await;
            assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}: {problem}");
            assert_eq!(problem["code"], "unsupported_content_encoding", "{path}");
            assert_eq!(answer.headers()["accept-encoding"], "identity", "{path}");
        }
        let read = async |name: &'static str, value: &'static str| {
            let request = Request::builder().uri("/products/mug").header(name, value);
            send(&cloud, request.body(Bytes::new()).unwrap()).await
        };
        let (first, shown) = read("accept", "*/*").await;
        assert_eq!((first.status(), &shown["name"]), (StatusCode::OK, &json!("Mug")));
        for (name, value) in
            [("content-encoding", "br"), ("content-type", "text/csv"), ("if-match", "\"v99\"")]
        {
            let (answer, again) = read(name, value).await;
            assert_eq!(answer.headers()["x-cache"], "Hit from cloudfront", "{name}");
            assert_eq!(again, shown, "{name}");
        }
    });
}

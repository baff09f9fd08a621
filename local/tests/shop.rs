//! The shop's own template and functions under a seed: orders are settled, stock is conserved, and the same
//! seed gives the same run again.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use serde_json::Value;
use shop_local::cloud::{Cloud, Options, Trace};
use shop_local::demo;
use shop_local::gateway::{DemoIdentity, TokenSettings};
use shop_local::template::Template;

const ORDERS: usize = 60;

async fn call(cloud: &Cloud, method: &str, path: &str, body: &str) -> Value {
    call_with(cloud, method, path, body, "none").await
}

/// As a guest who has the token of an order.
async fn call_with(cloud: &Cloud, method: &str, path: &str, body: &str, order_token: &str) -> Value {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .header("order-token", order_token);
    let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    let response = cloud.invoke_http(request, "127.0.0.1").await;
    serde_json::from_slice(response.body()).unwrap()
}

/// Places orders all at once and lets them settle. Returns the trace.
fn run(seed: u64, deliver_twice: bool) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = Template::load(&path, &BTreeMap::new()).unwrap();
    shop_local::cloud::simulated_runtime().unwrap().block_on(async {
        let trace = Arc::new(Trace::default());
        let options = Options { deliver_twice, observers: vec![trace.clone()], ..Options::simulated(seed) };
        let cloud = Cloud::start(&template, &services::functions(), options).await.unwrap();
        let tokens = TokenSettings::from_template(&template).unwrap();
        let identity = DemoIdentity::start(&cloud.sdk_config("gateway"), &tokens).await.unwrap();
        demo::seed(&cloud, &identity).await.unwrap();
        let stock = |id: &'static str| {
            let cloud = cloud.clone();
            async move { call(&cloud, "GET", &format!("/products/{id}"), "").await["stock"].as_u64().unwrap() }
        };
        let before = stock("prod-1").await + stock("prod-123").await;
        let place = |number: usize| {
            let cloud = cloud.clone();
            async move {
                let product = if number.is_multiple_of(2) { "prod-1" } else { "prod-123" };
                let body = format!("{{\"items\":[{{\"product_id\":\"{product}\",\"quantity\":2}}]}}");
                let order = call(&cloud, "POST", "/orders", &body).await;
                let text = |name: &str| order[name].as_str().unwrap().to_owned();
                (text("id"), text("order_token"))
            }
        };
        let orders = join_all((0..ORDERS).map(place)).await;
        cloud.settled().await;
        let mut confirmed = 0;
        for (id, token) in &orders {
            let order = call_with(&cloud, "GET", &format!("/orders/{id}"), "", token).await;
            confirmed += u64::from(order["status"] == "confirmed");
            assert!(order["status"] == "confirmed" || order["status"] == "rejected", "{order}");
        }
        let after = stock("prod-1").await + stock("prod-123").await;
        assert_eq!(before - after, 2 * confirmed);
        assert!(cloud.queues().values().all(|depth| depth.visible + depth.in_flight + depth.delayed == 0));
        let create = cloud.meter().sum(|entry| entry.caller == "create-order" && entry.resource == "OrdersTable");
        // One write each. A guest's address is counted along, in a transaction, from its second order in an environment.
        assert_eq!(create.calls, 60);
        assert!((60..=120).contains(&create.units.writes), "{create:?}");
        trace.lines()
    })
}

#[test]
fn a_seed_governs_the_whole_shop() {
    let first = run(11, false);
    let second = run(11, false);
    let difference = first.lines().zip(second.lines()).find(|(left, right)| left != right);
    assert_eq!(difference, None);
    assert_eq!(first.len(), second.len());
}

#[test]
fn every_message_and_record_delivered_twice_changes_nothing() {
    run(12, true);
}

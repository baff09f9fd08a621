//! Slow motion and faults on purpose, with the shop as it is started: an order is seen on its way, and a consumer that fails
//! is seen to fail, and to catch up once it is well again.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]


use http::{Method, StatusCode};
use serde_json::{Value, json};
use crate::support::Shop;

async fn until(shop: &Shop, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let began = std::time::Instant::now();
    loop {
        let answer = shop.get(path).await;
        if answer.status == StatusCode::OK && is_so(&answer.body) {
            return answer.body;
        }
        assert!(began.elapsed() < std::time::Duration::from_mins(2), "{path}: {:?}", answer.body);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

fn state<'a>(story: &'a Value, consumer: &str) -> &'a str {
    let deliveries = story["deliveries"].as_array().unwrap();
    let mut those = deliveries.iter().filter(|delivery| delivery["consumer"] == consumer);
    those.next().and_then(|delivery| delivery["state"].as_str()).unwrap_or_default()
}

#[tokio::test]
async fn a_consumer_fails_in_slow_motion_until_it_is_told_to_be_well() {
    let shop = Shop::start(&["--memory", "--hop-delay", "50ms", "--fail", "settle-order"]);
    assert_eq!(shop.get("/faults").await.body, json!({ "failing": ["settle-order"], "time_lapse": 1 }));
    let order = json!({ "items": [{ "product_id": "prod-1", "quantity": 1 }] });
    let placed = shop.send(Method::POST, "/orders", &order).await;
    assert_eq!(placed.status, StatusCode::CREATED);
    let id = placed.body["id"].as_str().unwrap().to_owned();
    let story = format!("/monitor/stories/{id}");
    let failing = until(&shop, &story, |story| state(story, "settle-order") == "retrying").await;
    assert!(failing["outstanding"].as_u64() >= Some(1), "{failing}");
    assert_eq!(shop.get(&format!("/orders/{id}")).await.body["status"], "pending");
    assert_eq!(
        shop.send(Method::DELETE, "/faults/settle-order", &Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    until(&shop, &story, |story| state(story, "settle-order") == "done").await;
    until(&shop, &format!("/orders/{id}"), |order| order["status"] == "confirmed").await;
    let nothing = shop.send(Method::PUT, "/faults/nothing", &Value::Null).await;
    assert_eq!((nothing.status, &nothing.body["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
}

//! The state of `cargo run` survives its end, however it ends.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test's helpers fail it by a panic")]


use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Shop, eventually};

const ORDERS: usize = 500;
/// The process is killed when so many orders have been answered: the others are under way.
const ANSWERED: usize = 200;
const STOCK: u64 = 600;
const PRODUCT: &str = "kill-test";

fn units(orders: &[Value]) -> u64 {
    orders
        .iter()
        .flat_map(|order| order["items"].as_array().unwrap())
        .map(|item| item["quantity"].as_u64().unwrap())
        .sum()
}

/// Places so many orders all at once, kills the shop when so many of them are answered, and returns the ids it had
/// answered with.
async fn order_until_killed(shop: Shop, orders: usize, answers: usize) -> Vec<String> {
    let shop = Arc::new(shop);
    let answered = Arc::new(AtomicUsize::new(0));
    let orders = (0..orders).map(|number| {
        let (shop, answered) = (Arc::clone(&shop), Arc::clone(&answered));
        tokio::spawn(async move {
            let body = json!({ "items": [{ "product_id": PRODUCT, "quantity": 1 + number % 3 }] });
            let answer = shop.try_send(Method::POST, "/orders", &body).await?;
            assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
            answered.fetch_add(1, Ordering::SeqCst);
            Some(answer.body["id"].as_str().unwrap().to_owned())
        })
    });
    let orders: Vec<_> = orders.collect();
    eventually("orders are answered", async || (answered.load(Ordering::SeqCst) >= answers).then_some(()))
        .await;
    crate::support::signal(shop.id(), "KILL");
    join_all(orders).await.into_iter().filter_map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_amid_500_orders_it_loses_none_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--data", folder.path().to_str().unwrap()];
    let shop = Shop::start(&arguments);
    let product = json!({ "id": PRODUCT, "name": "Kill test", "price": 10, "stock": STOCK });
    let created = shop.send(Method::POST, "/products", &product).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
    let acknowledged = order_until_killed(shop, ORDERS, ANSWERED).await;
    assert!(acknowledged.len() >= ANSWERED);

    let shop = Shop::start(&arguments);
    for id in &acknowledged {
        eventually("an acknowledged order is final", async || {
            let order = shop.get(&format!("/orders/{id}")).await;
            assert_eq!(order.status, StatusCode::OK, "{id} is lost");
            (order.body["status"] != "pending").then_some(())
        })
        .await;
    }
    // Those that were stored and not answered settle, too.
    eventually("no order is pending", async || {
        shop.all("/orders?limit=100&status=pending").await.is_empty().then_some(())
    })
    .await;
    let confirmed = shop.all("/orders?limit=100&status=confirmed").await;
    let product = shop.get(&format!("/products/{PRODUCT}")).await.body;
    assert_eq!(product["stock"].as_u64().unwrap() + units(&confirmed), STOCK);
    eventually("the statistics are those of the confirmed orders", async || {
        let stats = shop.get("/users/me/stats").await;
        (stats.body["orders_placed"] == confirmed.len()).then_some(())
    })
    .await;
}

/// The types of the events of an order's story, sorted; one that is there twice is twice among them.
fn types(story: &Value) -> Vec<&str> {
    let nodes = story["nodes"].as_array().unwrap().iter();
    let mut types: Vec<_> =
        nodes.filter(|node| node["kind"] == "event").map(|node| node["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    types
}

/// What an order's story consists of, once all is done.
fn whole(order: &Value) -> &'static [&'static str] {
    match order["status"].as_str() {
        Some("confirmed") => &[
            "email.confirmation_sent",
            "email.sent",
            "inventory.reserved",
            "inventory.updated",
            "order.confirmed",
            "order.created",
            "user.order_placed",
        ],
        Some("rejected") => &["email.sent", "inventory.rejected", "order.created", "order.rejected"],
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_amid_orders_the_journal_has_every_event_once_and_every_story_is_whole() {
    // The stock is not enough for all, so that there are stories of both ends.
    const ORDERS: usize = 150;
    const STOCK: u64 = 200;
    let folder = tempfile::tempdir().unwrap();
    // Sales are counted at once: a batch of them that waits is something outstanding.
    let sales = ["--parameter", "RecordSaleBatchSize=10", "--parameter", "RecordSaleBatchWindow=0"];
    let arguments = [&["--data", folder.path().to_str().unwrap()], &sales[..]].concat();
    let shop = Shop::start(&arguments);
    let product = json!({ "id": PRODUCT, "name": "Kill test", "price": 10, "stock": STOCK });
    assert_eq!(shop.send(Method::POST, "/products", &product).await.status, StatusCode::CREATED);
    let acknowledged = order_until_killed(shop, ORDERS, ORDERS / 3).await;

    let shop = Shop::start(&arguments);
    eventually("no order is pending", async || {
        shop.all("/orders?limit=100&status=pending").await.is_empty().then_some(())
    })
    .await;
    let orders = shop.all("/orders?limit=100").await;
    assert!(acknowledged.iter().all(|id| orders.iter().any(|order| order["id"] == **id)));
    for order in &orders {
        let path = format!("/monitor/stories/{}", order["id"].as_str().unwrap());
        eventually("everything about an order is done, and told", async || {
            let story = shop.get(&path).await;
            let is_whole = story.status == StatusCode::OK
                && types(&story.body) == whole(order)
                && story.body["outstanding"] == 0;
            is_whole.then_some(())
        })
        .await;
    }

    // Of a product's stock each change is an event with the next version: none is missing from the list.
    let last = shop.get(&format!("/products/{PRODUCT}/stock")).await.body["version"].as_u64().unwrap();
    let events = eventually("the list has every change of the stock", async || {
        let listed = shop.all("/monitor/events?limit=100").await;
        let ids: BTreeSet<String> =
            listed.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids.len(), listed.len(), "an event is listed twice");
        let changes = (1..=last).map(|version| format!("{PRODUCT}:{version}:inventory.updated"));
        changes.into_iter().all(|change| ids.contains(&change)).then_some(ids)
    })
    .await;
    for order in &orders {
        let (id, status) = (order["id"].as_str().unwrap(), order["status"].as_str().unwrap());
        for event in [format!("{id}:1:order.created"), format!("{id}:2:order.{status}")] {
            assert!(events.contains(&event), "{event} is missing");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_orders_products_and_the_signing_secret_again() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--data", folder.path().to_str().unwrap()];
    let shop = Shop::start(&arguments);
    let body = json!({ "items": [{ "product_id": "prod-1", "quantity": 2 }] });
    let order = shop.send(Method::POST, "/orders", &body).await.body;
    let price = json!({ "price": 31.5 });
    let changed = shop.send(Method::PATCH, "/products/prod-123", &price).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    crate::support::signal(shop.id(), "TERM");
    assert!(shop.wait(), "the shop ended with an error");

    let shop = Shop::start(&arguments);
    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    let found = eventually("the order is confirmed", async || {
        let found = shop.get(&path).await;
        assert_eq!(found.status, StatusCode::OK);
        (found.body["status"] == "confirmed").then_some(found.body)
    })
    .await;
    assert_eq!(found["customer_id"], order["customer_id"]);
    // The demo data does not overwrite what was changed.
    let product = shop.get("/products/prod-123").await.body;
    assert_eq!(product["price"], json!(31.5), "{product}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_that_was_acknowledged_and_once_there_is_room_the_shop_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--data", folder.path().to_str().unwrap()];
    let shop = Shop::start_with_limited_files(&arguments);
    let product = json!({ "id": PRODUCT, "name": "Full disk", "price": 10, "stock": STOCK });
    assert_eq!(shop.send(Method::POST, "/products", &product).await.status, StatusCode::CREATED);
    let body = json!({ "items": [{ "product_id": PRODUCT, "quantity": 2 }] });
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for number in 0..12 {
        if number == 4 {
            crate::support::limit_files(shop.id(), Some(1));
        }
        if number == 8 {
            crate::support::limit_files(shop.id(), None);
        }
        let key = format!("full-disk-{number:04}");
        let headers = [("idempotency-key", key.as_str())];
        let answer = shop.try_send_with(Method::POST, "/orders", &body, &headers).await.unwrap();
        match answer.status {
            StatusCode::CREATED => acknowledged.push(answer.body["id"].as_str().unwrap().to_owned()),
            // A failure that can be tried again, and says nothing of the disk.
            status => {
                assert!((4..8).contains(&number) && status.is_server_error(), "{number}: {}", answer.body);
                assert!(!answer.body.to_string().to_lowercase().contains("disk"), "{}", answer.body);
                refused += 1;
            }
        }
    }
    assert_eq!((acknowledged.len(), refused), (8, 4));
    for id in &acknowledged {
        eventually("the order is confirmed", async || {
            (shop.get(&format!("/orders/{id}")).await.body["status"] == "confirmed").then_some(())
        })
        .await;
    }
    drop(shop);
    let shop = Shop::start(&arguments);
    let orders = shop.all("/orders?limit=100").await;
    assert!(acknowledged.iter().all(|id| orders.iter().any(|order| order["id"] == **id)));
    let confirmed: Vec<_> = orders.iter().filter(|order| order["status"] == "confirmed").cloned().collect();
    let stock = shop.get(&format!("/products/{PRODUCT}/stock")).await;
    assert_eq!(stock.body["stock"].as_u64(), Some(STOCK - units(&confirmed)), "{}", stock.body);
}

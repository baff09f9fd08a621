//! The `shop` binary: whom a request without a token acts as, and what keeps it from starting.


use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Shop, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_curl_places_an_order_of_the_demo_administrator_that_is_confirmed() {
    let shop = Shop::start(&["--memory"]);
    let body = json!({
        "items": [{ "product_id": "prod-1", "quantity": 2, "price": 29.99 }],
        "total_amount": 59.98,
    });
    let order = shop.send(Method::POST, "/orders/", &body).await;
    assert_eq!(order.status, StatusCode::CREATED, "{}", order.body);
    assert_eq!(order.body["status"], "pending");
    assert_eq!(order.body["total_amount"], json!(59.98));
    assert!(order.body["customer_id"].is_string(), "{}", order.body);
    let path = format!("/api/orders/{}", order.body["id"].as_str().unwrap());
    eventually("the order is confirmed", async || {
        (shop.get(&path).await.body["status"] == "confirmed").then_some(())
    })
    .await;
    let stock = shop.send(Method::PATCH, "/api/products/prod-123/stock", &json!({ "stock": 50 })).await;
    assert_eq!((stock.status, &stock.body["stock"]), (StatusCode::OK, &json!(50)));
    let catalogue = shop.all("/products?limit=100").await;
    assert!(catalogue.len() >= 22, "{} products", catalogue.len());

    let me = shop.get("/users/me").await;
    assert_eq!((&me.body["email"], &me.body["role"]), (&json!("demo@example.com"), &json!("admin")));
    assert_eq!(me.body["id"], order.body["customer_id"]);

    // A token that is sent is not replaced by the demo's.
    let headers = [("authorization", "Bearer forged")];
    let forged = shop.try_send_with(Method::GET, "/orders?limit=1", &Value::Null, &headers).await.unwrap();
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_demo_a_request_without_a_token_is_a_guest() {
    let shop = Shop::start(&["--memory", "--no-demo"]);
    assert_eq!(shop.get("/orders").await.status, StatusCode::UNAUTHORIZED);
    let product = json!({ "name": "Refused", "price": 1 });
    assert_eq!(shop.send(Method::POST, "/products", &product).await.status, StatusCode::UNAUTHORIZED);
    assert!(shop.all("/products?limit=100").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_in_memory_without_the_demo_has_an_administrator_where_one_is_asked_for() {
    let shop = Shop::start(&["--memory", "--no-demo", "--admin", "ada@example.com"]);
    let password = shop.said("shown this once: ");
    let credentials = json!({ "email": "ada@example.com", "password": password });
    let session = shop.send(Method::POST, "/sessions", &credentials).await;
    assert_eq!((session.status, &session.body["role"]), (StatusCode::CREATED, &json!("admin")));
    let token = format!("Bearer {}", session.body["access_token"].as_str().unwrap());
    let product = json!({ "name": "The first", "price": 1 });
    let headers = [("authorization", token.as_str())];
    let made = shop.try_send_with(Method::POST, "/products", &product, &headers).await.unwrap();
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_administrator_logs_in_with_the_password_that_was_shown_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let made = crate::support::run(&["admin", "--email", "ada@example.com", "--data", folder]);
    let said = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success(), "{said}");
    let password = said.split("shown this once: ").nth(1).unwrap().trim();
    assert!(password.len() >= 20);
    let shop = Shop::start(&["--data", folder, "--no-demo"]);
    let credentials = json!({ "email": "ada@example.com", "password": password });
    let session = shop.send(Method::POST, "/sessions", &credentials).await;
    assert_eq!((session.status, &session.body["role"]), (StatusCode::CREATED, &json!("admin")));
    let token = format!("Bearer {}", session.body["access_token"].as_str().unwrap());
    let headers = [("authorization", token.as_str())];
    let users = shop.try_send_with(Method::GET, "/users", &Value::Null, &headers).await.unwrap();
    assert_eq!(users.body["data"][0]["email"], "ada@example.com");
    // Not while a shop has the folder, and not twice.
    let busy = crate::support::run(&["admin", "--email", "eve@example.com", "--data", folder]);
    assert!(String::from_utf8(busy.stderr).unwrap().contains("another shop is running"));
    drop(shop);
    let again = crate::support::run(&["admin", "--email", "Ada@example.com", "--data", folder]);
    assert!(!again.status.success());
    assert!(String::from_utf8(again.stderr).unwrap().contains("already_an_administrator"));
    // Unless it is to be restored: it keeps its password then.
    let again = ["admin", "--restore", "--email", "Ada@example.com", "--data", folder];
    let said = String::from_utf8(crate::support::run(&again).stdout).unwrap();
    assert!(said.contains("administrator's account again") && !said.contains("shown this once"), "{said}");
    let shop = Shop::start(&["--data", folder, "--no-demo"]);
    assert_eq!(shop.send(Method::POST, "/sessions", &credentials).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_starts_whatever_became_of_its_administrator() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let shop = Shop::start(&["--data", folder]);
    let proof = json!({ "current_password": "a password of some sort" });
    let left = shop.send(Method::DELETE, "/users/me", &proof).await;
    assert_eq!((left.status, &left.body["code"]), (StatusCode::CONFLICT, &json!("last_administrator")));
    let customer = json!({ "role": "customer" });
    let down = shop.send(Method::PUT, "/users/me/role", &customer).await;
    assert_eq!((down.status, &down.body["code"]), (StatusCode::CONFLICT, &json!("last_administrator")));
    drop(shop);
    // With another one it may step down; it is one again when the demo starts anew.
    let made = crate::support::run(&["admin", "--email", "ada@example.com", "--data", folder]);
    assert!(made.status.success(), "{made:?}");
    let said = String::from_utf8(made.stdout).unwrap();
    let password = said.split("shown this once: ").nth(1).unwrap().trim();
    let shop = Shop::start(&["--data", folder]);
    assert_eq!(shop.send(Method::PUT, "/users/me/role", &customer).await.status, StatusCode::OK);
    drop(shop);
    let shop = Shop::start(&["--data", folder]);
    assert_eq!(shop.get("/users/me").await.body["role"], "admin");
    // Nobody knows its password, so it cannot leave; another may delete it.
    let left = shop.send(Method::DELETE, "/users/me", &json!({ "current_password": "a guess" })).await;
    assert_eq!(left.body["errors"][0]["code"], "wrong_password", "{}", left.body);
    let demo = shop.get("/users/me").await.body["id"].as_str().unwrap().to_owned();
    let credentials = json!({ "email": "ada@example.com", "password": password });
    let session = shop.send(Method::POST, "/sessions", &credentials).await;
    let token = format!("Bearer {}", session.body["access_token"].as_str().unwrap());
    let headers = [("authorization", token.as_str())];
    let path = format!("/users/{demo}");
    let deleted = shop.try_send_with(Method::DELETE, &path, &Value::Null, &headers).await.unwrap();
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.body);
    drop(shop);
    // It starts, with a new account for the demo: the address is free again.
    let shop = Shop::start(&["--data", folder]);
    let me = shop.get("/users/me").await;
    assert_eq!((&me.body["email"], &me.body["role"]), (&json!("demo@example.com"), &json!("admin")));
    assert_ne!(me.body["id"], json!(demo));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_or_a_data_folder_in_use_is_said_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let shop = Shop::start(&["--data", folder, "--no-demo"]);
    let port = shop.port().to_string();
    for (arguments, complaint) in [
        (["--port", &port, "--memory"].as_slice(), format!("port {port} is in use")),
        (["--port", "0", "--data", folder].as_slice(), "another shop is running".to_owned()),
    ] {
        let ended = crate::support::run(arguments);
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success());
        assert!(said.contains(&complaint), "{said}");
    }
    assert_eq!(shop.get("/products").await.status, StatusCode::OK);
}

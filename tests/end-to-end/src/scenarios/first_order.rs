//! The first things a new user does, word for word (the acceptance script first-order.sh).

use anyhow::Result;
use serde_json::json;

use crate::request::Caller;
use crate::shop::Shop;
use crate::steps;

/// The bodies as a new user types them.
const FIRST: &str = r#"{
    "items": [{"product_id": "prod-1", "quantity": 2, "price": 29.99}],
    "total_amount": 59.98
  }"#;
const THROUGH_THE_FRONT_END: &str =
    r#"{"items":[{"product_id":"prod-123","quantity":2,"price":29.99}],"total_amount":59.98}"#;

/// Place an order, place one through the front end's path, set a stock level, and see the order settled.
pub(super) async fn a_new_user_places_an_order(shop: &Shop) -> Result<()> {
    let user = shop.administrator()?;
    demo_data(&user).await?;

    let order = user.post("/orders/").body(FIRST).await?.expect(201)?;
    order.has("/status", "pending")?;
    order.has_exactly("/total_amount", "59.98")?;
    order.has_exactly("/items/0/price", "29.99")?;
    order.has_exactly("/items/0/line_total", "59.98")?;
    order.has("/currency", "USD")?;
    let id = order.string("/id")?;
    order.has_header("location", &format!("/orders/{id}"))?;

    let second = user.post("/api/orders/").body(THROUGH_THE_FRONT_END).await?.expect(201)?;

    let stock = user.patch("/api/products/prod-123/stock").body(r#"{"stock": 50}"#).await?.expect(200)?;
    stock.has("/stock", 50)?;

    steps::settles_as(&user, id, "confirmed").await?;
    // It may have come before or after the stock was set: both leave enough for it.
    steps::settles_as(&user, second.string("/id")?, "confirmed").await?;
    Ok(())
}

/// Every route answers with and without a slash at the end, and with and without `/api`.
pub(super) async fn every_spelling_of_a_path_is_understood(shop: &Shop) -> Result<()> {
    let user = shop.administrator()?;
    let product = steps::product(shop, 1.25, 100).await?;
    for (prefix, slash) in [("", ""), ("", "/"), ("/api", ""), ("/api", "/")] {
        let path = |path: &str| format!("{prefix}{path}{slash}");
        let order = user.post(path("/orders")).json(&steps::order_of(&[(&product, 1)])).await?.expect(201)?;
        let id = order.string("/id")?;
        let read = user.get(path(&format!("/orders/{id}"))).await?.expect(200)?;
        read.has("/id", id)?;
        steps::settles_as(&user, id, "confirmed").await?;
        let cancelled = user.post(path(&format!("/orders/{id}/cancel"))).await?.expect(200)?;
        cancelled.has("/status", "cancelled")?;
        user.get(format!("{}?limit=1", path("/orders"))).await?.expect(200)?;
        user.get(format!("{}?limit=1", path("/products"))).await?.expect(200)?;
        user.get(path(&format!("/products/{product}"))).await?.expect(200)?;
        let changed =
            user.patch(path(&format!("/products/{product}"))).json(&json!({"name": path("x")})).await?;
        changed.expect(200)?.has("/name", path("x"))?;
        let stock =
            user.patch(path(&format!("/products/{product}/stock"))).json(&json!({"stock": 100})).await?;
        stock.expect(200)?.has("/stock", 100)?;
        user.get(path("/users/me/stats")).await?.expect(200)?;
        let made = user.post(path("/products")).json(&json!({"name": "Short-lived", "price": 1})).await?;
        let id = made.expect(201)?.string("/id")?.to_owned();
        user.delete(path(&format!("/products/{id}"))).await?.expect(204)?;
    }
    Ok(())
}

/// The demo data that the first order names, for a shop that was started without any.
async fn demo_data(user: &Caller<'_>) -> Result<()> {
    if user.shop().is_demo() {
        return Ok(());
    }
    for id in ["prod-1", "prod-123"] {
        if user.get(format!("/products/{id}")).await?.status == 404 {
            let body = json!({"id": id, "name": "A first product", "price": 29.99, "stock": 1000});
            user.post("/products").json(&body).await?.expect(201)?;
        }
    }
    Ok(())
}

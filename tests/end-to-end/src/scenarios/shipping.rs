//! An order on its way: shipped and delivered by an administrator, seen by its customer, and no longer to be cancelled.

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::json;

use crate::request::{Caller, Request};
use crate::shop::Shop;
use crate::steps;

/// A confirmed order is shipped with a number and delivered; stock and statistics stay what they were.
pub(super) async fn a_confirmed_order_is_shipped_and_delivered(shop: &Shop) -> Result<()> {
    let (buyer, administrator) = (shop.buyer()?, shop.administrator()?);
    let product = steps::product(shop, 7.77, 3).await?;
    let id = steps::place(&buyer, &[(&product, 2)]).await?;
    let confirmed = steps::settles_as(&buyer, &id, "confirmed").await?;
    set(&administrator, &id, "delivered").await?.problem(409, "illegal_transition")?;
    let body = json!({ "status": "shipped", "tracking_number": "1Z999AA10123456784" });
    let shipped = administrator.request(Method::PATCH, format!("/orders/{id}/status")).json(&body);
    let shipped = shipped.header("if-match", confirmed.required_header("etag")?).await?.expect(200)?;
    shipped.has("/status", "shipped")?;
    buyer.post(format!("/orders/{id}/cancel")).await?.problem(409, "illegal_transition")?;
    let delivered = set(&administrator, &id, "delivered").await?.expect(200)?;
    delivered.has("/status", "delivered")?;
    let seen = buyer.get(format!("/orders/{id}")).await?.expect(200)?;
    ensure!(seen.json == delivered.json, seen.wrong("the customer sees another order"));
    seen.has("/tracking_number", "1Z999AA10123456784")?;
    steps::stock_becomes(shop, &product, 1).await?;
    steps::statistics_agree_with_orders(&buyer).await?;
    Ok(())
}

fn set<'a>(caller: &Caller<'a>, id: &str, status: &str) -> Request<'a> {
    caller.request(Method::PATCH, format!("/orders/{id}/status")).json(&json!({ "status": status }))
}

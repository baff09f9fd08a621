//! Lists of orders: newest first, one's own only, by status for the administrator.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::reply::Reply;
use crate::request::Caller;
use crate::shop::Shop;
use crate::steps;
use crate::wait::{Look, until};

/// A customer sees their own orders, the newest first, as a read shows them.
pub(super) async fn a_customer_sees_their_orders(shop: &Shop) -> Result<()> {
    const ORDERS: usize = 5;
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 1.10, 100).await?;
    let mut placed = Vec::new();
    for _ in 0..ORDERS {
        let id = steps::place(&buyer, &[(&product, 1)]).await?;
        steps::settles_as(&buyer, &id, "confirmed").await?;
        placed.insert(0, id);
    }
    let page = until("the newest orders to be listed", shop.patience(), async || {
        let page = buyer.get(format!("/orders?limit={ORDERS}")).await?.expect(200)?;
        Ok(if statuses(&page) == ["confirmed"; ORDERS] { Look::Done(page) } else { Look::NotYet(page.body) })
    })
    .await?;
    ensure!(
        steps::ids(std::slice::from_ref(&page)) == placed,
        page.wrong(&format!("expected {placed:?}, newest first"))
    );
    let newest = buyer.get(format!("/orders/{}", placed[0])).await?.expect(200)?;
    page.has("/data/0", newest.json)?;
    if let Ok(other) = shop.new_customer() {
        let none = other.get("/orders").await?.expect(200)?;
        ensure!(none.array("/data")?.is_empty(), none.wrong("a new customer has no orders"));
        none.has("/next_cursor", Value::Null)?;
    }
    Ok(())
}

/// The administrator sees the orders of a status, and an order moves from one list to another.
pub(super) async fn the_administrator_lists_by_status(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 1.10, 1).await?;
    let sold = steps::place(&buyer, &[(&product, 1)]).await?;
    steps::settles_as(&buyer, &sold, "confirmed").await?;
    let refused = steps::place(&buyer, &[(&product, 1)]).await?;
    steps::settles_as(&buyer, &refused, "rejected").await?;
    is_listed(&administrator, "confirmed", &sold).await?;
    is_listed(&administrator, "rejected", &refused).await?;
    buyer.post(format!("/orders/{sold}/cancel")).await?.expect(200)?;
    is_listed(&administrator, "cancelled", &sold).await?;
    until("the cancelled order to leave the confirmed ones", shop.patience(), async || {
        let page = first_page(&administrator, "confirmed").await?;
        Ok(if steps::ids(std::slice::from_ref(&page)).contains(&sold) {
            Look::NotYet(page.body)
        } else {
            Look::Done(())
        })
    })
    .await
}

/// The administrator sees the orders of a customer; to another customer they are forbidden.
pub(super) async fn the_administrator_lists_by_customer(shop: &Shop) -> Result<()> {
    let (customer, other) = (shop.new_customer()?, shop.new_customer()?);
    let product = steps::product(shop, 1.10, 1).await?;
    let id = steps::place(&customer, &[(&product, 1)]).await?;
    let order = steps::settles_as(&customer, &id, "confirmed").await?;
    let list = format!("/orders?customer_id={}", order.string("/customer_id")?);
    for reader in [&shop.administrator()?, &customer] {
        until("the customer's one order to be listed", shop.patience(), async || {
            let page = reader.get(list.clone()).await?.expect(200)?;
            let is_listed = page.array("/data")? == std::slice::from_ref(&order.json);
            Ok(if is_listed { Look::Done(()) } else { Look::NotYet(page.body) })
        })
        .await?;
    }
    other.get(list.clone()).await?.problem(403, "forbidden")?;
    let both = format!("{list}&status=confirmed");
    shop.administrator()?.get(both).await?.problem(400, "invalid_query")?;
    Ok(())
}

async fn is_listed(administrator: &Caller<'_>, status: &str, id: &str) -> Result<()> {
    until(&format!("{id} among the {status} orders"), administrator.shop().patience(), async || {
        let page = first_page(administrator, status).await?;
        let all_alike = statuses(&page).iter().all(|other| *other == status);
        ensure!(all_alike, page.wrong(&format!("an order is not {status}")));
        let listed = steps::ids(std::slice::from_ref(&page)).iter().any(|other| other == id);
        Ok(if listed { Look::Done(()) } else { Look::NotYet(page.body) })
    })
    .await
}

/// The newest orders of a status: a scenario's own are among them.
async fn first_page(administrator: &Caller<'_>, status: &str) -> Result<Reply> {
    administrator.get(format!("/orders?status={status}&limit=100")).await?.expect(200)
}

fn statuses(page: &Reply) -> Vec<&str> {
    let orders = page.json["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    orders.iter().filter_map(|order| order["status"].as_str()).collect()
}

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
        let page = buyer.get(format!("/orders?customer_id=me&limit={ORDERS}")).await?.expect(200)?;
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
    Ok(())
}

/// The administrator lists all orders, and narrows them by customer, status and time at once.
pub(super) async fn the_administrator_narrows_a_list(shop: &Shop) -> Result<()> {
    let (administrator, customer) = (shop.administrator()?, shop.new_customer()?);
    let product = steps::product(shop, 1.10, 2).await?;
    let mut placed = Vec::new();
    for status in ["confirmed", "confirmed", "rejected"] {
        let id = steps::place(&customer, &[(&product, 1)]).await?;
        placed.push(steps::settles_as(&customer, &id, status).await?);
    }
    let (id, time) =
        (|index: usize| placed[index].string("/id"), |index: usize| placed[index].string("/created_at"));
    let of_customer = format!("customer_id={}", placed[0].string("/customer_id")?);
    let expect = async |caller: &Caller<'_>, query: String, expected: &[&str]| {
        until(&format!("{expected:?} at {query}"), shop.patience(), async || {
            let page = caller.get(format!("/orders?{query}")).await?.expect(200)?;
            let is_so =
                steps::ids(std::slice::from_ref(&page)) == expected && page.json["next_cursor"].is_null();
            Ok(if is_so { Look::Done(()) } else { Look::NotYet(page.body) })
        })
        .await
    };
    let newest_first = [id(2)?, id(1)?, id(0)?];
    expect(&administrator, of_customer.clone(), &newest_first).await?;
    expect(&administrator, format!("{of_customer}&status=confirmed"), &newest_first[1..]).await?;
    expect(&administrator, format!("{of_customer}&status=delivered"), &[]).await?;
    let since = format!("from={}&to={}", time(1)?, time(2)?);
    expect(&administrator, format!("{of_customer}&{since}"), &newest_first[1..2]).await?;
    expect(&administrator, format!("status=confirmed&{since}&{of_customer}"), &newest_first[1..2]).await?;
    expect(&customer, format!("customer_id=me&status=rejected&from={}", time(0)?), &newest_first[..1])
        .await?;
    expect(&customer, format!("to={}", time(1)?), &newest_first[2..]).await?;
    // Among all orders of that time are the customer's, and every other's.
    let all = format!("/orders?limit=100&from={}", time(0)?);
    until("all three among all orders", shop.patience(), async || {
        let ids = steps::ids(&steps::pages(&administrator, &all).await?);
        let missing = newest_first.iter().filter(|id| !ids.contains(&(**id).to_owned())).count();
        Ok(if missing == 0 { Look::Done(()) } else { Look::NotYet(format!("{missing} are missing")) })
    })
    .await
}

/// As many orders as a page holds are one page, the last.
pub(super) async fn a_full_page_may_be_the_last(shop: &Shop) -> Result<()> {
    const ORDERS: usize = 4;
    let customer = shop.new_customer()?;
    let product = steps::product(shop, 1.10, ORDERS).await?;
    for _ in 0..ORDERS {
        let id = steps::place(&customer, &[(&product, 1)]).await?;
        steps::settles_as(&customer, &id, "confirmed").await?;
    }
    for (limit, lengths) in [(4, vec![4]), (2, vec![2, 2]), (1, vec![1; 4]), (3, vec![3, 1]), (5, vec![4])] {
        for list in ["/orders", "/orders?customer_id=me"] {
            until(&format!("{list} by {limit}"), shop.patience(), async || {
                let separator = if list.contains('?') { '&' } else { '?' };
                let pages = steps::pages(&customer, &format!("{list}{separator}limit={limit}")).await?;
                let found: Vec<_> =
                    pages.iter().map(|page| page.json["data"].as_array().map_or(0, Vec::len)).collect();
                Ok(if found == lengths { Look::Done(()) } else { Look::NotYet(format!("{found:?}")) })
            })
            .await?;
        }
    }
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

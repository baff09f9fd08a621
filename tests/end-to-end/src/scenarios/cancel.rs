//! Cancelling: before and after settlement, once and again; the stock comes back.

use anyhow::{Result, ensure};

use crate::request::{Caller, Request};
use crate::shop::Shop;
use crate::steps;

/// A confirmed order is cancelled, its stock comes back, and a second cancel changes nothing.
pub(super) async fn a_confirmed_order_is_cancelled(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 7.77, 5).await?;
    let id = steps::place(&buyer, &[(&product, 4)]).await?;
    let confirmed = steps::settles_as(&buyer, &id, "confirmed").await?;
    steps::stock_becomes(shop, &product, 1).await?;
    let cancelled = cancel(&buyer, &id).await?.expect(200)?;
    cancelled.has("/status", "cancelled")?;
    ensure!(
        cancelled.integer("/version")? == confirmed.integer("/version")? + 1,
        cancelled.wrong("a cancel is one version more than the confirmed order")
    );
    steps::stock_becomes(shop, &product, 5).await?;
    // The caller has what was asked for: the same answer, and nothing changes.
    let again = cancel(&buyer, &id).await?.expect(200)?;
    ensure!(again.json == cancelled.json, again.wrong("a second cancel changed the order"));
    // What came back can be sold again, and once only.
    let next = steps::place(&buyer, &[(&product, 5)]).await?;
    steps::settles_as(&buyer, &next, "confirmed").await?;
    steps::stock_becomes(shop, &product, 0).await
}

/// An order may be cancelled at any time; wherever the cancel overtakes the reservation, the stock comes
/// back. Many at once, so that they meet at every point.
pub(super) async fn orders_are_cancelled_while_they_are_settled(shop: &Shop) -> Result<()> {
    const ORDERS: usize = 12;
    let buyer = shop.buyer()?;
    let before = steps::statistics_agree_with_orders(&buyer).await?;
    let product = steps::product(shop, 7.77, ORDERS).await?;
    let tries = (0..ORDERS).map(|_| async {
        let id = steps::place(&buyer, &[(&product, 1)]).await?;
        cancel(&buyer, &id).await?.expect(200)?.has("/status", "cancelled")?;
        Ok::<_, anyhow::Error>(id)
    });
    let ids = futures::future::try_join_all(tries).await?;
    steps::stock_becomes(shop, &product, i64::try_from(ORDERS)?).await?;
    // And they stay cancelled, whatever still arrives: an order that takes all the stock is confirmed.
    let all = steps::place(&buyer, &[(&product, ORDERS)]).await?;
    steps::settles_as(&buyer, &all, "confirmed").await?;
    let outcomes = steps::outcomes(&buyer, &ids).await?;
    ensure!(outcomes == [("cancelled".to_owned(), ORDERS)].into(), "cancelled orders became {outcomes:?}");
    cancel(&buyer, &all).await?.expect(200)?;
    steps::stock_becomes(shop, &product, i64::try_from(ORDERS)?).await?;
    steps::statistics_become(&buyer, &before).await?;
    Ok(())
}

/// A rejected order has nothing to cancel, and an unknown one is not there.
pub(super) async fn an_illegal_cancel_is_refused(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 7.77, 0).await?;
    let id = steps::place(&buyer, &[(&product, 1)]).await?;
    let rejected = steps::settles_as(&buyer, &id, "rejected").await?;
    cancel(&buyer, &id).await?.problem(409, "illegal_transition")?.has("/current_status", "rejected")?;
    let read = buyer.get(format!("/orders/{id}")).await?.expect(200)?;
    read.has("/version", rejected.at("/version")?.clone())?;
    cancel(&buyer, "ord_00000000000000000000000000").await?.problem(404, "not_found")?;
    Ok(())
}

/// `If-Match` holds a cancel to the version that the customer saw.
pub(super) async fn a_stale_cancel_is_refused(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 7.77, 1).await?;
    let placed = buyer.post("/orders").json(&steps::order_of(&[(&product, 1)])).await?.expect(201)?;
    let id = placed.string("/id")?;
    let confirmed = steps::settles_as(&buyer, id, "confirmed").await?;
    let stale = cancel(&buyer, id).header("if-match", placed.required_header("etag")?);
    stale.await?.problem(412, "stale_version")?;
    let current = cancel(&buyer, id).header("if-match", confirmed.required_header("etag")?);
    current.await?.expect(200)?.has("/status", "cancelled")
}

fn cancel<'a>(buyer: &Caller<'a>, id: &str) -> Request<'a> {
    buyer.post(format!("/orders/{id}/cancel"))
}

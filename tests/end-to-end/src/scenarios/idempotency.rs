//! One `Idempotency-Key` is one order, however often and however fast it is sent.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::reply::{Reply, ensure_both};
use crate::shop::Shop;
use crate::steps;

const REPLAYED: &str = "idempotent-replayed";

/// An order that says what its buyer expects a product to cost.
fn order_at(product: &str, quantity: u32, price: u32) -> Value {
    json!({"items": [{"product_id": product, "quantity": quantity, "price": price}]})
}

/// A second try gives the first one's order, marked as replayed; also after it was settled.
pub(super) async fn a_replay_gives_the_same_order(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 5.00, 10).await?;
    let key = shop.unique("key");
    let mut order = order_at(&product, 3, 5);
    order["total_amount"] = json!(15);
    let send = || buyer.post("/orders").idempotency_key(&key).json(&order);
    let first = send().await?.expect(201)?;
    ensure!(first.header(REPLAYED).is_none(), first.wrong("the first try is marked as replayed"));
    let second = send().await?.expect(201)?;
    second.has_header(REPLAYED, "true")?;
    same_order(&first, &second)?;
    let id = first.string("/id")?;
    steps::settles_as(&buyer, id, "confirmed").await?;
    let third = send().await?.expect(201)?;
    third.has_header(REPLAYED, "true")?;
    same_order(&first, &third)?;
    steps::stock_becomes(shop, &product, 7).await
}

/// Another order under a key that was used is refused, and leaves the first as it was.
pub(super) async fn another_body_under_a_key_is_refused(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 5.00, 10).await?;
    let key = shop.unique("key");
    let send = |quantity| {
        buyer.post("/orders").idempotency_key(&key).json(&steps::order_of(&[(&product, quantity)]))
    };
    let first = send(1).await?.expect(201)?;
    send(2).await?.problem(422, "idempotency_key_reused")?;
    let read = buyer.get(format!("/orders/{}", first.string("/id")?)).await?.expect(200)?;
    read.has("/items/0/quantity", 1)?;
    steps::settles_as(&buyer, first.string("/id")?, "confirmed").await?;
    steps::stock_becomes(shop, &product, 9).await
}

/// The same key at once, many times: one order, one reservation.
pub(super) async fn a_key_sent_many_times_at_once_is_one_order(shop: &Shop) -> Result<()> {
    const TIMES: usize = 20;
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 5.00, TIMES).await?;
    let key = shop.unique("key");
    let replies = try_join_all((0..TIMES).map(|_| async {
        let order = steps::order_of(&[(&product, 1)]);
        buyer.post("/orders").idempotency_key(&key).json(&order).await?.expect(201)
    }))
    .await?;
    let ids: BTreeSet<_> = replies.iter().map(|reply| reply.string("/id")).collect::<Result<_>>()?;
    ensure!(ids.len() == 1, "one key gave {} orders: {ids:?}", ids.len());
    let fresh = replies.iter().filter(|reply| reply.header(REPLAYED).is_none()).count();
    ensure!(fresh == 1, "{fresh} of {TIMES} replies are not marked as replayed, not one");
    steps::settles_as(&buyer, replies[0].string("/id")?, "confirmed").await?;
    steps::stock_becomes(shop, &product, 19).await
}

/// A client that never saw the first reply tries again later: it gets its order, whatever became of the
/// product in the meantime.
pub(super) async fn a_replay_outlives_the_price_and_the_product(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let administrator = shop.administrator()?;
    let product = steps::product(shop, 5.00, 10).await?;
    let key = shop.unique("key");
    let order = order_at(&product, 1, 5);
    let send = || buyer.post("/orders").idempotency_key(&key).json(&order);
    let first = send().await?.expect(201)?;
    steps::settles_as(&buyer, first.string("/id")?, "confirmed").await?;
    let path = format!("/products/{product}");
    administrator.patch(path.clone()).json(&json!({"price": 6})).await?.expect(200)?;
    same_order(&first, &send().await?.expect(201)?)?;
    administrator.delete(path).await?.expect(204)?;
    let last = send().await?.expect(201)?;
    same_order(&first, &last)?;
    last.has_exactly("/total_amount", "5.00")
}

/// A key is its principal's own: the same text from another customer is another order.
pub(super) async fn a_key_belongs_to_its_principal(shop: &Shop) -> Result<()> {
    let (one, other) = (shop.new_customer()?, shop.new_customer()?);
    let product = steps::product(shop, 5.00, 10).await?;
    let key = shop.unique("key");
    let order = steps::order_of(&[(&product, 1)]);
    let first = one.post("/orders").idempotency_key(&key).json(&order).await?.expect(201)?;
    let second = other.post("/orders").idempotency_key(&key).json(&order).await?.expect(201)?;
    let differ = first.string("/id")? != second.string("/id")?;
    ensure_both(differ, "two customers got one order", &first, &second)
}

fn same_order(first: &Reply, again: &Reply) -> Result<()> {
    for field in ["/id", "/items", "/total_amount", "/currency", "/created_at"] {
        ensure_both(first.at(field)? == again.at(field)?, &format!("{field} differs"), first, again)?;
    }
    Ok(())
}

//! Stock: never oversold, never undersold, all or nothing, and set by the administrator.

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use crate::shop::Shop;
use crate::steps;

/// The last unit is sold, and the next order is rejected.
pub(super) async fn sold_out_is_rejected(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 2.50, 3).await?;
    let first = steps::place(&buyer, &[(&product, 3)]).await?;
    steps::settles_as(&buyer, &first, "confirmed").await?;
    steps::stock_becomes(shop, &product, 0).await?;
    let second = steps::place(&buyer, &[(&product, 1)]).await?;
    let rejected = steps::settles_as(&buyer, &second, "rejected").await?;
    rejected.has("/rejection/reason", "insufficient_stock")?;
    rejected.has("/rejection/shortages", json!([{"product_id": product, "requested": 1, "available": 0}]))?;
    steps::stock_becomes(shop, &product, 0).await
}

/// More than there is, is rejected, and what there is stays for the next order.
pub(super) async fn an_order_is_reserved_whole_or_not_at_all(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let plenty = steps::product(shop, 2.50, 5).await?;
    let scarce = steps::product(shop, 2.50, 1).await?;
    let too_much = steps::place(&buyer, &[(&plenty, 5), (&scarce, 2)]).await?;
    let rejected = steps::settles_as(&buyer, &too_much, "rejected").await?;
    rejected.has("/rejection/shortages", json!([{"product_id": scarce, "requested": 2, "available": 1}]))?;
    steps::stock_becomes(shop, &plenty, 5).await?;
    steps::stock_becomes(shop, &scarce, 1).await?;
    let all = steps::place(&buyer, &[(&plenty, 5), (&scarce, 1)]).await?;
    steps::settles_as(&buyer, &all, "confirmed").await?;
    steps::stock_becomes(shop, &plenty, 0).await?;
    steps::stock_becomes(shop, &scarce, 0).await
}

/// A product without stock can be ordered as soon as it has some.
pub(super) async fn a_restocked_product_is_sold_again(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 2.50, 0).await?;
    let early = steps::place(&buyer, &[(&product, 1)]).await?;
    steps::settles_as(&buyer, &early, "rejected").await?;
    let stock = format!("/products/{product}/stock");
    shop.administrator()?.patch(stock).json(&json!({"stock": 1})).await?.expect(200)?;
    let late = steps::place(&buyer, &[(&product, 1)]).await?;
    steps::settles_as(&buyer, &late, "confirmed").await?;
    steps::stock_becomes(shop, &product, 0).await
}

/// The largest order that there is: a hundred products, confirmed as a whole, cancelled as a whole, and
/// rejected as a whole.
pub(super) async fn an_order_of_a_hundred_products_is_one_order(shop: &Shop) -> Result<()> {
    const PRODUCTS: usize = 100;
    let buyer = shop.buyer()?;
    let products: Vec<String> = stream::iter(0..PRODUCTS)
        .map(|_| steps::product(shop, 1.50, 2))
        .buffer_unordered(shop.scale().callers())
        .try_collect()
        .await?;
    let lines = |quantity| products.iter().map(|id| (id.as_str(), quantity)).collect::<Vec<_>>();
    let order = buyer.post("/orders").json(&steps::order_of(&lines(2))).await?.expect(201)?;
    order.has_exactly("/total_amount", "300.00")?;
    let id = order.string("/id")?;
    steps::settles_as(&buyer, id, "confirmed").await?;
    for product in [&products[0], &products[PRODUCTS - 1]] {
        steps::stock_becomes(shop, product, 0).await?;
    }
    let late = steps::place(&buyer, &lines(1)).await?;
    let rejected = steps::settles_as(&buyer, &late, "rejected").await?;
    let shortages = rejected.array("/rejection/shortages")?.len();
    ensure!(shortages == PRODUCTS, rejected.wrong("every product is short"));
    buyer.post(format!("/orders/{id}/cancel")).await?.expect(200)?;
    for product in &products {
        steps::stock_becomes(shop, product, 2).await?;
    }
    Ok(())
}

/// Of two orders for the same products in another sequence, each for all there is, one gets them all.
pub(super) async fn orders_that_cross_do_not_block_each_other(shop: &Shop) -> Result<()> {
    const PAIRS: usize = 5;
    let buyer = shop.buyer()?;
    let (one, other) = (steps::product(shop, 2.50, 1).await?, steps::product(shop, 2.50, 1).await?);
    let orders = (0..2 * PAIRS).map(|number| {
        let mut lines = [(one.as_str(), 1), (other.as_str(), 1)];
        if number % 2 == 1 {
            lines.reverse();
        }
        let buyer = &buyer;
        async move { steps::place(buyer, &lines).await }
    });
    let ids = try_join_all(orders).await?;
    let outcomes = steps::outcomes(&buyer, &ids).await?;
    let expected = [("confirmed".to_owned(), 1), ("rejected".to_owned(), 2 * PAIRS - 1)].into();
    ensure!(outcomes == expected, "orders that cross became {outcomes:?}");
    steps::stock_becomes(shop, &one, 0).await?;
    steps::stock_becomes(shop, &other, 0).await
}

/// The level is set, or moved; never below zero; and the reply says what is reserved.
pub(super) async fn a_level_is_set_or_moved(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let product = steps::product(shop, 2.50, 10).await?;
    let set = |body| administrator.patch(format!("/products/{product}/stock")).json(&body);
    let moved = set(json!({"delta": -3})).await?.expect(200)?;
    moved.has("/product_id", product.as_str())?;
    moved.has("/stock", 7)?;
    moved.has("/reserved", 0)?;
    let order = steps::place(&administrator, &[(&product, 2)]).await?;
    steps::settles_as(&administrator, &order, "confirmed").await?;
    let more = set(json!({"delta": 1})).await?.expect(200)?;
    more.has("/stock", 6)?;
    more.has("/reserved", 2)?;
    ensure!(more.integer("/version")? > moved.integer("/version")?, more.wrong("the version did not grow"));
    let refused = set(json!({"delta": -7})).await?.problem(409, "insufficient_stock")?;
    refused.has("/stock", 6)?;
    refused.has("/reserved", 2)?;
    steps::catalogued(shop, &product).await?.has("/stock", 6)?;
    let emptied = set(json!({"delta": -6})).await?.expect(200)?;
    emptied.has("/stock", 0)?;
    let absolute = set(json!({"stock": 50})).await?.expect(200)?;
    absolute.has("/stock", 50)?;
    absolute.has("/reserved", 2)?;
    set(json!({"stock": 1_000_000_000})).await?.problem(409, "too_much_stock")?;
    steps::catalogued(shop, &product).await?.has("/stock", 50)?;
    let unknown = administrator.patch(format!("/products/{}/stock", shop.unique("none")));
    unknown.json(&json!({"stock": 1})).await?.problem(404, "not_found")?;
    Ok(())
}

/// A delta that is sent again under its key is taken once, and a stale `If-Match` not at all.
pub(super) async fn a_delta_is_not_taken_twice(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let product = steps::product(shop, 2.50, 10).await?;
    let key = shop.unique("key");
    let set = |body| administrator.patch(format!("/products/{product}/stock")).json(&body);
    let first = set(json!({"delta": -3})).idempotency_key(&key).await?.expect(200)?;
    first.has("/stock", 7)?;
    let again = set(json!({"delta": -3})).idempotency_key(&key).await?.expect(200)?;
    again.has_header("idempotent-replayed", "true")?;
    again.has("/stock", 7)?;
    set(json!({"delta": -4})).idempotency_key(&key).await?.problem(422, "idempotency_key_reused")?;
    let etag = first.required_header("etag")?;
    set(json!({"delta": 1})).header("if-match", etag).await?.expect(200)?.has("/stock", 8)?;
    set(json!({"delta": 1})).header("if-match", etag).await?.problem(412, "stale_version")?;
    steps::catalogued(shop, &product).await?.has("/stock", 8)
}

//! The server prices the order, exactly; what a client says of prices is checked.

use anyhow::Result;
use serde_json::json;

use crate::shop::Shop;
use crate::steps;

/// Sums keep every digit that the currency has, and show no other.
pub(super) async fn money_is_exact(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    for (currency, price, quantity, price_text, total_text) in [
        ("USD", 0.10, 3, "0.10", "0.30"),
        ("USD", 29.99, 1000, "29.99", "29990.00"),
        ("USD", 7.0, 1, "7.00", "7.00"),
        ("EUR", 1.15, 3, "1.15", "3.45"),
        ("JPY", 1200.0, 2, "1200", "2400"),
        ("KWD", 1.234, 3, "1.234", "3.702"),
        ("USD", 999_999_999.99, 1, "999999999.99", "999999999.99"),
    ] {
        let product = steps::product_in(shop, currency, price, 1000).await?;
        steps::catalogued(shop, &product).await?.has_exactly("/price", price_text)?;
        let order =
            buyer.post("/orders").json(&steps::order_of(&[(&product, quantity)])).await?.expect(201)?;
        order.has("/currency", currency)?;
        order.has("/items/0/name", "A test's product")?;
        order.has_exactly("/items/0/price", price_text)?;
        order.has_exactly("/items/0/line_total", total_text)?;
        order.has_exactly("/total_amount", total_text)?;
        let read = steps::settles_as(&buyer, order.string("/id")?, "confirmed").await?;
        read.has_exactly("/total_amount", total_text)?;
    }
    Ok(())
}

/// Lines add up, and what the client says in agreement is taken: `29.990` is 29.99.
pub(super) async fn figures_that_agree_are_taken(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let (cheap, dear) = (steps::product(shop, 0.05, 100).await?, steps::product(shop, 29.99, 100).await?);
    let body = format!(
        r#"{{"items": [{{"product_id": "{cheap}", "quantity": 3, "price": 0.050}},
                       {{"product_id": "{dear}", "quantity": 2}}],
            "total_amount": 60.13, "currency": "USD"}}"#
    );
    let order = buyer.post("/orders").body(body).await?.expect(201)?;
    order.has_exactly("/items/0/line_total", "0.15")?;
    order.has_exactly("/items/1/line_total", "59.98")?;
    order.has_exactly("/total_amount", "60.13")?;
    steps::settles_as(&buyer, order.string("/id")?, "confirmed").await?;
    Ok(())
}

/// A wrong price or total is a 409 that carries the right figures, and no order comes of it.
pub(super) async fn figures_that_disagree_are_refused(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 30.00, 10).await?;
    let line = |price: f64| json!({"product_id": product, "quantity": 2, "price": price});
    for (body, pointer) in [
        (json!({"items": [line(19.99)]}), "/items/0/price"),
        (json!({"items": [line(29.99)], "total_amount": 60}), "/items/0/price"),
        (json!({"items": [line(30.0)], "total_amount": 59.98}), "/total_amount"),
        (json!({"items": [{"product_id": product, "quantity": 2}], "total_amount": 30}), "/total_amount"),
    ] {
        let problem = buyer.post("/orders").json(&body).await?.problem(409, "price_mismatch")?;
        problem.names(&[pointer])?;
        problem.has("/current/items/0/product_id", product.as_str())?;
        problem.has_exactly("/current/items/0/price", "30.00")?;
        problem.has_exactly("/current/total_amount", "60.00")?;
        problem.has("/current/currency", "USD")?;
    }
    steps::catalogued(shop, &product).await?.has("/stock", 10)
}

/// A product that is not there is named by its place in the order, and so is every other.
pub(super) async fn an_unknown_product_is_named(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let product = steps::product(shop, 29.99, 10).await?;
    let (one, other) = (shop.unique("none"), shop.unique("none"));
    let order = steps::order_of(&[(&one, 1), (&product, 1), (&other, 1)]);
    let problem = buyer.post("/orders").json(&order).await?.problem(422, "unknown_product")?;
    problem.names(&["/items/0/product_id", "/items/2/product_id"])?;
    // A deleted product is as unknown as one that never was.
    shop.administrator()?.delete(format!("/products/{product}")).await?.expect(204)?;
    let order = steps::order_of(&[(&product, 1)]);
    let problem = buyer.post("/orders").json(&order).await?.problem(422, "unknown_product")?;
    problem.names(&["/items/0/product_id"])
}

/// An order has one currency.
pub(super) async fn currencies_are_not_mixed(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let dollars = steps::product(shop, 1.00, 10).await?;
    let euros = steps::product_in(shop, "EUR", 1.00, 10).await?;
    let mixed = steps::order_of(&[(&dollars, 1), (&euros, 1)]);
    let problem = buyer.post("/orders").json(&mixed).await?.problem(422, "mixed_currencies")?;
    problem.names(&["/items/1/product_id"])?;
    let other = json!({"items": [{"product_id": dollars, "quantity": 1}], "currency": "EUR"});
    let problem = buyer.post("/orders").json(&other).await?.problem(409, "price_mismatch")?;
    problem.names(&["/currency"])?;
    problem.has("/current/currency", "USD")
}

/// A sum that no JSON reader keeps exactly is refused.
pub(super) async fn an_order_too_dear_is_refused(shop: &Shop) -> Result<()> {
    let buyer = shop.buyer()?;
    let id = shop.unique("e2e");
    let body = format!(r#"{{"id": "{id}", "name": "A palace", "price": 9999999999999.99, "stock": 1000}}"#);
    shop.administrator()?.post("/products").body(body).await?.expect(201)?;
    let order = steps::order_of(&[(&id, 1000)]);
    buyer
        .post("/orders")
        .json(&order)
        .await?
        .problem(422, "invalid_request")?
        .names(&["/items/0/quantity"])?;
    // The largest amount itself is none too many. (Only for a customer who orders nothing else: it is as
    // much as statistics can tell.)
    let Ok(customer) = shop.new_customer() else { return Ok(()) };
    let one = format!(
        r#"{{"items": [{{"product_id": "{id}", "quantity": 1, "price": 9999999999999.99}}], "total_amount": 9999999999999.99}}"#
    );
    let order = customer.post("/orders").body(one).await?.expect(201)?;
    order.has_exactly("/total_amount", "9999999999999.99")?;
    steps::settles_as(&customer, order.string("/id")?, "confirmed").await?;
    Ok(())
}

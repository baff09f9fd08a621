//! Bodies with wrong fields: each gets a 422 that names every wrong field, all at once, and none changes
//! anything.

use anyhow::{Context, Result, ensure};
use reqwest::Method;

use crate::request::Caller;
use crate::shop::Shop;
use crate::steps;

/// Orders with wrong fields.
pub(super) async fn of_an_order_are_named(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let id = steps::product(shop, 3.00, 500).await?;
    let line = |field: &str| format!(r#"{{"items": [{{"product_id": "{id}", {field}}}]}}"#);
    let order = |field: &str| format!(r#"{{"items": [{{"product_id": "{id}", "quantity": 1}}], {field}}}"#);
    let lines = |count: usize| {
        let items: Vec<_> =
            (0..count).map(|n| format!(r#"{{"product_id": "p-{n}", "quantity": 1}}"#)).collect();
        format!(r#"{{"items": [{}]}}"#, items.join(","))
    };
    let mut cases = vec![
        ("{}".to_owned(), vec!["/items"]),
        (r#"{"items": null}"#.to_owned(), vec!["/items"]),
        (r#"{"items": {}}"#.to_owned(), vec!["/items"]),
        (r#"{"items": []}"#.to_owned(), vec!["/items"]),
        (lines(101), vec!["/items"]),
        (r#"{"items": ["prod-1", null, 7]}"#.to_owned(), vec!["/items/0", "/items/1", "/items/2"]),
        (r#"{"items": [{}]}"#.to_owned(), vec!["/items/0/product_id", "/items/0/quantity"]),
        (line(r#""price": 3"#), vec!["/items/0/quantity"]),
        (line(r#""quantity": 1, "colour": "red""#), vec!["/items/0/colour"]),
        (line(r#""quantity": 1, "quantity": 2"#), vec!["/items/0/quantity"]),
        (order(r#""coupon": "FREE", "a/b~c": 1"#), vec!["/coupon", "/a~1b~0c"]),
        (order(r#""items": []"#), vec!["/items"]),
        (
            order(r#""status": "confirmed", "customer_id": "usr_1", "id": "ord_1""#),
            vec!["/status", "/customer_id", "/id"],
        ),
    ];
    for quantity in [
        "0",
        "-1",
        "1001",
        "1.5",
        "1.01",
        "1e-2",
        "99999999999999999999999",
        "-99999999999999999999999",
        "\"2\"",
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
    ] {
        cases.push((line(&format!(r#""quantity": {quantity}"#)), vec!["/items/0/quantity"]));
    }
    for amount in bad_amounts() {
        cases.push((line(&format!(r#""quantity": 1, "price": {amount}"#)), vec!["/items/0/price"]));
        cases.push((order(&format!(r#""total_amount": {amount}"#)), vec!["/total_amount"]));
    }
    for product in bad_product_ids() {
        let body = format!(r#"{{"items": [{{"product_id": {product}, "quantity": 1}}]}}"#);
        cases.push((body, vec!["/items/0/product_id"]));
    }
    for currency in BAD_CURRENCIES {
        cases.push((order(&format!(r#""currency": {currency}"#)), vec!["/currency"]));
    }
    // All mistakes at once.
    cases.push((
        r#"{"items": [{"product_id": 7, "quantity": 0, "price": "x", "b": 1}, 4], "total_amount": -1, "currency": "usd", "c": 1}"#
            .to_owned(),
        vec![
            "/items/0/product_id", "/items/0/quantity", "/items/0/price", "/items/0/b", "/items/1", "/total_amount",
            "/currency", "/c",
        ],
    ));
    refuses(&administrator, &Method::POST, "/orders", &cases).await?;
    steps::catalogued(shop, &id).await?.has("/stock", 500)?;
    // A hundred lines are not too many.
    administrator.post("/orders").body(lines(100)).await?.problem(422, "unknown_product")?;
    Ok(())
}

/// Products with wrong fields.
pub(super) async fn of_a_product_are_named(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let id = steps::product(shop, 3.00, 5).await?;
    let mut cases = vec![("{}".to_owned(), vec!["/name", "/price"])];
    let mut changes = vec![("{}".to_owned(), vec![""])];
    let mut both = |field: &str, pointer: &'static str| {
        let name = if field.contains("\"name\"") { "" } else { r#""name": "x", "# };
        let price = if field.contains("\"price\"") { "" } else { r#""price": 1, "# };
        cases.push((format!("{{{name}{price}{field}}}"), vec![pointer]));
        changes.push((format!("{{{field}}}"), vec![pointer]));
    };
    for name in ["7", "\"\"", "null", "[]", "\"a\\u0000b\"", &format!("\"{}\"", "x".repeat(60_000))] {
        both(&format!(r#""name": {name}"#), "/name");
    }
    for price in bad_amounts().into_iter().chain(["0".to_owned()]) {
        both(&format!(r#""price": {price}"#), "/price");
    }
    for field in ["description", "category", "image_url"] {
        let pointer: &'static str = match field {
            "description" => "/description",
            "category" => "/category",
            _ => "/image_url",
        };
        for value in ["7", "{}", "\"\\u0007\"", &format!("\"{}\"", "x".repeat(60_000))] {
            both(&format!(r#""{field}": {value}"#), pointer);
        }
    }
    for url in ["\"no url\"", "\"javascript:alert(1)\"", "\"//x\""] {
        both(&format!(r#""image_url": {url}"#), "/image_url");
    }
    both(r#""colour": "red""#, "/colour");
    both(r#""version": 7"#, "/version");
    both(r#""created_at": "2026-11-23T15:00:00Z""#, "/created_at");
    changes.push((
        r#"{"currency": "EUR", "stock": 1, "id": "x"}"#.to_owned(),
        vec!["/currency", "/stock", "/id"],
    ));
    for currency in BAD_CURRENCIES {
        cases.push((format!(r#"{{"name": "x", "price": 1, "currency": {currency}}}"#), vec!["/currency"]));
    }
    cases.push((r#"{"name": "x", "price": 1.5, "currency": "JPY"}"#.to_owned(), vec!["/price"]));
    for product in bad_product_ids() {
        cases.push((format!(r#"{{"name": "x", "price": 1, "id": {product}}}"#), vec!["/id"]));
    }
    for stock in BAD_LEVELS {
        cases.push((format!(r#"{{"name": "x", "price": 1, "stock": {stock}}}"#), vec!["/stock"]));
    }
    cases.push((
        r#"{"id": "a b", "name": "", "price": -1, "currency": "", "stock": -1, "x": 1, "y": 2}"#.to_owned(),
        vec!["/id", "/name", "/price", "/currency", "/stock", "/x", "/y"],
    ));
    refuses(&administrator, &Method::POST, "/products", &cases).await?;
    refuses(&administrator, &Method::PATCH, &format!("/products/{id}"), &changes).await?;
    steps::catalogued(shop, &id).await?.has("/version", 1)
}

/// Stock levels that are none.
pub(super) async fn of_a_stock_level_are_named(shop: &Shop) -> Result<()> {
    let administrator = shop.administrator()?;
    let id = steps::product(shop, 3.00, 5).await?;
    let mut cases = vec![
        ("{}".to_owned(), vec![]),
        (r#"{"stock": 1, "delta": 1}"#.to_owned(), vec![]),
        (r#"{"level": 1}"#.to_owned(), vec!["/level"]),
        (r#"{"stock": 1, "stock": 2}"#.to_owned(), vec!["/stock"]),
        (r#"{"stock": 1, "product_id": "prod-1"}"#.to_owned(), vec!["/product_id"]),
    ];
    for level in BAD_LEVELS {
        cases.push((format!(r#"{{"stock": {level}}}"#), vec!["/stock"]));
    }
    for delta in [
        "0",
        "1000000001",
        "\"1\"",
        "1.5",
        "true",
        "[]",
        "99999999999999999999",
        "-99999999999999999999",
        "9223372036854775807",
    ] {
        cases.push((format!(r#"{{"delta": {delta}}}"#), vec!["/delta"]));
    }
    refuses(&administrator, &Method::PATCH, &format!("/products/{id}/stock"), &cases).await?;
    steps::catalogued(shop, &id).await?.has("/stock", 5)
}

const BAD_CURRENCIES: [&str; 8] =
    ["\"usd\"", "\"US\"", "\"XXX\"", "\"XAU\"", "\"\"", "7", "[]", "\"DOLLAR\""];
const BAD_LEVELS: [&str; 9] =
    ["-1", "1.5", "\"5\"", "true", "[]", "{}", "1e-3", "99999999999999999999", "9223372036854775808"];

fn bad_amounts() -> Vec<String> {
    let mut amounts: Vec<String> = [
        "-0.01",
        "-1",
        "1.001",
        "0.0001",
        "1e-2",
        "1E-2",
        "\"29.99\"",
        "true",
        "[]",
        "{}",
        "10000000000000",
        "99999999999999999999999999",
        "1e400",
    ]
    .map(str::to_owned)
    .into();
    amounts.push("9".repeat(400));
    amounts
}

fn bad_product_ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "7",
        "[]",
        "true",
        "\"\"",
        "\" \"",
        "\"a b\"",
        "\"-a\"",
        "\"a/b\"",
        "\"\u{e4}\"",
        "\"a\\u0000\"",
        "\"../x\"",
    ]
    .map(str::to_owned)
    .into();
    ids.push(format!("\"{}\"", "a".repeat(65)));
    ids
}

/// Sends each body, and holds the problem to the fields that it must name.
async fn refuses(
    caller: &Caller<'_>,
    method: &Method,
    path: &str,
    cases: &[(String, Vec<&'static str>)],
) -> Result<()> {
    for (body, pointers) in cases {
        let reply = caller.request(method.clone(), path).body(body.as_bytes()).await?;
        let problem = reply.problem(422, "invalid_request")?;
        ensure!(!problem.array("/errors")?.is_empty(), problem.wrong("no field is named"));
        problem.names(pointers).context("a body with wrong fields")?;
    }
    Ok(())
}

//! Who may do what: guests, customers, the administrator, and tokens that prove nothing.

use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::json;

use crate::reply::Reply;
use crate::shop::Shop;
use crate::steps;

/// A guest places an order, and reads and cancels it by its token; the order is nobody's.
pub(super) async fn a_guest_places_and_reads_an_order(shop: &Shop) -> Result<()> {
    let guest = shop.guest()?;
    let product = steps::product(shop, 3.00, 5).await?;
    guest.get(format!("/products/{product}")).await?.expect(200)?;
    guest.get("/products?limit=1").await?.expect(200)?;
    // Guests have no name that would keep their keys apart.
    for guessable in ["1", "aaaaaaaaaaaaaaaaaaaaaaaa"] {
        let order = steps::order_of(&[(&product, 2)]);
        let reply = guest.post("/orders").idempotency_key(guessable).json(&order).await?;
        reply.problem(400, "invalid_idempotency_key")?;
    }
    let key = shop.unique("a-key-that-nobody-else-has");
    let send = || guest.post("/orders").idempotency_key(&key).json(&steps::order_of(&[(&product, 2)]));
    let placed = send().await?.expect(201)?;
    ensure!(placed.json.get("customer_id").is_none(), placed.wrong("a guest's order has no customer"));
    let (id, token) = (placed.string("/id")?, placed.string("/order_token")?);
    // The administrator sees every order, and no token.
    steps::settles_as(&shop.administrator()?, id, "confirmed").await?;
    let again = send().await?.expect(201)?;
    again.has_header("idempotent-replayed", "true")?;
    ensure!(again.string("/order_token")? == token, again.wrong("a replay has another token"));
    steps::stock_becomes(shop, &product, 3).await?;
    let path = format!("/orders/{id}");
    guest.get(path.clone()).order_token(token).await?.expect(200)?.has("/status", "confirmed")?;
    guest
        .post(format!("{path}/cancel"))
        .order_token(token)
        .await?
        .expect(200)?
        .has("/status", "cancelled")?;
    steps::stock_becomes(shop, &product, 5).await
}

/// A guest's order is its guest's: without its own token it is not there, for anybody but administrators.
pub(super) async fn a_guest_s_order_needs_its_token(shop: &Shop) -> Result<()> {
    let (guest, customer) = (shop.guest()?, shop.new_customer()?);
    let product = steps::product(shop, 3.00, 5).await?;
    let place = || guest.post("/orders").json(&steps::order_of(&[(&product, 1)]));
    let (placed, other) = (place().await?.expect(201)?, place().await?.expect(201)?);
    let (path, token) = (format!("/orders/{}", placed.string("/id")?), placed.string("/order_token")?);
    let others = other.string("/order_token")?;
    ensure!(token != others, other.wrong("two orders have one token"));
    let twice = format!("{token},{token}");
    for wrong in ["", "x", others, &twice, &token[1..]] {
        for (method, path) in [(Method::GET, path.clone()), (Method::POST, format!("{path}/cancel"))] {
            let reply = guest.request(method.clone(), path.clone()).order_token(wrong).await?;
            reply.problem(401, "unauthorized")?;
            customer.request(method, path).order_token(wrong).await?.problem(404, "not_found")?;
        }
    }
    // Somebody who is signed in may hold the token too.
    customer.get(path.clone()).order_token(token).await?.expect(200)?;
    // A token opens no customer's order.
    let owned = format!("/orders/{}", steps::place(&customer, &[(&product, 1)]).await?);
    guest.get(owned).order_token(token).await?.problem(401, "unauthorized")?;
    // Administrators see and cancel every order.
    let administrator = shop.administrator()?;
    administrator.get(path.clone()).await?.expect(200)?;
    administrator.post(format!("{path}/cancel")).await?.expect(200)?.has("/status", "cancelled")?;
    steps::settles_as(&administrator, other.string("/id")?, "confirmed").await?;
    Ok(())
}

/// Everything else needs a token, and the answer says which kind.
pub(super) async fn a_guest_can_do_nothing_else(shop: &Shop) -> Result<()> {
    let guest = shop.guest()?;
    let product = steps::product(shop, 3.00, 5).await?;
    let order = steps::place(&guest, &[(&product, 1)]).await?;
    for (method, path) in protected(&product, &order) {
        let reply = guest.request(method, path).json(&json!({})).await?.problem(401, "unauthorized")?;
        reply.has_header("www-authenticate", "Bearer")?;
    }
    steps::settles_as(&shop.administrator()?, &order, "confirmed").await?;
    steps::catalogued(shop, &product).await?;
    Ok(())
}

/// A customer runs no shop.
pub(super) async fn a_customer_is_no_administrator(shop: &Shop) -> Result<()> {
    let customer = shop.new_customer()?;
    let product = steps::product(shop, 3.00, 5).await?;
    let path = format!("/products/{product}");
    let stock = format!("{path}/stock");
    let new = "/products".to_owned();
    for (method, path) in [
        (Method::POST, new),
        (Method::PATCH, path.clone()),
        (Method::DELETE, path),
        (Method::GET, stock.clone()),
        (Method::PATCH, stock),
    ] {
        customer.request(method, path).json(&json!({})).await?.problem(403, "forbidden")?;
    }
    customer.get("/orders?status=pending").await?.problem(403, "forbidden")?;
    Ok(())
}

/// Another customer's order is not there; the administrator's eyes are on all.
pub(super) async fn an_order_is_its_customers(shop: &Shop) -> Result<()> {
    let (owner, stranger) = (shop.new_customer()?, shop.new_customer()?);
    let product = steps::product(shop, 3.00, 5).await?;
    let id = steps::place(&owner, &[(&product, 1)]).await?;
    let (path, none) = (format!("/orders/{id}"), "/orders/ord_00000000000000000000000000");
    let hidden = stranger.get(path.clone()).await?.problem(404, "not_found")?;
    let missing = stranger.get(none).await?.problem(404, "not_found")?;
    ensure!(
        hidden.json["detail"] == missing.json["detail"],
        hidden.wrong("differs from an order that is not there")
    );
    stranger.post(format!("{path}/cancel")).await?.problem(404, "not_found")?;
    ensure!(!steps::ids(&steps::pages(&stranger, "/orders").await?).contains(&id), "listed for a stranger");
    if let Ok(guest) = shop.guest() {
        // A guest may have forgotten to sign in, and learns as little.
        let hidden = guest.get(path.clone()).await?.problem(401, "unauthorized")?;
        let missing = guest.get(none).await?.problem(401, "unauthorized")?;
        ensure!(hidden.json["detail"] == missing.json["detail"], hidden.wrong("differs from no order"));
    }
    shop.administrator()?.get(path).await?.expect(200)?;
    steps::settles_as(&owner, &id, "confirmed").await?;
    Ok(())
}

/// A token that proves nothing is refused everywhere, also where a guest would be let in.
pub(super) async fn a_broken_token_is_refused(shop: &Shop) -> Result<()> {
    let product = steps::product(shop, 3.00, 5).await?;
    // {"alg":"none"} and {"alg":"HS256"}, with claims of an administrator.
    let claims =
        "eyJzdWIiOiJ1c3JfMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDEiLCJyb2xlIjoiYWRtaW4iLCJleHAiOjk5OTk5OTk5OTl9";
    for value in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer x".to_owned(),
        "Bearer a.b.c".to_owned(),
        format!("Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}."),
        format!("Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.{claims}.c2lnbmF0dXJl"),
        format!("Bearer {}", "x".repeat(5_000)),
        "Basic ZGVtbzpkZW1v".to_owned(),
        "demo@example.com".to_owned(),
    ] {
        for path in ["/orders".to_owned(), format!("/products/{product}")] {
            let reply = shop.authorized_by(&value, &path).await?.problem(401, "unauthorized")?;
            let challenge = reply.required_header("www-authenticate")?;
            ensure!(challenge.starts_with("Bearer"), reply.wrong("no Bearer challenge"));
            ensure!(value.len() < 30 || !reply.body.contains(&value), reply.wrong("the token is repeated"));
        }
    }
    Ok(())
}

/// One changed character, and a token is worth nothing.
pub(super) async fn a_changed_token_is_refused(shop: &Shop) -> Result<()> {
    let customer = shop.new_customer()?;
    customer.get("/orders").await?.expect(200)?;
    let token = customer.token().unwrap_or_default().to_owned();
    let parts: Vec<&str> = token.split('.').collect();
    ensure!(parts.len() == 3, "a token has three parts");
    let foreign = shop.new_customer()?.token().unwrap_or_default().to_owned();
    let other: Vec<&str> = foreign.split('.').collect();
    for changed in [
        format!("{}.{}.{}", parts[0], other[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], other[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{token}.{}", parts[2]),
        token.replacen('.', "", 1),
    ] {
        let reply: Reply = shop.authorized_by(&format!("Bearer {changed}"), "/orders").await?;
        reply
            .problem(401, "unauthorized")?
            .has_header("www-authenticate", r#"Bearer error="invalid_token""#)?;
    }
    Ok(())
}

/// A token is good for its time, and neither before nor after.
pub(super) async fn a_token_has_its_time(shop: &Shop) -> Result<()> {
    let now = SystemTime::now();
    let minutes = |count: u64| Duration::from_secs(60 * count);
    shop.customer_since(now - minutes(10))?.get("/orders").await?.expect(200)?;
    for issued in [now - minutes(20), now - minutes(60 * 24), now + minutes(10)] {
        let reply = shop.customer_since(issued)?.get("/orders").await?.problem(401, "unauthorized")?;
        reply.has_header("www-authenticate", r#"Bearer error="invalid_token""#)?;
    }
    Ok(())
}

/// Every route that a guest may not use.
fn protected(product: &str, order: &str) -> Vec<(Method, String)> {
    vec![
        (Method::GET, "/orders".to_owned()),
        (Method::POST, format!("/orders/{order}/cancel")),
        (Method::PATCH, format!("/orders/{order}/status")),
        (Method::POST, "/products".to_owned()),
        (Method::PATCH, format!("/products/{product}")),
        (Method::DELETE, format!("/products/{product}")),
        (Method::GET, format!("/products/{product}/stock")),
        (Method::PATCH, format!("/products/{product}/stock")),
        (Method::GET, "/alerts".to_owned()),
        (Method::GET, "/monitor/events".to_owned()),
        (Method::GET, format!("/monitor/stories/{order}")),
        (Method::GET, "/monitor/queues".to_owned()),
        (Method::GET, "/analytics/sales".to_owned()),
        (Method::GET, "/analytics/products".to_owned()),
        (Method::POST, "/imports".to_owned()),
        (Method::POST, "/exports".to_owned()),
        (Method::GET, "/exports/exp_00000000000000000000000001".to_owned()),
        (Method::POST, "/imports/imp_00000000000000000000000001/start".to_owned()),
        (Method::GET, "/imports/imp_00000000000000000000000001".to_owned()),
        (Method::GET, "/imports/imp_00000000000000000000000001/refusals".to_owned()),
        (Method::GET, "/monitor/dead-letters".to_owned()),
        (Method::GET, "/monitor/dead-letters/letter_00000000000000000000000001".to_owned()),
        (Method::GET, "/monitor/queues/settle-order/dead-letters".to_owned()),
        (Method::POST, "/monitor/redrives".to_owned()),
        (Method::POST, "/monitor/discards".to_owned()),
        (Method::GET, "/monitor/redrives/redrive_00000000000000000000000001".to_owned()),
        (Method::PATCH, "/monitor/redrives/redrive_00000000000000000000000001".to_owned()),
        (Method::GET, "/users".to_owned()),
        (Method::GET, "/users/me".to_owned()),
        (Method::PATCH, "/users/me".to_owned()),
        (Method::DELETE, "/users/usr_00000000000000000000000001".to_owned()),
        (Method::PUT, "/users/usr_00000000000000000000000001/role".to_owned()),
        (Method::POST, "/users/me/email-confirmation".to_owned()),
        (Method::DELETE, "/sessions/current".to_owned()),
        (Method::GET, "/users/me/stats".to_owned()),
        (Method::GET, "/users/usr_00000000000000000000000001/stats".to_owned()),
    ]
}

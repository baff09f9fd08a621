//! Accounts and sessions: from registering to being forgotten.

use anyhow::{Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Method;
use serde_json::json;

use crate::accounts::{self, PASSWORD};
use crate::reply::Reply;
use crate::request::Request;
use crate::shop::Shop;
use crate::steps;
use crate::wait::{Look, until};

/// Register, log in, order, see one's own; another sees nothing of it, and the administrator all.
pub(super) async fn a_customer_registers_and_orders(shop: &Shop) -> Result<()> {
    let product = steps::product(shop, 3.00, 5).await?;
    let account = accounts::customer(shop).await?;
    let customer = account.caller(shop);
    let me = customer.get("/users/me").await?.expect(200)?;
    me.has("/email", account.email.clone())?;
    me.has("/role", "customer")?;
    let order = steps::place(&customer, &[(&product, 2)]).await?;
    steps::settles_as(&customer, &order, "confirmed").await?;
    until("the statistics to show the order", shop.patience(), async || {
        let stats = customer.get("/users/me/stats").await?.expect(200)?;
        Ok(if stats.integer("/orders_placed")? == 1 { Look::Done(()) } else { Look::NotYet(stats.body) })
    })
    .await?;
    let (stranger, administrator) = (accounts::customer(shop).await?.caller(shop), shop.administrator()?);
    for path in
        [format!("/orders/{order}"), format!("/users/{}", account.id), format!("/users/{}/stats", account.id)]
    {
        stranger.get(path.clone()).await?.problem(404, "not_found")?;
        administrator.get(path).await?.expect(200)?;
    }
    stranger.get("/users").await?.problem(403, "forbidden")?;
    administrator
        .patch(format!("/users/{}", account.id))
        .json(&json!({"name": "X"}))
        .await?
        .problem(403, "not_your_account")?;
    Ok(())
}

/// Of any number who register one address at once, however it is spelled, one gets an account.
pub(super) async fn an_address_is_one_account(shop: &Shop) -> Result<()> {
    let email = accounts::new_address(shop);
    let spellings = [email.clone(), email.to_uppercase(), format!("  {email} ")];
    let statuses: Vec<u16> = stream::iter(0..12)
        .map(async |n: usize| {
            Ok::<_, anyhow::Error>(accounts::register(shop, &spellings[n % 3]).await?.status)
        })
        .buffer_unordered(12)
        .try_collect()
        .await?;
    let made = statuses.iter().filter(|status| **status == 201).count();
    ensure!(made == 1 && statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    accounts::register(shop, &email).await?.problem(409, "email_taken")?;
    Ok(())
}

/// A registration under a key happens once.
pub(super) async fn a_registration_is_replayed(shop: &Shop) -> Result<()> {
    let (email, key) = (accounts::new_address(shop), shop.unique("a-key-that-nobody-else-has"));
    let first = accounts::register(shop, &email).idempotency_key(&key).await?.expect(201)?;
    let again = accounts::register(shop, &email).idempotency_key(&key).await?.expect(201)?;
    again.has_header("idempotent-replayed", "true")?;
    again.has("/id", first.at("/id")?.clone())?;
    let other = accounts::register(shop, &accounts::new_address(shop)).idempotency_key(&key);
    other.await?.problem(422, "idempotency_key_reused")?;
    Ok(())
}

/// A refresh token is good once, and leads to the same next one for who asks twice; used later, it ends the session.
pub(super) async fn a_refresh_token_is_good_once(shop: &Shop) -> Result<()> {
    let account = accounts::customer(shop).await?;
    let refreshed = accounts::refresh(shop, &account.refresh).await?.expect(200)?;
    let (access, next) = (refreshed.string("/access_token")?, refreshed.string("/refresh_token")?);
    shop.with_token(access).get("/users/me").await?.expect(200)?.has("/id", account.id.clone())?;
    accounts::refresh(shop, &account.refresh).await?.expect(200)?.has("/refresh_token", next)?;
    let last = accounts::refresh(shop, next).await?.expect(200)?;
    accounts::refresh(shop, &account.refresh).await?.problem(401, "invalid_refresh_token")?;
    let ended = accounts::refresh(shop, last.string("/refresh_token")?);
    ended.await?.problem(401, "invalid_refresh_token")?;
    // A refresh token is no access token.
    shop.with_token(next).get("/users/me").await?.problem(401, "unauthorized")?;
    Ok(())
}

/// A page's refresh token is a cookie that no script reads; whoever does not say that it is a page has none.
pub(super) async fn a_page_renews_its_session_by_a_cookie(shop: &Shop) -> Result<()> {
    let account = accounts::customer(shop).await?;
    let begun = by_page(accounts::try_log_in(shop, &account.email, PASSWORD)).await?.expect(201)?;
    let renew = |cookie: String| shop.nobody().post("/sessions/refresh").header("cookie", cookie);
    let renewed = by_page(renew(cookie(&begun)?)).await?.expect(200)?;
    let next = cookie(&renewed)?;
    renew(next.clone()).await?.problem(400, "empty_body")?;
    let foreign = by_page(renew(next.clone())).header("sec-fetch-site", "cross-site").await?;
    // The front door of a shop on one machine lets no page of another origin ask for anything.
    foreign.expect(403)?;
    by_page(renew(next)).await?.expect(200)?;
    let ended =
        by_page(shop.with_token(renewed.string("/access_token")?).delete("/sessions/current")).await?;
    let ended = ended.expect(204)?;
    let line = ended.required_header("set-cookie")?;
    ensure!(line.ends_with("; Max-Age=0"), "{line}");
    Ok(())
}

/// A request as a page sends it.
fn by_page(request: Request<'_>) -> Request<'_> {
    request.header("session-transport", "cookie")
}

/// The cookie of an answer as a browser sends it, which no script can read.
fn cookie(reply: &Reply) -> Result<String> {
    ensure!(reply.string("/refresh_token").is_err(), "a script could read it");
    let line = reply.required_header("set-cookie")?;
    let expected = "Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=";
    match line.split_once("; ") {
        Some((pair, attributes))
            if pair.starts_with("__Host-refresh=") && attributes.starts_with(expected) =>
        {
            Ok(pair.to_owned())
        }
        _ => Err(reply.wrong(line)),
    }
}

/// A log-out ends its session, and no other.
pub(super) async fn a_log_out_ends_the_session(shop: &Shop) -> Result<()> {
    let account = accounts::customer(shop).await?;
    let other = accounts::log_in(shop, &account.email, PASSWORD).await?;
    account.caller(shop).delete("/sessions/current").await?.expect(204)?;
    accounts::refresh(shop, &account.refresh).await?.problem(401, "invalid_refresh_token")?;
    accounts::refresh(shop, &other.refresh).await?.expect(200)?;
    Ok(())
}

/// Name, address and password are the user's to change; the last two need the password, and end all sessions.
pub(super) async fn an_account_is_changed(shop: &Shop) -> Result<()> {
    let (account, other) = (accounts::customer(shop).await?, accounts::customer(shop).await?);
    let customer = account.caller(shop);
    let patch = |body: serde_json::Value| customer.patch("/users/me").json(&body);
    let renamed = patch(json!({"name": "Another name"})).await?.expect(200)?;
    renamed.has_header("etag", "\"v2\"")?;
    patch(json!({"name": "A third"})).header("if-match", "\"v1\"").await?.problem(412, "stale_version")?;
    let proof = |email: &str, password: &str| json!({"email": email, "current_password": password});
    patch(json!({"email": "x@example.com"})).await?.problem(422, "invalid_request")?;
    patch(proof(&other.email, PASSWORD)).await?.problem(409, "email_taken")?;
    patch(proof("x@example.com", "a wrong password")).await?.problem(422, "invalid_request")?;
    let email = accounts::new_address(shop);
    patch(proof(&email, PASSWORD)).await?.expect(200)?.has("/email", email.clone())?;
    accounts::try_log_in(shop, &account.email, PASSWORD).await?.problem(401, "invalid_credentials")?;
    customer.get("/users/me").await?.problem(401, "unauthorized")?;
    accounts::refresh(shop, &account.refresh).await?.problem(401, "invalid_refresh_token")?;
    let moved = accounts::log_in(shop, &email, PASSWORD).await?;
    let change = json!({"password": "another password", "current_password": PASSWORD});
    moved.caller(shop).patch("/users/me").json(&change).await?.expect(200)?;
    accounts::refresh(shop, &moved.refresh).await?.problem(401, "invalid_refresh_token")?;
    accounts::try_log_in(shop, &email, PASSWORD).await?.problem(401, "invalid_credentials")?;
    accounts::log_in(shop, &email, "another password").await?;
    Ok(())
}

/// An administrator gives a role and takes it.
pub(super) async fn a_role_is_given_and_taken(shop: &Shop) -> Result<()> {
    let account = accounts::customer(shop).await?;
    let administrator = shop.administrator()?;
    let path = format!("/users/{}/role", account.id);
    let put = |role: &str| administrator.request(Method::PUT, path.clone()).json(&json!({"role": role}));
    account
        .caller(shop)
        .request(Method::PUT, path.clone())
        .json(&json!({"role": "admin"}))
        .await?
        .problem(403, "forbidden")?;
    put("admin").await?.expect(200)?.has("/role", "admin")?;
    accounts::refresh(shop, &account.refresh).await?.problem(401, "invalid_refresh_token")?;
    let promoted = accounts::log_in(shop, &account.email, PASSWORD).await?;
    promoted.caller(shop).get("/users?limit=1").await?.expect(200)?;
    put("customer").await?.expect(200)?.has("/role", "customer")?;
    put("root").await?.problem(422, "invalid_request")?;
    // One administrator deletes another.
    put("admin").await?.expect(200)?;
    administrator.delete(format!("/users/{}", account.id)).await?.expect(204)?;
    put("admin").await?.problem(404, "not_found")?;
    Ok(())
}

/// A deleted user is gone; the orders stay, and the books balance.
pub(super) async fn a_deleted_user_is_gone(shop: &Shop) -> Result<()> {
    let product = steps::product(shop, 3.00, 5).await?;
    let account = accounts::customer(shop).await?;
    let customer = account.caller(shop);
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(steps::place(&customer, &[(&product, 1)]).await?);
    }
    customer.delete("/users/me").await?.problem(422, "invalid_request")?;
    let proof = json!({"current_password": PASSWORD});
    customer.delete("/users/me").json(&proof).await?.expect(204)?;
    let administrator = shop.administrator()?;
    let path = format!("/users/{}", account.id);
    administrator.get(path.clone()).await?.problem(404, "not_found")?;
    customer.get(path.clone()).await?.problem(401, "unauthorized")?;
    accounts::try_log_in(shop, &account.email, PASSWORD).await?.problem(401, "invalid_credentials")?;
    accounts::refresh(shop, &account.refresh).await?.problem(401, "invalid_refresh_token")?;
    for order in &orders {
        steps::settles_as(&administrator, order, "confirmed").await?;
    }
    steps::stock_becomes(shop, &product, 2).await?;
    until("the statistics to have every order", shop.patience(), async || {
        let stats = administrator.get(format!("{path}/stats")).await?.expect(200)?;
        Ok(if stats.integer("/orders_placed")? == 3 { Look::Done(()) } else { Look::NotYet(stats.body) })
    })
    .await?;
    // The address is free again, for another account.
    let again = accounts::register(shop, &account.email).await?.expect(201)?;
    ensure!(again.string("/id")? != account.id, again.wrong("an id is never given out again"));
    Ok(())
}

/// A password that is guessed first is none.
pub(super) async fn a_common_password_is_refused(shop: &Shop) -> Result<()> {
    let email = accounts::new_address(shop);
    for (password, code) in
        [("password1234", "too_common"), ("            ", "blank"), (email.as_str(), "resembles_account")]
    {
        let body = json!({"email": email, "password": password, "name": "A test's user"});
        let reply = shop.nobody().post("/users").json(&body).await?.problem(422, "invalid_request")?;
        reply.has("/errors/0/code", code)?;
    }
    Ok(())
}

/// An account is found by its address, by administrators alone.
pub(super) async fn an_account_is_found_by_its_address(shop: &Shop) -> Result<()> {
    let account = accounts::customer(shop).await?;
    let path = format!("/users?email={}", account.email.to_uppercase());
    shop.administrator()?.get(path.clone()).await?.expect(200)?.has("/data/0/id", account.id.clone())?;
    account.caller(shop).get(path).await?.problem(403, "forbidden")?;
    Ok(())
}

/// Guessing a password ends soon, for an account that is there as for one that is not.
pub(super) async fn guessing_ends_soon(shop: &Shop) -> Result<()> {
    let known = accounts::customer(shop).await?.email;
    for (email, before) in [(known, 1), (accounts::new_address(shop), 0)] {
        for _ in before..10 {
            let reply = accounts::try_log_in(shop, &email, "a wrong password").await?;
            if reply.status == 429 {
                // A new window of time may begin in between, and not an old one end early.
                break;
            }
            reply.problem(401, "invalid_credentials")?;
        }
        until("the account to be closed to guesses", shop.patience(), async || {
            let reply = accounts::try_log_in(shop, &email, "a wrong password").await?;
            Ok(if reply.status == 429 { Look::Done(reply) } else { Look::NotYet(reply.body) })
        })
        .await?
        .problem(429, "too_many_attempts")?
        .required_header("retry-after")?;
    }
    Ok(())
}

/// The public keys are public, and they are all that is.
pub(super) async fn keys_are_public(shop: &Shop) -> Result<()> {
    let keys = shop.nobody().get("/.well-known/jwks.json").await?.expect(200)?;
    ensure!(!keys.array("/keys")?.is_empty(), keys.wrong("no key"));
    for key in keys.array("/keys")? {
        ensure!(key["kty"] == "OKP" && key["crv"] == "Ed25519", keys.wrong("another kind of key"));
    }
    Ok(())
}

/// Every mistake of an account's fields is named.
pub(super) async fn mistakes_are_named(shop: &Shop) -> Result<()> {
    let body = json!({"email": "nobody", "password": "short", "name": "", "role": "admin"});
    let reply = shop.nobody().post("/users").json(&body).await?.problem(422, "invalid_request")?;
    for pointer in ["/email", "/password", "/name", "/role"] {
        ensure!(
            reply.array("/errors")?.iter().any(|error| error["pointer"] == pointer),
            reply.wrong(pointer)
        );
    }
    ensure!(!reply.body.contains("short"), reply.wrong("the password is repeated"));
    shop.nobody().post("/sessions").json(&json!({})).await?.problem(422, "invalid_request")?;
    Ok(())
}

/// A guest may leave an address, which no answer shows; a user may not.
pub(super) async fn a_guest_leaves_an_address(shop: &Shop) -> Result<()> {
    let product = steps::product(shop, 3.00, 5).await?;
    let mut body = steps::order_of(&[(&product, 1)]);
    body["email"] = "marked.guest@example.com".into();
    accounts::customer(shop)
        .await?
        .caller(shop)
        .post("/orders")
        .json(&body)
        .await?
        .problem(422, "invalid_request")?;
    let guest = shop.guest()?;
    let placed = guest.post("/orders").json(&body).await?.expect(201)?;
    let id = placed.string("/id")?;
    let admins = steps::settles_as(&shop.administrator()?, id, "confirmed").await?;
    let token = placed.string("/order_token")?;
    let read = guest.get(format!("/orders/{id}")).order_token(token).await?.expect(200)?;
    for reply in [placed, read, admins] {
        ensure!(!reply.body.contains("marked"), reply.wrong("the address is shown"));
    }
    Ok(())
}

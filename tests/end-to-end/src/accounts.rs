//! People who register and log in, as a client does.

use anyhow::Result;
use serde_json::json;

use crate::request::{Caller, Request};
use crate::shop::Shop;

/// What the suite's people log in with. Their addresses are made up for each run.
pub const PASSWORD: &str = "correct horse battery staple";

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Account {
    /// This person with the access token of the log-in.
    pub(crate) fn caller<'a>(&self, shop: &'a Shop) -> Caller<'a> {
        shop.with_token(&self.access)
    }
}

/// An address that nobody has.
pub(crate) fn new_address(shop: &Shop) -> String {
    format!("{}@example.com", shop.unique("e2e"))
}

/// A request to register an address.
pub(crate) fn register<'a>(shop: &'a Shop, email: &str) -> Request<'a> {
    let body = json!({"email": email, "password": PASSWORD, "name": "A test's user"});
    shop.nobody().post("/users").json(&body)
}

/// Logs somebody in.
pub(crate) async fn log_in(shop: &Shop, email: &str, password: &str) -> Result<Account> {
    let reply = try_log_in(shop, email, password).await?.expect(201)?;
    Ok(Account {
        id: reply.string("/user_id")?.to_owned(),
        email: email.to_owned(),
        access: reply.string("/access_token")?.to_owned(),
        refresh: reply.string("/refresh_token")?.to_owned(),
    })
}

/// A request to log in.
pub(crate) fn try_log_in<'a>(shop: &'a Shop, email: &str, password: &str) -> Request<'a> {
    shop.nobody().post("/sessions").json(&json!({"email": email, "password": password}))
}

/// A request to go on with a session.
pub(crate) fn refresh<'a>(shop: &'a Shop, token: &str) -> Request<'a> {
    shop.nobody().post("/sessions/refresh").json(&json!({"refresh_token": token}))
}

/// A new customer, logged in.
pub(crate) async fn customer(shop: &Shop) -> Result<Account> {
    let email = new_address(shop);
    register(shop, &email).await?.expect(201)?;
    log_in(shop, &email, PASSWORD).await
}

//! People who use the shop: they register and log in by its own routes, as everybody does.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::Location;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use http::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::{Answer, Service};

/// What people log in with, where a test does not care.
pub const PASSWORD: &str = "correct horse battery staple";

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user's id.
    pub id: String,
    /// The e-mail address.
    pub email: String,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// The token of the device.
    pub device: String,
}

/// An item of a table.
pub type Item = HashMap<String, AttributeValue>;

impl Service {
    /// Asks to register an e-mail address, from a network address of its own: registrations are budgeted by it.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn register(&self, email: &str) -> Result<Answer> {
        let body = json!({ "email": email, "password": PASSWORD, "name": "A test's user" });
        let mut hasher = DefaultHasher::new();
        email.hash(&mut hasher);
        let [a, b, c, ..] = hasher.finish().to_be_bytes();
        self.post_from(&format!("10.{a}.{b}.{c}"), "/users", &body).await
    }

    /// Asks for a session.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn try_log_in(&self, email: &str, password: &str) -> Result<Answer> {
        self.post("/sessions", &json!({ "email": email, "password": password })).await
    }

    /// Logs somebody in.
    ///
    /// # Errors
    /// When it is refused.
    #[track_caller]
    pub fn log_in(&self, email: &str) -> impl Future<Output = Result<Account>> {
        self.log_in_at(email, Location::caller())
    }

    async fn log_in_at(&self, email: &str, place: &Location<'_>) -> Result<Account> {
        let answer = self.try_log_in(email, PASSWORD).await?.expect_at(201, place)?;
        let text = |name: &str| answer.body[name].as_str().map(str::to_owned).context(name.to_owned());
        Ok(Account {
            id: text("user_id")?,
            email: email.to_owned(),
            access: text("access_token")?,
            refresh: text("refresh_token")?,
            device: text("device_token")?,
        })
    }

    /// A new customer, logged in.
    ///
    /// # Errors
    /// When something is refused.
    #[track_caller]
    pub fn customer(&self, email: &str) -> impl Future<Output = Result<Account>> {
        let place = Location::caller();
        async move {
            self.register(email).await?.expect_at(201, place)?;
            self.log_in_at(email, place).await
        }
    }

    /// Makes an administrator as an operator does: by invoking the function that has no route.
    ///
    /// # Errors
    /// When the function fails.
    pub async fn create_admin(&self, email: &str) -> Result<Value> {
        self.make_admin(&json!({ "email": email, "password": PASSWORD, "name": "The administrator" })).await
    }

    /// The same with a payload of one's own.
    ///
    /// # Errors
    /// When the function fails.
    pub async fn make_admin(&self, payload: &Value) -> Result<Value> {
        let payload = RawValue::from_string(payload.to_string())?;
        Ok(serde_json::from_str(self.cloud.invoke("create-admin", payload).await?.get())?)
    }

    /// A new administrator, logged in.
    ///
    /// # Errors
    /// When something is refused.
    #[track_caller]
    pub fn new_administrator(&self, email: &str) -> impl Future<Output = Result<Account>> {
        let place = Location::caller();
        async move {
            let made = self.create_admin(email).await?;
            anyhow::ensure!(made["result"] == "created", "{place}: {made}");
            self.log_in_at(email, place).await
        }
    }

    /// Somebody deletes the own account.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn leave(&self, account: &Account) -> Result<Answer> {
        let proof = json!({ "current_password": PASSWORD });
        self.send_as(account, Method::DELETE, "/users/me", Some(&proof)).await
    }

    /// All items of a table, which the embedded cloud names by its logical id.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn items(&self, table: &str) -> Result<Vec<Item>> {
        let client = Client::new(&self.cloud.sdk_config("test"));
        let pages = client.scan().table_name(table).into_paginator().items().send();
        Ok(pages.collect::<Result<Vec<_>, _>>().await?)
    }

    /// Deletes an item, which no function would.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete_item(&self, table: &str, pk: &str, sk: &str) -> Result<()> {
        let client = Client::new(&self.cloud.sdk_config("test"));
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let delete = client.delete_item().table_name(table);
        delete.key("pk", key(pk)).key("sk", key(sk)).send().await?;
        Ok(())
    }

    /// Sends a JSON body without a token.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.post_from(crate::SOURCE, path, body).await
    }

    /// Somebody who is logged in sends a request.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn send_as(
        &self,
        account: &Account,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let headers = [("authorization", account.access.as_str()), ("content-type", "application/json")];
        self.request(method, path, body, &headers).await
    }
}

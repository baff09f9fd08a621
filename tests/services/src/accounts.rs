//! People who use the shop: they register and log in by its own routes, as everybody does.

use anyhow::{Context, Result};
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
}

impl Service {
    /// Asks to register an address.
    ///
    /// # Errors
    /// When the answer is not JSON.
    pub async fn register(&self, email: &str) -> Result<Answer> {
        let body = json!({ "email": email, "password": PASSWORD, "name": "A test's user" });
        self.post("/users", &body).await
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
    pub async fn log_in(&self, email: &str) -> Result<Account> {
        let answer = self.try_log_in(email, PASSWORD).await?.expect(201)?;
        let text = |name: &str| answer.body[name].as_str().map(str::to_owned).context(name.to_owned());
        Ok(Account {
            id: text("user_id")?,
            email: email.to_owned(),
            access: text("access_token")?,
            refresh: text("refresh_token")?,
        })
    }

    /// A new customer, logged in.
    ///
    /// # Errors
    /// When something is refused.
    pub async fn customer(&self, email: &str) -> Result<Account> {
        self.register(email).await?.expect(201)?;
        self.log_in(email).await
    }

    /// Makes an administrator as an operator does: by invoking the function that has no route.
    ///
    /// # Errors
    /// When the function fails.
    pub async fn create_admin(&self, email: &str) -> Result<Value> {
        let payload = json!({ "email": email, "password": PASSWORD, "name": "The administrator" });
        let payload = RawValue::from_string(payload.to_string())?;
        Ok(serde_json::from_str(self.cloud.invoke("create-admin", payload).await?.get())?)
    }

    /// A new administrator, logged in.
    ///
    /// # Errors
    /// When something is refused.
    pub async fn new_administrator(&self, email: &str) -> Result<Account> {
        let made = self.create_admin(email).await?;
        anyhow::ensure!(made["created"] == true, "{made}");
        self.log_in(email).await
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

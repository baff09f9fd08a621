//! A request to the shop, as one caller.

use std::fmt::Write as _;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use anyhow::{Context, Result};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;

use crate::contract;
use crate::reply::Reply;
use crate::shop::Shop;

const ORDER_TOKEN: &str = "order-token";

/// Somebody who uses the shop: with a token, or without one.
#[derive(Clone, Debug)]
pub(crate) struct Caller<'a> {
    shop: &'a Shop,
    token: Option<String>,
}

impl<'a> Caller<'a> {
    pub(crate) fn new(shop: &'a Shop, token: Option<String>) -> Self {
        Self { shop, token }
    }

    /// The shop that is called.
    pub(crate) fn shop(&self) -> &'a Shop {
        self.shop
    }

    /// The token, where there is one.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// GET.
    pub(crate) fn get(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::GET, path)
    }

    /// POST; a body comes by [`Request::json`].
    pub(crate) fn post(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::POST, path)
    }

    /// PATCH; a body comes by [`Request::json`].
    pub(crate) fn patch(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::PATCH, path)
    }

    /// DELETE.
    pub(crate) fn delete(&self, path: impl Into<String>) -> Request<'a> {
        self.request(Method::DELETE, path)
    }

    /// Any method.
    pub(crate) fn request(&self, method: Method, path: impl Into<String>) -> Request<'a> {
        let request = Request { shop: self.shop, method, path: path.into(), headers: Vec::new(), body: None };
        match &self.token {
            Some(token) => request.header(AUTHORIZATION.as_str(), format!("Bearer {token}")),
            None => request,
        }
    }
}

/// A request that is being put together; `.await` sends it.
#[derive(Debug)]
#[must_use = "a request is sent by .await"]
pub(crate) struct Request<'a> {
    shop: &'a Shop,
    method: Method,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Request<'_> {
    /// Sets a header, in place of an earlier value of it.
    pub(crate) fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into().to_ascii_lowercase();
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The `Idempotency-Key`.
    pub(crate) fn idempotency_key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// The token of a guest's order.
    pub(crate) fn order_token(self, token: &str) -> Self {
        self.header(ORDER_TOKEN, token)
    }

    /// A JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// Any body, sent as JSON unless a content type was set.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        if self.headers.iter().any(|(name, _)| name == CONTENT_TYPE.as_str()) {
            return self;
        }
        self.header(CONTENT_TYPE.as_str(), "application/json")
    }

    async fn send(self) -> Result<Reply> {
        let description = self.description();
        let mut request = self.shop.http().request(self.method.clone(), self.shop.url(&self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let response = request.send().await.with_context(|| format!("no reply to {description}"))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.with_context(|| format!("a reply cut short to {description}"))?;
        let body = String::from_utf8_lossy(&body).into_owned();
        let json = serde_json::from_str(&body).unwrap_or(Value::Null);
        let reply = Reply { request: description, status, headers, body, json };
        contract::check(&self.method, &self.path, &reply)?;
        Ok(reply)
    }

    fn description(&self) -> String {
        let mut text = format!("{} {}", self.method, self.shop.url(&self.path));
        for (name, value) in &self.headers {
            // A token is a secret, and only its presence matters here.
            let is_secret = name == AUTHORIZATION.as_str() || name == ORDER_TOKEN;
            let value = if is_secret { "..." } else { value };
            // Writing to a string cannot fail.
            let _infallible = write!(text, " [{name}: {value}]");
        }
        if let Some(body) = &self.body {
            text.push(' ');
            text.push_str(&String::from_utf8_lossy(body));
        }
        text
    }
}

impl<'a> IntoFuture for Request<'a> {
    type Output = Result<Reply>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

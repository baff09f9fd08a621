//! The orders service, and a catalogue that it reads: products are put into the table as create-product does.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Answer, Service};
use shop_lambda::Function;
use shop_local::cloud::Options;

/// Some customers, by their ids.
pub(crate) const ADA: &str = "usr_0000000000000000000000000a";
pub(crate) const BEA: &str = "usr_0000000000000000000000000b";

/// The service with products `mug` (29.99) and `tea` (0.10).
pub(crate) struct Stage {
    pub(crate) service: Service,
}

impl Stage {
    pub(crate) async fn new() -> Result<Self> {
        Self::with(Options::simulated(1), &[]).await
    }

    pub(crate) async fn with(options: Options, replaced: &[(&str, &str)]) -> Result<Self> {
        let functions: Vec<Function> =
            orders::SERVICE.functions().into_iter().chain([products::create_product::FUNCTION]).collect();
        let service = Service::start_with(&functions, options, replaced).await?;
        for (id, price) in [("mug", 29.99), ("tea", 0.10)] {
            let product = json!({ "id": id, "name": id, "price": price });
            service.send(Method::POST, "/products", Some(&product)).await?.expect(201)?;
        }
        Ok(Self { service })
    }

    /// Somebody sends a request: a user by the id, or a guest.
    pub(crate) async fn send(
        &self,
        user: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Result<Answer> {
        let token = user.map(|user| self.service.token(user)).transpose()?;
        let mut all = vec![("content-type", "application/json")];
        all.extend(token.as_deref().map(|token| ("authorization", token)));
        all.extend_from_slice(headers);
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.service.request(method, path, body, &all).await
    }

    /// Somebody places an order.
    pub(crate) async fn place(&self, user: Option<&str>, order: &Value, key: Option<&str>) -> Result<Answer> {
        let headers: Vec<_> = key.map(|key| ("idempotency-key", key)).into_iter().collect();
        self.send(user, Method::POST, "/orders", Some(order), &headers).await
    }
}

/// An order of some mugs.
pub(crate) fn mugs(quantity: u32) -> Value {
    json!({ "items": [{ "product_id": "mug", "quantity": quantity }] })
}

/// A text of an answer's.
pub(crate) fn text<'a>(answer: &'a Answer, name: &str) -> Result<&'a str> {
    answer.body[name].as_str().with_context(|| format!("no {name}: {}", answer.text))
}

//! Requests to the shop, as its customers send them.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// A client with connections that stay open. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: HttpClient<HttpConnector, Full<Bytes>>,
    base: String,
}

impl Client {
    pub(crate) fn new(base: String) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { http: HttpClient::builder(TokioExecutor::new()).build(connector), base }
    }

    /// Puts in a product with stock.
    pub(crate) async fn create_product(&self, id: &str, stock: u64) -> Result<()> {
        let product = json!({ "id": id, "name": id, "price": 10, "stock": stock });
        self.send(Method::POST, "/products", Some(&product), StatusCode::CREATED).await?;
        Ok(())
    }

    /// Places an order of one unit and returns its id.
    pub(crate) async fn order(&self, product: &str) -> Result<String> {
        let order = json!({ "items": [{ "product_id": product, "quantity": 1 }] });
        let answer = self.send(Method::POST, "/orders", Some(&order), StatusCode::CREATED).await?;
        answer["id"].as_str().map(str::to_owned).context("an order without an id")
    }

    /// An order.
    pub(crate) async fn get_order(&self, id: &str) -> Result<Value> {
        self.send(Method::GET, &format!("/orders/{id}"), None, StatusCode::OK).await
    }

    /// Whether an order is pending.
    pub(crate) async fn has_pending(&self) -> Result<bool> {
        let page = self.send(Method::GET, "/orders?status=pending&limit=1", None, StatusCode::OK).await?;
        Ok(page["data"].as_array().is_some_and(|orders| !orders.is_empty()))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        status: StatusCode,
    ) -> Result<Value> {
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base))
            .header("content-type", "application/json")
            .body(Full::new(body.map(Value::to_string).unwrap_or_default().into()))?;
        let answer = self.http.request(request).await.with_context(|| format!("{method} {path}"))?;
        let got = answer.status();
        let body = answer.into_body().collect().await.with_context(|| format!("{method} {path}"))?.to_bytes();
        ensure!(got == status, "{method} {path}: {got} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).with_context(|| format!("the answer to {method} {path}"))
    }
}

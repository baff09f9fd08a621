//! Preconditions, the same on every route that takes them: what is wrong with a request is said before what has changed
//! since it was written, and a tag is compared character by character.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::json;
use service_tests::{Account, Service, simulate};
use shop_http::{Access, RouteInfo};
use shop_local::cloud::Options;

/// One thing of each kind that a path can name.
struct Stage {
    service: Service,
    admin: Account,
    customer: Account,
    order: String,
}

impl Stage {
    async fn new() -> Result<Self> {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let admin = service.new_administrator("admin@example.com").await?;
        let customer = service.customer("customer@example.com").await?;
        let product = json!({ "id": "prod-1", "name": "A product", "price": 3, "stock": 5 });
        service.send_as(&admin, Method::POST, "/products", Some(&product)).await?.expect(201)?;
        let order = json!({ "items": [{ "product_id": "prod-1", "quantity": 1 }] });
        let order = service.send_as(&customer, Method::POST, "/orders", Some(&order)).await?.expect(201)?;
        let order = order.body["id"].as_str().context("an id")?.to_owned();
        service.settled().await?;
        Ok(Self { service, admin, customer, order })
    }

    /// The path of a route, about something that is there; a user is the customer.
    fn path(&self, route: &RouteInfo) -> String {
        let id = match route.endpoint.path.split('/').nth(1) {
            Some("products") => "prod-1",
            Some("orders") => self.order.as_str(),
            _ => self.customer.id.as_str(),
        };
        route.endpoint.path.replace("{id}", id)
    }
}

#[test]
fn a_wrong_body_is_refused_before_a_stale_version_is() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let conditional = services::routes().filter(|route| {
            let contract = (route.contract)();
            contract.body.is_some() && contract.headers.iter().any(|(name, ..)| *name == "If-Match")
        });
        let mut asked = Vec::new();
        for route in conditional {
            let name = route.function.name();
            let caller = if route.access == Access::Admin { &stage.admin } else { &stage.customer };
            let headers = [
                ("authorization", caller.access.as_str()),
                ("content-type", "application/json"),
                ("if-match", "\"v999\""),
            ];
            let body = Bytes::from_static(br#"{"nobody-knows-this": 1}"#);
            let (method, path) = (route.endpoint.method.clone(), stage.path(route));
            let answer = stage.service.request(method, &path, body, &headers).await?;
            answer.problem(422, "invalid_request").with_context(|| name.to_owned())?;
            asked.push(name);
        }
        ensure!(asked.contains(&"delete-user") && asked.len() >= 5, "{asked:?}");
        Ok(())
    })
}

#[test]
fn a_read_of_another_version_than_the_one_that_is_wanted_is_refused() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let versioned = services::routes().filter(|route| {
            let contract = (route.contract)();
            route.endpoint.method == Method::GET
                && contract.headers.iter().any(|(name, ..)| *name == "If-Match")
        });
        let mut asked = Vec::new();
        for route in versioned {
            let (name, path) = (route.function.name(), stage.path(route));
            let ask = async |tag: &str| {
                let headers = [("authorization", stage.admin.access.as_str()), ("if-match", tag)];
                stage.service.request(Method::GET, &path, Bytes::new(), &headers).await
            };
            ask("\"v999\"").await?.problem(412, "stale_version").with_context(|| name.to_owned())?;
            ask("v1").await?.problem(400, "invalid_if_match").with_context(|| name.to_owned())?;
            let current = ask("*").await?.expect(200)?.header("etag")?.to_owned();
            ask(&current).await?.expect(200)?;
            asked.push(name);
        }
        ensure!(asked.len() >= 5, "{asked:?}");
        Ok(())
    })
}

#[test]
fn a_tag_of_another_thing_is_another_tag() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let admin = service.new_administrator("admin@example.com").await?;
        let product = json!({ "id": "prod-1", "name": "A product", "price": 3, "stock": 5 });
        service.send_as(&admin, Method::POST, "/products", Some(&product)).await?.expect(201)?;
        let change = async |path: &str, tag: &str, body: &'static str| {
            let headers = [
                ("authorization", admin.access.as_str()),
                ("content-type", "application/json"),
                ("if-match", tag),
            ];
            service.request(Method::PATCH, path, Bytes::from_static(body.as_bytes()), &headers).await
        };
        // The product's own tag shows the stock's version besides; the stock's does not.
        let stock = r#"{"stock": 7}"#;
        change("/products/prod-1/stock", "\"v1.1\"", stock).await?.problem(412, "stale_version")?;
        change("/products/prod-1/stock", "\"v1\"", stock).await?.expect(200)?;
        change("/products/prod-1", "\"v1.1\"", r#"{"price": 4}"#).await?.expect(200)?;
        change(&format!("/users/{}", admin.id), "\"v1.1\"", r#"{"name": "N"}"#)
            .await?
            .problem(412, "stale_version")?;
        Ok(())
    })
}

#[test]
fn an_idempotency_key_is_one_change_of_one_product() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let admin = service.new_administrator("admin@example.com").await?;
        for id in ["a", "b"] {
            let product = json!({ "id": id, "name": "A product", "price": 3, "stock": 5 });
            service.send_as(&admin, Method::POST, "/products", Some(&product)).await?.expect(201)?;
        }
        let change = async |product: &str| {
            let headers = [
                ("authorization", admin.access.as_str()),
                ("content-type", "application/json"),
                ("idempotency-key", "one-key"),
            ];
            let body = Bytes::from_static(br#"{"delta": 1}"#);
            service.request(Method::PATCH, &format!("/products/{product}/stock"), body, &headers).await
        };
        ensure!(change("a").await?.expect(200)?.body["stock"] == 6);
        change("b").await?.problem(422, "idempotency_key_reused")?;
        ensure!(change("a").await?.expect(200)?.header("idempotent-replayed")? == "true");
        Ok(())
    })
}

//! What a request is answered with that is sent again under its idempotency key, on each route that takes one: what
//! docs/api.md promises. The status and `Location` are the first's; an order and a product are shown as they are now, an
//! account and a stock change as they were then.

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Account, Answer, PASSWORD, Service, simulate};
use shop_local::cloud::Options;

const KEY: [(&str, &str); 1] = [("idempotency-key", "a-key-of-more-than-20-characters")];

struct Stage {
    service: Service,
    admin: Account,
}

impl Stage {
    async fn new() -> Result<Self> {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let admin = service.new_administrator("admin@example.com").await?;
        Ok(Self { service, admin })
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Answer> {
        self.ask(method, path, body, &[]).await
    }

    async fn ask(&self, method: Method, path: &str, body: &Value, more: &[(&str, &str)]) -> Result<Answer> {
        let mut headers = vec![("authorization", self.admin.access.as_str())];
        headers.push(("content-type", "application/json"));
        headers.extend_from_slice(more);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.service.request(method, path, body.into(), &headers).await
    }

    async fn keyed(&self, method: Method, path: &str, body: &Value) -> Result<Answer> {
        self.ask(method, path, body, &KEY).await
    }
}

/// Holds a replay against the first answer: the same status and place, and marked.
fn is_replay(first: &Answer, again: &Answer) -> Result<()> {
    ensure!(!first.headers.contains_key("idempotent-replayed"), "{:?}", first.headers);
    ensure!(again.header("idempotent-replayed")? == "true");
    ensure!(again.status == first.status, "{} {}", again.status, again.text);
    ensure!(again.headers.get("location") == first.headers.get("location"), "{:?}", again.headers);
    Ok(())
}

#[test]
fn an_order_is_shown_as_it_is_now() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let product = json!({ "id": "prod-1", "name": "A product", "price": 3, "stock": 5 });
        stage.send(Method::POST, "/products", &product).await?.expect(201)?;
        let order = json!({ "items": [{ "product_id": "prod-1", "quantity": 1 }] });
        let first = stage.keyed(Method::POST, "/orders", &order).await?.expect(201)?;
        ensure!(first.body["status"] == "pending" && first.header("etag")? == "\"v1\"", "{}", first.text);
        stage.service.settled().await?;
        let path = format!("/orders/{}", first.body["id"].as_str().context("an id")?);
        for status in ["confirmed", "cancelled"] {
            let now = stage.send(Method::GET, &path, &Value::Null).await?.expect(200)?;
            ensure!(now.body["status"] == status, "{}", now.text);
            let again = stage.keyed(Method::POST, "/orders", &order).await?;
            is_replay(&first, &again)?;
            assert_eq!((&again.body, again.header("etag")?), (&now.body, now.header("etag")?));
            ensure!(again.body != first.body);
            stage.send(Method::POST, &format!("{path}/cancel"), &Value::Null).await?.expect(200)?;
        }
        // There is one, and it was made once.
        let all = stage.send(Method::GET, "/orders", &Value::Null).await?.expect(200)?;
        ensure!(all.body["data"].as_array().is_some_and(|all| all.len() == 1), "{}", all.text);
        Ok(())
    })
}

#[test]
fn a_product_is_shown_as_it_is_now_until_it_is_deleted() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let product = json!({ "name": "A product", "price": 3, "stock": 5 });
        let first = stage.keyed(Method::POST, "/products", &product).await?.expect(201)?;
        let path = first.header("location")?.to_owned();
        stage.send(Method::PATCH, &path, &json!({ "price": 4 })).await?.expect(200)?;
        stage.send(Method::PATCH, &format!("{path}/stock"), &json!({ "delta": 2 })).await?.expect(200)?;
        let again = stage.keyed(Method::POST, "/products", &product).await?;
        is_replay(&first, &again)?;
        let now = stage.send(Method::GET, &path, &Value::Null).await?.expect(200)?;
        assert_eq!((&again.body, again.header("etag")?), (&now.body, now.header("etag")?));
        assert_eq!((&again.body["stock"], again.header("etag")?), (&json!(7), "\"v2.2\""));
        // The price of the first answer is the request's, and not what is stored by now.
        stage
            .keyed(Method::POST, "/products", &json!({ "name": "A product", "price": 4, "stock": 7 }))
            .await?
            .problem(422, "idempotency_key_reused")?;
        stage.send(Method::DELETE, &path, &Value::Null).await?.expect(204)?;
        stage.keyed(Method::POST, "/products", &product).await?.problem(422, "idempotency_key_reused")?;
        Ok(())
    })
}

#[test]
fn an_account_is_shown_as_it_was_registered_until_it_is_deleted() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let person = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada" });
        let first = stage.keyed(Method::POST, "/users", &person).await?.expect(201)?;
        let path = first.header("location")?.to_owned();
        let ada = stage.service.log_in("ada@example.com").await?;
        let name = json!({ "name": "Ada King" });
        stage.service.send_as(&ada, Method::PATCH, &path, Some(&name)).await?.expect(200)?;
        let again = stage.keyed(Method::POST, "/users", &person).await?;
        is_replay(&first, &again)?;
        assert_eq!((&again.body, again.header("etag")?), (&first.body, "\"v1\""));
        stage.send(Method::DELETE, &path, &Value::Null).await?.expect(204)?;
        stage.keyed(Method::POST, "/users", &person).await?.problem(422, "idempotency_key_reused")?;
        Ok(())
    })
}

#[test]
fn a_stock_change_is_shown_as_it_was_for_good() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let product = json!({ "id": "prod-1", "name": "A product", "price": 3, "stock": 5 });
        stage.send(Method::POST, "/products", &product).await?.expect(201)?;
        let (path, more) = ("/products/prod-1/stock", json!({ "delta": 2 }));
        let first = stage.keyed(Method::PATCH, path, &more).await?.expect(200)?;
        stage.send(Method::PATCH, path, &json!({ "stock": 90 })).await?.expect(200)?;
        for is_deleted in [false, true] {
            let again = stage.keyed(Method::PATCH, path, &more).await?;
            is_replay(&first, &again)?;
            assert_eq!((&again.body, again.header("etag")?), (&first.body, "\"v2\""));
            if !is_deleted {
                stage.send(Method::DELETE, "/products/prod-1", &Value::Null).await?.expect(204)?;
            }
        }
        Ok(())
    })
}

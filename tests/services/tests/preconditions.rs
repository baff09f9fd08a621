//! What is wrong with a request is said before what has changed since it was written: on every route that takes both a
//! body and preconditions, in the same order.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::json;
use service_tests::{Service, simulate};
use shop_http::Access;
use shop_local::cloud::Options;

#[test]
fn a_wrong_body_is_refused_before_a_stale_version_is() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let admin = service.new_administrator("admin@example.com").await?;
        let customer = service.customer("customer@example.com").await?;
        let product = json!({ "id": "prod-1", "name": "A product", "price": 3, "stock": 5 });
        service.send_as(&admin, Method::POST, "/products", Some(&product)).await?.expect(201)?;

        let conditional = services::routes().filter(|route| {
            let contract = (route.contract)();
            contract.body.is_some() && contract.headers.iter().any(|(name, ..)| *name == "If-Match")
        });
        let mut asked = Vec::new();
        for route in conditional {
            let name = route.function.name();
            let id =
                if route.endpoint.path.starts_with("/products/") { "prod-1" } else { customer.id.as_str() };
            let path = route.endpoint.path.replace("{id}", id);
            let caller = if route.access == Access::Admin { &admin } else { &customer };
            let headers = [
                ("authorization", caller.access.as_str()),
                ("content-type", "application/json"),
                ("if-match", "\"v999\""),
            ];
            let body = Bytes::from_static(br#"{"nobody-knows-this": 1}"#);
            let answer = service.request(route.endpoint.method.clone(), &path, body, &headers).await?;
            answer.problem(422, "invalid_request").with_context(|| name.to_owned())?;
            asked.push(name);
        }
        ensure!(asked.contains(&"delete-user") && asked.len() >= 4, "{asked:?}");
        Ok(())
    })
}

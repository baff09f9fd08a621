//! Bodies where none is taken, and answers in more than one form: the same on every route.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, VARY};
use http::{HeaderMap, Method, Request};
use serde_json::json;
use service_tests::{Service, simulate};
use shop_http::RouteInfo;
use shop_local::cloud::Options;

/// What says nothing to any route.
const NOTHING: [&[u8]; 4] = [b"", b"{}", b" { }\r\n", b"{\n}"];

/// What says something, and to a route without a body nothing that it could do.
const SOMETHING: [&[u8]; 9] = [
    b"{",
    b"null",
    b"[]",
    b"\"\"",
    b"{\"reason\": \"none\"}",
    b"{}{}",
    b"reason=none",
    b"\xEF\xBB\xBF{}",
    b"\x1F\x8B\x08\x00\xFF",
];

#[test]
fn a_route_without_a_body_takes_an_empty_object_and_refuses_the_rest() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let admin = service.new_administrator("admin@example.com").await?;
        let product = json!({ "id": "prod-1", "name": "A product", "price": 3, "stock": 5 });
        service.send_as(&admin, Method::POST, "/products", Some(&product)).await?.expect(201)?;
        let order = json!({ "items": [{ "product_id": "prod-1", "quantity": 1 }] });
        let order = service.send_as(&admin, Method::POST, "/orders", Some(&order)).await?.expect(201)?;
        let order = order.body["id"].as_str().context("an id")?.to_owned();
        // Whose address is confirmed may ask for another mail as often as they like.
        let proof = service.confirmation_token(&admin, service.now()?).await?;
        service.post("/email-confirmations", &json!({ "token": proof })).await?.expect(204)?;
        let import = service.new_import_as(&admin, "csv").await?;
        service.upload(&import, "name,price\nMug,1\n").await?;
        let import = import["id"].as_str().context("an id")?.to_owned();
        let export = service.new_export_as(&admin, "csv").await?;
        let letter = service.new_dead_letter_as(&admin).await?;
        let redrive = json!({ "consumer": "settle-order", "reason": "Nobody can read it" });
        let redrive = service.new_redrive_as(&admin, "/monitor/discards", &redrive).await?;
        service.settled().await?;
        let emails = service.send_as(&admin, Method::GET, "/emails", None).await?.expect(200)?;
        let email = emails.body["data"][0]["id"].as_str().context("an order is written of")?.to_owned();

        let path = |route: &RouteInfo| {
            let id = match route.endpoint.path.split('/').nth(1) {
                Some("products") => "prod-1",
                Some("orders") => order.as_str(),
                Some("imports") => import.as_str(),
                Some("exports") => export.as_str(),
                Some("emails") => email.as_str(),
                Some("monitor") if route.endpoint.path.contains("dead-letters/") => letter.as_str(),
                Some("monitor") if route.endpoint.path.contains("queues") => "settle-order",
                Some("monitor") => redrive.as_str(),
                _ => admin.id.as_str(),
            };
            let path = route.endpoint.path.replace("{id}", id);
            // A search is for something.
            if path.starts_with("/search") { path + "?q=mug" } else { path }
        };
        let ask = |route: &RouteInfo, body: &'static [u8]| {
            let (method, path, service) = (route.endpoint.method.clone(), path(route), &service);
            let headers = [("authorization", admin.access.as_str()), ("content-type", "text/plain")];
            async move { service.request(method, &path, Bytes::from_static(body), &headers).await }
        };
        let mut bare: Vec<_> = services::routes().filter(|route| !route.takes_body).collect();
        // What takes something away comes last, and last of all the session, which all else needs.
        bare.sort_by_key(|route| {
            (route.endpoint.method == Method::DELETE, route.endpoint.path.starts_with("/sessions"))
        });
        for route in &bare {
            for body in SOMETHING {
                let refused = ask(route, body).await?.problem(400, "unexpected_body");
                refused.with_context(|| route.function.name().to_owned())?;
            }
        }
        let stored = service.send_as(&admin, Method::GET, &format!("/orders/{order}"), None).await?;
        ensure!(stored.body["status"] == "confirmed", "a refused cancel cancels nothing: {}", stored.text);
        for route in &bare {
            for (at, body) in NOTHING.into_iter().enumerate() {
                let taken = ask(route, body).await?;
                let is_gone = route.endpoint.method == Method::DELETE && at > 0 && taken.status == 404;
                ensure!(
                    taken.status < 300 || is_gone,
                    "{}: {} {}",
                    route.function.name(),
                    taken.status,
                    taken.text
                );
            }
        }
        ensure!(bare.len() >= 13, "{} routes", bare.len());
        Ok(())
    })
}

#[test]
fn what_is_answered_in_two_forms_says_so_in_both() -> Result<()> {
    simulate(async {
        let service = Service::start(&services::functions(), Options::simulated(1)).await?;
        let mut packed = Vec::new();
        for route in services::routes().filter(|route| route.endpoint.method == Method::GET) {
            let ask = |method: Method, encodings: &'static str| {
                let path = route.endpoint.path.replace("{id}", "prod-1");
                let request =
                    Request::builder().method(method).uri(path).header("accept-encoding", encodings);
                async {
                    let answer = service.cloud.invoke_http(request.body(Bytes::new())?, "192.0.2.1").await;
                    anyhow::Ok(answer.into_parts().0.headers)
                }
            };
            let varies = |headers: &HeaderMap| {
                let named = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
                named.flat_map(|value| value.split(',')).any(|name| name.trim() == "Accept-Encoding")
            };
            let (with, without) = (ask(Method::GET, "gzip, br").await?, ask(Method::GET, "identity").await?);
            let head = ask(Method::HEAD, "identity").await?;
            let is_packed = with.contains_key(CONTENT_ENCODING);
            ensure!(!without.contains_key(CONTENT_ENCODING), "{}", route.endpoint);
            for headers in [&with, &without, &head] {
                ensure!(varies(headers) == is_packed, "{}: {headers:?}", route.endpoint);
            }
            packed.extend(is_packed.then_some(route.endpoint.path));
        }
        ensure!(packed == ["/docs"], "{packed:?}");
        Ok(())
    })
}

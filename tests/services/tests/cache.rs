//! The catalogue behind the edge: what is kept, for whom, until when, and what makes it forgotten.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};
use service_tests::{Service, simulate};
use shop_local::cloud::Options;
use shop_types::Timestamp;

const WITH_EDGE: (&str, &str) = (
    "EdgeCache:\n    Type: String\n    Default: \"false\"",
    "EdgeCache:\n    Type: String\n    Default: \"true\"",
);
/// What the issue allows a change to be invisible: a batch's window, the call, and what CloudFront takes.
const GONE_AFTER: Duration = Duration::from_secs(15);

async fn shop() -> Result<Service> {
    Service::start_with(&services::functions(), Options::simulated(1), &[WITH_EDGE]).await
}

/// A stranger's read.
async fn get(service: &Service, path: &str) -> Result<Response<Bytes>> {
    ask(service, Method::GET, path, &[]).await
}

async fn ask(
    service: &Service,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Response<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(service.cloud.invoke_http(request.body(Bytes::new())?, "198.51.100.7").await)
}

fn body(response: &Response<Bytes>) -> Result<Value> {
    serde_json::from_slice(response.body()).with_context(|| format!("{response:?}"))
}

fn header<'r>(response: &'r Response<Bytes>, name: &str) -> &'r str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether it came from the cache.
fn hit(response: &Response<Bytes>) -> bool {
    header(response, "x-cache").starts_with("Hit")
}

async fn product(service: &Service, id: &str) -> Result<()> {
    let body = json!({ "id": id, "name": "Mug", "price": 12.5, "category": "kitchen", "stock": 3 });
    service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
    // Nothing that was made before the test began is forgotten amid it.
    service.pass(Duration::from_secs(20)).await;
    Ok(())
}

/// How many paths CloudFront was told to forget.
fn paths(service: &Service) -> u64 {
    service.cloud.meter().sum(|entry| entry.operation == "cloudfront:CreateInvalidation").units.requests
}

#[test]
fn a_product_is_kept_until_it_changes_and_no_longer() -> Result<()> {
    simulate(async {
        let service = shop().await?;
        product(&service, "mug").await?;
        let (list, of_all) = ("/products?category=kitchen", "/products");
        for path in ["/products/mug", list, of_all] {
            let (first, second) = (get(&service, path).await?, get(&service, path).await?);
            ensure!(!hit(&first) && hit(&second), "{first:?} {second:?}");
            ensure!(header(&second, "cache-control") == "public, max-age=0, s-maxage=60", "{second:?}");
            ensure!(first.body() == second.body());
        }
        let change = json!({ "price": 13 });
        let changed = service.send(Method::PATCH, "/products/mug", Some(&change)).await?.expect(200)?;
        let seen = service.send(Method::GET, "/products/mug", None).await?.expect(200)?;
        ensure!(seen.body == changed.body, "who changes it sees it at once");
        service.pass(GONE_AFTER).await;
        let answer = get(&service, "/products/mug").await?;
        ensure!(!hit(&answer) && body(&answer)?["price"] == json!(13.0), "{answer:?}");
        for path in [list, of_all] {
            let answer = get(&service, path).await?;
            ensure!(!hit(&answer) && body(&answer)?["data"][0]["price"] == json!(13.0), "{answer:?}");
        }
        // The product and the lists, twice: it was made, and changed. It came into stock with the first.
        ensure!(paths(&service) == 4, "{} paths", paths(&service));
        service.send(Method::DELETE, "/products/mug", None).await?.expect(204)?;
        service.pass(GONE_AFTER).await;
        ensure!(get(&service, "/products/mug").await?.status() == StatusCode::NOT_FOUND);
        ensure!(body(&get(&service, of_all).await?)?["data"] == json!([]));
        Ok(())
    })
}

#[test]
fn nothing_is_shown_for_more_than_a_minute_where_nobody_says_that_it_changed() -> Result<()> {
    simulate(async {
        let functions = products::SERVICE.functions();
        let service = Service::start_with(&functions, Options::simulated(1), &[WITH_EDGE]).await?;
        product(&service, "mug").await?;
        get(&service, "/products/mug").await?;
        service.send(Method::PATCH, "/products/mug", Some(&json!({ "price": 13 }))).await?.expect(200)?;
        service.pass(Duration::from_secs(59)).await;
        let answer = get(&service, "/products/mug").await?;
        ensure!(hit(&answer) && header(&answer, "age") == "59", "{answer:?}");
        service.pass(Duration::from_secs(1)).await;
        let answer = get(&service, "/products/mug").await?;
        ensure!(!hit(&answer) && body(&answer)?["price"] == json!(13.0), "{answer:?}");
        // What has not changed is asked for by its tag, and shown for another minute.
        service.pass(Duration::from_secs(61)).await;
        let answer = get(&service, "/products/mug").await?;
        ensure!(header(&answer, "x-cache").starts_with("RefreshHit"), "{answer:?}");
        ensure!(answer.status() == StatusCode::OK && body(&answer)?["price"] == json!(13.0), "{answer:?}");
        service.pass(Duration::from_secs(59)).await;
        ensure!(hit(&get(&service, "/products/mug").await?));
        Ok(())
    })
}

#[test]
fn what_sells_out_and_comes_back_is_forgotten() -> Result<()> {
    simulate(async {
        let service = shop().await?;
        product(&service, "mug").await?;
        for stock in [0, 7] {
            get(&service, "/products/mug").await?;
            let body = json!({ "stock": stock });
            service.send(Method::PATCH, "/products/mug/stock", Some(&body)).await?.expect(200)?;
            service.pass(GONE_AFTER).await;
            let answer = get(&service, "/products/mug").await?;
            ensure!(self::body(&answer)?["stock"] == json!(stock), "{answer:?}");
        }
        Ok(())
    })
}

#[test]
fn nobody_is_answered_by_what_somebody_else_has_sent() -> Result<()> {
    simulate(async {
        let service = shop().await?;
        product(&service, "mug").await?;
        let plain = get(&service, "/products/mug").await?;
        let administrator = service.send(Method::GET, "/products/mug", None).await?.expect(200)?;
        ensure!(administrator.header("cache-control")? == "private, no-cache", "{administrator:?}");
        for (name, value) in [
            ("cookie", "a=1"),
            ("cache-control", "no-cache, no-store"),
            ("pragma", "no-cache"),
            ("accept-language", "de"),
            ("accept", "text/csv"),
            ("if-match", "\"v99\""),
            ("if-none-match", "\"v99\""),
            ("range", "bytes=0-3"),
            ("x-forwarded-host", "evil.example"),
            ("x-http-method-override", "DELETE"),
            ("x-origin-secret", "guess"),
            ("user-agent", "<script>"),
        ] {
            let answer = ask(&service, Method::GET, "/products/mug", &[(name, value)]).await?;
            ensure!(hit(&answer) && answer.body() == plain.body(), "{name}: {answer:?}");
        }
        // Another origin and another token are other answers; neither is in the way of the first.
        let token = format!("Bearer {}", service.token("usr_01jd8zz4h6k9m3n5p7q2r4s6t8")?);
        for headers in [[("authorization", token.as_str())], [("authorization", "Bearer none")]] {
            for _ in 0..2 {
                let answer = ask(&service, Method::GET, "/products/mug", &headers).await?;
                ensure!(!hit(&answer), "{answer:?}");
            }
        }
        let answer =
            ask(&service, Method::GET, "/products/mug", &[("origin", "https://evil.example")]).await?;
        ensure!(!hit(&answer) && answer.body() == plain.body(), "{answer:?}");
        let head = ask(&service, Method::HEAD, "/products/mug", &[]).await?;
        ensure!(hit(&head) && head.body().is_empty() && header(&head, "etag") == header(&plain, "etag"));
        let tag = header(&plain, "etag").to_owned();
        let known = ask(&service, Method::GET, "/products/mug", &[("if-none-match", &tag)]).await?;
        ensure!(known.status() == StatusCode::NOT_MODIFIED && known.body().is_empty(), "{known:?}");
        let again = get(&service, "/products/mug").await?;
        ensure!(hit(&again) && again.status() == StatusCode::OK && again.body() == plain.body());
        Ok(())
    })
}

#[test]
fn a_query_is_one_in_whatever_order_and_another_one_is_another() -> Result<()> {
    simulate(async {
        let service = shop().await?;
        product(&service, "mug").await?;
        get(&service, "/products?limit=2&sort=name").await?;
        ensure!(hit(&get(&service, "/products?sort=name&limit=2").await?));
        for other in ["/products?limit=2&sort=price", "/products?limit=3&sort=name", "/products?limit=2"] {
            ensure!(!hit(&get(&service, other).await?), "{other}");
        }
        // More products than CloudFront takes tags are kept by nobody.
        let large = get(&service, "/products?limit=100").await?;
        ensure!(header(&large, "cache-control").starts_with("public"), "it shows one: {large:?}");
        for number in 0..48 {
            let body = json!({ "id": format!("p-{number}"), "name": "Mug", "price": 1, "stock": 1 });
            service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
        }
        service.pass(Duration::from_mins(2)).await;
        for (limit, kept) in [(48, true), (49, false), (100, false)] {
            let path = format!("/products?limit={limit}");
            get(&service, &path).await?;
            ensure!(hit(&get(&service, &path).await?) == kept, "{limit}");
        }
        Ok(())
    })
}

#[test]
fn refusals_are_kept_by_nobody() -> Result<()> {
    simulate(async {
        let service = shop().await?;
        for path in ["/products/mug", "/products?limit=0", "/products?surprise=1", "/productsfoo"] {
            for _ in 0..2 {
                let answer = get(&service, path).await?;
                ensure!(answer.status().is_client_error() && !hit(&answer), "{path}: {answer:?}");
            }
        }
        product(&service, "mug").await?;
        ensure!(get(&service, "/products/mug").await?.status() == StatusCode::OK);
        for _ in 0..2 {
            let stock = get(&service, "/products/mug/stock").await?;
            ensure!(
                stock.status() == StatusCode::UNAUTHORIZED && header(&stock, "x-cache").is_empty(),
                "{stock:?}"
            );
        }
        Ok(())
    })
}

#[test]
fn a_repeated_batch_is_one_invalidation_and_is_paid_for_once() -> Result<()> {
    simulate(async {
        let service = shop().await?;
        let batch = |id: &str, age: i64| {
            let time = Timestamp::from_millis(service.now()?.as_millis() - age).to_string();
            let mut fixture: Value = serde_json::from_str(&std::fs::read_to_string(
                service_tests::workspace().join("events/invalidate-cache.json"),
            )?)?;
            for record in fixture["Records"].as_array_mut().context("records")? {
                let mut body: Value = serde_json::from_str(record["body"].as_str().context("body")?)?;
                body["time"] = json!(time);
                record["body"] = json!(body.to_string().replace("prod-123", id));
            }
            Ok::<_, anyhow::Error>(fixture)
        };
        // What no cache can still show is not forgotten.
        let before = batch("prod-6", 2 * 60_000 + 1)?;
        ensure!(service.invoke("invalidate-cache", &before).await? == json!({ "batchItemFailures": [] }));
        ensure!(paths(&service) == 0);
        let recent = batch("prod-7", 2 * 60_000 - 1000)?;
        for _ in 0..3 {
            ensure!(service.invoke("invalidate-cache", &recent).await? == json!({ "batchItemFailures": [] }));
        }
        let rows = service.items("InvalidationsTable").await?;
        let budget = rows.iter().find(|row| row["id"].as_s().is_ok_and(|id| id.starts_with("budget:")));
        let used = budget.and_then(|row| row.get("paths")?.as_n().ok());
        // One product and the lists.
        ensure!(used.is_some_and(|used| used == "2") && rows.len() == 2, "{rows:?}");
        Ok(())
    })
}

#[test]
fn many_changes_cost_few_paths_and_the_day_has_a_budget() -> Result<()> {
    simulate(async {
        let few = (
            "InvalidationPathsPerDay:\n    Type: Number\n    Default: 200",
            "InvalidationPathsPerDay:\n    Type: Number\n    Default: 3",
        );
        let service =
            Service::start_with(&services::functions(), Options::simulated(1), &[WITH_EDGE, few]).await?;
        for number in 0..200 {
            let body = json!({ "id": format!("p-{number}"), "name": "Mug", "price": 1 });
            service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
        }
        service.pass(GONE_AFTER).await;
        let used = paths(&service);
        ensure!((1..=3).contains(&used), "{used} paths for 200 products");
        // The rest of the budget, and what is beyond it.
        for price in 2..6 {
            get(&service, "/products/p-1").await?;
            service
                .send(Method::PATCH, "/products/p-1", Some(&json!({ "price": price })))
                .await?
                .expect(200)?;
            service.pass(GONE_AFTER).await;
        }
        ensure!(paths(&service) == 3, "{} paths", paths(&service));
        service.pass(Duration::from_mins(1)).await;
        ensure!(body(&get(&service, "/products/p-1").await?)?["price"] == json!(5.0));
        // Another day, another budget.
        service.pass(Duration::from_hours(24)).await;
        get(&service, "/products/p-1").await?;
        service.send(Method::PATCH, "/products/p-1", Some(&json!({ "price": 9 }))).await?.expect(200)?;
        service.pass(GONE_AFTER).await;
        ensure!(body(&get(&service, "/products/p-1").await?)?["price"] == json!(9.0));
        Ok(())
    })
}

#[test]
fn who_counts_by_address_counts_the_client_and_believes_nobody_but_the_edge() -> Result<()> {
    simulate(async {
        let one = (
            "AddressOrderLimit:\n    Type: Number\n    Default: 60",
            "AddressOrderLimit:\n    Type: Number\n    Default: 1",
        );
        let service =
            Service::start_with(&services::functions(), Options::simulated(1), &[WITH_EDGE, one]).await?;
        product(&service, "mug").await?;
        let order = json!({ "items": [{ "product_id": "mug", "quantity": 1 }], "email": "ada@example.com" });
        let place = async |source: &str, headers: &[(&str, &str)]| {
            let mut request = Request::builder().method(Method::POST).uri("/orders");
            for (name, value) in [("content-type", "application/json")].iter().chain(headers) {
                request = request.header(*name, *value);
            }
            let request = request.body(Bytes::from(order.to_string()))?;
            Ok::<_, anyhow::Error>(service.cloud.invoke_http(request, source).await.status())
        };
        ensure!(place("198.51.100.7", &[]).await? == StatusCode::CREATED);
        ensure!(place("198.51.100.7", &[]).await? == StatusCode::TOO_MANY_REQUESTS);
        ensure!(place("198.51.100.8", &[]).await? == StatusCode::CREATED, "all have the edge's address");
        let lie = [("x-viewer-address", "203.0.113.9"), ("x-origin-secret", "guess")];
        ensure!(place("198.51.100.7", &lie).await? == StatusCode::TOO_MANY_REQUESTS);
        Ok(())
    })
}

#[test]
fn the_files_of_pages_are_kept_for_each_coding_and_pages_are_not() -> Result<()> {
    simulate(async {
        let service = shop().await?;
        let page = get(&service, "/").await?;
        let page = String::from_utf8(page.body().to_vec())?;
        let file = page.split('"').find(|part| part.ends_with("/shared/base.css")).context("a file")?;
        let coded = async |path: &str, coding: &str| {
            ask(&service, Method::GET, path, &[("accept-encoding", coding), ("cookie", "__Host-refresh=rt1")])
                .await
        };
        for (coding, expected) in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("identity", "")] {
            let (first, second) = (coded(file, coding).await?, coded(file, coding).await?);
            ensure!(!hit(&first) && hit(&second), "{coding}: {first:?} {second:?}");
            ensure!(header(&second, "content-encoding") == expected, "{coding}: {second:?}");
            ensure!(first.body() == second.body() && header(&second, "cache-control").contains("immutable"));
        }
        // A query makes no other file.
        ensure!(hit(&coded(&format!("{file}?a=1"), "br, gzip").await?));
        service.pass(Duration::from_hours(1)).await;
        ensure!(hit(&coded(file, "gzip").await?));
        let picture = "/pictures/prod-1.svg";
        ensure!(!hit(&coded(picture, "gzip").await?) && hit(&coded(picture, "gzip").await?));
        let none = "/assets/000000000000/shared/base.css";
        for path in ["/", "/cart", none] {
            let (first, second) = (coded(path, "gzip").await?, coded(path, "gzip").await?);
            ensure!(!hit(&first) && !hit(&second), "{path}: {second:?}");
        }
        Ok(())
    })
}

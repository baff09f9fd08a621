//! The catalogue of the products service, request by request.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Answer, Service, simulate};
use shop_local::cloud::Options;

async fn service() -> Result<Service> {
    Service::start(&products::SERVICE.functions(), Options::simulated(1)).await
}

async fn create(service: &Service, body: &Value) -> Result<Answer> {
    service.send(Method::POST, "/products", Some(body)).await
}

fn mug() -> Value {
    json!({"id": "mug", "name": "Mug", "price": 29.99, "stock": 5})
}

#[test]
fn a_product_is_created_read_changed_and_deleted() -> Result<()> {
    simulate(async {
        let service = service().await?;
        let made = create(&service, &mug()).await?.expect(201)?;
        assert_eq!(made.header("location")?, "/products/mug");
        assert!(made.text.contains(r#""price":29.99,"currency":"USD""#), "{}", made.text);
        assert_eq!((made.body["stock"].as_u64(), made.body["version"].as_u64()), (Some(5), Some(1)));

        let read = service.request(Method::GET, "/products/mug", Bytes::new(), &[]).await?.expect(200)?;
        assert_eq!(read.body, made.body);
        assert_eq!(read.header("etag")?, made.header("etag")?);
        assert!(read.header("cache-control")?.starts_with("public"));
        let tag = read.header("etag")?;
        let same = [("if-none-match", tag)];
        service.request(Method::GET, "/products/mug", Bytes::new(), &same).await?.expect(304)?;

        let change = json!({"price": 30, "description": "Blue", "category": null});
        let changed = service.send(Method::PATCH, "/products/mug", Some(&change)).await?.expect(200)?;
        assert_eq!((&changed.body["description"], &changed.body["version"]), (&json!("Blue"), &json!(2)));
        assert_eq!(changed.body["stock"], 5);
        let stale =
            service.send_with(Method::PATCH, "/products/mug", Some(&change), &[("if-match", tag)]).await?;
        assert_eq!(stale.problem(412, "stale_version")?.body["current_version"], 2);

        let stale = service.send_with(Method::DELETE, "/products/mug", None, &[("if-match", tag)]).await?;
        stale.problem(412, "stale_version")?;
        service.send(Method::DELETE, "/products/mug", None).await?.expect(204)?;
        for (method, body) in [(Method::GET, None), (Method::DELETE, None), (Method::PATCH, Some(&change))] {
            service.send(method, "/products/mug", body).await?.problem(404, "not_found")?;
        }
        let stock = json!({"stock": 1});
        service.send(Method::PATCH, "/products/mug/stock", Some(&stock)).await?.problem(404, "not_found")?;
        assert_eq!(create(&service, &mug()).await?.problem(409, "id_taken")?.pointers(), ["/id"]);
        let list = service.send(Method::GET, "/products", None).await?.expect(200)?;
        assert_eq!(list.body, json!({"data": [], "next_cursor": null}));
        Ok(())
    })
}

#[test]
fn the_same_request_again_is_a_replay() -> Result<()> {
    simulate(async {
        let service = service().await?;
        let first = create(&service, &mug()).await?.expect(201)?;
        ensure!(!first.headers.contains_key("idempotent-replayed"));
        let again = create(&service, &mug()).await?.expect(201)?;
        assert_eq!((again.header("idempotent-replayed")?, &again.body), ("true", &first.body));
        let other = json!({"id": "mug", "name": "Another", "price": 1});
        assert_eq!(create(&service, &other).await?.problem(409, "id_taken")?.pointers(), ["/id"]);

        let key = [("idempotency-key", "key-1")];
        let plain = json!({"name": "Plain", "price": 1});
        let first = service.send_with(Method::POST, "/products", Some(&plain), &key).await?.expect(201)?;
        let same = json!({"price": 1.00, "name": "Plain", "stock": 0});
        let again = service.send_with(Method::POST, "/products", Some(&same), &key).await?.expect(201)?;
        assert_eq!((again.header("idempotent-replayed")?, &again.body), ("true", &first.body));
        let other = json!({"name": "Other", "price": 1});
        let reused = service.send_with(Method::POST, "/products", Some(&other), &key).await?;
        reused.problem(422, "idempotency_key_reused")?;
        Ok(())
    })
}

#[test]
fn every_error_is_named() -> Result<()> {
    simulate(async {
        let service = service().await?;
        let wrong = json!({"id": "a/b", "name": "", "price": -1, "stock": 1.5, "colour": "blue"});
        let refused = create(&service, &wrong).await?.problem(422, "invalid_request")?;
        assert_eq!(refused.pointers(), ["/id", "/name", "/price", "/stock", "/colour"]);
        let big = Bytes::from(format!(r#"{{"name": "{}"}}"#, "a".repeat(70_000)));
        let guest = service.request(Method::POST, "/products", big, &[]).await?;
        guest.problem(401, "unauthorized")?;
        for (path, pointer) in
            [("/products?limit=0", "?limit"), ("/products?cursor=abc", "?cursor"), ("/products?x=1", "?x")]
        {
            let refused = service.send(Method::GET, path, None).await?.problem(400, "invalid_query")?;
            assert_eq!(refused.pointers(), [pointer]);
        }
        Ok(())
    })
}

#[test]
fn pages_show_every_product_once_newest_first() -> Result<()> {
    simulate(async {
        const COUNT: usize = 250;
        let service = service().await?;
        for number in 0..COUNT {
            let body = json!({"id": format!("p{number}"), "name": "P", "price": 1, "stock": number});
            create(&service, &body).await?.expect(201)?;
        }
        let (mut seen, mut times) = (BTreeSet::new(), Vec::new());
        let mut next = "/products?limit=37".to_owned();
        loop {
            let page = service.request(Method::GET, &next, Bytes::new(), &[]).await?.expect(200)?;
            let data = page.body["data"].as_array().context("data")?;
            ensure!(!data.is_empty(), "an empty page");
            for product in data {
                let id = product["id"].as_str().context("id")?;
                ensure!(seen.insert(id.to_owned()), "{id} twice");
                assert_eq!(format!("p{}", product["stock"]), id);
                times.push(product["created_at"].to_string());
            }
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            assert!(page.header("link")?.contains(cursor));
            next = format!("/products?limit=37&cursor={cursor}");
        }
        assert_eq!(seen.len(), COUNT);
        assert!(times.is_sorted_by(|a, b| a >= b));
        let calls = service.cloud.meter();
        let scans = calls.sum(|entry| entry.operation == "dynamodb:Scan");
        assert_eq!(scans.calls, 0);
        Ok(())
    })
}

#[test]
fn of_many_changes_to_one_version_one_wins() -> Result<()> {
    simulate(async {
        let service = service().await?;
        let tag = create(&service, &mug()).await?.expect(201)?.header("etag")?.to_owned();
        let change = json!({"name": "New"});
        let first = [("if-match", tag.as_str())];
        let changes =
            (0..10).map(|_| service.send_with(Method::PATCH, "/products/mug", Some(&change), &first));
        let answers = futures::future::try_join_all(changes).await?;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        assert_eq!(answers.iter().filter(|answer| answer.status == 412).count(), 9);

        // Without a precondition all of them are made, one after the other.
        let changes = (0..5).map(|_| service.send(Method::PATCH, "/products/mug", Some(&change)));
        let answers = futures::future::try_join_all(changes).await?;
        let versions: BTreeSet<_> =
            answers.iter().filter_map(|answer| answer.body["version"].as_u64()).collect();
        assert_eq!(versions, (3..=7).collect());
        Ok(())
    })
}

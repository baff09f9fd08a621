//! Search over the embedded cloud: what the catalogue says is found within seconds, whatever fails on the way, whoever
//! else writes, and however often the index is rebuilt.

mod asking;
mod rebuilding;
mod writing;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::json;
use service_tests::{Answer, Service};
use shop_lambda::Function;
use shop_local::cloud::Options;

/// What an answer may be old by: a batch's window, the write, and how long a reader believes what it saw.
const FOUND_AFTER: Duration = Duration::from_secs(10);

fn functions() -> Vec<Function> {
    [products::SERVICE.functions(), search::SERVICE.functions()].concat()
}

async fn shop(options: Options) -> Result<Service> {
    Service::start(&functions(), options).await
}

async fn create(service: &Service, id: &str, name: &str, price: f64, stock: u64) -> Result<()> {
    let body = json!({ "id": id, "name": name, "price": price, "stock": stock, "category": "kitchen" });
    service.send(Method::POST, "/products", Some(&body)).await?.expect(201).map(drop)
}

async fn search(service: &Service, query: &str) -> Result<Answer> {
    service.request(Method::GET, &format!("/search?{query}"), Bytes::new(), &[]).await?.expect(200)
}

fn ids(answer: &Answer) -> Vec<&str> {
    answer.body["data"].as_array().into_iter().flatten().filter_map(|hit| hit["id"].as_str()).collect()
}

/// What is shown of a product: version, price and whether there is any.
type Shown = BTreeMap<String, (u64, String, bool)>;

/// All that is found by a word which every name has, page by page.
async fn indexed(service: &Service) -> Result<Shown> {
    let (mut all, mut path) = (BTreeMap::new(), "q=mug&limit=7".to_owned());
    loop {
        let page = search(service, &path).await?;
        for hit in page.body["data"].as_array().context("a list")? {
            let id = hit["id"].as_str().context("an id")?.to_owned();
            let flag = hit["in_stock"].as_bool().context("a flag")?;
            let shown = (hit["version"].as_u64().context("a version")?, hit["price"].to_string(), flag);
            ensure!(all.insert(id, shown).is_none(), "it is shown twice: {hit}");
        }
        let Some(cursor) = page.body["next_cursor"].as_str() else { return Ok(all) };
        path = format!("q=mug&limit=7&cursor={cursor}");
    }
}

async fn catalogue(service: &Service) -> Result<Shown> {
    let (mut all, mut path) = (BTreeMap::new(), "/products?limit=100".to_owned());
    loop {
        let page = service.send(Method::GET, &path, None).await?.expect(200)?;
        for product in page.body["data"].as_array().context("a list")? {
            let version = product["version"].as_u64().context("a version")?;
            let flag = product["stock"].as_u64().is_some_and(|stock| stock > 0);
            let id = product["id"].as_str().context("an id")?.to_owned();
            all.insert(id, (version, product["price"].to_string(), flag));
        }
        let Some(cursor) = page.body["next_cursor"].as_str() else { return Ok(all) };
        path = format!("/products?limit=100&cursor={cursor}");
    }
}

/// When all is done, the index is the catalogue, and no message was given up.
async fn agrees(service: &Service) -> Result<()> {
    service.cloud.settled().await;
    service.pass(FOUND_AFTER).await;
    let (indexed, catalogue) = (indexed(service).await?, catalogue(service).await?);
    ensure!(indexed == catalogue, "{indexed:?} is not {catalogue:?}");
    let dead = service.depth("IndexProductsDeadLetterQueue");
    ensure!(dead == 0, "{dead} messages were given up");
    Ok(())
}

/// What a shop does with some products.
async fn trade(service: &Service) -> Result<()> {
    for number in 0..6 {
        create(service, &format!("p-{number}"), &format!("Mug {number}"), 1.5, number).await?;
    }
    service.pass(Duration::from_secs(5)).await;
    for number in 0..4 {
        let path = format!("/products/p-{number}");
        service.send(Method::PATCH, &path, Some(&json!({ "price": 2.5 }))).await?.expect(200)?;
    }
    service.send(Method::PATCH, "/products/p-5/stock", Some(&json!({ "stock": 0 }))).await?.expect(200)?;
    service.send(Method::PATCH, "/products/p-0/stock", Some(&json!({ "stock": 3 }))).await?.expect(200)?;
    service.send(Method::DELETE, "/products/p-1", None).await?.expect(204)?;
    Ok(())
}

//! What an order costs in AWS calls and capacity units, as the embedded cloud's meter counts them.
//!
//! Exact: the same figures on every machine.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use shop_local::cloud::{Call, Cloud, Meter, Observer, Options, Outcome, Service};
use shop_local::demo;
use shop_local::gateway::{Backend, DemoIdentity, TokenSettings};
use shop_local::template::Template;

use crate::report::{Report, Target};

const PRODUCT: &str = "bench";
/// Placed one after another, to see what each costs.
const ORDERS: u64 = 20;
/// Placed at once, to see how many share a write.
const BATCH: u64 = 50;
const READS: [&str; 4] =
    ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:TransactGetItems"];

/// Adds the counted figures.
pub(crate) async fn measure(root: &Path, report: &mut Report) -> Result<()> {
    one_order(root, report).await?;
    one_batch(root, report).await
}

async fn one_order(root: &Path, report: &mut Report) -> Result<()> {
    let calls = Arc::new(Calls::default());
    let mut options = Options::memory();
    options.observers.push(Arc::<Calls>::clone(&calls));
    let stack = Stack::start(root, &BTreeMap::new(), options).await?;
    // The first order starts the function, which reads the signing keys.
    stack.customers_order(0).await?;
    let (before, read_before, written_before) = (stack.cloud.meter(), calls.reads(), calls.writes());
    for customer in 1..=ORDERS {
        stack.customers_order(customer).await?;
    }
    let after = stack.cloud.meter();
    let units = |is_index: bool| {
        let sum = |meter: &Meter| {
            let is_counted = |resource: &str| resource.contains("/index/") == is_index;
            meter.sum(|entry| entry.caller == "create-order" && is_counted(&entry.resource)).units.writes
        };
        sum(&after) - sum(&before)
    };
    let per_order = |count: u64| count.div_ceil(ORDERS);
    let (reads, writes) = (calls.reads() - read_before, calls.writes() - written_before);
    report.add("POST /orders: read calls", "calls", per_order(reads), Target::Exactly(1));
    report.add("POST /orders: write calls", "calls", per_order(writes), Target::Exactly(1));
    report.add("POST /orders: write units of the table", "WRU", per_order(units(false)), Target::Exactly(1));
    report.add("POST /orders: write units of the indexes", "WRU", per_order(units(true)), Target::None);
    stack.cloud.stop().await;
    Ok(())
}

/// Counts the calls of create-order, each once, however many tables it names.
#[derive(Debug, Default)]
struct Calls {
    reads: AtomicU64,
    writes: AtomicU64,
}

impl Calls {
    fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }
}

impl Observer for Calls {
    fn called(&self, _time: i64, call: &Call, _outcome: &Outcome<'_>) {
        if &*call.caller == "create-order" {
            let is_read = READS.iter().any(|read| read.ends_with(&format!(":{}", call.operation)));
            let count = if is_read { &self.reads } else { &self.writes };
            count.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn one_batch(root: &Path, report: &mut Report) -> Result<()> {
    // A window of a second gathers all orders in one batch.
    let parameters = [("ReserveStockBatchSize", "100"), ("ReserveStockBatchWindow", "1")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let updates = Arc::new(StockWrites::default());
    let mut options = Options::memory();
    options.observers.push(Arc::<StockWrites>::clone(&updates));
    let stack = Stack::start(root, &parameters, options).await?;
    try_join_all((0..BATCH).map(|_| stack.order())).await?;
    stack.cloud.settled().await;
    let (orders, writes, batches) = updates.read();
    ensure!(orders == BATCH, "{orders} of {BATCH} orders were reserved");
    let name = format!("{BATCH} orders: writes to the stock item, a batch");
    report.add(name, "writes", writes.div_ceil(batches.max(1)), Target::Exactly(1));
    report.add(format!("{BATCH} orders: batches"), "batches", batches, Target::None);
    stack.cloud.stop().await;
    Ok(())
}

/// Counts the reservations and the stock updates of reserve-stock.
#[derive(Debug, Default)]
struct StockWrites {
    reservations: AtomicU64,
    updates: AtomicU64,
    transactions: AtomicU64,
}

impl StockWrites {
    fn read(&self) -> (u64, u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        (read(&self.reservations), read(&self.updates), read(&self.transactions))
    }
}

impl Observer for StockWrites {
    fn called(&self, _time: i64, call: &Call, outcome: &Outcome<'_>) {
        let is_write = call.service == Service::DynamoDb && call.operation == "TransactWriteItems";
        if &*call.caller != "reserve-stock" || !is_write || outcome.error.is_some() {
            return;
        }
        let count =
            |action: &str| call.accesses.iter().map(|access| u64::from(access.action == action)).sum::<u64>();
        self.reservations.fetch_add(count("dynamodb:PutItem"), Ordering::SeqCst);
        self.updates.fetch_add(count("dynamodb:UpdateItem"), Ordering::SeqCst);
        self.transactions.fetch_add(1, Ordering::SeqCst);
    }
}

/// The whole stack in this process, with one product.
pub(crate) struct Stack {
    pub(crate) cloud: Cloud,
    identity: DemoIdentity,
}

impl Stack {
    pub(crate) async fn start(
        root: &Path,
        parameters: &BTreeMap<String, String>,
        options: Options,
    ) -> Result<Self> {
        Self::start_without(root, parameters, options, &[]).await
    }

    /// The same without some functions: what is sent to them stays where it is.
    pub(crate) async fn start_without(
        root: &Path,
        parameters: &BTreeMap<String, String>,
        options: Options,
        absent: &[&str],
    ) -> Result<Self> {
        // Nothing waits for sales to fill a batch, unless that is what is measured.
        let mut all = BTreeMap::from([("RecordSaleBatchSize", "10"), ("RecordSaleBatchWindow", "0")])
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect::<BTreeMap<_, _>>();
        all.extend(parameters.clone());
        let mut template = Template::load(&root.join("template.yaml"), &all)?;
        template.functions.retain(|_, function| !absent.contains(&function.name.as_str()));
        let mut functions = services::functions();
        functions.retain(|function| !absent.contains(&function.name()));
        let cloud = Cloud::start(&template, &functions, options).await?;
        let tokens = TokenSettings::from_template(&template).context("the template has no TokenSecret")?;
        let identity = DemoIdentity::start(&cloud.sdk_config("bench"), &tokens).await?;
        demo::make_administrator(&cloud, &identity).await?;
        let stack = Self { cloud, identity };
        stack
            .post("/products", &json!({ "id": PRODUCT, "name": PRODUCT, "price": 10, "stock": 1000 }))
            .await?;
        Ok(stack)
    }

    /// What the demo mode of `cargo run` begins with.
    pub(crate) async fn seed(&self) -> Result<()> {
        demo::seed(&self.cloud, &self.identity).await?;
        Ok(())
    }

    pub(crate) async fn order(&self) -> Result<()> {
        self.place().await.map(drop)
    }

    /// An order of the demo's administrator; its id.
    pub(crate) async fn place(&self) -> Result<String> {
        let order = json!({ "items": [{ "product_id": PRODUCT, "quantity": 1 }] });
        let placed = self.post("/orders", &order).await?;
        Ok(placed["id"].as_str().context("an id")?.to_owned())
    }

    /// A change by the demo's administrator.
    pub(crate) async fn change(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::PATCH, path, body, StatusCode::OK).await
    }

    /// An order of somebody who has not been here before: a guest at an address of their own.
    async fn customers_order(&self, customer: u64) -> Result<()> {
        let address = Ipv4Addr::from_bits(0xC633_6400 | u32::try_from(customer)?);
        let body = json!({ "items": [{ "product_id": PRODUCT, "quantity": 1 }] }).to_string();
        let request = Request::post("/orders").header("content-type", "application/json");
        let answer = self.cloud.call(request.body(Bytes::from(body))?, IpAddr::V4(address)).await?;
        ensure!(answer.status() == StatusCode::CREATED, "POST /orders: {}", answer.status());
        Ok(())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, body, StatusCode::CREATED).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        expected: StatusCode,
    ) -> Result<Value> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("authorization", self.identity.authorization().await?.context("a demo administrator")?)
            .body(Bytes::from(body.to_string()))?;
        let answer = self.cloud.call(request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
        let text = String::from_utf8_lossy(answer.body());
        ensure!(answer.status() == expected, "{path}: {} {text}", answer.status());
        Ok(serde_json::from_str(&text)?)
    }
}

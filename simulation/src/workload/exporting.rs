//! Exports amid changes, and what must stand in their files.

use http::Method;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use super::client::{Client, Request, ask};
use super::plan::{Action, Operation, Plan, Shopper};
use crate::violation::Violation;

/// One of so many runs has an export.
const ONE_IN: u64 = 4;
/// Tells this use of the seed from others: what else a run draws is the same with and without exports.
const SALT: u64 = 0x5eed_0300;

/// An export that was acknowledged, and what its file holds.
#[derive(Clone, Debug)]
pub(crate) struct Exported {
    pub(crate) id: String,
    is_csv: bool,
    /// When it was asked for and when it was done, in milliseconds; nothing until it is read.
    pub(crate) within: Option<(i64, i64)>,
    /// The products of its file, in its order.
    pub(crate) products: Vec<String>,
}

/// Adds an export to a run that has one, behind everything else.
pub(super) fn add(seed: u64, plan: &mut Plan) {
    if seed % ONE_IN != 3 {
        return;
    }
    let random = &mut StdRng::seed_from_u64(seed ^ SALT);
    let (at, is_csv) = (random.random_range(0..plan.open_for), random.random_ratio(1, 2));
    let action = Action::Export { is_csv };
    plan.operations.push(Operation { at, who: Shopper::Administrator, action });
}

/// Asks for an export.
pub(super) async fn act(client: &Client, is_csv: bool) {
    let body = json!({ "format": if is_csv { "csv" } else { "jsonl" } });
    let made = Request::new(Shopper::Administrator, Method::POST, "/exports").body(&body);
    let made = client.persist(&made).await;
    if let Some(id) = made.body["id"].as_str() {
        let exported = Exported { id: id.to_owned(), is_csv, within: None, products: Vec::new() };
        client.history().exports.push(exported);
    }
}

/// When all is quiet: reads the files.
pub(super) async fn read_all(client: &Client) {
    let mut exports = client.history().exports.clone();
    for export in &mut exports {
        if let Err(wrong) = read(client, export).await {
            client.report_violation(Violation::new("an-export-has-each-product-once", wrong));
        }
    }
    client.history().exports = exports;
}

async fn read(client: &Client, export: &mut Exported) -> Result<(), String> {
    let shown = ask(client, &format!("/exports/{}", export.id)).await;
    let (Some("done"), Some(url)) = (shown["status"].as_str(), shown["download"]["url"].as_str()) else {
        return Err(format!("it is never done: {shown}"));
    };
    let file = client.download(url).await.ok_or_else(|| format!("no file: {shown}"))?;
    export.products = if export.is_csv { ids_of_csv(&file) } else { ids_of_lines(&file) }
        .ok_or_else(|| format!("{} has something else than products", export.id))?;
    if shown["products"] != export.products.len() {
        return Err(format!("{} products are in the file: {shown}", export.products.len()));
    }
    let time = |name: &str| Some(shown[name].as_str()?.parse::<shop_types::Timestamp>().ok()?.as_millis());
    export.within = time("created_at").zip(time("updated_at"));
    Ok(())
}

fn ids_of_csv(file: &[u8]) -> Option<Vec<String>> {
    let mut reader = csv::Reader::from_reader(file);
    reader.records().map(|record| Some(record.ok()?.get(0)?.to_owned())).collect()
}

fn ids_of_lines(file: &[u8]) -> Option<Vec<String>> {
    let lines = file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| Some(serde_json::from_slice::<Value>(line).ok()?["id"].as_str()?.to_owned())).collect()
}

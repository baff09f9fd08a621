//! The index of the catalogue: what is found is what is for sale.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;
use shop_events::Event;
use shop_local::cloud::Call;
use shop_local::template::Template;

use super::products::changed_product;
use super::{Invariants, SKEW, Service, Services};
use crate::violation::Violation;
use crate::workload::History;

pub(super) const INVARIANTS: Invariants = Invariants::Are(&[(
    "the-index-is-the-catalogue",
    "when all is quiet, a search finds each product that is for sale once, at its version and price and with whether there is any, and nothing else; after events were lost, once the index was rebuilt",
)]);

/// The consumer that this model tells whether it is done.
const CONSUMER: &str = "index-products";

#[derive(Debug)]
pub(crate) struct Model {
    products: String,
    /// When the consumer last read a product, by its id.
    read: BTreeMap<String, i64>,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        let products = template.tables.get("ProductsTable").context("ProductsTable")?.name.clone();
        Ok(Self { products, read: BTreeMap::new() })
    }
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "search"
    }

    fn rebuild(&self) -> Option<&'static str> {
        Some("rebuild-search")
    }

    fn called(&mut self, time: i64, call: &Call, is_done: bool) {
        if !is_done || *call.caller != *CONSUMER || call.operation != "BatchGetItem" {
            return;
        }
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let keys = body["RequestItems"][&self.products]["Keys"].as_array();
        let ids = keys.into_iter().flatten().filter_map(|key| key["pk"]["S"].as_str());
        self.read.extend(ids.map(|id| (id.to_owned(), time)));
    }

    /// A consumer that has not looked at a product since cannot be done with what has happened to it.
    fn is_done(&self, consumer: &str, event: &Event) -> bool {
        let Some(product) = changed_product(event) else { return false };
        let read = self.read.get(product.as_str());
        consumer == CONSUMER && read.is_some_and(|at| *at >= event.time().as_millis() - SKEW)
    }

    fn finish(&self, all: &Services, history: &History) -> Vec<Violation> {
        let expected = all.products.for_sale();
        let Some(found) = &history.found else {
            return vec![Violation::new("the-index-is-the-catalogue", "nothing could be searched")];
        };
        let differs = expected.iter().filter(|(id, shown)| found.get(*id) != Some(shown));
        let wrong =
            differs.map(|(id, shown)| format!("{id} is {shown:?}, and is found as {:?}", found.get(id)));
        let extra = found.iter().filter(|(id, _)| !expected.contains_key(*id));
        let extra = extra.map(|(id, shown)| format!("{id} is not for sale, and is found as {shown:?}"));
        wrong.chain(extra).map(|seen| Violation::new("the-index-is-the-catalogue", seen)).collect()
    }
}

//! Alerts: the rows, the mails, and what the stock says there must be.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use shop_events::{Event, EventData};
use shop_local::template::Template;
use shop_types::AlertId;

use super::record::{Item, text};
use super::{Images, Invariants, Record, Service, Services, read};
use crate::violation::Violation;
use crate::workload::History;

pub(super) const INVARIANTS: Invariants = Invariants::Are(&[
    (
        "an-alert-moves-legally",
        "what raised an alert, and what ended it, is written once each, in any order; it is closed once it has ended, and listed once it was raised",
    ),
    ("no-alert-is-made-up", "there is no alert of what was never low or sold out"),
    (
        "alerts-and-stock-agree",
        "unless events were lost, everything that was low or sold out has its one alert, which is closed if that is over",
    ),
    ("an-alert-is-mailed", "an alert that was not over by then was published for those who are told by mail"),
]);

#[derive(Debug)]
pub(crate) struct Model {
    table: String,
    topic: String,
    alerts: BTreeMap<String, Item>,
    /// The alerts of which a mail was published.
    mailed: BTreeSet<String>,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        Ok(Self {
            table: template.tables.get("AlertsTable").context("AlertsTable")?.name.clone(),
            topic: template.topics.get("AlertsTopic").context("AlertsTopic")?.name.clone(),
            alerts: BTreeMap::new(),
            mailed: BTreeSet::new(),
        })
    }

    fn has(&self, kind: &str, product: &str, since: u64, half: &str) -> bool {
        let id = AlertId::derived(kind, product, since);
        self.alerts.get(id.as_str()).is_some_and(|alert| alert.contains_key(half))
    }

    /// Whether it was raised, and whoever is to be told was told, unless it was over by then.
    fn is_raised(&self, kind: &str, product: &str, since: u64) -> bool {
        let id = AlertId::derived(kind, product, since);
        let is_told = self.alerts.get(id.as_str()).is_some_and(is_told);
        self.has(kind, product, since, "raised") && is_told
    }
}

fn is_told(alert: &Item) -> bool {
    alert.contains_key("announced_at") || alert.contains_key("resolved")
}

/// What is wrong with a write of an alert.
fn wrong(old: Option<&Item>, new: &Item) -> Option<&'static str> {
    for half in ["raised", "resolved", "announced_at"] {
        if let Some(before) = old.and_then(|old| old.get(half))
            && new.get(half) != Some(before)
        {
            return Some("what was written once was written again");
        }
    }
    let status = if new.contains_key("resolved") { "closed" } else { "open" };
    if text(new, "status") != status {
        return Some("its status says something else");
    }
    if new.contains_key("listed") != new.contains_key("raised") {
        return Some("it is listed, and was not raised, or the other way round");
    }
    if new.contains_key("announced_at") && !new.contains_key("raised") {
        return Some("it was announced, and not raised");
    }
    None
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "notifications"
    }

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn wrote(&mut self, record: &Record<'_>) -> Result<Vec<Violation>, Violation> {
        let new: Item = read(&record.new)?;
        let old = self.alerts.insert(text(&new, "id").to_owned(), new.clone());
        let wrong = wrong(old.as_ref(), &new);
        let seen = wrong.map(|wrong| format!("{}, {wrong}: {old:?} became {new:?}", record.caller));
        Ok(seen.map(|seen| Violation::new("an-alert-moves-legally", seen)).into_iter().collect())
    }

    fn told(&mut self, topic: &str, message: &str) {
        if topic != self.topic {
            return;
        }
        let id = message.split("Alert ").nth(1).and_then(|rest| rest.split(';').next());
        self.mailed.extend(id.map(str::to_owned));
    }

    fn events(&self, images: &Images) -> Vec<Value> {
        let Images { old, new, .. } = images;
        let is_new = |half| new.contains_key(half) && !old.as_ref().is_some_and(|old| old.contains_key(half));
        let id = text(new, "id");
        let event = |kind: &str, version, half: &str, mut data: Value| {
            for (name, attribute) in [("alert_id", "id"), ("kind", "kind"), ("product_id", "product_id")] {
                data[name] = new[attribute].clone();
            }
            let mut event = images.event(kind, id, version, "updated_at", &data);
            // Each half says for itself what caused it.
            let names =
                [("correlationid", "correlation_id"), ("causationid", "causation_id"), ("actor", "actor")];
            for (name, attribute) in names {
                if let Some(value) = new[half].get(attribute) {
                    event[name] = value.clone();
                }
            }
            event
        };
        let raised = is_new("raised").then(|| {
            let mut data =
                json!({ "raised_at": new["raised"]["at"], "available": new["raised"]["available"] });
            if let Some(threshold) = new["raised"].get("low_stock_threshold") {
                data["low_stock_threshold"] = threshold.clone();
            }
            event("alert.raised", 1, "raised", data)
        });
        let both = new.contains_key("raised") && new.contains_key("resolved");
        let resolved = (both && (is_new("raised") || is_new("resolved")))
            .then(|| event("alert.resolved", 2, "resolved", json!({ "resolved_at": new["resolved"]["at"] })));
        raised.into_iter().chain(resolved).collect()
    }

    fn is_done(&self, consumer: &str, event: &Event) -> bool {
        if consumer != "raise-alert" {
            return false;
        }
        let is_ended = |kind, product: &str, since: Option<u64>| {
            since.is_none_or(|since| self.has(kind, product, since, "resolved"))
        };
        match event.data() {
            EventData::InventoryLow(data) => {
                self.is_raised("low_stock", data.product_id.as_str(), event.version())
            }
            EventData::InventorySoldOut(data) => {
                self.is_raised("sold_out", data.product_id.as_str(), event.version())
            }
            EventData::InventoryReplenished(data) => {
                is_ended("low_stock", data.product_id.as_str(), Some(data.low_since))
            }
            EventData::InventoryBackInStock(data) => {
                is_ended("sold_out", data.product_id.as_str(), data.sold_out_since)
            }
            EventData::InventoryClosed(data) => {
                let product = data.product_id.as_str();
                is_ended("low_stock", product, data.low_since)
                    && is_ended("sold_out", product, data.sold_out_since)
            }
            _ => false,
        }
    }

    fn finish(&self, all: &Services, _history: &History) -> Vec<Violation> {
        let crossings = all.products.crossings().all();
        let known: BTreeSet<_> = crossings
            .map(|(crossed, product, since, _)| AlertId::derived(crossed.alert(), product.as_str(), since))
            .collect();
        let is_known = |id: &String| id.parse().is_ok_and(|id: AlertId| known.contains(&id));
        let made_up = self.alerts.iter().filter(|(id, _)| !is_known(id));
        let made_up = made_up.map(|(_, alert)| Violation::new("no-alert-is-made-up", format!("{alert:?}")));
        let untold = self.alerts.iter().filter(|(id, alert)| {
            let is_announced = alert.contains_key("announced_at");
            is_announced && !self.mailed.contains(*id) || alert.contains_key("raised") && !is_told(alert)
        });
        let untold = untold.map(|(_, alert)| Violation::new("an-alert-is-mailed", format!("{alert:?}")));
        made_up.chain(untold).collect()
    }

    fn finish_whole(&self, all: &Services) -> Vec<Violation> {
        let wrong = all.products.crossings().all().filter(|(crossed, product, since, is_over)| {
            let has = |half| self.has(crossed.alert(), product.as_str(), *since, half);
            !has("raised") || has("resolved") != *is_over
        });
        wrong.map(|wrong| Violation::new("alerts-and-stock-agree", format!("{wrong:?}"))).collect()
    }
}

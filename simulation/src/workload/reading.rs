//! Reads, held against what is written: a thing that is asked for by its id is as the tables have it, and a list that
//! is walked page by page shows each thing once and forgets none.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Method;
use serde_json::Value;
use shop_http::SHARED_CACHE;

use super::client::{Client, Request};
use super::plan::Shopper;
use crate::model::Inner;
use crate::violation::Violation;

/// How many things a page of a walk has: few, so that there are several.
const LIMIT: usize = 3;
/// More pages than any list of a run has.
const MOST_PAGES: usize = 500;
/// How old an order is, in milliseconds, that every index shows: one may be a minute behind, and a clock some seconds.
const SHOWN_AFTER: i64 = 70_000;

/// Something that is read by its id.
#[derive(Clone, Debug)]
pub(super) enum Thing {
    Order(String),
    Product(String),
    Account(String),
}

impl Thing {
    /// Its version as it is written at this moment; none where it is not there.
    pub(super) fn version(&self, model: &Inner) -> Option<u64> {
        let services = &model.services;
        match self {
            Self::Order(id) => services.orders.orders.get(&id.parse().ok()?).map(|order| order.version),
            Self::Product(id) => services.products.version(id),
            Self::Account(id) => {
                let account = services.users.account(&id.parse().ok()?)?;
                account.profile.as_ref().map(|_| account.version)
            }
        }
    }

    /// The same of what a stranger is shown, who asked at a time: it may have been kept.
    pub(super) fn judge_kept(
        &self,
        model: &Inner,
        asked_at: i64,
        answer: (u16, &Value),
    ) -> Option<Violation> {
        let Self::Product(id) = self else { return None };
        let services = &model.services;
        services.cache.judge((id, services.products.versions(id)?), asked_at, answer)
    }

    /// What an answer shows that it must not: no version before the one that was written when it was asked for, none
    /// that is still to come, and not that it is gone.
    pub(super) fn judge(
        &self,
        (before, after): (Option<u64>, Option<u64>),
        (status, body): (u16, &Value),
    ) -> Option<Violation> {
        let is_wrong = match status {
            200 => {
                let shown = body["version"].as_u64();
                shown.is_none() || shown < before || shown > after
            }
            404 => before.is_some() && after.is_some(),
            _ => false,
        };
        let seen = || format!("{self:?} at version {before:?} to {after:?} was answered {status} {body}");
        is_wrong.then(|| Violation::new("a-read-shows-what-is-written", seen()))
    }
}

/// All that a list shows, page by page, to whoever has this token, or to a stranger; none where a page could not be had.
pub(super) async fn walk(client: &Client, list: &str, token: Option<&str>) -> Option<Vec<Value>> {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let report = |seen: String| client.report_violation(Violation::new("a-list-shows-each-thing-once", seen));
    let (mut shown, mut ids) = (Vec::new(), BTreeSet::new());
    let mut cursor: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let and = if list.contains('?') { '&' } else { '?' };
        let after = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let path = format!("{list}{and}limit={LIMIT}{after}");
        let request = Request::new(Shopper::Guest, Method::GET, &path);
        let authorization = authorization.iter().map(|token| ("authorization", token.as_str()));
        let answer = client.persist(&request.headers(authorization)).await;
        if answer.status != 200 {
            return None;
        }
        for thing in answer.body["data"].as_array().into_iter().flatten() {
            if !ids.insert(thing["id"].as_str().map(str::to_owned)) {
                report(format!("{list} has {} twice", thing["id"]));
            }
            shown.push(thing.clone());
        }
        cursor = answer.body["next_cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return Some(shown);
        }
    }
    report(format!("{list} has no end"));
    None
}

/// Walks somebody's own orders while others are placed: what is older than any index is slow must be among them.
pub(super) async fn walk_own_orders(client: &Client, who: Shopper) {
    let (Some(user), Some(token)) = (client.user(who), client.tokens(who).pop()) else { return };
    let then = client.now() - SHOWN_AFTER;
    let old: BTreeSet<String> = {
        let model = client.model().lock();
        let orders = model.services.orders.orders.values();
        let own = orders.filter(|order| order.customer_id.as_ref().is_some_and(|id| id.as_str() == user));
        own.filter(|order| order.placed_at.as_millis() < then).map(|order| order.id.to_string()).collect()
    };
    let Some(shown) = walk(client, "/orders?customer_id=me", Some(&token)).await else { return };
    if let Some(strange) = shown.iter().find(|order| order["customer_id"].as_str() != Some(&user)) {
        let seen = format!("{who:?} saw somebody else's order in a list: {strange}");
        client.report_violation(Violation::new("nobody-sees-anothers-data", seen));
    }
    let shown: BTreeSet<_> = shown.iter().filter_map(|order| order["id"].as_str()).collect();
    for missing in old.iter().filter(|id| !shown.contains(id.as_str())) {
        let seen = format!("{who:?} was not shown the order {missing}, which is older than a minute");
        client.report_violation(Violation::new("a-list-forgets-nothing", seen));
    }
}

/// When all is quiet: every list has exactly what is written, each at its version.
pub(super) async fn walk_all(client: &Client, customers: usize) {
    let own = |number| {
        let who = Shopper::Customer(number);
        Some((client.user(who)?, client.tokens(who).pop()?))
    };
    for (user, token) in (0..customers).filter_map(own) {
        hold(client, "/orders", Some(&token), |model| orders(model, Some(&user))).await;
    }
    let Some(token) = client.token_of_an_administrator() else { return };
    hold(client, "/orders", Some(&token), |model| orders(model, None)).await;
    hold(client, "/products", Some(&token), |model| model.services.products.catalogue()).await;
    hold(client, "/users", Some(&token), |model| model.services.users.directory()).await;
    // What a stranger is shown may be a minute old.
    tokio::time::sleep(SHARED_CACHE + Duration::from_secs(1)).await;
    hold(client, "/products", None, |model| model.services.products.catalogue()).await;
    search_all(client).await;
}

/// Searches for the words that the names of all products begin with.
async fn search_all(client: &Client) {
    let mut found = BTreeMap::new();
    for word in ["ware", "imported"] {
        let Some(shown) = walk(client, &format!("/search?q={word}"), None).await else { return };
        for product in shown {
            let id = product["id"].as_str().unwrap_or_default().to_owned();
            let shown =
                (product["version"].as_u64(), product["price"].clone(), product["in_stock"].as_bool());
            found.insert(id, shown);
        }
    }
    client.history().found = Some(found);
}

/// The orders of somebody, or all, with their versions.
fn orders(model: &Inner, user: Option<&str>) -> BTreeMap<String, u64> {
    let is_meant = |order: &&orders::order::Order| {
        user.is_none_or(|user| order.customer_id.as_ref().is_some_and(|id| id.as_str() == user))
    };
    let orders = model.services.orders.orders.values().filter(is_meant);
    orders.map(|order| (order.id.to_string(), order.version)).collect()
}

async fn hold(
    client: &Client,
    list: &str,
    token: Option<&str>,
    written: impl FnOnce(&Inner) -> BTreeMap<String, u64>,
) {
    let Some(shown) = walk(client, list, token).await else {
        client.report_violation(Violation::new("a-list-forgets-nothing", format!("{list} cannot be had")));
        return;
    };
    let text = |thing: &Value| thing["id"].as_str().map(str::to_owned);
    let shown: BTreeMap<_, _> =
        shown.iter().filter_map(|thing| Some((text(thing)?, thing["version"].as_u64()?))).collect();
    let written = written(&client.model().lock());
    if shown != written {
        let differs = |(id, version): &(&String, &u64)| shown.get(*id) != Some(version);
        let missing: Vec<_> = written.iter().filter(differs).collect();
        let extra: Vec<_> = shown.keys().filter(|id| !written.contains_key(*id)).collect();
        let seen = format!("{list} shows {} things: not {missing:?}, but {extra:?}", shown.len());
        client.report_violation(Violation::new("a-list-forgets-nothing", seen));
    }
}

//! `GET /monitor/stories/{id}`: what has happened to an order, a product or a user, as a graph, and what is still to happen.
//! Administrators only.
//!
//! An order's story also shows the changes of stock that were written with its reservation. Such a change is the
//! product's, and a batch of orders may share one: it is found in the product's story by the moment, and by how many
//! it is shared in the log.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shop_dynamo::StoreError;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Clock, Function, StartError};
use shop_types::{ProductId, Timestamp};

use crate::entry::Entry;
use crate::packing::{HOUR_MS, LOG_BUCKET_MS, STORY_BUCKET_MS, bucket};
use crate::query::Errors;
use crate::store::{KEPT_FOR, Store};
use crate::story::{About, Parts, Shared, Story};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetStory>();

/// Calls for the story itself, and as many for what was tried later; each reads 1 MB at most.
const MAX_CALLS: usize = 8;
/// Events and attempts that are shown: some 600 bytes each, and Lambda answers with 6 MB at most
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MAX_PARTS: usize = 2000;
/// Changes of stock that are looked for, each of them two calls.
const MAX_SHARED: usize = 8;
/// A clock that is ahead by more than this is wrong.
const AHEAD_MS: i64 = 60_000;

pub(crate) struct GetStory {
    store: Store,
    clock: Clock,
}

impl Route for GetStory {
    const NAME: &'static str = "get-story";
    const ENDPOINT: Endpoint = get("/monitor/stories/{id}");
    const ACCESS: Access = Access::Admin;
    const QUERY: &'static [&'static str] = &["to"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let store = Store::start(start.environment(), start.client())?;
        Ok(Self { store, clock: start.environment().clock() })
    }

    fn contract() -> Contract {
        Contract::new("Shows what has happened to an order, a product or a user, and what is still to happen")
            .query("to", json!({ "type": "string", "format": "date-time" }))
            .ok::<Story>("The story, of which a busy product's is the latest part.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        // A product's id may be any word, and so may this.
        let id: ProductId = call.id("story")?;
        let mut errors = Errors::default();
        let to = errors.time(&call, "to");
        errors.into_result()?;
        let now = self.clock.now();
        let newest = Timestamp::from_millis(now.as_millis().saturating_add(AHEAD_MS));
        let to = to.map_or(newest, |to| to.min(newest));
        let (parts, is_complete, back_to) = self.parts(id.as_str(), to, now).await?;
        let shared = match About::of(id.as_str()) {
            About::Order => self.shared(&parts).await?,
            About::User | About::Product => Vec::new(),
        };
        let story = Story::of(id.as_str(), &parts, &shared, (is_complete, back_to), now);
        Reply::ok(&story.ok_or_else(|| Problem::not_found("story"))?)
    }
}

impl GetStory {
    /// The latest part of a story before a time, whether that is all of it, and how far back it goes.
    async fn parts(
        &self,
        id: &str,
        to: Timestamp,
        now: Timestamp,
    ) -> Result<(Parts, bool, Timestamp), StoreError> {
        let kept_for = i64::try_from(KEPT_FOR.as_millis()).unwrap_or(i64::MAX);
        let oldest = Timestamp::from_millis(now.as_millis().saturating_sub(kept_for));
        // What was tried since may be at an event of before.
        let newest = Timestamp::from_millis(now.as_millis().saturating_add(AHEAD_MS));
        let mut parts = Parts::default();
        self.tried_later(id, to, newest, &mut parts).await?;
        let (mut is_complete, mut back_to) = (true, oldest);
        let (mut open, mut after) = (None, None);
        'read: for call in 0.. {
            let found = self.store.story(id, None, to, after).await?;
            for (of, content) in found.items {
                if open.is_some_and(|open| open != of) && parts.len() >= MAX_PARTS {
                    (is_complete, back_to) =
                        (false, Timestamp::from_millis(of.as_millis() + STORY_BUCKET_MS));
                    break 'read;
                }
                open = Some(of);
                let events = content.events.into_iter().filter(|entry| entry.time <= to).collect();
                parts.add(events, content.receipts);
            }
            after = found.next;
            if after.is_none() {
                break;
            }
            if call + 1 >= MAX_CALLS
                && let Some(open) = open
            {
                (is_complete, back_to) = (false, Timestamp::from_millis(open.as_millis() + STORY_BUCKET_MS));
                break;
            }
        }
        parts.within(back_to, to);
        // A bucket is read as a whole, and may be too much for an answer.
        if let Some(from) = parts.latest(MAX_PARTS) {
            (is_complete, back_to) = (false, from);
            parts.within(back_to, to);
        }
        Ok((parts, is_complete, back_to))
    }

    /// What was tried behind a time, of which some is at events of before: the earliest of it.
    async fn tried_later(
        &self,
        id: &str,
        time: Timestamp,
        newest: Timestamp,
        parts: &mut Parts,
    ) -> Result<(), StoreError> {
        let mut after = None;
        if bucket(time, STORY_BUCKET_MS) >= bucket(newest, STORY_BUCKET_MS) {
            return Ok(());
        }
        for _ in 0..MAX_CALLS {
            let found = self.store.story_behind(id, time, newest, after).await?;
            for (_, content) in found.items {
                parts.add(Vec::new(), content.receipts);
            }
            after = found.next;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// The changes of stock that were written with this order's reservation, and how many orders share each.
    async fn shared(&self, parts: &Parts) -> Result<Vec<Shared>, StoreError> {
        let mut shared = Vec::new();
        let mut seen = BTreeSet::new();
        for entry in parts.events() {
            if !["inventory.reserved", "inventory.released"].contains(&entry.event_type()) {
                continue;
            }
            for product in products(entry) {
                if shared.len() >= MAX_SHARED || !seen.insert((entry.time, product.clone())) {
                    continue;
                }
                let found = self.store.story(&product, Some(entry.time), entry.time, None).await?;
                let changes = found.items.into_iter().flat_map(|(_, content)| content.events);
                let mut changes = changes
                    .filter(|change| change.time == entry.time && change.event_type() == "inventory.updated");
                if let Some(change) = changes.next() {
                    let orders = self.orders_at(entry.time, &product).await?.max(1);
                    let beside = entry.id.clone();
                    shared.push(Shared { entry: change, story: product, beside, orders });
                }
            }
        }
        Ok(shared)
    }

    /// How many orders' reservations of a product were written at a moment.
    async fn orders_at(&self, time: Timestamp, product: &String) -> Result<usize, StoreError> {
        let mut orders = BTreeSet::new();
        let mut after = None;
        for _ in 0..MAX_CALLS {
            let found = self.store.log(bucket(time, HOUR_MS), time, after).await?;
            for (of, content) in found.items {
                if of < bucket(time, LOG_BUCKET_MS) {
                    return Ok(orders.len());
                }
                let those = content.events.into_iter();
                let those = those.filter(|entry| entry.time == time && entry.products.contains(product));
                orders.extend(those.map(|entry| entry.subject().to_owned()));
            }
            after = found.next;
            if after.is_none() {
                break;
            }
        }
        Ok(orders.len())
    }
}

/// The products of a reservation.
fn products(entry: &Entry) -> Vec<String> {
    let lines = entry.data.as_ref().and_then(|data| data["lines"].as_array());
    let product = |line: &Value| line["product_id"].as_str().map(str::to_owned);
    lines.into_iter().flatten().filter_map(product).collect()
}

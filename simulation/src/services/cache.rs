//! What is shown from caches: what CloudFront was told to forget, and how old an answer may be.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;
use shop_events::Event;
use shop_http::{CacheTag, SHARED_CACHE};
use shop_local::cloud::{Call, EFFECTIVE_WITHIN, Service as AwsService};
use shop_local::template::Template;

use super::products::{Versions, changed_product};
use super::{Invariants, Service};
use crate::violation::Violation;

pub(super) const INVARIANTS: Invariants = Invariants::Are(&[(
    "no-answer-is-older-than-its-invalidation",
    "what is shown from the edge is what was written when CloudFront was told to forget it, five seconds later at most, or what was written a minute ago; and never what is still to come",
)]);

/// How long a call of the simulated cloud takes to tell who watches, at most, in milliseconds.
const TOLD_WITHIN: i64 = 50;
/// How long an answer is under way at most before it is kept: an API's function has ten seconds, and has to start.
const FETCHED_WITHIN: Duration = Duration::from_secs(15);
/// After this time no cache can show what was before an event, and it is dropped.
const DROPPED_AFTER: i64 = 2 * 60_000;
/// Milliseconds of a day.
const DAY: i64 = 24 * 3_600_000;

#[derive(Debug)]
pub(crate) struct Model {
    /// What CloudFront has taken: when, and which tags, in lower case.
    told: Vec<(i64, BTreeSet<String>)>,
    /// What may have been taken out of the budget: when, and how many paths. A call that failed has used its own.
    paid: Vec<(i64, usize)>,
    /// When something last happened to a message.
    now: i64,
    paths_per_day: usize,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        let function = template.functions.values().find(|function| function.name == "invalidate-cache");
        let variables = &function.context("invalidate-cache")?.environment;
        let budget = variables.get("INVALIDATION_PATHS_PER_DAY").context("INVALIDATION_PATHS_PER_DAY")?;
        Ok(Self { told: Vec::new(), paid: Vec::new(), now: 0, paths_per_day: budget.parse()? })
    }

    /// Something happens to a message.
    pub(super) const fn queued(&mut self, time: i64) {
        self.now = time;
    }

    /// When CloudFront was last told to forget a product's answers, by a call that has been in effect since before
    /// `time`.
    fn forgotten(&self, product: &str, time: i64) -> Option<i64> {
        let effective = time - millis(EFFECTIVE_WITHIN);
        let told = self.told.iter().rev().filter(|(at, _)| *at <= effective);
        told.filter(|(_, tags)| names(tags, product)).map(|(at, _)| *at).next()
    }

    /// What is wrong with an answer about a product that a stranger was given who asked at `asked_at`.
    pub(crate) fn judge(
        &self,
        (product, versions): (&str, &Versions),
        asked_at: i64,
        (status, body): (u16, &Value),
    ) -> Option<Violation> {
        let kept_since = asked_at - millis(SHARED_CACHE) - millis(FETCHED_WITHIN);
        let forgotten = self.forgotten(product, asked_at).map(|told| told - TOLD_WITHIN);
        let since = forgotten.map_or(kept_since, |forgotten| forgotten.max(kept_since));
        let allowed = versions.since(since);
        let is_wrong = match status {
            200 => !allowed.iter().any(|version| version.is_some() && *version == body["version"].as_u64()),
            // What is refused is never kept.
            404 => !versions.since(asked_at).contains(&None),
            _ => false,
        };
        let seen = || {
            format!(
                "{product}, forgotten at {forgotten:?}, may be one of {allowed:?}: {status} {body} at {asked_at}"
            )
        };
        is_wrong.then(|| Violation::new("no-answer-is-older-than-its-invalidation", seen()))
    }
}

fn names(tags: &BTreeSet<String>, product: &str) -> bool {
    tags.contains(&CacheTag::Catalogue.to_string())
        || tags.contains(&format!("product:{}", product.to_ascii_lowercase()))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "cache"
    }

    fn called(&mut self, time: i64, call: &Call, is_done: bool) {
        if &*call.caller != "invalidate-cache" {
            return;
        }
        let body = String::from_utf8_lossy(&call.body);
        if call.operation == "TransactWriteItems" {
            let paths = body.split("\":add_paths\":{\"N\":\"").nth(1).and_then(|rest| rest.split('"').next());
            self.paid.extend(paths.and_then(|paths| Some((time, paths.parse().ok()?))));
        }
        if call.service != AwsService::CloudFront || !is_done {
            return;
        }
        let tags = body.split("<Path>#").skip(1).filter_map(|rest| rest.split('<').next());
        self.told.push((time, tags.map(str::to_ascii_lowercase).collect()));
    }

    fn is_done(&self, consumer: &str, event: &Event) -> bool {
        if consumer != "invalidate-cache" {
            return false;
        }
        let Some(product) = changed_product(event) else { return false };
        let since = event.time().as_millis();
        // The clock of an environment may be some seconds ahead.
        let is_dropped = self.now - since > DROPPED_AFTER - 10_000;
        let today = self.paid.iter().filter(|(at, _)| self.now - at < DAY);
        // Fewer than a call may cost may be left.
        let is_spent = today.map(|(_, paths)| paths).sum::<usize>() + 50 > self.paths_per_day;
        let is_told =
            |(at, tags): &(i64, BTreeSet<String>)| *at >= since - 10_000 && names(tags, product.as_str());
        is_dropped || is_spent || self.told.iter().any(is_told)
    }
}

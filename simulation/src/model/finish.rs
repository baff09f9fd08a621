//! What must hold when all is done: the faults have ended, the dead letters were redriven, nothing is under way.

use std::collections::BTreeMap;

use shop_local::cloud::Depth;

use super::Inner;
use crate::violation::Violation;
use crate::workload::History;

/// How the cloud was left.
pub(crate) struct Left<'a> {
    /// The depth of every queue, by its physical name.
    pub(crate) depths: &'a BTreeMap<String, Depth>,
    /// Whether a stream was down for longer than it keeps its records.
    pub(crate) has_lost_events: bool,
    /// The dead-letter queues of consumers, and how many messages of each can never be handled.
    pub(crate) poison: &'a BTreeMap<String, u64>,
}

/// Everything that does not hold.
pub(crate) fn finish(model: &Inner, history: &History, left: &Left<'_>) -> Vec<Violation> {
    let mut violations = history.violations.clone();
    let services = &model.services;
    violations.extend(services.all().flat_map(|service| service.finish(services, history)));
    violations.extend(messages(model, left));
    if !left.has_lost_events {
        violations.extend(services.all().flat_map(|service| service.finish_whole(services)));
        let lost = model.event_log.unpublished().map(ToString::to_string);
        violations.extend(lost.map(|id| Violation::new("an-event-is-not-lost", id)));
        let astray = model.messages.missing().into_iter();
        violations.extend(astray.map(|seen| Violation::new("a-queue-gets-what-it-asks-for", seen)));
    }
    violations
}

fn messages(model: &Inner, left: &Left<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let nothing = Depth::default();
    for (queue, count) in model.messages.counts() {
        let depth = left.depths.get(queue).unwrap_or(&nothing);
        let there = u64::try_from(depth.visible + depth.in_flight + depth.delayed).unwrap_or(u64::MAX);
        if count.sent != count.deleted + count.dead_lettered + count.expired + there {
            let seen = format!("{queue}: {count:?}, and {there} there");
            violations.push(Violation::new("every-message-is-somewhere", seen));
        }
        if count.expired > 0 {
            let seen = format!("{queue}: {} expired", count.expired);
            violations.push(Violation::new("every-message-is-somewhere", seen));
        }
        if let Some(poison) = left.poison.get(queue)
            && there != *poison
        {
            let seen = format!("{queue} holds {there} messages, {poison} of them poison");
            violations.push(Violation::new("only-poison-stays-behind", seen));
        }
    }
    violations
}

//! Where every message is: sent, handled, dead-lettered or in flight.

use std::collections::{BTreeMap, BTreeSet};

use shop_events::{Event, EventId, EventType};
use shop_local::cloud::{Delivery, Step};
use shop_local::template::Template;

use crate::services::Services;
use crate::violation::Violation;

/// The counts of one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) sent: u64,
    pub(crate) deleted: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) expired: u64,
}

/// The messages of all queues.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    counts: BTreeMap<String, Count>,
    /// The queues that a function consumes, each with the types that it asks for.
    wanted: BTreeMap<String, BTreeSet<EventType>>,
    /// What the messages in these queues say.
    events: BTreeMap<String, Event>,
    /// Messages that a consumer has said to be done with, and the tables showed it.
    done: BTreeSet<String>,
    /// Messages that can never be done.
    poison: BTreeSet<String>,
    /// Who went to which queue.
    arrived: BTreeSet<(String, EventId)>,
    published: BTreeMap<EventId, EventType>,
    /// How many faults there were when a batch was delivered, by its first message.
    delivered: BTreeMap<String, u64>,
    faults: u64,
}

impl Messages {
    pub(crate) fn new(template: &Template) -> Self {
        let mut wanted = BTreeMap::new();
        for subscription in template.topics.values().flat_map(|topic| &topic.subscriptions) {
            let Some(queue) = template.queues.get(&subscription.queue) else { continue };
            let passes = |event_type: &EventType| {
                let text_of = |name: &str| (name == "type").then(|| event_type.as_str());
                subscription.filter.as_ref().is_none_or(|filter| filter.matches(text_of))
            };
            wanted.insert(queue.name.clone(), EventType::ALL.iter().copied().filter(passes).collect());
        }
        Self { wanted, ..Self::default() }
    }

    /// Says that a fault was injected: what fails near it need not be anybody's mistake.
    pub(crate) fn fault(&mut self) {
        self.faults += 1;
    }

    pub(super) fn published(&mut self, message: &str) {
        if let Ok(event) = Event::from_json(message) {
            self.published.insert(event.id().clone(), event.event_type());
        }
    }

    pub(super) fn queued(&mut self, queue: &str, message: &str, step: Step<'_>) -> Option<Violation> {
        let count = self.counts.entry(queue.to_owned()).or_default();
        match step {
            Step::Sent(body) => {
                count.sent += 1;
                let wanted = self.wanted.get(queue)?;
                let Ok(event) = Event::from_json(body) else {
                    self.poison.insert(message.to_owned());
                    return None;
                };
                self.arrived.insert((queue.to_owned(), event.id().clone()));
                let stray =
                    (!wanted.contains(&event.event_type())).then(|| format!("{} in {queue}", event.id()));
                self.events.insert(message.to_owned(), event);
                return stray.map(|seen| Violation::new("a-queue-gets-what-it-asks-for", seen));
            }
            Step::Received(_) => {}
            Step::Deleted => {
                count.deleted += 1;
                let event = self.events.remove(message);
                if self.wanted.contains_key(queue) && !self.done.contains(message) {
                    let event = event.map(|event| event.id().clone());
                    let seen = format!("{message} left {queue}, and nobody was done with it: {event:?}");
                    return Some(Violation::new("a-deleted-message-is-done", seen));
                }
            }
            // It arrives there without being sent.
            Step::DeadLettered(to) => {
                count.dead_lettered += 1;
                self.counts.entry(to.to_owned()).or_default().sent += 1;
            }
            Step::Expired => count.expired += 1,
        }
        None
    }

    pub(super) fn delivered(&mut self, delivery: &Delivery<'_>) {
        if let Some(first) = delivery.ids.first() {
            self.delivered.insert((*first).to_owned(), self.faults);
        }
    }

    /// Takes in what a consumer says of a batch. It is believed as far as the tables show it at this moment.
    pub(super) fn batch_completed(
        &mut self,
        delivery: &Delivery<'_>,
        failed: &BTreeSet<usize>,
        services: &Services,
    ) -> Option<Violation> {
        if !self.wanted.contains_key(delivery.source) {
            return None;
        }
        let undisturbed =
            delivery.ids.first().is_some_and(|first| self.delivered.get(*first) == Some(&self.faults));
        let poison = delivery.ids.iter().filter(|id| self.poison.contains(**id)).count();
        for (place, id) in delivery.ids.iter().enumerate() {
            let event = self.events.get(*id);
            if !failed.contains(&place)
                && event.is_none_or(|event| services.is_done(delivery.function, event))
            {
                self.done.insert((*id).to_owned());
            }
        }
        let all_failed = failed.len() == delivery.ids.len();
        if undisturbed && all_failed && poison > 0 && poison < delivery.ids.len() {
            let seen = format!("{} of {} messages in {}", poison, delivery.ids.len(), delivery.source);
            return Some(Violation::new("one-bad-message-stops-no-other", seen));
        }
        None
    }

    /// The counts of every queue.
    pub(crate) fn counts(&self) -> &BTreeMap<String, Count> {
        &self.counts
    }

    /// Publications that did not reach a queue whose filter policy names their type.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for (id, event_type) in &self.published {
            for (queue, wanted) in &self.wanted {
                if wanted.contains(event_type) && !self.arrived.contains(&(queue.clone(), id.clone())) {
                    missing.push(format!("{id} did not reach {queue}"));
                }
            }
        }
        missing
    }
}

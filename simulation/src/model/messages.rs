//! Where every message is: sent, handled, dead-lettered or in flight.

use std::collections::{BTreeMap, BTreeSet};

use shop_events::{Event, EventId, EventType};
use shop_lambda::recovery::{MAX_RECEIVES, pause_after};
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

/// A message that a consumer has received.
#[derive(Clone, Copy, Debug)]
struct Held {
    receives: u32,
    /// The reception after which it was put off last, and for how many milliseconds.
    put_off: Option<(u32, i64)>,
    /// It was hidden once for so short a time that its receiver may not have had it any more.
    is_short: bool,
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
    /// Messages that somebody has received, as they were received last.
    held: BTreeMap<String, Held>,
    /// Queues whose last batch was hidden for a short time.
    short: BTreeSet<String>,
    /// What had gone wrong when a batch was delivered, by its first message.
    delivered: BTreeMap<String, Disturbances>,
    disturbances: Disturbances,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Disturbances {
    /// What fails near one need not be anybody's mistake.
    faults: u64,
    /// Calls that DynamoDB refused for an hour: their messages fail, and nothing else is amiss.
    refusals: u64,
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
        self.disturbances.faults += 1;
    }

    /// Says whether the batch that is received next is hidden for a short time.
    pub(crate) fn receiving(&mut self, queue: &str, is_short: bool) {
        if is_short {
            self.short.insert(queue.to_owned());
        } else {
            self.short.remove(queue);
        }
    }

    /// Says that DynamoDB has refused a consumer in an outage.
    pub(crate) fn refused(&mut self) {
        self.disturbances.refusals += 1;
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
            Step::Received(receives) => {
                let before = self.held.get(message);
                let put_off = before.and_then(|held| held.put_off);
                // Who received it before may still be at it.
                let is_short = self.short.contains(queue) || before.is_some_and(|held| held.is_short);
                self.held.insert(message.to_owned(), Held { receives, put_off, is_short });
            }
            Step::PutOff(hidden) => {
                if let Some(held) = self.held.get_mut(message) {
                    held.put_off = Some((held.receives, hidden));
                }
            }
            Step::Deleted => {
                count.deleted += 1;
                self.held.remove(message);
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
                self.held.remove(message);
                self.counts.entry(to.to_owned()).or_default().sent += 1;
            }
            Step::Expired => {
                count.expired += 1;
                self.held.remove(message);
            }
        }
        None
    }

    pub(super) fn delivered(&mut self, delivery: &Delivery<'_>) {
        if let Some(first) = delivery.ids.first() {
            self.delivered.insert((*first).to_owned(), self.disturbances);
        }
    }

    /// Takes in what a consumer says of a batch. It is believed as far as the tables show it at this moment.
    pub(super) fn batch_completed(
        &mut self,
        delivery: &Delivery<'_>,
        failed: &BTreeSet<usize>,
        services: &Services,
    ) -> Vec<Violation> {
        if !self.wanted.contains_key(delivery.source) {
            return Vec::new();
        }
        let before = delivery.ids.first().and_then(|first| self.delivered.get(*first));
        let undisturbed = before.is_some_and(|before| before.faults == self.disturbances.faults);
        let poison = delivery.ids.iter().filter(|id| self.poison.contains(**id)).count();
        for (place, id) in delivery.ids.iter().enumerate() {
            let event = self.events.get(*id);
            if !failed.contains(&place)
                && event.is_none_or(|event| services.is_done(delivery.function, event))
            {
                self.done.insert((*id).to_owned());
            }
        }
        if !undisturbed {
            return Vec::new();
        }
        let failed_ids = failed.iter().filter_map(|place| delivery.ids.get(*place));
        let mut violations: Vec<_> = failed_ids.filter_map(|id| self.waits_wrongly(delivery, id)).collect();
        let is_refused = before.is_none_or(|before| before.refusals != self.disturbances.refusals);
        let all_failed = failed.len() == delivery.ids.len();
        if all_failed && poison > 0 && poison < delivery.ids.len() && !is_refused {
            let seen = format!("{} of {} messages in {}", poison, delivery.ids.len(), delivery.source);
            violations.push(Violation::new("one-bad-message-stops-no-other", seen));
        }
        violations
    }

    /// Whether a message that its consumer has just failed is hidden for another time than it should be.
    fn waits_wrongly(&self, delivery: &Delivery<'_>, id: &str) -> Option<Violation> {
        let held = self.held.get(id).filter(|held| !held.is_short)?;
        let allowed = |receives: u32| {
            let pause = pause_after(receives);
            let is_parked = self.poison.contains(id) || receives >= MAX_RECEIVES;
            if is_parked { 0..=0 } else { pause.at_least.as_secs()..=pause.at_most.as_secs() }
        };
        let seconds = |hidden: i64| u64::try_from(hidden / 1000).unwrap_or(u64::MAX);
        let is_right = held.put_off.is_some_and(|(receives, hidden)| {
            // What is visible at once may have been received again before its batch is over.
            let is_this_one = receives == held.receives || hidden == 0;
            is_this_one && allowed(receives).contains(&seconds(hidden))
        });
        if is_right {
            return None;
        }
        let seen = format!(
            "{} failed {id}, received for the {}. time, which should wait {:?} s; put off {:?}",
            delivery.function,
            held.receives,
            allowed(held.receives),
            held.put_off
        );
        Some(Violation::new("a-failed-message-waits-its-time", seen))
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

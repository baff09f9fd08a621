//! Where every message is: sent, handled, dead-lettered or in flight.

use std::collections::{BTreeMap, BTreeSet};

use shop_events::{Event, EventId, EventType};
use shop_lambda::recovery::{MAX_RECEIVES, pause_after};
use shop_local::cloud::{Delivery, Step};
use shop_local::template::Template;
use shop_messaging::receipts::Receipts;

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

/// How a consumer holds a message.
#[derive(Clone, Copy, Debug)]
struct Reception {
    /// How often the message has been received, this time included.
    receives: u32,
    /// It is hidden for so short a time that its receiver may not have it to the end.
    is_short: bool,
}

/// A message that somebody has received.
#[derive(Clone, Debug)]
struct Held {
    last: Reception,
    /// For how many milliseconds it was put off, by the reception.
    put_off: BTreeMap<u32, i64>,
}

/// What was so when a batch was delivered.
#[derive(Clone, Debug, Default)]
struct Delivered {
    disturbances: Disturbances,
    /// By message.
    receptions: BTreeMap<String, Reception>,
}

/// The messages of all queues.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    counts: BTreeMap<String, Count>,
    /// The queues of consumers of the shop's own events, each with the types that it asks for.
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
    /// Messages that somebody has received.
    held: BTreeMap<String, Held>,
    /// Queues whose last batch was hidden for a short time.
    short: BTreeSet<String>,
    /// By the first message of a batch, and how often that was delivered before.
    delivered: BTreeMap<(String, u32), Delivered>,
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
        for subscription in
            template.topics.get("EventsTopic").into_iter().flat_map(|topic| &topic.subscriptions)
        {
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
                // What a consumer tells the journal is no event, and nothing that can never be handled.
                if serde_json::from_str::<Receipts>(body).is_ok() {
                    return None;
                }
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
                let last = Reception { receives, is_short: self.short.contains(queue) };
                let held = Held { last, put_off: BTreeMap::new() };
                self.held.entry(message.to_owned()).or_insert(held).last = last;
            }
            Step::PutOff(hidden) => {
                if let Some(held) = self.held.get_mut(message) {
                    held.put_off.insert(held.last.receives, hidden);
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
        let Some(batch) = batch(delivery) else { return };
        let reception = |id: &&str| Some(((*id).to_owned(), self.held.get(*id)?.last));
        let receptions = delivery.ids.iter().filter_map(reception).collect();
        self.delivered.insert(batch, Delivered { disturbances: self.disturbances, receptions });
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
        let before = batch(delivery).and_then(|batch| self.delivered.remove(&batch)).unwrap_or_default();
        let undisturbed = before.disturbances.faults == self.disturbances.faults;
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
        let mut violations: Vec<_> =
            failed_ids.filter_map(|id| self.waits_wrongly(delivery, id, &before)).collect();
        let is_refused = before.disturbances.refusals != self.disturbances.refusals;
        let all_failed = failed.len() == delivery.ids.len();
        if all_failed && poison > 0 && poison < delivery.ids.len() && !is_refused {
            let seen = format!("{} of {} messages in {}", poison, delivery.ids.len(), delivery.source);
            violations.push(Violation::new("one-bad-message-stops-no-other", seen));
        }
        violations
    }

    /// Whether a message that its consumer has just failed was hidden for another time than it should be. It may have
    /// been received again meanwhile: what counts is what was said of this reception.
    fn waits_wrongly(&self, delivery: &Delivery<'_>, id: &str, before: &Delivered) -> Option<Violation> {
        let held = self.held.get(id)?;
        let Reception { receives, is_short } = *before.receptions.get(id)?;
        let put_off = held.put_off.get(&receives);
        let is_lost = put_off.is_none() && (is_short || held.last.receives != receives);
        if is_lost {
            return None;
        }
        let pause = pause_after(receives);
        let is_parked = self.poison.contains(id) || receives >= MAX_RECEIVES;
        let allowed = if is_parked { 0..=0 } else { pause.at_least.as_secs()..=pause.at_most.as_secs() };
        let seconds = |hidden: &i64| u64::try_from(hidden / 1000).unwrap_or(u64::MAX);
        if put_off.is_some_and(|hidden| allowed.contains(&seconds(hidden))) {
            return None;
        }
        let seen = format!(
            "{} failed {id}, received for the {receives}. time, which should wait {allowed:?} s; put off for {put_off:?} ms",
            delivery.function
        );
        Some(Violation::new("a-failed-message-waits-its-time", seen))
    }

    /// The events that were published.
    pub(crate) fn published_events(&self) -> impl Iterator<Item = &EventId> {
        self.published.keys()
    }

    /// Whether nothing has been disturbed.
    pub(crate) const fn is_undisturbed(&self) -> bool {
        self.disturbances.faults == 0 && self.disturbances.refusals == 0
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

/// What tells a batch from every other.
fn batch(delivery: &Delivery<'_>) -> Option<(String, u32)> {
    delivery.ids.first().map(|first| ((*first).to_owned(), delivery.earlier))
}

//! The model of a run: what all items are, which events were made, where every message is; and what must hold of them.
//!
//! [`Model`] watches the cloud. Invariants that hold always are checked at every write ([`writes`]), publication
//! ([`event_log`]) and message ([`messages`]); those that hold when all is done, at the end ([`mod@finish`]). What must
//! hold of a service is the service's own (`services`).

mod event_log;
mod finish;
mod messages;
mod writes;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use shop_local::cloud::{Call, Delivery, Observer, Outcome, Step, Written};
use shop_local::template::Template;

use event_log::EventLog;
pub(crate) use finish::{Left, finish};
use messages::Messages;
pub(crate) use writes::POISONER;

use crate::services::{INVARIANTS, Invariants, Service, Services};
use crate::violation::Violation;

/// What must hold whatever the services are.
const OF_ALL: &[(&str, &str)] = &[
    ("an-item-is-readable", "every item is what its key says, and no figure is below zero"),
    (
        "an-event-id-is-one-content",
        "every write that makes an event, and every publication of it, has one content for one id",
    ),
    (
        "an-event-says-when-and-why",
        "an event's time is its write's, and its cause the request, or an event before it",
    ),
    (
        "an-aggregate-s-time-never-goes-back",
        "the events of one aggregate sort by their time as by their version, whoever's clock is ahead",
    ),
    ("an-event-comes-from-a-write", "nothing is published that no write has made"),
    (
        "an-event-is-not-lost",
        "what a write makes is published, unless the stream was down for longer than it keeps records",
    ),
    (
        "a-queue-gets-what-it-asks-for",
        "every publication reaches the queues whose filter policies name its type, and no other",
    ),
    (
        "a-deleted-message-is-done",
        "a message leaves its queue when its consumer is done with it, as the tables show, or for the dead-letter queue",
    ),
    ("every-message-is-somewhere", "sent = handled + dead-lettered + in flight"),
    (
        "a-failed-message-waits-its-time",
        "what a consumer has failed is put off by the pause of its try, and what is no event or has had its last try not at all",
    ),
    ("one-bad-message-stops-no-other", "where one message of a batch is poison, the others are done"),
    ("nobody-sees-anothers-data", "no answer shows another customer's data"),
    (
        "a-read-shows-what-is-written",
        "whatever is read by its id is shown as it was written when it was asked for, or later",
    ),
    ("a-list-shows-each-thing-once", "a list that is walked page by page ends, and has nothing twice"),
    (
        "a-list-forgets-nothing",
        "a walk shows all that is older than an index can be slow, and when all is quiet exactly what is written",
    ),
    ("only-poison-stays-behind", "the dead-letter queues hold what can never be handled, and nothing else"),
    (
        "verify-finds-what-is-lost",
        "verify reports drift where events were lost, none where none were, and none after its repair",
    ),
    ("the-harness-works", "the simulation itself does what it says"),
];

/// The services of which nothing must hold, each with the reason.
pub(crate) fn without_invariants() -> impl Iterator<Item = (&'static str, &'static str)> {
    INVARIANTS.iter().filter_map(|(service, invariants)| match invariants {
        Invariants::Are(_) => None,
        Invariants::NoneBecause(reason) => Some((*service, *reason)),
    })
}

/// Every invariant and what it says, for the reports. Each violation names one of them.
pub fn invariants() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_services = INVARIANTS.iter().flat_map(|(_, invariants)| match invariants {
        Invariants::Are(invariants) => *invariants,
        Invariants::NoneBecause(_) => &[],
    });
    OF_ALL.iter().chain(of_services).copied()
}

pub(crate) struct Model {
    inner: Mutex<Inner>,
    /// The physical name of the topic of the shop's own events.
    events: String,
}

pub(crate) struct Inner {
    pub(crate) services: Services,
    pub(crate) event_log: EventLog,
    pub(crate) messages: Messages,
    pub(crate) violations: Vec<Violation>,
}

/// More than this many say nothing new.
const MAX_VIOLATIONS: usize = 50;

impl Model {
    /// # Errors
    /// The template lacks what a service has.
    pub(crate) fn of(template: &Template) -> Result<Self> {
        let inner = Mutex::new(Inner {
            services: Services::of(template)?,
            event_log: EventLog::new(template),
            messages: Messages::new(template),
            violations: Vec::new(),
        });
        let events = template.topics.get("EventsTopic").context("EventsTopic")?.name.clone();
        Ok(Self { inner, events })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// How many items are still to become something.
    pub(crate) fn pending(&self) -> usize {
        self.services.all().map(Service::pending).sum()
    }

    pub(crate) fn report_violations(&mut self, violations: impl IntoIterator<Item = Violation>) {
        let room = MAX_VIOLATIONS.saturating_sub(self.violations.len());
        self.violations.extend(violations.into_iter().take(room));
    }
}

impl Observer for Model {
    fn called(&self, time: i64, call: &Call, outcome: &Outcome<'_>) {
        let is_done = outcome.error.is_none();
        self.lock().services.all_mut().for_each(|service| service.called(time, call, is_done));
    }

    fn wrote(&self, time: i64, caller: &str, written: &[Written<'_>]) {
        let mut inner = self.lock();
        let Inner { services, event_log, .. } = &mut *inner;
        let violations = writes::take_in(services, event_log, (time, caller), written);
        inner.report_violations(violations);
    }

    fn wants_writes(&self) -> bool {
        true
    }

    fn published(&self, time: i64, topic: &str, message: &str) {
        let mut inner = self.lock();
        if topic != self.events {
            inner.services.all_mut().for_each(|service| service.told(topic, message));
            let violations = inner.services.mailed(time, topic, message);
            return inner.report_violations(violations);
        }
        if message.contains('@') {
            let violation = Violation::new("an-address-stays-where-it-belongs", message);
            inner.report_violations([violation]);
        }
        let violation = inner.event_log.published(message);
        inner.messages.published(message);
        inner.report_violations(violation);
    }

    fn queued(&self, time: i64, queue: &str, message: &str, step: Step<'_>) {
        let mut inner = self.lock();
        let untrue = inner.services.queued(time, queue, message, step);
        inner.report_violations(untrue);
        let violation = inner.messages.queued(queue, message, step);
        inner.report_violations(violation);
    }

    fn delivered(&self, _time: i64, delivery: &Delivery<'_>) {
        self.lock().messages.delivered(delivery);
    }

    fn batch_completed(&self, _time: i64, delivery: &Delivery<'_>, failed: &BTreeSet<usize>) {
        let mut inner = self.lock();
        let Inner { services, messages, .. } = &mut *inner;
        let violations = messages.batch_completed(delivery, failed, services);
        inner.report_violations(violations);
    }
}

//! SES: takes messages, keeps the last of them for whoever looks into the mailbox, and publishes what becomes of each
//! to the topics that the template's configuration sets name.
//!
//! Nothing leaves the process. What a recipient's server would say is said by the addresses of SES's own mailbox
//! simulator; every other address takes its mail at once.

mod account;
mod event;
mod request;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

pub use account::MailAccount;
pub(super) use request::{PATH, Request};

use super::AwsError;
use super::clock::Clock;
use super::observer::Access;
use super::random::Random;
use super::sns::{Publication, Topics};
use super::sqs::{Attributes, Queues};
use crate::template::{EventDestination, Template};
use account::Identities;

/// How many messages are kept: older ones are dropped, so that a shop that runs for long does not fill the memory.
const KEPT: usize = 500;

/// A message that SES has taken.
#[derive(Clone, PartialEq, Eq)]
pub struct SentMail {
    /// The id that SES answered with.
    pub message_id: String,
    /// When it was taken, in milliseconds since the epoch.
    pub time: i64,
    /// Who sent it, as the header shows it.
    pub from: String,
    /// Whom it is to.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The part for who reads no HTML.
    pub text: Option<String>,
    /// The part for who does.
    pub html: Option<String>,
    /// Further headers, in their order.
    pub headers: Vec<(String, String)>,
    /// What the sender calls it, for the events.
    pub tags: BTreeMap<String, String>,
}

/// It holds an address: nothing of it may come into a log by accident.
impl fmt::Debug for SentMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentMail")
            .field("message_id", &self.message_id)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

/// The service.
pub(super) struct Ses {
    identities: Identities,
    /// Where the events of each configuration set go, by its name.
    sets: BTreeMap<String, Vec<Destination>>,
    clock: Clock,
    random: Random,
    kept: Mutex<VecDeque<SentMail>>,
}

/// A topic, by its physical name, and the types of events that go there.
#[derive(Debug)]
struct Destination {
    topic: String,
    types: BTreeSet<String>,
}

impl Ses {
    pub(super) fn new(template: &Template, account: MailAccount, clock: &Clock, random: &Random) -> Self {
        let destination = |destination: &EventDestination| {
            let topic = template.topics.get(&destination.topic)?.name.clone();
            Some(Destination { topic, types: destination.types.clone() })
        };
        let sets = template
            .configuration_sets
            .values()
            .map(|set| (set.name.clone(), set.destinations.iter().filter_map(destination).collect()));
        Self {
            identities: Identities::of(template, account),
            sets: sets.collect(),
            clock: clock.clone(),
            random: random.clone(),
            kept: Mutex::default(),
        }
    }

    /// The messages that it has taken, the newest last.
    pub(super) fn kept(&self) -> Vec<SentMail> {
        self.lock().iter().cloned().collect()
    }

    /// What a request needs to be allowed: the sending identity, and the configuration set.
    pub(super) fn accesses(&self, request: &Request) -> Vec<Access> {
        let identity = self.identities.of_sender(&request.sender).unwrap_or(&request.sender);
        let set = request.configuration_set.iter().map(|set| format!("configuration-set/{set}"));
        let resources = [format!("identity/{identity}")].into_iter().chain(set);
        resources.map(|resource| Access { action: "ses:SendEmail".to_owned(), resource }).collect()
    }

    /// Takes a message, and publishes what becomes of it.
    pub(super) fn send(&self, request: Request, topics: &Topics, queues: &Queues) -> Result<Value, AwsError> {
        request.check()?;
        let Request { sender, configuration_set, mail, .. } = request;
        if let Some(set) = configuration_set.as_ref().filter(|set| !self.sets.contains_key(*set)) {
            let message = format!("Configuration set <{set}> does not exist.");
            return Err(AwsError { status: 404, ..AwsError::client("NotFoundException", message) });
        }
        self.identities.check(&sender, &mail.to)?;
        let message_id = format!("0100{}-{}-000000", &self.random.hex()[..12], self.random.uuid());
        let mail = SentMail { message_id: message_id.clone(), time: self.clock.now(), ..mail };
        let becomes: Vec<_> = mail.to.iter().map(|to| self.identities.fate(to)).collect();
        let set = configuration_set.as_deref();
        for (kind, body) in event::of(&mail, &sender, set, &becomes, &self.random) {
            self.publish(set, kind, &body, topics, queues)?;
        }
        let mut kept = self.lock();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(mail);
        Ok(json!({ "MessageId": message_id }))
    }

    fn publish(
        &self,
        set: Option<&str>,
        kind: &str,
        body: &Value,
        topics: &Topics,
        queues: &Queues,
    ) -> Result<(), AwsError> {
        let destinations = set.and_then(|set| self.sets.get(set)).into_iter().flatten();
        for destination in destinations.filter(|destination| destination.types.contains(kind)) {
            let publication = Publication { message: body.to_string(), attributes: Attributes::new() };
            topics.publish(&destination.topic, vec![publication], queues)?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<SentMail>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;

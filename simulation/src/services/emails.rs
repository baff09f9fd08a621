//! Mails, as their writes have made them, and the messages that SES has taken.
//!
//! What a mail may become is read off plain JSON here, without the service's types. That SES has taken a message its own
//! event tells, before anything can happen to that.

mod events;

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use orders::order::Order;
use serde::Deserialize;
use serde_json::Value;
use shop_events::{Event, EventData, OrderStatus};
use shop_lambda::recovery::EMAIL_UNCERTAIN_FOR;
use shop_local::cloud::Step;
use shop_local::template::Template;
use shop_types::{EmailId, OrderId, Timestamp, UserId};

use super::{Images, Invariants, Record, Service, Services};
use crate::violation::Violation;
use crate::workload::History;

pub(super) const INVARIANTS: Invariants = Invariants::Are(&[
    (
        "a-mail-moves-legally",
        "a mail takes only steps of its life, each is one version, and who begins to send it has counted that",
    ),
    (
        "a-mail-is-sent-once",
        "SES takes one message of a mail, and another only where ten minutes have passed in which nobody heard of the first",
    ),
    (
        "a-mail-is-claimed-before-it-is-sent",
        "whatever SES takes is an attempt that the table had counted before",
    ),
    (
        "a-sent-mail-was-taken",
        "a mail that is marked as sent is one that SES has taken, and the other way round",
    ),
    ("an-overtaken-confirmation-is-skipped", "no order is confirmed by a mail after it was cancelled"),
    ("an-address-stays-where-it-belongs", "no mail's item, and no event, holds an e-mail address"),
    (
        "every-mail-becomes-final",
        "15 minutes after the faults end no mail waits, and nobody wonders whether one was sent",
    ),
]);

/// How far the clocks of two environments may be apart, and a claim may be made before its message is taken.
const SLACK: i64 = 20_000;

/// A mail, as far as it must be right.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Mail {
    id: EmailId,
    template: String,
    #[serde(default)]
    order_id: Option<OrderId>,
    status: String,
    attempt: u32,
    #[serde(default)]
    attempted_at: Option<Timestamp>,
    #[serde(default)]
    sent_at: Option<Timestamp>,
    version: u64,
}

impl Mail {
    fn is_open(&self) -> bool {
        ["queued", "sending"].contains(&self.status.as_str())
    }
}

/// The messages of one mail.
#[derive(Debug, Default)]
struct Taken {
    /// When SES took each, and as which attempt.
    at: Vec<(i64, u32)>,
    /// Whether SES's word of one of them has reached the queue.
    is_told: bool,
    /// When that word was dealt with first.
    heard: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct Model {
    table: String,
    topic: String,
    queue: String,
    mails: BTreeMap<EmailId, Mail>,
    taken: BTreeMap<EmailId, Taken>,
    /// SES's words in the queue, by message.
    words: BTreeMap<String, EmailId>,
}

impl Model {
    pub(super) fn of(template: &Template) -> Result<Self> {
        let queue = template.queues.get("NoteEmailFeedbackQueue").context("NoteEmailFeedbackQueue")?;
        Ok(Self {
            table: template.tables.get("EmailsTable").context("EmailsTable")?.name.clone(),
            topic: template.topics.get("EmailFeedbackTopic").context("EmailFeedbackTopic")?.name.clone(),
            queue: queue.name.clone(),
            mails: BTreeMap::new(),
            taken: BTreeMap::new(),
            words: BTreeMap::new(),
        })
    }

    /// Takes in what a topic has taken that is not the shop's own: SES says that it has taken a message.
    pub(super) fn published(
        &mut self,
        time: i64,
        topic: &str,
        message: &str,
        orders: &BTreeMap<OrderId, Order>,
    ) -> Vec<Violation> {
        let Some((id, attempt)) = (topic == self.topic).then(|| sent(message)).flatten() else {
            return Vec::new();
        };
        let mut violations = Vec::new();
        let mut report = |invariant, seen: String| violations.push(Violation::new(invariant, seen));
        let mail = self.mails.get(&id);
        if mail.is_none_or(|mail| mail.attempt != attempt) {
            report("a-mail-is-claimed-before-it-is-sent", format!("{id}, attempt {attempt}: {mail:?}"));
        }
        let taken = self.taken.entry(id.clone()).or_default();
        if let Some(&(last, before)) = taken.at.last() {
            let silence = i64::try_from(EMAIL_UNCERTAIN_FOR.as_millis()).unwrap_or(i64::MAX);
            let is_early = time - last < silence - SLACK;
            let is_known = taken.heard.is_some_and(|heard| heard < time - SLACK);
            if is_early || is_known || before == attempt {
                report("a-mail-is-sent-once", format!("{id}, attempt {attempt} at {time}: {taken:?}"));
            }
        }
        taken.at.push((time, attempt));
        let confirmed = mail.filter(|mail| mail.template == "order_confirmation");
        let order = confirmed.and_then(|mail| orders.get(mail.order_id.as_ref()?));
        if let Some(order) = order.filter(|order| order.status == OrderStatus::Cancelled)
            && order.updated_at.as_millis() < time - SLACK
        {
            report("an-overtaken-confirmation-is-skipped", format!("{id} at {time}: {order:?}"));
        }
        violations
    }

    /// Follows SES's words through their queue.
    pub(super) fn queued(&mut self, time: i64, queue: &str, message: &str, step: Step<'_>) {
        if queue != self.queue {
            return;
        }
        match step {
            Step::Sent(body) => {
                if let Some((id, _)) = sent(body) {
                    self.taken.entry(id.clone()).or_default().is_told = true;
                    self.words.insert(message.to_owned(), id);
                }
            }
            Step::Deleted => {
                if let Some(id) = self.words.remove(message) {
                    self.taken.entry(id).or_default().heard.get_or_insert(time);
                }
            }
            _ => {}
        }
    }

    fn moved(&self, old: Option<&Mail>, new: &Mail) -> Vec<Violation> {
        let mut violations = Vec::new();
        if let Some(wrong) = wrong_move(old, new) {
            let seen = format!("{wrong}: {old:?} became {new:?}");
            violations.push(Violation::new("a-mail-moves-legally", seen));
        }
        let is_taken = self.taken.get(&new.id).is_some_and(|taken| !taken.at.is_empty());
        let is_sent =
            new.sent_at.is_some() || ["sent", "bounced", "complained"].contains(&new.status.as_str());
        if is_sent && !is_taken {
            violations.push(Violation::new("a-sent-mail-was-taken", format!("{new:?}")));
        }
        violations
    }
}

/// What is wrong with a step.
fn wrong_move(old: Option<&Mail>, new: &Mail) -> Option<&'static str> {
    let status = new.status.as_str();
    let ended = ["sent", "bounced", "complained"];
    let Some(old) = old else {
        let is_first = match status {
            "sending" => new.attempt == 1,
            "skipped" => new.attempt == 0,
            _ => false,
        };
        return (!is_first || new.version != 1).then_some("a mail begins by being sent or skipped");
    };
    let may = match old.status.as_str() {
        "queued" | "sending" => true,
        "sent" => ["bounced", "complained", "failed"].contains(&status),
        "failed" => ended.contains(&status),
        "skipped" => ended.contains(&status) || status == "failed",
        "bounced" => status == "complained",
        _ => false,
    };
    let attempts = old.attempt + u32::from(status == "sending");
    let is_kept = (&old.template, &old.order_id) == (&new.template, &new.order_id);
    let silence = i64::try_from(EMAIL_UNCERTAIN_FOR.as_millis()).unwrap_or(i64::MAX);
    let is_soon = old.status == "sending"
        && status == "sending"
        && old
            .attempted_at
            .zip(new.attempted_at)
            .is_none_or(|(before, after)| after.as_millis() - before.as_millis() < silence - SLACK);
    if !may {
        Some("this is no step")
    } else if new.version != old.version + 1 || new.attempt != attempts || !is_kept {
        Some("it is another mail")
    } else {
        is_soon.then_some("somebody else may be sending it")
    }
}

/// The mail and the attempt of a message that SES says it has taken.
fn sent(word: &str) -> Option<(EmailId, u32)> {
    let word: Value = serde_json::from_str(word).ok()?;
    let tag = |name: &str| word["mail"]["tags"][name][0].as_str();
    (word["eventType"] == "Send").then_some(())?;
    Some((tag("email")?.parse().ok()?, tag("attempt")?.parse().ok()?))
}

/// The mail that an event asks for.
fn asked_for(event: &Event) -> Option<EmailId> {
    let of_request = |user: &UserId, at: Timestamp| format!("{user}/{}", at.as_millis());
    let (template, subject) = match event.data() {
        EventData::OrderConfirmed(order) => ("order_confirmation", order.order_id.to_string()),
        EventData::OrderRejected(rejected) => ("order_rejection", rejected.order.order_id.to_string()),
        EventData::OrderCancelled(data) => ("order_cancellation", data.order.order_id.to_string()),
        EventData::OrderShipped(shipped) => ("order_shipment", shipped.order.order_id.to_string()),
        EventData::UserRegistered(user) => ("welcome", user.user_id.to_string()),
        EventData::UserEmailConfirmationRequested(asked) => {
            ("email_confirmation", of_request(&asked.user_id, asked.requested_at))
        }
        EventData::UserPasswordResetRequested(asked) => {
            ("password_reset", of_request(&asked.user_id, asked.requested_at))
        }
        _ => return None,
    };
    Some(EmailId::derived(template, &subject))
}

impl Service for Model {
    fn name(&self) -> &'static str {
        "emails"
    }

    fn table(&self) -> Option<&str> {
        Some(&self.table)
    }

    fn wrote(&mut self, record: &Record<'_>) -> Result<Vec<Violation>, Violation> {
        let (old, new) = record.read::<Mail>()?;
        let mut violations = self.moved(old.as_ref(), &new);
        if format!("{:?}", record.new).contains('@') {
            violations.push(Violation::new("an-address-stays-where-it-belongs", new.id.to_string()));
        }
        self.mails.insert(new.id.clone(), new);
        Ok(violations)
    }

    fn events(&self, images: &Images) -> Vec<Value> {
        events::of_mail(images)
    }

    fn is_done(&self, consumer: &str, event: &Event) -> bool {
        let mail = (consumer == "send-email").then(|| asked_for(event)).flatten();
        // One that waits was put back by whoever had claimed it: another message of the event, or resend-emails, goes on.
        mail.is_some_and(|id| self.mails.contains_key(&id))
    }

    fn pending(&self) -> usize {
        self.mails.values().filter(|mail| mail.is_open()).count()
    }

    fn finish(&self, _all: &Services, _history: &History) -> Vec<Violation> {
        let open = self.mails.values().filter(|mail| mail.is_open());
        let open = open.map(|mail| Violation::new("every-mail-becomes-final", format!("{mail:?}")));
        let is_unknown = |id: &EmailId| self.mails.get(id).is_none_or(|mail| mail.sent_at.is_none());
        let unmarked = self.taken.iter().filter(|(id, taken)| taken.is_told && is_unknown(id));
        let unmarked = unmarked.map(|(id, taken)| {
            let seen = format!("{taken:?}, and it is {:?}", self.mails.get(id));
            Violation::new("a-sent-mail-was-taken", seen)
        });
        open.chain(unmarked).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(status: &str, version: u64, attempt: u32, attempted_at: i64) -> Mail {
        Mail {
            id: EmailId::derived("welcome", "usr"),
            template: "welcome".to_owned(),
            order_id: None,
            status: status.to_owned(),
            attempt,
            attempted_at: Some(Timestamp::from_millis(attempted_at)),
            sent_at: None,
            version,
        }
    }

    #[test]
    fn steps_are_those_of_a_mail_s_life() {
        let sending = mail("sending", 1, 1, 0);
        assert_eq!(wrong_move(None, &sending), None);
        assert!(wrong_move(None, &mail("sent", 1, 1, 0)).is_some());
        for (old, new, is_legal) in [
            (&sending, mail("sent", 2, 1, 0), true),
            (&sending, mail("sent", 1, 1, 0), false),
            (&sending, mail("sending", 2, 2, 600_000), true),
            (&sending, mail("sending", 2, 2, 500_000), false),
            (&sending, mail("sending", 2, 1, 600_000), false),
            (&mail("sent", 2, 1, 0), mail("queued", 3, 1, 0), false),
            (&mail("sent", 2, 1, 0), mail("bounced", 3, 1, 0), true),
            (&mail("bounced", 3, 1, 0), mail("sent", 4, 1, 0), false),
            (&mail("skipped", 1, 0, 0), mail("sent", 2, 0, 0), true),
        ] {
            assert_eq!(wrong_move(Some(old), &new).is_none(), is_legal, "{old:?} {new:?}");
        }
    }
}

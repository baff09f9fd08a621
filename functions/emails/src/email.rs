//! A mail and its life: one row for each thing that a mail is about and each template. Pure: no AWS, no clock.
//!
//! ```text
//! queued -> sending -> sent -> bounced | complained
//!   ^         |  |
//!   +---------+  +--> failed
//! queued | sending -> skipped
//! ```
//!
//! `sending` means that nobody knows: a call is under way, or its answer was lost. What SES tells of a message settles it,
//! whatever was thought of it before; so `skipped`, and a `failed` that SES has not told, may become `sent` too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_dynamo::Record;
use shop_events::{Cause, EmailTemplate, Event, EventData, OrderSnapshot};
use shop_lambda::recovery::{EMAIL_EXPIRES_AFTER, EMAIL_UNCERTAIN_FOR};
use shop_types::{EmailId, ListPosition, OrderId, Timestamp, UserId};

use crate::feedback::{Fate, Feedback};

/// Where a mail is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// It was not sent, and will be tried again.
    Queued,
    /// It is being sent, or nobody knows whether it was.
    Sending,
    /// SES has taken it.
    Sent,
    /// Its recipient's server did not take it.
    Bounced,
    /// Its recipient calls it spam.
    Complained,
    /// It will not be sent.
    Failed,
    /// It is not to be sent.
    Skipped,
}

/// Why a mail waits, was skipped, failed or came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    /// Skipped: the shop has no address to send from.
    NoSender,
    /// Skipped: the shop sends no mails of this template.
    SwitchedOff,
    /// Skipped: what it says is no longer so.
    Overtaken,
    /// Skipped: a guest gave no address, or it was erased.
    NoAddress,
    /// Skipped: the account was deleted, or the order is no more.
    Erased,
    /// Waiting: SES was asked too often.
    Throttled,
    /// Waiting: the address or domain that the shop sends from is not verified.
    SenderNotVerified,
    /// Waiting: SES has suspended the account, or its sending is paused.
    Suspended,
    /// Waiting: SES does not let the function send, or does not know the configuration set.
    NotAllowed,
    /// Failed: SES takes no such mail.
    Rejected,
    /// Failed: the account is in SES's sandbox, and the recipient not verified.
    RecipientNotVerified,
    /// Failed: it could not be sent for days.
    Expired,
    /// Bounced for good.
    Permanent,
    /// Bounced, after SES had tried for hours.
    Transient,
    /// Not sent by SES, since the address bounced or complained before.
    Suppressed,
}

/// A mail, as it is stored. It holds ids, and never an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Email {
    pub(crate) id: EmailId,
    pub(crate) template: EmailTemplate,
    /// The order that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) order_id: Option<OrderId>,
    /// The user whom it is to; absent for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<UserId>,
    pub(crate) status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<Reason>,
    /// How many attempts to send it there were.
    pub(crate) attempt: u32,
    /// When the last one began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attempted_at: Option<Timestamp>,
    /// Tells who claimed it last from all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) claim: Option<String>,
    /// When it was asked for, where that decides how long what it says is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) asked_at: Option<Timestamp>,
    /// When SES took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sent_at: Option<Timestamp>,
    /// What SES calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
    /// One more with every change; 0 before it is stored.
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Why there is this mail.
    #[serde(flatten)]
    pub(crate) cause: Cause,
}

impl Record for Email {
    const KIND: &'static str = "email";
}

/// Every template.
pub(crate) const TEMPLATES: [EmailTemplate; 7] = [
    EmailTemplate::OrderConfirmation,
    EmailTemplate::OrderRejection,
    EmailTemplate::OrderCancellation,
    EmailTemplate::OrderShipment,
    EmailTemplate::Welcome,
    EmailTemplate::EmailConfirmation,
    EmailTemplate::PasswordReset,
];

/// The name of a template, as the API, the events and the settings write it.
#[must_use]
pub(crate) const fn template_name(template: EmailTemplate) -> &'static str {
    match template {
        EmailTemplate::OrderConfirmation => "order_confirmation",
        EmailTemplate::OrderRejection => "order_rejection",
        EmailTemplate::OrderCancellation => "order_cancellation",
        EmailTemplate::OrderShipment => "order_shipment",
        EmailTemplate::Welcome => "welcome",
        EmailTemplate::EmailConfirmation => "email_confirmation",
        EmailTemplate::PasswordReset => "password_reset",
    }
}

/// The id of the mail of a template about a thing, by the thing's id.
#[must_use]
pub(crate) fn email_id(template: EmailTemplate, subject: &str) -> EmailId {
    EmailId::derived(template_name(template), subject)
}

impl Email {
    /// The mail that an event asks for, not stored yet; none for an event that asks for none.
    #[must_use]
    pub(crate) fn of_event(event: &Event, now: Timestamp) -> Option<Self> {
        let of_order = |template, order: &OrderSnapshot| {
            let (id, customer) = (order.order_id.clone(), order.customer_id.clone());
            (template, id.to_string(), Some(id), customer, None)
        };
        let of_user = |template, user: &UserId, asked_at: Timestamp, subject: String| {
            (template, subject, None, Some(user.clone()), Some(asked_at))
        };
        // Somebody may ask for such a mail more than once, and gets one each time.
        let of_request = |template, user: &UserId, asked_at: Timestamp| {
            of_user(template, user, asked_at, format!("{user}/{}", asked_at.as_millis()))
        };
        let (template, subject, order_id, user_id, asked_at) = match event.data() {
            EventData::OrderConfirmed(order) => of_order(EmailTemplate::OrderConfirmation, order),
            EventData::OrderRejected(rejected) => of_order(EmailTemplate::OrderRejection, &rejected.order),
            EventData::OrderCancelled(data) => of_order(EmailTemplate::OrderCancellation, &data.order),
            EventData::OrderShipped(shipped) => of_order(EmailTemplate::OrderShipment, &shipped.order),
            EventData::UserRegistered(user) => {
                let id = &user.user_id;
                of_user(EmailTemplate::Welcome, id, user.registered_at, id.to_string())
            }
            EventData::UserEmailConfirmationRequested(asked) => {
                of_request(EmailTemplate::EmailConfirmation, &asked.user_id, asked.requested_at)
            }
            EventData::UserPasswordResetRequested(asked) => {
                of_request(EmailTemplate::PasswordReset, &asked.user_id, asked.requested_at)
            }
            _ => return None,
        };
        Some(Self {
            id: email_id(template, &subject),
            template,
            order_id,
            user_id,
            asked_at,
            status: Status::Queued,
            reason: None,
            attempt: 0,
            attempted_at: None,
            claim: None,
            sent_at: None,
            message_id: None,
            version: 0,
            created_at: now,
            updated_at: now,
            cause: event.as_cause(),
        })
    }

    /// This mail, which somebody begins to send.
    #[must_use]
    pub(crate) fn claimed(&self, claim: String, now: Timestamp) -> Self {
        Self {
            status: Status::Sending,
            reason: None,
            attempt: self.attempt.saturating_add(1),
            attempted_at: Some(now),
            claim: Some(claim),
            ..self.next(now)
        }
    }

    /// This mail, which SES has taken.
    #[must_use]
    pub(crate) fn sent(&self, message_id: String, now: Timestamp) -> Self {
        Self {
            status: Status::Sent,
            reason: None,
            sent_at: Some(now),
            message_id: Some(message_id),
            ..self.next(now)
        }
    }

    /// This mail, which was not sent and is tried again.
    #[must_use]
    pub(crate) fn put_back(&self, reason: Reason, now: Timestamp) -> Self {
        Self { status: Status::Queued, reason: Some(reason), ..self.next(now) }
    }

    #[must_use]
    pub(crate) fn failed(&self, reason: Reason, now: Timestamp) -> Self {
        Self { status: Status::Failed, reason: Some(reason), ..self.next(now) }
    }

    #[must_use]
    pub(crate) fn skipped(&self, reason: Reason, now: Timestamp) -> Self {
        Self { status: Status::Skipped, reason: Some(reason), ..self.next(now) }
    }

    /// This mail, as SES's word of one of its messages makes it; none where that changes nothing. Words come twice, late
    /// and in any order.
    #[must_use]
    pub(crate) fn noted(&self, feedback: &Feedback, now: Timestamp) -> Option<Self> {
        use Status::{Bounced, Complained, Failed, Queued, Sending, Sent, Skipped};
        let (status, reason) = match (feedback.fate, self.status) {
            // It tells that SES has rejected it, and the word that it was taken comes late: both are true, and the
            // rejection is the end. What was thought here of a mail that SES has taken was wrong.
            (Fate::Sent | Fate::Rejected, Failed) if self.is_told() => return None,
            (Fate::Sent, Queued | Sending | Failed | Skipped) => (Sent, None),
            (Fate::Bounced(reason), Queued | Sending | Failed | Skipped | Sent) => (Bounced, Some(reason)),
            (Fate::Complained, Queued | Sending | Failed | Skipped | Sent | Bounced) => (Complained, None),
            (Fate::Rejected, Queued | Sending | Failed | Skipped | Sent) => (Failed, Some(Reason::Rejected)),
            _ => return None,
        };
        Some(Self {
            status,
            reason,
            // What SES rejects it has not sent: whoever is told that a mail was sent believes that somebody may read it.
            sent_at: self.sent_at.or_else(|| (feedback.fate != Fate::Rejected).then_some(feedback.sent_at)),
            message_id: self.message_id.clone().or_else(|| Some(feedback.message_id.clone())),
            ..self.next(now)
        })
    }

    /// Whether SES has told what became of it. What SES has a message of has its name; a mail that failed here has none.
    const fn is_told(&self) -> bool {
        self.message_id.is_some()
    }

    /// When it is to be looked at again; none where nothing is left to be done.
    #[must_use]
    pub(crate) fn due(&self) -> Option<Timestamp> {
        if !matches!(self.status, Status::Queued | Status::Sending) {
            return None;
        }
        let after = i64::try_from(EMAIL_UNCERTAIN_FOR.as_millis()).unwrap_or(i64::MAX);
        let since = self.attempted_at.unwrap_or(self.created_at).as_millis();
        Some(Timestamp::from_millis(since.saturating_add(after)))
    }

    /// Whether it is so old that nobody wants it any more.
    #[must_use]
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        now.abs_diff(self.created_at) >= EMAIL_EXPIRES_AFTER
    }

    /// Where it is in the list of all mails.
    #[must_use]
    pub(crate) fn position(&self) -> ListPosition<EmailId> {
        ListPosition::new(self.created_at, self.id.clone())
    }

    fn next(&self, now: Timestamp) -> Self {
        // Never back in time: events of one mail sort by their time as by their version.
        Self { version: self.version + 1, updated_at: now.max(self.updated_at), ..self.clone() }
    }

    pub(crate) fn view(&self) -> EmailView<'_> {
        EmailView {
            id: &self.id,
            template: self.template,
            order_id: self.order_id.as_ref(),
            user_id: self.user_id.as_ref(),
            status: self.status,
            reason: self.reason,
            attempts: self.attempt,
            message_id: self.message_id.as_deref(),
            sent_at: self.sent_at,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// A mail, as administrators see it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Email")]
pub(crate) struct EmailView<'a> {
    id: &'a EmailId,
    template: EmailTemplate,
    order_id: Option<&'a OrderId>,
    user_id: Option<&'a UserId>,
    status: Status,
    reason: Option<Reason>,
    attempts: u32,
    message_id: Option<&'a str>,
    sent_at: Option<Timestamp>,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[cfg(test)]
pub(crate) mod tests;

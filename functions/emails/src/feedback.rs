//! What SES says of a message: the events of a configuration set, in SES's own form. Pure.
//!
//! They hold the recipient's address, several times over. Nothing of it is read, and nothing of a body is logged.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use shop_messaging::consumer::{Body, Unreadable};
use shop_types::{EmailId, Timestamp};

use crate::email::Reason;

/// The tag of a message that names its mail.
pub(crate) const EMAIL_TAG: &str = "email";
/// The tag of a message that tells it from other attempts to send the same mail.
pub(crate) const ATTEMPT_TAG: &str = "attempt";
/// How a text begins that SES sends when an event destination is made.
const GREETING: &str = "Successfully validated SNS topic";

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// SES has taken it.
    Sent,
    /// It was not delivered.
    Bounced(Reason),
    Complained,
    /// SES took it, and found then that it does not send it.
    Rejected,
}

/// What SES says of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Feedback {
    /// Tells it from all else that SES says.
    pub(crate) id: String,
    pub(crate) fate: Fate,
    /// The mail that it is a message of; none for what this service has not sent.
    pub(crate) email: Option<EmailId>,
    pub(crate) message_id: String,
    /// When SES took the message.
    pub(crate) sent_at: Timestamp,
}

/// What SES tells its event destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// That it can: nothing has happened.
    Greeting,
    Of(Feedback),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Incoming {
    event_type: String,
    mail: Mail,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    message_id: String,
    timestamp: Timestamp,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: String,
    #[serde(default)]
    bounce_sub_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    complaint_sub_type: Option<String>,
}

/// The event is of a type that the event destination does not ask for.
#[derive(Debug, thiserror::Error)]
#[error("SES tells of something else")]
struct UnknownType;

/// The event is none of SES's. What was wrong is left out: it would quote the address.
#[derive(Debug, thiserror::Error)]
#[error("the message is no event of SES")]
struct NoEvent;

impl Body for Word {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        if text.starts_with(GREETING) {
            return Ok(Self::Greeting);
        }
        let unreadable =
            || Unreadable { code: "not_an_event_of_ses", may_be_newer: false, source: NoEvent.into() };
        let Incoming { event_type, mail, bounce, complaint } =
            serde_json::from_str(text).map_err(|_| unreadable())?;
        let fate = match (event_type.as_str(), bounce) {
            ("Send", _) => Fate::Sent,
            ("Bounce", Some(bounce)) => Fate::Bounced(bounce.reason()),
            ("Complaint", _) if complaint.is_some_and(|complaint| complaint.is_of_a_list()) => {
                Fate::Bounced(Reason::Suppressed)
            }
            ("Complaint", _) => Fate::Complained,
            ("Reject", _) => Fate::Rejected,
            ("Bounce", None) => return Err(unreadable()),
            _ => {
                let code = "unknown_event_type";
                return Err(Unreadable { code, may_be_newer: true, source: UnknownType.into() });
            }
        };
        let tag = mail.tags.get(EMAIL_TAG).and_then(|values| values.first());
        Ok(Self::Of(Feedback {
            id: format!("{}:{event_type}", mail.message_id),
            fate,
            email: tag.and_then(|id| id.parse().ok()),
            message_id: mail.message_id,
            sent_at: mail.timestamp,
        }))
    }

    fn id(&self) -> Cow<'_, str> {
        match self {
            Self::Greeting => "greeting".into(),
            Self::Of(feedback) => feedback.id.as_str().into(),
        }
    }
}

impl Bounce {
    /// A bounce that SES made itself, since the address is on a suppression list, is told apart by its sub-type
    /// (<https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>).
    fn reason(&self) -> Reason {
        match (self.bounce_type.as_str(), self.bounce_sub_type.as_str()) {
            (_, "Suppressed" | "OnAccountSuppressionList") => Reason::Suppressed,
            ("Transient", _) => Reason::Transient,
            _ => Reason::Permanent,
        }
    }
}

impl Complaint {
    /// Whether nobody complained of this mail: SES did not try to send it, since the address is on the account's
    /// suppression list (<https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>).
    fn is_of_a_list(&self) -> bool {
        self.complaint_sub_type.as_deref() == Some("OnAccountSuppressionList")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(kind: &str) -> Value {
        json!({
            "eventType": kind,
            "mail": {
                "timestamp": "2026-11-23T15:00:02.000Z", "messageId": "0100018f", "destination": ["ada@example.com"],
                "tags": { "email": ["email_01jd9c3k7m2q8r5t6v0w1x2y3z"], "attempt": ["1"] },
            },
        })
    }

    fn read(event: &Value) -> Feedback {
        match Word::parse(&event.to_string()).unwrap() {
            Word::Of(feedback) => feedback,
            Word::Greeting => panic!("{event}"),
        }
    }

    #[test]
    fn each_event_is_read_with_its_mail() {
        let sent = read(&event("Send"));
        assert_eq!((sent.fate, sent.message_id.as_str()), (Fate::Sent, "0100018f"));
        assert_eq!(sent.email, "email_01jd9c3k7m2q8r5t6v0w1x2y3z".parse().ok());
        assert_eq!(sent.sent_at.to_string(), "2026-11-23T15:00:02.000Z");
        assert_eq!(read(&event("Complaint")).fate, Fate::Complained);
        let mut complained = event("Complaint");
        for (subtype, fate) in [
            (json!(null), Fate::Complained),
            (json!("OnAccountSuppressionList"), Fate::Bounced(Reason::Suppressed)),
        ] {
            complained["complaint"] = json!({ "complaintSubType": subtype });
            assert_eq!(read(&complained).fate, fate, "{subtype}");
        }
        assert_eq!(read(&event("Reject")).fate, Fate::Rejected);
        for (kind, subtype, reason) in [
            ("Permanent", "General", Reason::Permanent),
            ("Undetermined", "Undetermined", Reason::Permanent),
            ("Transient", "MailboxFull", Reason::Transient),
            ("Permanent", "Suppressed", Reason::Suppressed),
            ("Permanent", "OnAccountSuppressionList", Reason::Suppressed),
        ] {
            let mut bounced = event("Bounce");
            bounced["bounce"] = json!({ "bounceType": kind, "bounceSubType": subtype });
            assert_eq!(read(&bounced).fate, Fate::Bounced(reason), "{kind} {subtype}");
        }
        assert_ne!(read(&event("Send")).id, read(&event("Complaint")).id);
    }

    #[test]
    fn a_message_of_somebody_else_has_no_mail() {
        for tags in [json!({}), json!({ "email": [] }), json!({ "email": ["newsletter"] })] {
            let mut other = event("Send");
            other["mail"]["tags"] = tags;
            assert_eq!(read(&other).email, None);
        }
    }

    #[test]
    fn what_is_none_of_it_says_so_without_an_address() {
        let greeting = "Successfully validated SNS topic for Amazon SES event publishing.";
        assert_eq!(Word::parse(greeting).unwrap(), Word::Greeting);
        let newer = Word::parse(&event("Open").to_string()).unwrap_err();
        assert!(newer.may_be_newer);
        for bad in
            [event("Bounce").to_string(), "{\"mail\": \"ada@example.com\"}".to_owned(), "ada@".to_owned()]
        {
            let error = Word::parse(&bad).unwrap_err();
            assert!(!error.may_be_newer && error.code == "not_an_event_of_ses");
            assert!(!format!("{error:?}").contains("ada@"), "{error:?}");
        }
    }
}

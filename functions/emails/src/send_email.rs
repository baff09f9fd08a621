//! Sends a mail for each of `order.confirmed`, `order.rejected`, `order.cancelled`, `order.shipped`, `user.registered`,
//! `user.email_confirmation_requested` and `user.password_reset_requested`. The tokens of the last three are made when
//! they are sent, and kept nowhere (docs/decisions/0044).
//!
//! - Deduplicated by the mail's id, which follows from the order or user and the template: one row, which is claimed
//!   before SES is called ([`crate::postman`]). An event that comes again finds it sent, or on its way.
//! - Retried: failures of DynamoDB, and what SES does not take now (too many requests, an account that is suspended, a
//!   sender that is not verified), with the pauses of every consumer.
//! - Dropped: nothing. What SES refuses for good is marked as failed. What nobody knows of stays `sending`, and is
//!   settled by note-email-feedback or sent again by resend-emails; its message has done what it can.
//! - Any order: a confirmation that comes behind its cancellation is skipped, since the order is read as it is now.

use shop_events::Event;
use shop_lambda::{Environment, Function, Start, StartError};
use shop_messaging::consumer::{self, Consumer, Failure, MessageResult};

use crate::email::{Email, Reason, Status};
use crate::postman::{Delivery, Postman};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::each::<SendEmail>();

pub(crate) struct SendEmail {
    postman: Postman,
}

impl Start for SendEmail {
    const NAME: &'static str = "send-email";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { postman: Postman::start(environment)? })
    }
}

impl Consumer for SendEmail {
    async fn consume(&self, event: &Event) -> MessageResult {
        let Some(mut email) = Email::of_event(event, self.postman.clock.now()) else {
            // The filter policy lets no other through; one that comes all the same must be seen, not lost.
            return Err(Failure::code_only("unexpected_event_type"));
        };
        // Twice: as a new mail, and as the one that there is, which may wait for its next attempt.
        for _ in 0..2 {
            match self.postman.deliver(&email).await {
                Ok(Delivery::NotYet(reason)) => return Err(Failure::code_only(failure_code(reason))),
                Ok(Delivery::Outrun(current)) if current.status == Status::Queued => email = *current,
                // It is done, or somebody else is at it: if that is cut short, resend-emails goes on.
                Ok(Delivery::Done | Delivery::Outrun(_)) => return Ok(()),
                Err(error) => return Err(Failure::new("not_delivered", error)),
            }
        }
        Err(Failure::code_only("contended"))
    }
}

/// The failure of a message whose mail SES does not take now. Dead letters are grouped, and sent again, by it: what is
/// over once SES is asked less often has another name than what somebody has to put right.
const fn failure_code(reason: Reason) -> &'static str {
    match reason {
        Reason::Throttled => "ses_throttled",
        Reason::Suspended => "ses_suspended",
        Reason::SenderNotVerified => "ses_sender_not_verified",
        Reason::NotAllowed => "ses_not_allowed",
        // No mail waits for one of these.
        Reason::NoSender
        | Reason::SwitchedOff
        | Reason::Overtaken
        | Reason::NoAddress
        | Reason::Erased
        | Reason::Rejected
        | Reason::RecipientNotVerified
        | Reason::Expired
        | Reason::Permanent
        | Reason::Transient
        | Reason::Suppressed => "not_sent_now",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const WAITING: [Reason; 4] =
        [Reason::Throttled, Reason::Suspended, Reason::SenderNotVerified, Reason::NotAllowed];

    #[test]
    fn each_reason_to_wait_is_a_failure_of_its_own() {
        let codes: BTreeSet<_> = WAITING.into_iter().map(failure_code).collect();
        assert_eq!(codes.len(), WAITING.len());
        for reason in WAITING {
            let name = serde_json::to_value(reason).unwrap();
            assert_eq!(failure_code(reason).strip_prefix("ses_"), name.as_str());
        }
    }

    /// Whoever copies an example whose failure nothing emits sends no letter again.
    #[test]
    fn the_failures_in_examples_are_real_ones() {
        let codes: Vec<_> = WAITING.into_iter().map(failure_code).collect();
        for (place, text) in [
            ("docs/dead-letters.md", include_str!("../../../docs/dead-letters.md")),
            ("docs/commands.yaml", include_str!("../../../docs/commands.yaml")),
            ("redrive.created", include_str!("../../../docs/events/redrive.created.example.json")),
            ("create-redrive", include_str!("../../../events/create-redrive.json")),
        ] {
            // In the fixture the body is a text within a text.
            let text = text.replace('\\', "").replace("\": \"", "\":\"");
            let named: Vec<_> = text.split("\"failure_code\":\"").skip(1).collect();
            assert!(!named.is_empty(), "{place} names none");
            for named in named {
                let named = named.split('"').next().unwrap_or_default();
                assert!(codes.contains(&named), "{place}: send-email never fails as {named}");
            }
        }
    }
}

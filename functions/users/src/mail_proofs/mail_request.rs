//! The last request for a mail of a kind, to the address of an account. Pure: no AWS, no clock.

use serde::{Deserialize, Serialize};
use shop_events::{Cause, Event, EventData, UserEmailConfirmationRequested, UserPasswordResetRequested};
use shop_types::{Timestamp, UserId};

/// What a mail is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailKind {
    PasswordReset,
    EmailConfirmation,
}

impl MailKind {
    pub(crate) const ALL: [Self; 2] = [Self::PasswordReset, Self::EmailConfirmation];

    /// Its name, and the sort key of its item.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordReset => "password-reset",
            Self::EmailConfirmation => "email-confirmation",
        }
    }

    /// The kind whose item has this sort key.
    #[must_use]
    pub(crate) fn of(sk: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == sk)
    }
}

/// The last request of a kind. It says nothing of the address, which the e-mail service asks for when it sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MailRequest {
    /// Whose mail; none where somebody asked for an address without an account, which leads to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<UserId>,
    /// Which request it is: the time of it in milliseconds. Written again by the SDK, it is the same.
    pub(crate) version: u64,
    pub(crate) requested_at: Timestamp,
    #[serde(flatten)]
    pub(crate) cause: Cause,
}

impl MailRequest {
    #[must_use]
    pub(crate) fn new(user_id: Option<UserId>, cause: Cause, now: Timestamp) -> Self {
        let version = u64::try_from(now.as_millis()).unwrap_or_default();
        Self { user_id, version, requested_at: now, cause }
    }

    /// The event that leads to the mail; none where there is nobody to send it to.
    #[must_use]
    pub(crate) fn event(self, kind: MailKind) -> Option<Event> {
        let Self { user_id, version, requested_at, cause } = self;
        let user_id = user_id?;
        let data = match kind {
            MailKind::PasswordReset => {
                EventData::UserPasswordResetRequested(UserPasswordResetRequested { user_id, requested_at })
            }
            MailKind::EmailConfirmation => {
                EventData::UserEmailConfirmationRequested(UserEmailConfirmationRequested {
                    user_id,
                    requested_at,
                })
            }
        };
        Some(Event::new(data, version, requested_at, cause))
    }
}

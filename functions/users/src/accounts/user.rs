//! A user's account: what is known of a person, and what may become of it. Pure: no AWS, no clock.
//!
//! What is personal is one part, the profile. Deleting a user takes the profile away and leaves the rest as a
//! tombstone: an id that is never given out again, to which the user's orders and statistics still belong.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shop_auth::Role;
use shop_events::Cause;
use shop_types::{EmailAddress, Timestamp, UserId};

use crate::credentials::blind_index::LoginKey;

/// What identifies a person. It must not be logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The name, as its owner writes it.
    pub name: String,
    /// The e-mail address.
    pub email: EmailAddress,
    /// Under which the login of this account lies: it follows from the e-mail address and a secret.
    pub login: LoginKey,
    /// Whether somebody has shown to read the mail of the address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_confirmed: bool,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user.
    pub id: UserId,
    /// What the user may do.
    pub role: Role,
    /// Who it is; absent once the user is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// Sessions and tokens of an earlier epoch are over: it goes up with the password, the e-mail address and the role.
    pub session_epoch: u64,
    /// 1 when registered, one more with every change.
    pub version: u64,
    /// When the user registered.
    pub created_at: Timestamp,
    /// When the account changed last.
    pub updated_at: Timestamp,
    /// When the user was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// A keyed hash of the request that registered it, where that had an idempotency key; it goes with the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The request that changed it last.
    #[serde(flatten)]
    pub cause: Cause,
}

/// Changes of an account: `None` leaves a part as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) name: Option<String>,
    /// Another e-mail address, and the key that follows from it.
    pub(crate) email: Option<(EmailAddress, LoginKey)>,
    /// Whether the password is another one.
    pub(crate) password: bool,
}

impl User {
    #[must_use]
    pub(crate) fn register(id: UserId, role: Role, profile: Profile, cause: Cause, now: Timestamp) -> Self {
        Self {
            id,
            role,
            profile: Some(profile),
            session_epoch: 1,
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
            request: None,
            cause,
        }
    }

    /// This new account, which a request with an idempotency key registers.
    #[must_use]
    pub(crate) fn requested_by(self, request: Option<String>) -> Self {
        Self { request, ..self }
    }

    /// This account with changes. A deleted one stays as it is but for its version.
    #[must_use]
    pub(crate) fn changed(&self, changes: Changes, cause: Cause, now: Timestamp) -> Self {
        let mut user = self.next(cause, now);
        // The same address in other letters is the same login, and no other account's.
        let is_moved = match (&changes.email, &user.profile) {
            (Some((_, login)), Some(profile)) => *login != profile.login,
            _ => false,
        };
        if let Some(profile) = &mut user.profile {
            if let Some(name) = changes.name {
                profile.name = name;
            }
            if let Some((email, login)) = changes.email {
                (profile.email, profile.login) = (email, login);
                profile.is_confirmed &= !is_moved;
            }
        }
        user.session_epoch += u64::from(changes.password || is_moved);
        user
    }

    /// This account after its owner has shown to read the mail of its address. With another password, which ends all
    /// sessions, if that was what it was shown for.
    #[must_use]
    pub(crate) fn confirmed(&self, has_new_password: bool, cause: Cause, now: Timestamp) -> Self {
        let changes = Changes { password: has_new_password, ..Changes::default() };
        let mut user = self.changed(changes, cause, now);
        if let Some(profile) = &mut user.profile {
            profile.is_confirmed = true;
        }
        user
    }

    /// This account in a role.
    #[must_use]
    pub(crate) fn in_role(&self, role: Role, cause: Cause, now: Timestamp) -> Self {
        let mut user = self.next(cause, now);
        user.role = role;
        user.session_epoch += 1;
        user
    }

    /// This account's tombstone: nothing in it says who it was.
    #[must_use]
    pub(crate) fn deleted(&self, cause: Cause, now: Timestamp) -> Self {
        let mut user = self.next(cause, now);
        user.profile = None;
        user.request = None;
        user.role = Role::Customer;
        user.session_epoch += 1;
        user.deleted_at = Some(user.updated_at);
        user
    }

    /// Under which its login lies; none for a deleted one.
    #[must_use]
    pub(crate) fn login(&self) -> Option<&LoginKey> {
        self.profile.as_ref().map(|profile| &profile.login)
    }

    /// The account as the API shows it; none for a deleted one.
    #[must_use]
    pub(crate) fn view(&self) -> Option<UserView<'_>> {
        let profile = self.profile.as_ref()?;
        Some(UserView {
            id: &self.id,
            email: profile.email.as_str(),
            email_confirmed: profile.is_confirmed,
            name: &profile.name,
            role: self.role,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    fn next(&self, cause: Cause, now: Timestamp) -> Self {
        // Never back in time: events of one user sort by their time as by their version.
        let updated_at = now.max(self.updated_at);
        Self { version: self.version + 1, updated_at, cause, ..self.clone() }
    }
}

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "User")]
pub(crate) struct UserView<'a> {
    id: &'a UserId,
    email: &'a str,
    /// Whether somebody has shown to read its mail.
    email_confirmed: bool,
    name: &'a str,
    role: Role,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::credentials::blind_index::tests::blind_index;

    pub(crate) fn user() -> User {
        let id = UserId::fresh(Timestamp::from_millis(1), [1; 10]);
        let email: EmailAddress = "Ada@example.com".parse().unwrap();
        let login = blind_index().login(&email);
        let profile = Profile { name: "Ada".into(), login, email, is_confirmed: false };
        let now = Timestamp::from_millis(1000);
        User::register(id, Role::Customer, profile, Cause::request("request-1"), now)
    }

    fn cause() -> Cause {
        Cause::request("request-2")
    }

    #[test]
    fn every_change_is_a_version_and_only_password_address_and_role_end_sessions() {
        let now = Timestamp::from_millis(2000);
        let renamed =
            user().changed(Changes { name: Some("Eve".into()), ..Changes::default() }, cause(), now);
        assert_eq!((renamed.version, renamed.session_epoch, renamed.updated_at), (2, 1, now));
        assert_eq!(renamed.profile.unwrap().name, "Eve");
        let secured = user().changed(Changes { password: true, ..Changes::default() }, cause(), now);
        assert_eq!((secured.version, secured.session_epoch), (2, 2));
        let email = |text: &str| {
            let email: EmailAddress = text.parse().unwrap();
            let login = blind_index().login(&email);
            user().changed(Changes { email: Some((email, login)), ..Changes::default() }, cause(), now)
        };
        assert_eq!((email("new@example.com").version, email("new@example.com").session_epoch), (2, 2));
        assert_eq!(email("ADA@example.com").session_epoch, 1);
        let promoted = user().in_role(Role::Admin, cause(), now);
        assert_eq!((promoted.role, promoted.version, promoted.session_epoch), (Role::Admin, 2, 2));
    }

    #[test]
    fn a_tombstone_says_of_nobody_who_it_was() {
        let registered = user().requested_by(Some("request-hash".into()));
        let promoted = registered.in_role(Role::Admin, cause(), Timestamp::from_millis(2000));
        let tombstone = promoted.deleted(cause(), Timestamp::from_millis(3000));
        assert_eq!((tombstone.version, tombstone.deleted_at), (3, Some(Timestamp::from_millis(3000))));
        assert!(tombstone.view().is_none() && tombstone.role == Role::Customer);
        let stored = serde_json::to_string(&tombstone).unwrap();
        let login = user().profile.unwrap().login;
        for personal in ["Ada", "example.com", login.as_str(), "profile", "request-hash"] {
            assert!(!stored.contains(personal), "{stored}");
        }
    }

    #[test]
    fn time_never_goes_back() {
        let changed = user().changed(Changes::default(), cause(), Timestamp::from_millis(1));
        assert_eq!(changed.updated_at, Timestamp::from_millis(1000));
    }

    #[test]
    fn the_answer_has_what_the_documentation_says() {
        let user = user();
        let json = serde_json::to_value(user.view().unwrap()).unwrap();
        let expected = serde_json::json!({
            "id": user.id, "email": "Ada@example.com", "email_confirmed": false, "name": "Ada",
            "role": "customer", "version": 1,
            "created_at": "1970-01-01T00:00:01.000Z", "updated_at": "1970-01-01T00:00:01.000Z",
        });
        assert_eq!(json, expected);
    }
}

//! A session: what a log-in starts, a refresh goes on with, and a log-out ends. Pure: no AWS, no clock.
//!
//! All refresh tokens of a session are one family, of which only the last is good; the one before it is for some
//! seconds more, and leads to the same last one, for two that refresh at once and for whom the answer got lost. Any
//! other that was issued before can only come from a thief, or from the owner after a thief: nobody can tell, so the
//! whole session ends. A token that was never issued says nothing of anybody, and ends nothing (docs/decisions/0016).

use serde::{Deserialize, Serialize};
use shop_auth::{REFRESH_LIFETIME_SECONDS, RefreshKey, RefreshToken, SessionId};
use shop_types::{Timestamp, UserId};

use crate::accounts::user::User;

/// How long a session can be refreshed in all.
const SESSION_LIFETIME_SECONDS: i64 = 90 * 24 * 3600;
/// How long the token before the last one leads to it.
const GRACE_MILLIS: i64 = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) user_id: UserId,
    #[serde(rename = "session_id")]
    pub(crate) id: SessionId,
    /// The hash of the one refresh token that is good.
    pub(crate) token_hash: String,
    /// The hash of the one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous_hash: Option<String>,
    /// When the good one took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotated_at: Option<Timestamp>,
    /// The account's epoch when it started.
    pub(crate) epoch: u64,
    pub(crate) started_at: Timestamp,
    /// When its refresh token ends, in seconds since the epoch: the table's time to live.
    pub(crate) expires_at: i64,
}

/// What is to be done about a refresh token that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is the good one: it may be replaced by the next.
    Good,
    /// It was the good one a moment ago: it leads to the one that is.
    Again,
    /// It proves nothing, and nothing is to be done.
    Unknown,
    /// It was used before.
    Reused,
    /// The user was deleted, or has another password, address or role since.
    Outdated,
}

impl Session {
    /// A new session, with its first refresh token.
    #[must_use]
    pub(crate) fn start(
        user_id: UserId,
        epoch: u64,
        random: ([u8; 16], [u8; 20]),
        key: &RefreshKey,
        now: Timestamp,
    ) -> (Self, RefreshToken) {
        let id = SessionId::fresh(random.0);
        let token = RefreshToken::first(user_id.clone(), id.clone(), random.1, key);
        let session = Self {
            user_id,
            id,
            token_hash: token.hash(),
            previous_hash: None,
            rotated_at: None,
            epoch,
            started_at: now,
            expires_at: now.as_secs() + REFRESH_LIFETIME_SECONDS,
        };
        (session, token)
    }

    /// The session with the refresh token after this one.
    #[must_use]
    pub(crate) fn rotated(&self, next: &RefreshToken, now: Timestamp) -> Self {
        let last = self.started_at.as_secs() + SESSION_LIFETIME_SECONDS;
        Self {
            token_hash: next.hash(),
            previous_hash: Some(self.token_hash.clone()),
            rotated_at: Some(now),
            expires_at: (now.as_secs() + REFRESH_LIFETIME_SECONDS).min(last),
            ..self.clone()
        }
    }

    /// What a token is worth to this session, of the user as the account is now.
    #[must_use]
    pub(crate) fn claim(
        &self,
        token: &RefreshToken,
        user: Option<&User>,
        key: &RefreshKey,
        now: Timestamp,
    ) -> Claim {
        let user = user.filter(|user| user.profile.is_some());
        let hash = token.hash();
        let was_last = self.previous_hash.as_ref() == Some(&hash);
        let is_recent = self.rotated_at.is_some_and(|at| now.as_millis() - at.as_millis() <= GRACE_MILLIS);
        if now.as_secs() >= self.expires_at {
            Claim::Unknown
        } else if hash != self.token_hash && !was_last && !token.is_issued(key) {
            // Whoever knows a session's id and made the rest up learns nothing of the account either.
            Claim::Unknown
        } else if user.is_none_or(|user| user.session_epoch != self.epoch) {
            Claim::Outdated
        } else if hash == self.token_hash {
            Claim::Good
        } else if was_last && is_recent {
            Claim::Again
        } else {
            Claim::Reused
        }
    }
}

#[cfg(test)]
mod tests {
    use shop_auth::Role;
    use shop_events::Cause;

    use super::*;
    use crate::accounts::user::Changes;
    use crate::accounts::user::tests::user;

    const DAY: i64 = 24 * 3600 * 1000;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_millis(days * DAY)
    }

    fn key() -> RefreshKey {
        RefreshKey::from_secret("a secret that is known to tests only").unwrap()
    }

    fn session() -> (Session, RefreshToken) {
        Session::start(user().id, user().session_epoch, ([1; 16], [2; 20]), &key(), at(100))
    }

    fn claim(session: &Session, token: &RefreshToken, now: Timestamp) -> Claim {
        session.claim(token, Some(&user()), &key(), now)
    }

    #[test]
    fn the_last_token_is_good_and_the_one_before_it_for_ten_seconds() {
        let (first, old) = session();
        let now = at(101);
        assert_eq!(claim(&first, &old, now), Claim::Good);
        let new = old.next(&key());
        let second = first.rotated(&new, now);
        assert_eq!(claim(&second, &new, now), Claim::Good);
        let later = |millis| Timestamp::from_millis(now.as_millis() + millis);
        assert_eq!(claim(&second, &old, later(0)), Claim::Again);
        assert_eq!(claim(&second, &old, later(10_000)), Claim::Again);
        assert_eq!(claim(&second, &old, later(10_001)), Claim::Reused);
        // Two steps back there is no grace.
        let third = second.rotated(&new.next(&key()), now);
        assert_eq!(claim(&third, &old, now), Claim::Reused);
        assert_eq!(claim(&third, &new, now), Claim::Again);
    }

    #[test]
    fn a_token_that_was_never_issued_ends_nothing() {
        let (session, token) = session();
        let other = RefreshKey::from_secret("another secret").unwrap();
        let forged = RefreshToken::first(token.user().clone(), token.session().clone(), [9; 20], &other);
        assert_eq!(claim(&session, &forged, at(101)), Claim::Unknown);
        assert_eq!(session.claim(&forged, None, &key(), at(101)), Claim::Unknown);
        // A token of before the secret was replaced is good as long as it is the last one.
        assert_eq!(session.claim(&token, Some(&user()), &other, at(101)), Claim::Good);
    }

    #[test]
    fn a_session_ends_with_its_user_password_address_or_role() {
        let (session, token) = session();
        let cause = || Cause::request("request-2");
        let changed = |changes| Some(user().changed(changes, cause(), at(101)));
        let email: shop_types::EmailAddress = "new@example.com".parse().unwrap();
        let login = crate::credentials::blind_index::tests::blind_index().login(&email);
        for user in [
            None,
            Some(user().deleted(cause(), at(101))),
            Some(user().in_role(Role::Admin, cause(), at(101))),
            changed(Changes { password: true, ..Changes::default() }),
            changed(Changes { email: Some((email, login)), ..Changes::default() }),
        ] {
            assert_eq!(session.claim(&token, user.as_ref(), &key(), at(101)), Claim::Outdated);
        }
        let renamed = changed(Changes { name: Some("Eve".into()), ..Changes::default() });
        assert_eq!(session.claim(&token, renamed.as_ref(), &key(), at(101)), Claim::Good);
    }

    #[test]
    fn a_session_ends_after_14_days_without_a_refresh_and_after_90_with_them() {
        let (mut session, mut token) = session();
        assert_eq!(claim(&session, &token, at(114)), Claim::Unknown);
        for day in (110..=190).step_by(10) {
            let expected = if day < 190 { Claim::Good } else { Claim::Unknown };
            assert_eq!(claim(&session, &token, at(day)), expected);
            token = token.next(&key());
            session = session.rotated(&token, at(day));
        }
        assert_eq!(session.expires_at, at(190).as_secs());
    }
}

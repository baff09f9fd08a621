//! A session: what a log-in starts, a refresh goes on with, and a log-out ends. Pure: no AWS, no clock.
//!
//! All refresh tokens of a session are one family, of which only the last is good. One that was used before
//! can only come from a thief, or from the owner after a thief: nobody can tell, so the whole session ends.
//! That is strict: a client whose answer got lost logs in again (docs/decisions/0011).

use serde::{Deserialize, Serialize};
use shop_auth::{RefreshToken, SessionId};
use shop_types::{Timestamp, UserId};

use crate::account::User;

/// How long a refresh token is good: whoever stays away longer logs in again.
pub const REFRESH_LIFETIME_SECONDS: i64 = 14 * 24 * 3600;
/// How long a session can be refreshed in all.
const SESSION_LIFETIME_SECONDS: i64 = 90 * 24 * 3600;

/// A session, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose it is.
    pub user_id: UserId,
    /// Its id.
    pub session_id: SessionId,
    /// The hash of the one refresh token that is good.
    pub token_hash: String,
    /// The account's epoch when it started.
    pub epoch: u64,
    /// When it started.
    pub started_at: Timestamp,
    /// When its refresh token ends, in seconds since the epoch: the table's time to live.
    pub expires_at: i64,
}

/// What is to be done about a refresh token that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is the good one: it may be replaced by the next.
    Good,
    /// It proves nothing, and nothing is to be done.
    Unknown,
    /// It was used before.
    Reused,
    /// The user was deleted, or has another password or role since.
    Outdated,
}

impl Session {
    /// A new session, with its first refresh token.
    #[must_use]
    pub fn start(
        user_id: UserId,
        epoch: u64,
        id: [u8; 16],
        token: [u8; 32],
        now: Timestamp,
    ) -> (Self, RefreshToken) {
        let session_id = SessionId::fresh(id);
        let token = RefreshToken::fresh(user_id.clone(), session_id.clone(), token);
        let session = Self {
            user_id,
            session_id,
            token_hash: token.hash(),
            epoch,
            started_at: now,
            expires_at: now.as_secs() + REFRESH_LIFETIME_SECONDS,
        };
        (session, token)
    }

    /// The session with its next refresh token.
    #[must_use]
    pub fn rotated(&self, token: [u8; 32], now: Timestamp) -> (Self, RefreshToken) {
        let token = RefreshToken::fresh(self.user_id.clone(), self.session_id.clone(), token);
        let last = self.started_at.as_secs() + SESSION_LIFETIME_SECONDS;
        let expires_at = (now.as_secs() + REFRESH_LIFETIME_SECONDS).min(last);
        (Self { token_hash: token.hash(), expires_at, ..self.clone() }, token)
    }

    /// What a token is worth to this session, of the user as the account is now.
    #[must_use]
    pub fn claim(&self, token: &RefreshToken, user: Option<&User>, now: Timestamp) -> Claim {
        let user = user.filter(|user| user.profile.is_some());
        if now.as_secs() >= self.expires_at {
            Claim::Unknown
        } else if user.is_none_or(|user| user.session_epoch != self.epoch) {
            Claim::Outdated
        } else if token.hash() == self.token_hash {
            Claim::Good
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
    use crate::account::tests::user;

    const DAY: i64 = 24 * 3600 * 1000;

    fn at(days: i64) -> Timestamp {
        Timestamp::from_millis(days * DAY)
    }

    fn session() -> (Session, RefreshToken) {
        Session::start(user().id, user().session_epoch, [1; 16], [2; 32], at(100))
    }

    #[test]
    fn the_last_token_is_good_and_those_before_it_end_the_session() {
        let (first, old) = session();
        assert_eq!(first.claim(&old, Some(&user()), at(101)), Claim::Good);
        let (second, new) = first.rotated([3; 32], at(101));
        assert_eq!(second.claim(&new, Some(&user()), at(101)), Claim::Good);
        assert_eq!(second.claim(&old, Some(&user()), at(101)), Claim::Reused);
    }

    #[test]
    fn a_session_ends_with_its_user_password_or_role() {
        let (session, token) = session();
        let cause = || Cause::request("request-2");
        let secured = crate::account::Changes { password: true, ..crate::account::Changes::default() };
        for user in [
            None,
            Some(user().deleted(cause(), at(101))),
            Some(user().in_role(Role::Admin, cause(), at(101))),
            Some(user().changed(secured, cause(), at(101))),
        ] {
            assert_eq!(session.claim(&token, user.as_ref(), at(101)), Claim::Outdated);
        }
    }

    #[test]
    fn a_session_ends_after_14_days_without_a_refresh_and_after_90_with_them() {
        let (mut session, mut token) = session();
        assert_eq!(session.claim(&token, Some(&user()), at(114)), Claim::Unknown);
        for day in (110..=190).step_by(10) {
            assert_eq!(
                session.claim(&token, Some(&user()), at(day)),
                if day < 190 { Claim::Good } else { Claim::Unknown }
            );
            (session, token) = session.rotated([4; 32], at(day));
        }
        assert_eq!(session.expires_at, at(190).as_secs());
    }
}

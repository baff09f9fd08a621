//! `Idempotency-Key`, the same for every service: a key belongs to who sends it, stands for one request for good, and
//! is answered in one way where it comes with another one (docs/decisions/0034).
//!
//! What is stored of a request is its [`request_hash`]. A request that holds a secret (a password, an e-mail address)
//! must not be guessed by its hash: registering takes a keyed one instead, and orders leave the address out.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use shop_auth::Principal;

use crate::{Code, Problem};

/// A key, and whose it is: two who send the same key do not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey<'a> {
    scope: &'a str,
    key: &'a str,
}

impl<'a> IdempotencyKey<'a> {
    /// A principal's key. All guests are one: a guest's key must be one that nobody guesses.
    pub(crate) fn of(principal: &'a Principal, key: &'a str) -> Self {
        // No user's id is "guest".
        Self { scope: principal.user_id().map_or("guest", |id| id.as_str()), key }
    }

    /// Whose it is.
    #[must_use]
    pub const fn scope(self) -> &'a str {
        self.scope
    }

    /// The key as it was sent.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.key
    }

    /// What it is stored under: a hash of whose it is and of the key, in 43 letters, digits, `-` and `_`.
    #[must_use]
    pub fn hash(self) -> String {
        // The length keeps ("a", "bc") and ("ab", "c") apart.
        fingerprint(format!("{}:{}:{}", self.scope.len(), self.scope, self.key).as_bytes())
    }
}

/// What tells the same request from another: a hash of what was understood, whatever its white space, its order of
/// fields and the zeros of its numbers.
///
/// # Errors
/// The request cannot be written as JSON.
pub fn request_hash(request: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(fingerprint(&serde_json::to_vec(request)?))
}

/// SHA-256 of some bytes, in 43 letters, digits, `-` and `_`.
#[must_use]
pub fn fingerprint(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(digest(&SHA256, bytes).as_ref())
}

impl Problem {
    /// 422: the key stands for something else.
    #[must_use]
    pub fn idempotency_key_reused() -> Self {
        Self::new(
            Code::IdempotencyKeyReused,
            "This Idempotency-Key was used for another request, or for something that is deleted now. Use a new key.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shop_auth::Role;
    use shop_types::{Timestamp, UserId};

    #[test]
    fn a_key_is_its_senders_own_and_depends_on_where_one_ends() {
        let key = |scope, key| IdempotencyKey { scope, key }.hash();
        assert_eq!(key("usr_a", "bc"), key("usr_a", "bc"));
        assert_ne!(key("usr_a", "bc"), key("usr_a", "bd"));
        assert_ne!(key("usr_a", "bc"), key("usr_ab", "c"));
        assert_ne!(key("a:b", "c"), key("a", "b:c"));
        assert_eq!(key("a", "b").len(), 43);
        let id = UserId::fresh(Timestamp::from_millis(1), [1; 10]);
        let user = Principal::User { id: id.clone(), role: Role::Customer };
        assert_eq!(IdempotencyKey::of(&user, "k").scope(), id.as_str());
        // A role that was given or taken away changes nothing.
        let admin = Principal::User { id, role: Role::Admin };
        assert_eq!(IdempotencyKey::of(&user, "k"), IdempotencyKey::of(&admin, "k"));
        assert_eq!(IdempotencyKey::of(&Principal::Guest, "k").scope(), "guest");
    }

    #[test]
    fn the_problem_is_one_for_all() {
        let problem = Problem::idempotency_key_reused();
        assert_eq!((problem.status().as_u16(), problem.code()), (422, Code::IdempotencyKeyReused));
    }
}

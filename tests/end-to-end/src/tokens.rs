//! Tokens of anybody, for whoever may read a stack's signing secret: a test of its own stack.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use shop_auth::{Role, TokenIssuer};
use shop_types::{Timestamp, UserId};

use crate::shop::{Mint, Person};

/// The suite's administrator. Not the demo's, so that the two share no orders and no statistics.
const ADMINISTRATOR: &str = "usr_0000000000000000000000e2e0";

/// Mints with a stack's own issuer.
#[must_use]
pub fn mint_with(issuer: TokenIssuer) -> Mint {
    Arc::new(move |person, at| {
        let (id, role) = match person {
            Person::Administrator => (ADMINISTRATOR, Role::Admin),
            Person::Customer(id) => (id.as_str(), Role::Customer),
        };
        let id: UserId = id.parse()?;
        let millis = at.duration_since(UNIX_EPOCH)?.as_millis();
        Ok(issuer.mint(&id, role, Timestamp::from_millis(i64::try_from(millis)?))?)
    })
}

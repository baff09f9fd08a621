//! Tokens of anybody, for whoever may read a stack's signing secret: a test of its own stack.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use shop_auth::{Grant, Role, SessionId, TokenIssuer};
use shop_types::{Timestamp, UserId};

use crate::shop::{IssueToken, Person};

/// An administrator of the stack: not the demo's, so that the two share no orders and no statistics.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// The user.
    pub id: UserId,
    /// The account's session epoch.
    pub epoch: u64,
    /// The session that the tokens are of; none for tokens that come of no log-in.
    pub session: Option<SessionId>,
}

impl FromStr for Administrator {
    type Err = anyhow::Error;

    /// The id and the epoch, with a space between.
    fn from_str(text: &str) -> Result<Self> {
        let (id, epoch) = text.split_once(' ').context("no epoch")?;
        Ok(Self { id: id.parse()?, epoch: epoch.parse()?, session: None })
    }
}

/// Makes tokens with a stack's own issuer: its administrator's, and those of customers who need no account.
#[must_use]
pub fn issue_with(issuer: TokenIssuer, administrator: Administrator) -> IssueToken {
    let tokens = AtomicU64::new(0);
    Arc::new(move |person, at| {
        let (user, role, epoch, session) = match person {
            Person::Administrator => {
                let Administrator { id, epoch, session } = &administrator;
                (id.clone(), Role::Admin, *epoch, session.as_ref())
            }
            Person::Customer(id) => (id.parse()?, Role::Customer, 1, None),
        };
        let mut token_id = [0; 16];
        token_id[..8].copy_from_slice(&tokens.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let millis = i64::try_from(at.duration_since(UNIX_EPOCH)?.as_millis())?;
        let grant = Grant { user: &user, role, epoch, session };
        Ok(issuer.issue(&grant, token_id, Timestamp::from_millis(millis))?)
    })
}

//! What an account and its session are now: the proof of an administrator's power, which no token is
//! (docs/decisions/0030).
//!
//! It reads two attributes of the users service's account and whether the session is still there, in one call, and
//! only for requests that need an administrator: customers' requests make no call here.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_dynamo::{Attribute, Batch, Item, Read, Record, StoreError, Table, Wanted};
use shop_lambda::{Environment, Internal, Random, StartError};
use shop_types::UserId;

use crate::{Role, SessionId};

/// The account's item of a user, as the users service stores it.
const SORT_KEY: &str = "account";
const ATTRIBUTES: &[&str] = &["role", "session_epoch"];
const SESSION_ATTRIBUTES: &[&str] = &["sk"];

/// An account's role and session epoch, as they are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Standing {
    /// What the user may do.
    pub role: Role,
    /// It goes up with everything that ends the tokens issued before: role, password, e-mail address, deletion.
    #[serde(rename = "session_epoch")]
    pub epoch: u64,
}

impl Record for Standing {
    const KIND: &'static str = "account";
}

/// An account could not be read: nobody has power then.
#[derive(Debug, thiserror::Error)]
#[error("the account cannot be read")]
pub struct AccountReadError(#[from] StoreError);

impl Internal for AccountReadError {}

/// Reads what accounts and their sessions are now.
#[derive(Clone, Debug)]
pub struct AccountReader {
    accounts: Table,
    /// None for who issues tokens of no session only: a token of one proves nothing then.
    sessions: Option<Table>,
}

impl AccountReader {
    /// The accounts in a users table, for tokens of no session.
    #[must_use]
    pub fn without_sessions(client: Client, accounts: impl Into<String>, random: Random) -> Self {
        Self { accounts: Table::new(client, accounts, "pk", random), sessions: None }
    }

    /// The accounts and sessions in the tables that `USERS_TABLE` and `SESSIONS_TABLE` name.
    ///
    /// # Errors
    /// One of the variables is not set.
    pub fn start(environment: &Environment, client: &Client) -> Result<Self, StartError> {
        let table = |variable| Table::start(environment, client.clone(), variable, "pk");
        Ok(Self { accounts: table("USERS_TABLE")?, sessions: Some(table("SESSIONS_TABLE")?) })
    }

    /// What somebody with a token of this session may do now, in one consistent read; none where there is no account,
    /// or the session has ended. A deleted account is a customer of a later epoch. A token may be of no session.
    ///
    /// # Errors
    /// A table cannot be read, or the account is malformed.
    pub async fn standing(
        &self,
        user: &UserId,
        session: Option<&SessionId>,
    ) -> Result<Option<Standing>, AccountReadError> {
        let mut batch = self.accounts.batch_get(self.wanted(user, session)).await?;
        self.found(&mut batch, session)
    }

    /// What a batch has to ask for to have a standing along with something else: one key for the account, one for the
    /// session.
    #[must_use]
    pub fn wanted(&self, user: &UserId, session: Option<&SessionId>) -> Vec<Wanted> {
        let one = |table: &Table, sort_key: &str, attributes| {
            table.wanted(vec![key(user, sort_key)], Read::Consistent).only(attributes)
        };
        let session = session.zip(self.sessions.as_ref());
        let session = session.map(|(id, sessions)| one(sessions, &id.sort_key(), SESSION_ATTRIBUTES));
        [one(&self.accounts, SORT_KEY, ATTRIBUTES)].into_iter().chain(session).collect()
    }

    /// The standing that such a batch has found; none as [`AccountReader::standing`] says.
    ///
    /// # Errors
    /// The account is malformed.
    pub fn found(
        &self,
        batch: &mut Batch,
        session: Option<&SessionId>,
    ) -> Result<Option<Standing>, AccountReadError> {
        let mut is_there = |sessions: &Table| !batch.items_of(sessions).is_empty();
        let has_ended = session.is_some() && !self.sessions.as_ref().is_some_and(&mut is_there);
        let standing = batch.one_of(&self.accounts)?;
        Ok(standing.filter(|_| !has_ended))
    }
}

fn key(user: &UserId, sort_key: &str) -> Item {
    HashMap::from([("pk".to_owned(), user.into_attribute()), ("sk".to_owned(), sort_key.into_attribute())])
}

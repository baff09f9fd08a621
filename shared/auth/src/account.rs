//! What an account is now: the proof of an administrator's power, which no token is (docs/decisions/0030).
//!
//! It reads two attributes of the users service's table and nothing else, and only for requests that need an
//! administrator: customers' requests make no call here.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_dynamo::{Attribute, Batch, Item, Read, Record, StoreError, Table, Wanted};
use shop_lambda::{Environment, Internal, Random, StartError};
use shop_types::UserId;

use crate::Role;

/// The account's item of a user, as the users service stores it.
const SORT_KEY: &str = "account";
const ATTRIBUTES: &[&str] = &["role", "session_epoch"];

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

/// Reads what accounts are now.
#[derive(Clone, Debug)]
pub struct AccountReader(Table);

impl AccountReader {
    /// The accounts in a users table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, random: Random) -> Self {
        Self(Table::new(client, table, "pk", random))
    }

    /// The accounts in the table that `USERS_TABLE` names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self(Table::start(environment, client, "USERS_TABLE", "pk")?))
    }

    /// An account's standing as it is now, in one consistent read; none where there is no account. A deleted one
    /// is a customer of a later epoch.
    ///
    /// # Errors
    /// The table cannot be read, or the item is malformed.
    pub async fn standing(&self, user: &UserId) -> Result<Option<Standing>, AccountReadError> {
        Ok(self.0.get_only(key(user), ATTRIBUTES, Read::Consistent).await?)
    }

    /// What a batch has to ask for to have an account's standing along with something else.
    #[must_use]
    pub fn wanted(&self, user: &UserId) -> Wanted {
        self.0.wanted(vec![key(user)], Read::Consistent).only(ATTRIBUTES)
    }

    /// The standing that such a batch has found; none where there is no account.
    ///
    /// # Errors
    /// The item is malformed.
    pub fn found(&self, batch: &mut Batch) -> Result<Option<Standing>, AccountReadError> {
        Ok(batch.one_of(&self.0)?)
    }
}

fn key(user: &UserId) -> Item {
    HashMap::from([("pk".to_owned(), user.into_attribute()), ("sk".to_owned(), SORT_KEY.into_attribute())])
}

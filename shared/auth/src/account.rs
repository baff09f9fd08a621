//! What an account is now: the proof of an administrator's power, which no token is (docs/decisions/0030).
//!
//! It reads two attributes of the users service's table and nothing else, and only for requests that need an
//! administrator: customers' requests make no call here.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use shop_lambda::{Environment, Internal, StartError};
use shop_types::UserId;

use crate::Role;

type Item = std::collections::HashMap<String, AttributeValue>;

/// The account's item of a user, as the users service stores it.
const SORT_KEY: &str = "account";
const ROLE: &str = "role";
const EPOCH: &str = "session_epoch";

/// An account's role and session epoch, as they are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What the user may do.
    pub role: Role,
    /// It goes up with everything that ends the tokens issued before: role, password, e-mail address, deletion.
    pub epoch: u64,
}

/// An account could not be read.
#[derive(Debug, thiserror::Error)]
pub enum AccountReadError {
    /// The call failed.
    #[error("the account cannot be asked for")]
    Call(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The item is not one that the users service writes.
    #[error("the account has no role or no session epoch")]
    Malformed,
}

impl Internal for AccountReadError {}

/// Reads what accounts are now.
#[derive(Clone, Debug)]
pub struct AccountReader {
    client: Client,
    table: String,
}

impl AccountReader {
    /// The accounts in a users table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The accounts in the table that `USERS_TABLE` names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self::new(client, environment.required("USERS_TABLE")?))
    }

    /// An account's standing as it is now, in one consistent read; none where there is no account. A deleted one
    /// is a customer of a later epoch.
    ///
    /// # Errors
    /// The table cannot be read, or the item is malformed: nobody has power then.
    pub async fn standing(&self, user: &UserId) -> Result<Option<Standing>, AccountReadError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(user.as_str().to_owned()))
            .key("sk", AttributeValue::S(SORT_KEY.to_owned()))
            .projection_expression("#role, #epoch")
            .expression_attribute_names("#role", ROLE)
            .expression_attribute_names("#epoch", EPOCH)
            .consistent_read(true);
        let answer = get.send().await.map_err(|error| AccountReadError::Call(Box::new(error)))?;
        answer.item.as_ref().map(standing_of).transpose()
    }

    /// What a batch has to ask for to have an account's standing along with something else, and whose table it is.
    ///
    /// # Errors
    /// None for one key; the SDK's type wants one.
    pub fn wanted(&self, user: &UserId) -> Result<(String, KeysAndAttributes), AccountReadError> {
        let wanted = KeysAndAttributes::builder()
            .keys(Item::from([
                ("pk".to_owned(), AttributeValue::S(user.as_str().to_owned())),
                ("sk".to_owned(), AttributeValue::S(SORT_KEY.to_owned())),
            ]))
            .projection_expression("#role, #epoch")
            .expression_attribute_names("#role", ROLE)
            .expression_attribute_names("#epoch", EPOCH)
            .consistent_read(true)
            .build();
        Ok((self.table.clone(), wanted.map_err(|error| AccountReadError::Call(Box::new(error)))?))
    }

    /// The standing that such a batch has found; none where there is no account.
    ///
    /// # Errors
    /// The item is malformed: nobody has power then.
    pub fn found(items: &[Item]) -> Result<Option<Standing>, AccountReadError> {
        items.first().map(standing_of).transpose()
    }
}

fn standing_of(item: &Item) -> Result<Standing, AccountReadError> {
    let role = match item.get(ROLE).and_then(|role| role.as_s().ok()).map(String::as_str) {
        Some("admin") => Role::Admin,
        Some("customer") => Role::Customer,
        _ => return Err(AccountReadError::Malformed),
    };
    let epoch = item.get(EPOCH).and_then(|epoch| epoch.as_n().ok()).and_then(|epoch| epoch.parse().ok());
    Ok(Standing { role, epoch: epoch.ok_or(AccountReadError::Malformed)? })
}

//! Where somebody is to be written to, as it is at the moment: an address lies with the order or the account that it
//! belongs to, and nowhere else (docs/decisions/0013).

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_dynamo::{Item, Read, Record, StoreError, Table, string};
use shop_lambda::{Environment, StartError};
use shop_types::{EmailAddress, UserId};

/// What is read of an account. It must not be logged.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Contact {
    /// The name, as its owner writes it.
    pub name: String,
    /// The e-mail address.
    pub email: EmailAddress,
    /// Whether somebody has shown to read its mail.
    pub is_confirmed: bool,
    /// Tokens of an earlier epoch are over.
    pub session_epoch: u64,
}

#[derive(Deserialize)]
struct Account {
    profile: Option<Profile>,
    session_epoch: u64,
}

#[derive(Deserialize)]
struct Profile {
    name: String,
    email: EmailAddress,
    #[serde(default)]
    is_confirmed: bool,
}

impl Record for Account {
    const KIND: &'static str = "account";
}

/// The accounts of the users table, for whoever writes to people.
#[derive(Clone, Debug)]
pub struct Contacts(Table);

impl Contacts {
    /// The accounts in the table that a variable names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, client: Client, variable: &str) -> Result<Self, StartError> {
        Ok(Self(Table::start(environment, client, variable, "pk")?))
    }

    /// `GetItem`: name and address of a user, as they are now; none where the account was deleted.
    ///
    /// # Errors
    /// The call failed, or the account cannot be read.
    pub async fn of(&self, user: &UserId) -> Result<Option<Contact>, StoreError> {
        let key = [("pk", user.as_str()), ("sk", "account")];
        let key: Item = key.into_iter().map(|(name, value)| (name.to_owned(), string(value))).collect();
        // The parts of it: the profile also has the key of the login.
        let attributes = ["profile.#name", "profile.#email", "profile.#is_confirmed", "session_epoch"];
        let account: Option<Account> = self.0.get_only(key, &attributes, Read::Consistent).await?;
        Ok(account.and_then(|Account { profile, session_epoch }| {
            let Profile { name, email, is_confirmed } = profile?;
            Some(Contact { name, email, is_confirmed, session_epoch })
        }))
    }
}

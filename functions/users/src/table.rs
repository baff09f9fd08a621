//! What lies where in the users table and in the sessions table.
//!
//! | table | item | `pk` | `sk` |
//! |---|---|---|---|
//! | users | statistics ([`crate::statistics::store`]) | user id | `stats` |
//! | users | entry of the ledger ([`crate::statistics::store`]) | user id | `order#` and the order id |
//! | users | account ([`crate::accounts::store`]) | user id | `account` |
//! | users | the last request for a mail of a kind ([`crate::mail_proofs`]) | user id, or `nobody` | `password-reset`, `email-confirmation` |
//! | users | the ids of all administrators ([`crate::accounts::store`]) | `admins` | `admins` |
//! | users | how far a verification is ([`crate::statistics::store`]) | `checkpoint` | `checkpoint#` and the kind of run |
//! | sessions | login ([`crate::credentials::login`]) | `login#` and a keyed hash of the e-mail address | `login` |
//! | sessions | session ([`crate::sessions::store`]) | user id | `session#` and the session's id |
//! | sessions | bucket ([`crate::attempts::rate_limiter`]) | `attempts#`, its kind, and what is counted | `attempts` |

use serde::Serialize;
use shop_dynamo::{Item, Record, StoreError, string, write};
use shop_types::UserId;

pub(crate) const ACCOUNT: &str = "account";
pub(crate) const STATS: &str = "stats";
pub(crate) const ENTRY_PREFIX: &str = "order#";

/// Whether the item of the users table with this sort key is an account.
#[must_use]
pub fn is_account(sk: &str) -> bool {
    sk == ACCOUNT
}

/// Whether the item of the users table with this sort key is an entry of a ledger.
#[must_use]
pub fn is_ledger_entry(sk: &str) -> bool {
    sk.starts_with(ENTRY_PREFIX)
}

pub(crate) fn is_stats(sk: &str) -> bool {
    sk == STATS
}

pub(crate) fn item<T: Record + Serialize>(key: Item, value: &T) -> Result<Item, StoreError> {
    let mut item = write(T::KIND, value)?;
    item.extend(key);
    Ok(item)
}

pub(crate) fn key(user: &UserId, sk: &str) -> Item {
    pair(user.as_str(), sk)
}

pub(crate) fn pair(pk: &str, sk: &str) -> Item {
    Item::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))])
}

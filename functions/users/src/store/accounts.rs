//! Accounts and logins. An account lies in the users table, whose stream tells of it; a login, which holds the
//! password's hash, lies in the sessions table, which has no stream. Both are written in one transaction.
//!
//! A login's key follows from the e-mail address, so it is also the claim on the address: of any number of
//! accounts that are registered with one address at once, one is.
//!
//! One item of the users table has the ids of all administrators. Whatever makes or unmakes one changes it in the
//! same transaction, so that the last one stays, whoever asks at once ([`Written::LastAdministrator`]).

mod admins;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use shop_auth::Role;
use shop_dynamo::{Item, Reason, StoreError, TransactionOutcome, outcome, read, string, write};
use shop_lambda::{Environment, Random, StartError};
use shop_types::{ListPosition, UserId};

pub use self::admins::Authority;
use super::key;
use crate::account::User;
use crate::lookup::LoginKey;
use crate::password::PasswordHash;

pub(crate) const ACCOUNT: &str = "account";
const KIND: &str = "account";
const LOGIN: &str = "login";
const LOGIN_KIND: &str = "login";
const INDEX: &str = "directory";
/// The one partition of the index: accounts change a few times a second at most, far below the 1,000 writes
/// that a partition takes.
const LISTING: &str = "all";
const TRANSACTION: &str = "TransactWriteItems";

/// What it takes to log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Whose it is.
    pub user_id: UserId,
    /// The password's hash.
    pub password: PasswordHash,
    /// The account's role.
    pub role: Role,
    /// The account's epoch.
    pub session_epoch: u64,
}

/// What is done about an account's login when the account changes.
#[derive(Clone, Debug)]
pub enum LoginChange {
    /// It stays as it is.
    None,
    /// It gets another role, and its sessions end.
    Role,
    /// It is replaced: another role, password or address. The login is read before.
    Replace(Login),
    /// It goes.
    Remove,
}

/// What came of a write.
#[derive(Debug)]
pub enum Written {
    /// It is stored.
    Done,
    /// Somebody else changed the account in between; nothing is stored. Read again.
    Outrun,
    /// The address belongs to an account: to this login's.
    Taken(Login),
    /// The id belongs to an account: to this one, or to its tombstone.
    IdTaken(Box<User>),
    /// It would leave the shop without an administrator.
    LastAdministrator,
    /// Whoever asks has no longer the power to.
    Unauthorized,
}

/// What a write of a transaction is, to tell what its failed condition means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    NewAccount,
    Account,
    Authority,
    Admins,
    Claim,
    Other,
}

/// Where a list of users goes on.
pub type Position = ListPosition<UserId>;

/// Where the list goes on behind a user.
#[must_use]
pub fn position(user: &User) -> Position {
    Position::new(user.created_at, user.id.clone())
}

/// One page of users.
#[derive(Debug)]
pub struct Listed {
    /// Newest first.
    pub users: Vec<User>,
    /// Where the next page goes on, if there is one.
    pub next: Option<Position>,
}

/// Accounts, to be read.
#[derive(Clone, Debug)]
pub struct Directory {
    client: Client,
    users: String,
}

/// Accounts and logins.
#[derive(Clone, Debug)]
pub struct AccountStore {
    directory: Directory,
    sessions: String,
    random: Random,
}

impl AccountStore {
    /// The store in the tables that `USERS_TABLE` and `SESSIONS_TABLE` name.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        let directory = Directory::start(environment, client)?;
        let sessions = environment.required("SESSIONS_TABLE")?.to_owned();
        Ok(Self { directory, sessions, random: environment.random() })
    }

    /// Stores a new account and its login.
    ///
    /// # Errors
    /// DynamoDB failed; the same call tells whether it is stored.
    pub async fn register(&self, user: &User, password: PasswordHash) -> Result<Written, StoreError> {
        let Some(profile) = &user.profile else { return Err(no_profile()) };
        let login = login_of(user, password);
        let account = self.put_account(user)?.condition_expression("attribute_not_exists(pk)");
        let account = put(account.return_values_on_condition_check_failure(AllOld))?;
        let mut items = vec![(Part::NewAccount, account), (Part::Claim, self.claim(&profile.login, &login)?)];
        items.extend(self.change_admins(Role::Customer, user)?);
        self.transact(items).await
    }

    /// Stores the next version of an account, and what becomes of its login, if nobody else has changed the
    /// account since. `authority` is whoever does that to somebody else; `also` are writes that belong to it.
    ///
    /// # Errors
    /// DynamoDB failed; reading again tells whether it is stored.
    pub async fn replace(
        &self,
        before: &User,
        after: &User,
        login: LoginChange,
        authority: Option<Authority<'_>>,
        also: Vec<TransactWriteItem>,
    ) -> Result<Written, StoreError> {
        let account = self
            .put_account(after)?
            .condition_expression("version = :before")
            .expression_attribute_values(":before", AttributeValue::N(before.version.to_string()));
        let mut items = vec![(Part::Account, put(account)?)];
        let old = before.profile.as_ref().map(|profile| &profile.login).ok_or_else(no_profile)?;
        match login {
            LoginChange::None => {}
            LoginChange::Role => items.push((Part::Other, self.update_login(old, after)?)),
            LoginChange::Remove => items.push((Part::Other, self.delete_login(old, after)?)),
            LoginChange::Replace(login) => {
                let new = after.profile.as_ref().map(|profile| &profile.login).ok_or_else(no_profile)?;
                let login = login_of(after, login.password);
                if new == old {
                    let put_login = self
                        .put_login(new, &login)?
                        .condition_expression("user_id = :user")
                        .expression_attribute_values(":user", string(after.id.as_str()));
                    items.push((Part::Other, put(put_login)?));
                } else {
                    items.push((Part::Claim, self.claim(new, &login)?));
                    items.push((Part::Other, self.delete_login(old, after)?));
                }
            }
        }
        items.extend(self.change_admins(before.role, after)?);
        // Of one's own account the version says as much, and a transaction names an item once.
        if let Some(authority) = authority.filter(|authority| *authority.user != after.id) {
            items.push((Part::Authority, self.check(authority)?));
        }
        items.extend(also.into_iter().map(|item| (Part::Other, item)));
        self.transact(items).await
    }

    /// An account as it is now; a deleted one is none.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.directory.user(id).await
    }

    /// A login as it is now.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn login(&self, login: &LoginKey) -> Result<Option<Login>, StoreError> {
        let get = self.directory.client.get_item().table_name(&self.sessions).consistent_read(true);
        let answer = get.set_key(Some(login_key(login))).send().await;
        answer.map_err(StoreError::call("GetItem"))?.item.map(|item| read(LOGIN_KIND, item)).transpose()
    }

    async fn transact(&self, items: Vec<(Part, TransactWriteItem)>) -> Result<Written, StoreError> {
        let (parts, items): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        let transaction = self
            .directory
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            // The SDK would take one of its own, which no seed governs.
            .client_request_token(HEXLOWER.encode(&self.random.bytes::<16>()));
        let cancelled = match outcome(transaction.send().await)? {
            TransactionOutcome::Done => return Ok(Written::Done),
            TransactionOutcome::Cancelled(cancelled) => cancelled,
            TransactionOutcome::TokenReused => return Ok(Written::Outrun),
        };
        let mut failed: Vec<_> = parts
            .into_iter()
            .zip(cancelled.reasons)
            .filter_map(|(part, reason)| match reason {
                Reason::ConditionFailed(item) => Some((part, item)),
                Reason::None | Reason::Conflict => None,
            })
            .collect();
        let mut item_of = |wanted: Part| {
            let found = failed.iter().position(|(part, _)| *part == wanted)?;
            Some(failed.swap_remove(found).1)
        };
        // A key that was used is told before anything of the address, and power before anything of the account.
        if let Some(Some(item)) = item_of(Part::NewAccount) {
            return Ok(Written::IdTaken(Box::new(read(KIND, item)?)));
        }
        if item_of(Part::Authority).is_some() {
            return Ok(Written::Unauthorized);
        }
        if item_of(Part::Account).is_some() {
            return Ok(Written::Outrun);
        }
        if item_of(Part::Admins).is_some() {
            return Ok(Written::LastAdministrator);
        }
        match item_of(Part::Claim) {
            Some(Some(item)) => Ok(Written::Taken(read(LOGIN_KIND, item)?)),
            _ => Ok(Written::Outrun),
        }
    }

    fn put_account(&self, user: &User) -> Result<PutBuilder, StoreError> {
        Ok(Put::builder().table_name(&self.directory.users).set_item(Some(account_item(user)?)))
    }

    fn put_login(&self, login: &LoginKey, value: &Login) -> Result<PutBuilder, StoreError> {
        let mut item = write(LOGIN_KIND, value)?;
        item.extend(login_key(login));
        Ok(Put::builder().table_name(&self.sessions).set_item(Some(item)))
    }

    /// Puts a login where there is none.
    fn claim(&self, login: &LoginKey, value: &Login) -> Result<TransactWriteItem, StoreError> {
        let claim = self.put_login(login, value)?.condition_expression("attribute_not_exists(pk)");
        put(claim.return_values_on_condition_check_failure(AllOld))
    }

    fn update_login(&self, login: &LoginKey, user: &User) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.sessions)
            .set_key(Some(login_key(login)))
            .update_expression("SET #role = :role, session_epoch = :epoch")
            .condition_expression("user_id = :user")
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":role", shop_dynamo::value(LOGIN_KIND, &user.role)?)
            .expression_attribute_values(":epoch", AttributeValue::N(user.session_epoch.to_string()))
            .expression_attribute_values(":user", string(user.id.as_str()));
        let update = update.build().map_err(StoreError::call(TRANSACTION))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn delete_login(&self, login: &LoginKey, user: &User) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.sessions)
            .set_key(Some(login_key(login)))
            .condition_expression("user_id = :user")
            .expression_attribute_values(":user", string(user.id.as_str()));
        let delete = delete.build().map_err(StoreError::call(TRANSACTION))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }
}

impl Directory {
    /// The accounts in the table that `USERS_TABLE` names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { client, users: environment.required("USERS_TABLE")?.to_owned() })
    }

    /// An account as it is now; a deleted one is none.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let get = self.client.get_item().table_name(&self.users).consistent_read(true);
        let get = get.set_key(Some(key(id, ACCOUNT.to_owned())));
        let answer = get.send().await.map_err(StoreError::call("GetItem"))?;
        let user: Option<User> = answer.item.map(|item| read(KIND, item)).transpose()?;
        Ok(user.filter(|user| user.profile.is_some()))
    }

    /// A page of the directory, without those who were deleted.
    ///
    /// # Errors
    /// DynamoDB failed, or an item cannot be read.
    pub async fn list(&self, after: Option<&Position>, limit: i32) -> Result<Listed, StoreError> {
        let mut query = self.client.query().table_name(&self.users).index_name(INDEX);
        query = query
            .key_condition_expression("listing = :all")
            .expression_attribute_values(":all", string(LISTING))
            .scan_index_forward(false)
            // One more than asked for tells whether more follow.
            .limit(limit + 1);
        if let Some(position) = after {
            query = query
                .exclusive_start_key("listing", string(LISTING))
                .exclusive_start_key("listed", string(position.clone()))
                .exclusive_start_key("pk", string(position.id().as_str()))
                .exclusive_start_key("sk", string(ACCOUNT));
        }
        let answer = query.send().await.map_err(StoreError::call("Query"))?;
        let mut more = answer.last_evaluated_key.is_some();
        let items = answer.items.unwrap_or_default().into_iter();
        let mut users: Vec<User> = items.map(|item| read(KIND, item)).collect::<Result<_, _>>()?;
        let limit = usize::try_from(limit).unwrap_or_default();
        more |= users.len() > limit;
        users.truncate(limit);
        let next = users.last().filter(|_| more).map(position);
        Ok(Listed { users, next })
    }
}

fn login_of(user: &User, password: PasswordHash) -> Login {
    Login { user_id: user.id.clone(), password, role: user.role, session_epoch: user.session_epoch }
}

/// The item of an account, with the index's keys unless it is a tombstone.
pub(crate) fn account_item(user: &User) -> Result<Item, StoreError> {
    let mut item = write(KIND, user)?;
    item.extend(key(&user.id, ACCOUNT.to_owned()));
    if user.profile.is_some() {
        item.insert("listing".to_owned(), string(LISTING));
        item.insert("listed".to_owned(), string(position(user)));
    }
    Ok(item)
}

/// The key of a login's item.
pub(super) fn login_key(login: &LoginKey) -> Item {
    let pk = string(format!("login#{}", login.as_str()));
    HashMap::from([("pk".to_owned(), pk), ("sk".to_owned(), string(LOGIN))])
}

fn put(builder: PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = builder.build().map_err(StoreError::call(TRANSACTION))?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Only accounts that were read as live ones are changed.
fn no_profile() -> StoreError {
    StoreError::Corrupt { kind: KIND, source: "the account has no profile".into() }
}

#[cfg(test)]
mod tests;

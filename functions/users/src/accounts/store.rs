//! Accounts and logins. An account lies in the users table, whose stream publishes it; a login, which holds the
//! password's hash, lies in the sessions table, which has no stream. Both are written in one transaction.
//!
//! A login's key follows from the e-mail address, so it is also the claim on the address: of any number of
//! accounts that are registered with one address at once, one is.
//!
//! One item of the users table has the ids of all administrators. Whatever makes or unmakes one changes it in the
//! same transaction, so that the last one stays, whoever asks at once ([`WriteOutcome::LastAdministrator`]).

mod admins;

use aws_sdk_dynamodb::Client;
use shop_auth::Role;
use shop_dynamo::{
    After, Attribute, Condition, Delete, Item, List, Page, Put, Read, Record, Refused, StoreError, Table,
    Transacted, Tries, Update, Write, value,
};
use shop_lambda::{Environment, StartError};
use shop_types::{ListPosition, UserId};

pub(crate) use self::admins::Authority;
use crate::accounts::user::User;
use crate::credentials::blind_index::LoginKey;
use crate::credentials::login::{Login, login_key};
use crate::credentials::password::PasswordHash;
use crate::table::{ACCOUNT, item, key};

const INDEX: &str = "directory";
/// The one partition of the index: accounts change a few times a second at most, far below the 1,000 writes
/// that a partition takes.
const LISTING: &str = "all";

impl Record for User {
    const KIND: &'static str = "account";
}

/// What is done about an account's login when the account changes.
#[derive(Clone, Debug)]
pub(crate) enum LoginChange {
    None,
    /// It gets another role, and its sessions end.
    Role,
    /// It is replaced: another role, password or address. The login is read before.
    Replace(Login),
    Remove,
}

#[derive(Debug)]
pub(crate) enum WriteOutcome {
    Done,
    /// Somebody else changed the account in between; nothing is stored. Read again.
    Conflict,
    /// The address belongs to an account: to this login's.
    EmailTaken(Login),
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
pub(crate) type Position = ListPosition<UserId>;

/// Where the list goes on behind a user.
#[must_use]
pub(crate) fn position(user: &User) -> Position {
    Position::new(user.created_at, user.id.clone())
}

/// Accounts, to be read.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    users: Table,
}

/// Accounts and logins.
#[derive(Clone, Debug)]
pub(crate) struct AccountStore {
    directory: Directory,
    sessions: Table,
}

impl AccountStore {
    /// The store in the tables that `USERS_TABLE` and `SESSIONS_TABLE` name.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        let directory = Directory::start(environment, client.clone())?;
        Ok(Self { directory, sessions: Table::start(environment, client, "SESSIONS_TABLE", "pk")? })
    }

    #[must_use]
    pub(crate) fn tries(&self) -> Tries {
        self.directory.users.tries(User::KIND)
    }

    /// Stores a new account and its login.
    ///
    /// # Errors
    /// See [`StoreError`]; the same call tells whether it is stored.
    pub(crate) async fn register(
        &self,
        user: &User,
        password: PasswordHash,
    ) -> Result<WriteOutcome, StoreError> {
        let Some(profile) = &user.profile else { return Err(no_profile()) };
        let login = login_of(user, password);
        let account = self.put_account(user)?.if_new().returning_stored();
        let claim = self.claim(&profile.login, &login)?;
        let mut writes = vec![(Part::NewAccount, account.into()), (Part::Claim, claim.into())];
        writes.extend(self.change_admins(Role::Customer, user));
        self.transact(writes).await
    }

    /// Stores the next version of an account, and what becomes of its login, if nobody else has changed the
    /// account since. `authority` is whoever does that to somebody else; `also` are writes that belong to it.
    ///
    /// # Errors
    /// See [`StoreError`]; reading again tells whether it is stored.
    pub(crate) async fn replace(
        &self,
        before: &User,
        after: &User,
        login: LoginChange,
        authority: Option<Authority<'_>>,
        also: Vec<Write>,
    ) -> Result<WriteOutcome, StoreError> {
        let account = self.put_account(after)?.only_if(Condition::equals("version", before.version));
        let mut writes: Vec<(Part, Write)> = vec![(Part::Account, account.into())];
        let old = before.profile.as_ref().map(|profile| &profile.login).ok_or_else(no_profile)?;
        match login {
            LoginChange::None => {}
            LoginChange::Role => writes.push((Part::Other, self.update_login(old, after)?.into())),
            LoginChange::Remove => writes.push((Part::Other, self.delete_login(old, after).into())),
            LoginChange::Replace(login) => {
                let new = after.profile.as_ref().map(|profile| &profile.login).ok_or_else(no_profile)?;
                let login = login_of(after, login.password);
                if new == old {
                    let put = self.put_login(new, &login)?.only_if(is_of(after));
                    writes.push((Part::Other, put.into()));
                } else {
                    writes.push((Part::Claim, self.claim(new, &login)?.into()));
                    writes.push((Part::Other, self.delete_login(old, after).into()));
                }
            }
        }
        writes.extend(self.change_admins(before.role, after));
        // Of one's own account the version says as much, and a transaction names an item once.
        if let Some(authority) = authority.filter(|authority| *authority.user != after.id) {
            writes.push((Part::Authority, self.check(authority)?));
        }
        writes.extend(also.into_iter().map(|write| (Part::Other, write)));
        self.transact(writes).await
    }

    /// An account as it is now; a deleted one is none.
    pub(crate) async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.directory.user(id).await
    }

    /// A login as it is now.
    pub(crate) async fn login(&self, login: &LoginKey) -> Result<Option<Login>, StoreError> {
        self.sessions.get(login_key(login), Read::Consistent).await
    }

    async fn transact(&self, writes: Vec<(Part, Write)>) -> Result<WriteOutcome, StoreError> {
        let (parts, writes): (Vec<_>, Vec<_>) = writes.into_iter().unzip();
        match self.directory.users.transaction().writes(writes).send().await? {
            Transacted::Done => Ok(WriteOutcome::Done),
            Transacted::Refused(refused) => refusal(&parts, refused),
        }
    }

    fn put_account(&self, user: &User) -> Result<Put, StoreError> {
        Ok(self.directory.users.put(account_item(user)?))
    }

    fn put_login(&self, login: &LoginKey, value: &Login) -> Result<Put, StoreError> {
        Ok(self.sessions.put(item(login_key(login), value)?))
    }

    /// Puts a login where there is none.
    fn claim(&self, login: &LoginKey, value: &Login) -> Result<Put, StoreError> {
        Ok(self.put_login(login, value)?.if_new().returning_stored())
    }

    fn update_login(&self, login: &LoginKey, user: &User) -> Result<Update, StoreError> {
        let update = self.sessions.update(login_key(login)).set("role", value(Login::KIND, &user.role)?);
        Ok(update.set("session_epoch", user.session_epoch).only_if(is_of(user)))
    }

    fn delete_login(&self, login: &LoginKey, user: &User) -> Delete {
        self.sessions.delete(login_key(login)).only_if(is_of(user))
    }
}

/// What a transaction's failed conditions mean. A key that was used is told before anything of the address, and power
/// before anything of the account.
fn refusal(parts: &[Part], mut refused: Refused) -> Result<WriteOutcome, StoreError> {
    let failed = |refused: &Refused, wanted: Part| {
        parts
            .iter()
            .enumerate()
            .find(|(place, part)| **part == wanted && refused.failed(*place))
            .map(|(place, _)| place)
    };
    if let Some(place) = failed(&refused, Part::NewAccount)
        && let Some(user) = refused.stored(place)?
    {
        return Ok(WriteOutcome::IdTaken(Box::new(user)));
    }
    for (part, written) in [
        (Part::Authority, WriteOutcome::Unauthorized),
        (Part::Account, WriteOutcome::Conflict),
        (Part::Admins, WriteOutcome::LastAdministrator),
    ] {
        if failed(&refused, part).is_some() {
            return Ok(written);
        }
    }
    let taken = match failed(&refused, Part::Claim) {
        Some(place) => refused.stored(place)?,
        None => None,
    };
    Ok(taken.map_or(WriteOutcome::Conflict, WriteOutcome::EmailTaken))
}

fn is_of(user: &User) -> Condition {
    Condition::equals("user_id", &user.id)
}

impl Directory {
    /// The accounts in the table that `USERS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { users: Table::start(environment, client, "USERS_TABLE", "pk")? })
    }

    /// An account as it is now; a deleted one is none.
    pub(crate) async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let user: Option<User> = self.users.get(key(id, ACCOUNT), Read::Consistent).await?;
        Ok(user.filter(|user| user.profile.is_some()))
    }

    /// A page of the directory, without those who were deleted.
    pub(crate) async fn list(&self, after: Option<&Position>, limit: i32) -> Result<Page<User>, StoreError> {
        let list = List {
            index: INDEX,
            partition: ("listing", LISTING),
            sort_key: "listed",
            backwards: true,
            within: None,
        };
        let after =
            after.map(|after| After { sort_key: after.clone().into(), key: key(after.id(), ACCOUNT) });
        self.users.page(&list, after, limit).await
    }

    /// The table, for a batch that reads an account along.
    pub(crate) const fn table(&self) -> &Table {
        &self.users
    }
}

fn login_of(user: &User, password: PasswordHash) -> Login {
    Login { user_id: user.id.clone(), password, role: user.role, session_epoch: user.session_epoch }
}

/// The item of an account, with the index's keys unless it is a tombstone.
pub(crate) fn account_item(user: &User) -> Result<Item, StoreError> {
    let mut item = item(key(&user.id, ACCOUNT), user)?;
    if user.profile.is_some() {
        item.insert("listing".to_owned(), LISTING.into_attribute());
        item.insert("listed".to_owned(), position(user).into_attribute());
    }
    Ok(item)
}

/// Only accounts that were read as live ones are changed.
fn no_profile() -> StoreError {
    StoreError::Corrupt { kind: User::KIND, source: "the account has no profile".into() }
}

#[cfg(test)]
mod tests;

//! The item of all administrators, and the power of one of them.

use std::collections::BTreeSet;

use serde::Deserialize;
use shop_auth::Role;
use shop_dynamo::{Condition, Item, Read, Record, StoreError, Update, Write, value};
use shop_types::UserId;

use super::{AccountStore, Part};
use crate::accounts::user::User;
use crate::table::{ACCOUNT, key, pair};

/// Both keys of the item of all administrators, and its attribute.
const ADMINS: &str = "admins";
const ADMIN_IDS: &str = "ids";

/// The item of all administrators.
#[derive(Deserialize)]
struct Admins {
    #[serde(default)]
    ids: BTreeSet<String>,
}

impl Record for Admins {
    const KIND: &'static str = "list of administrators";
}

/// By whose power somebody else's account is changed: it must still have it when the change is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Authority<'a> {
    pub(crate) user: &'a UserId,
    /// The account's epoch when the administrator's token was issued.
    pub(crate) epoch: u64,
}

impl AccountStore {
    /// The write that has an administrator's account among those of all of them, where it may not be: it was made
    /// before they were written down.
    #[must_use]
    pub(crate) fn note_admin(&self, user: &UserId) -> Update {
        self.admins().insert(ADMIN_IDS, user.as_str())
    }

    /// Whether this user is the only administrator.
    pub(crate) async fn is_last_admin(&self, user: &UserId) -> Result<bool, StoreError> {
        let admins: Option<Admins> = self.directory.users.get(admins_key(), Read::Consistent).await?;
        Ok(admins.is_none_or(|admins| admins.ids.iter().all(|id| id == user.as_str())))
    }

    /// The change of the item of all administrators that an account's change comes with.
    pub(super) fn change_admins(&self, before: Role, after: &User) -> Option<(Part, Write)> {
        match (before, after.role) {
            (Role::Customer, Role::Customer) | (Role::Admin, Role::Admin) => None,
            (Role::Customer, Role::Admin) => Some((Part::Other, self.note_admin(&after.id).into())),
            (Role::Admin, Role::Customer) => {
                // Somebody else is left. One who is not written down was made before there was such an item.
                let is_one_left = Condition::of(
                    "size(#ids) > :one OR (attribute_exists(#ids) AND NOT contains(#ids, :id))",
                );
                let is_one_left = is_one_left.with("one", 1_u32).with("id", &after.id);
                let update = self.admins().take_out(ADMIN_IDS, after.id.as_str()).only_if(is_one_left);
                Some((Part::Admins, update.into()))
            }
        }
    }

    fn admins(&self) -> Update {
        self.directory.users.update(admins_key())
    }

    pub(super) fn check(&self, authority: Authority<'_>) -> Result<Write, StoreError> {
        let has_power = Condition::equals("role", value(User::KIND, &Role::Admin)?)
            .and(Condition::equals("session_epoch", authority.epoch));
        Ok(self.directory.users.check(key(authority.user, ACCOUNT), has_power))
    }
}

fn admins_key() -> Item {
    pair(ADMINS, ADMINS)
}

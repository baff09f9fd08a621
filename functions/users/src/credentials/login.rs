//! A login: what it takes to log in. It lies in the sessions table, which has no stream, under a keyed hash of the
//! e-mail address.

use serde::{Deserialize, Serialize};
use shop_auth::Role;
use shop_dynamo::{Item, Record};
use shop_types::UserId;

use crate::credentials::blind_index::LoginKey;
use crate::credentials::password::PasswordHash;
use crate::table::pair;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) user_id: UserId,
    pub(crate) password: PasswordHash,
    /// Role and epoch are the account's: a log-in reads nothing but this item and the buckets.
    pub(crate) role: Role,
    pub(crate) session_epoch: u64,
}

impl Record for Login {
    const KIND: &'static str = "login";
}

pub(crate) fn login_key(login: &LoginKey) -> Item {
    pair(&format!("login#{}", login.as_str()), "login")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::user::tests::user;
    use shop_dynamo::string;

    #[test]
    fn no_key_holds_an_address() {
        let login = user().profile.unwrap().login;
        let key = login_key(&login);
        assert_eq!(key["pk"], string(format!("login#{}", login.as_str())));
        assert!(!key["pk"].as_s().unwrap().contains("example"));
    }
}

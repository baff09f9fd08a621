//! Sessions in the sessions table: one item each, under their user. The table drops those that have ended
//! (`expires_at`); until it does, nothing takes them for good.

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use shop_auth::{SESSION_KEY_PREFIX, SessionId};
use shop_dynamo::{
    Condition, Item, Read, Record, StoreError, Table, Transacted, Tries, Update, Updated, Write, value,
};
use shop_lambda::{Environment, StartError};
use shop_types::UserId;

use crate::accounts::store::Directory;
use crate::accounts::user::User;
use crate::credentials::blind_index::LoginKey;
use crate::credentials::login::login_key;
use crate::credentials::password::PasswordHash;
use crate::sessions::session::Session;
use crate::table::{ACCOUNT, item, key};

impl Record for Session {
    const KIND: &'static str = "session";
}

/// What a session that was not rotated says of it.
#[derive(Deserialize)]
struct Rotated {
    token_hash: String,
}

impl Record for Rotated {
    const KIND: &'static str = Session::KIND;
}

/// A hash of a password that is to be stored in the place of a weaker one.
#[derive(Clone, Debug)]
pub(crate) struct Rehash {
    pub(crate) login: LoginKey,
    pub(crate) before: PasswordHash,
    pub(crate) after: PasswordHash,
}

#[derive(Clone, Debug)]
pub(crate) struct SessionStore {
    table: Table,
}

impl SessionStore {
    /// The store in the table that `SESSIONS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "SESSIONS_TABLE", "pk")? })
    }

    #[must_use]
    pub(crate) fn tries(&self) -> Tries {
        self.table.tries(Session::KIND)
    }

    /// Stores a new session; with it, the password's new hash where there is one, and what else the log-in writes.
    /// Neither of them is worth a log-in: where others are at work on the same items, the session is stored alone.
    pub(crate) async fn open(
        &self,
        session: &Session,
        rehash: Option<Rehash>,
        also: Vec<Write>,
    ) -> Result<(), StoreError> {
        let stored = session_item(session)?;
        let with_rehash = rehash.map(|rehash| self.rehash(&rehash).into());
        let tries = [with_rehash.clone(), None];
        for rehash in tries.into_iter().skip(usize::from(with_rehash.is_none())) {
            let put = self.table.put(stored.clone());
            let transaction = self.table.transaction().write(put).writes(rehash).writes(also.iter().cloned());
            match transaction.send().await {
                Ok(Transacted::Done) => return Ok(()),
                Ok(Transacted::Refused(_)) | Err(StoreError::Contended { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        // A session's id is new, so a repeated write is the same write.
        self.table.replace(stored).await
    }

    /// Fails where somebody else was at work on the login: its hash is renewed at another time.
    fn rehash(&self, rehash: &Rehash) -> Update {
        let update = self.table.update(login_key(&rehash.login)).set("password", rehash.after.as_str());
        update.only_if(Condition::equals("password", rehash.before.as_str()))
    }

    /// A session and its user's account, as they are now, in one call.
    pub(crate) async fn find(
        &self,
        accounts: &Directory,
        user: &UserId,
        session: &SessionId,
    ) -> Result<(Option<Session>, Option<User>), StoreError> {
        let session = self.table.wanted(vec![key(user, &session.sort_key())], Read::Consistent);
        let account = accounts.table().wanted(vec![key(user, ACCOUNT)], Read::Consistent);
        let mut found = self.table.batch_get([session, account]).await?;
        Ok((found.one_of(&self.table)?, found.one_of(accounts.table())?))
    }

    /// Replaces a session's refresh token by the next one, if the one before is still the good one. Whether the
    /// next one is good now: it follows from the one before, so whoever wrote it in between wrote the same.
    ///
    /// # Errors
    /// See [`StoreError`]; the token may or may not be replaced.
    pub(crate) async fn rotate(&self, before: &Session, after: &Session) -> Result<bool, StoreError> {
        let update = self
            .table
            .update(key(&after.user_id, &after.id.sort_key()))
            .set("token_hash", &after.token_hash)
            .set("previous_hash", &before.token_hash)
            .set("rotated_at", value(Session::KIND, &after.rotated_at)?)
            .set("expires_at", after.expires_at)
            .only_if(Condition::equals("token_hash", &before.token_hash));
        Ok(match self.table.update_if(update).await? {
            Updated::Done => true,
            Updated::Changed(Rotated { token_hash }) => token_hash == after.token_hash,
            Updated::Absent => false,
        })
    }

    /// Ends a session. Nothing happens where there is none.
    pub(crate) async fn end(&self, user: &UserId, session: &SessionId) -> Result<(), StoreError> {
        self.table.remove(key(user, &session.sort_key())).await
    }

    /// Removes all sessions of a user. Where it fails, the rest of them is worth nothing all the same, and the
    /// table drops them in their time.
    pub(crate) async fn remove_all(&self, user: &UserId) -> Result<(), StoreError> {
        let sessions = Condition::of("pk = :user AND begins_with(sk, :prefix)");
        let sessions = sessions.with("user", user).with("prefix", SESSION_KEY_PREFIX);
        let query = self.table.query(sessions, Read::Consistent).only(&["pk", "sk"]);
        let mut next = None;
        loop {
            let found = query.clone().after(next).page().await?;
            self.table.remove_all(&found.items).await?;
            next = found.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }
}

fn session_item(session: &Session) -> Result<Item, StoreError> {
    item(key(&session.user_id, &session.id.sort_key()), session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::user::tests::user;
    use aws_sdk_dynamodb::types::AttributeValue;
    use shop_dynamo::read;
    use shop_types::Timestamp;

    #[test]
    fn a_session_reads_back_and_its_item_holds_no_token() {
        let now = Timestamp::from_millis(1000);
        let key = shop_auth::RefreshKey::from_secret("a secret that is known to tests only").unwrap();
        let (session, token) = Session::start(user().id, 1, ([1; 16], [2; 20]), &key, now);
        let session = session.rotated(&token.next(&key), now);
        let stored = session_item(&session).unwrap();
        assert_eq!(stored["expires_at"], AttributeValue::N("1209601".to_owned()));
        let text = format!("{stored:?}");
        for token in [token.next(&key), token] {
            let secret = token.reveal();
            assert!(!text.contains(secret.rsplit('.').next().unwrap()), "{text}");
        }
        assert_eq!(read::<Session>(Session::KIND, stored).unwrap(), session);
    }
}

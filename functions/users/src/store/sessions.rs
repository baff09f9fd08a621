//! Sessions in the sessions table: one item each, under their user. The table drops those that have ended
//! (`expires_at`); until it does, nothing takes them for good.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem, Update};
use data_encoding::HEXLOWER;
use shop_auth::SessionId;
use shop_dynamo::{
    Item, StoreError, TransactionOutcome, batch_delete, batch_get, condition_failed, outcome, read, string,
    write,
};
use shop_lambda::{Environment, Random, StartError};
use shop_types::UserId;

use super::accounts::{ACCOUNT, login_key};
use super::key;
use crate::account::User;
use crate::lookup::LoginKey;
use crate::password::PasswordHash;
use crate::session::Session;

const KIND: &str = "session";
const PREFIX: &str = "session#";
const TRANSACTION: &str = "TransactWriteItems";

/// A hash of a password that is to be stored in the place of a weaker one.
#[derive(Clone, Debug)]
pub struct Rehash {
    /// Whose.
    pub login: LoginKey,
    /// The weaker one.
    pub before: PasswordHash,
    /// The new one.
    pub after: PasswordHash,
}

/// Sessions.
#[derive(Clone, Debug)]
pub struct SessionStore {
    client: Client,
    table: String,
    random: Random,
}

impl SessionStore {
    /// The store in the table that `SESSIONS_TABLE` names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        let table = environment.required("SESSIONS_TABLE")?.to_owned();
        Ok(Self { client, table, random: environment.random() })
    }

    /// Stores a new session; with it, the password's new hash where there is one, and what else the log-in writes.
    /// Neither of them is worth a log-in: where others are at work on the same items, the session is stored alone.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn open(
        &self,
        session: &Session,
        rehash: Option<Rehash>,
        also: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let with_rehash = rehash.map(|rehash| self.rehash(&rehash)).transpose()?;
        let tries = [with_rehash.clone(), with_rehash, None];
        for rehash in tries {
            let items = std::iter::once(self.put(session)?).chain(rehash).chain(also.iter().cloned());
            let transaction = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.collect()))
                .client_request_token(HEXLOWER.encode(&self.random.bytes::<16>()));
            if matches!(outcome(transaction.send().await)?, TransactionOutcome::Done) {
                return Ok(());
            }
        }
        // A session's id is new, so a repeated write is the same write.
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item(session)?));
        put.send().await.map(drop).map_err(StoreError::call("PutItem"))
    }

    fn put(&self, session: &Session) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(item(session)?));
        Ok(TransactWriteItem::builder().put(put.build().map_err(StoreError::call(TRANSACTION))?).build())
    }

    /// Fails where somebody else was at work on the login: its hash is renewed at another time.
    fn rehash(&self, rehash: &Rehash) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(login_key(&rehash.login)))
            .update_expression("SET #password = :after")
            .condition_expression("#password = :before")
            .expression_attribute_names("#password", "password")
            .expression_attribute_values(":before", string(rehash.before.as_str()))
            .expression_attribute_values(":after", string(rehash.after.as_str()));
        let update = update.build().map_err(StoreError::call(TRANSACTION))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A session and its user's account, as they are now, in one call.
    ///
    /// # Errors
    /// DynamoDB failed, or kept throttling.
    pub async fn find(
        &self,
        users_table: &str,
        user: &UserId,
        session: &SessionId,
    ) -> Result<(Option<Session>, Option<User>), StoreError> {
        let keys = |key: Item| {
            let keys = KeysAndAttributes::builder().keys(key).consistent_read(true).build();
            keys.map_err(StoreError::call("BatchGetItem"))
        };
        let wanted = [
            (self.table.clone(), keys(key(user, sort_key(session)))?),
            (users_table.to_owned(), keys(key(user, ACCOUNT.to_owned()))?),
        ];
        let mut found = batch_get(&self.client, wanted).await?;
        let mut one_of = |table: &str| found.remove(table).into_iter().flatten().next();
        let session = one_of(&self.table).map(|item| read(KIND, item)).transpose()?;
        let account = one_of(users_table).map(|item| read("account", item)).transpose()?;
        Ok((session, account))
    }

    /// Replaces a session's refresh token by the next one, if the one before is still the good one. Whether the
    /// next one is good now: it follows from the one before, so whoever wrote it in between wrote the same.
    ///
    /// # Errors
    /// DynamoDB failed; the token may or may not be replaced.
    pub async fn rotate(&self, before: &Session, after: &Session) -> Result<bool, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key(&after.user_id, sort_key(&after.session_id))))
            .update_expression(
                "SET token_hash = :after, previous_hash = :before, rotated_at = :now, expires_at = :end",
            )
            .condition_expression("token_hash = :before")
            .expression_attribute_values(":before", string(&before.token_hash))
            .expression_attribute_values(":after", string(&after.token_hash))
            .expression_attribute_values(":now", shop_dynamo::value(KIND, &after.rotated_at)?)
            .expression_attribute_values(":end", AttributeValue::N(after.expires_at.to_string()))
            .return_values_on_condition_check_failure(AllOld);
        let Err(error) = update.send().await else { return Ok(true) };
        let stored = condition_failed(error)?;
        Ok(stored.is_some_and(|item| item.get("token_hash") == Some(&string(&after.token_hash))))
    }

    /// Ends a session. Nothing happens where there is none.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn end(&self, user: &UserId, session: &SessionId) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let delete = delete.set_key(Some(key(user, sort_key(session))));
        delete.send().await.map(drop).map_err(StoreError::call("DeleteItem"))
    }

    /// Removes all sessions of a user. Where it fails, the rest of them is worth nothing all the same, and the
    /// table drops them in their time.
    ///
    /// # Errors
    /// DynamoDB failed, or kept throttling.
    pub async fn remove_all(&self, user: &UserId) -> Result<(), StoreError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :user AND begins_with(sk, :prefix)")
            .projection_expression("pk, sk")
            .expression_attribute_values(":user", string(user.as_str()))
            .expression_attribute_values(":prefix", string(PREFIX));
        let mut start = None;
        loop {
            let answer = query.clone().set_exclusive_start_key(start).send().await;
            let answer = answer.map_err(StoreError::call("Query"))?;
            batch_delete(&self.client, &self.table, &answer.items.unwrap_or_default()).await?;
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }
}

fn item(session: &Session) -> Result<Item, StoreError> {
    let mut item = write(KIND, session)?;
    item.extend(key(&session.user_id, sort_key(&session.session_id)));
    Ok(item)
}

fn sort_key(session: &SessionId) -> String {
    format!("{PREFIX}{}", session.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::tests::user;
    use shop_types::Timestamp;

    #[test]
    fn a_session_reads_back_and_its_item_holds_no_token() {
        let now = Timestamp::from_millis(1000);
        let key = shop_auth::RefreshKey::from_secret("a secret that is known to tests only").unwrap();
        let (session, token) = Session::start(user().id, 1, ([1; 16], [2; 20]), &key, now);
        let session = session.rotated(&token.next(&key), now);
        let stored = item(&session).unwrap();
        assert_eq!(stored["expires_at"], AttributeValue::N("1209601".to_owned()));
        let text = format!("{stored:?}");
        for token in [token.next(&key), token] {
            let secret = token.reveal();
            assert!(!text.contains(secret.rsplit('.').next().unwrap()), "{text}");
        }
        assert_eq!(read::<Session>(KIND, stored).unwrap(), session);
    }
}

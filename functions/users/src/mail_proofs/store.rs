//! Requests for mails, in the users table, whose stream tells the e-mail service of them.

use aws_sdk_dynamodb::Client;
use shop_dynamo::{Item, Put, Record, StoreError, Table};
use shop_lambda::{Environment, StartError};
use shop_types::UserId;

use crate::accounts::user::User;
use crate::mail_proofs::mail_request::{MailKind, MailRequest};
use crate::table::{ACCOUNT, item, key, pair};

/// Under which a request for an address without an account is written: it takes as long as one with.
const NOBODY: &str = "nobody";

impl Record for MailRequest {
    const KIND: &'static str = "request for a mail";
}

/// The requests for mails.
#[derive(Clone, Debug)]
pub(crate) struct MailRequests {
    users: Table,
}

impl MailRequests {
    /// The store in the table that `USERS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { users: Table::start(environment, client, "USERS_TABLE", "pk")? })
    }

    /// Stores a request in the place of the one before.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be stored.
    pub(crate) async fn put(&self, kind: MailKind, request: &MailRequest) -> Result<(), StoreError> {
        self.users.replace(request_item(kind, request)?).await
    }

    /// The write of a request, for the transaction that it belongs to.
    pub(crate) fn write(&self, kind: MailKind, request: &MailRequest) -> Result<Put, StoreError> {
        Ok(self.users.put(request_item(kind, request)?))
    }

    /// An account as it is now, with the last request of a kind, in one call; a deleted account is none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(crate) async fn find(
        &self,
        kind: MailKind,
        user: &UserId,
    ) -> Result<(Option<User>, Option<MailRequest>), StoreError> {
        let (mut account, mut request) = (None, None);
        for item in self.users.get_all(&[key(user, ACCOUNT), key(user, kind.as_str())]).await? {
            if item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk == ACCOUNT) {
                account = Some(shop_dynamo::read(User::KIND, item)?);
            } else {
                request = Some(shop_dynamo::read(MailRequest::KIND, item)?);
            }
        }
        Ok((account.filter(|user: &User| user.profile.is_some()), request))
    }
}

fn request_item(kind: MailKind, request: &MailRequest) -> Result<Item, StoreError> {
    let owner = request.user_id.as_ref().map_or(NOBODY, UserId::as_str);
    item(pair(owner, kind.as_str()), request)
}

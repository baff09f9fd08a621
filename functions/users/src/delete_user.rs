//! `DELETE /users/{id}`: erases a user's personal data, on the user's own wish or an administrator's.
//!
//! Name, e-mail address, password and sessions go, and the address may be registered anew. What stays is a
//! tombstone of the id: orders, statistics and the ledger belong to the id, which now names nobody, so all books
//! still balance (docs/decisions/0013).
//!
//! Needs `dynamodb:GetItem` and `PutItem` on the users table, `Query`, `DeleteItem` and `BatchWriteItem` on the
//! sessions table, and `GetItem` on the key table.

use aws_sdk_dynamodb::Client;
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Function};

use crate::get_user_stats::visible_user;
use crate::registration::TRIES;
use crate::store::accounts::{AccountStore, LoginChange, Written};
use crate::store::sessions::SessionStore;

/// The function.
pub const FUNCTION: Function = Function::new(DeleteUser::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let accounts = AccountStore::start(&environment, client.clone())?;
        let sessions = SessionStore::start(&environment, client.clone())?;
        shop_http::start(DeleteUser { accounts, sessions, clock: environment.clock() }, &environment, &client)
            .await
    })
});

struct DeleteUser {
    accounts: AccountStore,
    sessions: SessionStore,
    clock: Clock,
}

impl Route for DeleteUser {
    const NAME: &'static str = "delete-user";
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let absent = || Problem::not_found("user");
        let id = visible_user(&call).await?.ok_or_else(absent)?;
        let precondition = call.precondition()?;
        for _ in 0..TRIES {
            let before = self.accounts.user(&id).await?.ok_or_else(absent)?;
            precondition.check(before.version)?;
            let tombstone = before.deleted(call.cause(), self.clock.now());
            match self.accounts.replace(&before, &tombstone, LoginChange::Remove).await? {
                Written::Done => {
                    // They are worth nothing since the write above; the table drops what is left of them.
                    if let Err(error) = self.sessions.remove_all(&id).await {
                        tracing::warn!(user.id = %id, error = %Chain(&error), "sessions are left to expire");
                    }
                    return Ok(Reply::no_content());
                }
                Written::Outrun | Written::Taken(_) => {}
            }
        }
        Err(Problem::contended())
    }
}

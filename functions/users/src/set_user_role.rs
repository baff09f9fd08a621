//! `PUT /users/{id}/role`: an administrator makes a user an administrator, or a customer again. It ends the
//! user's sessions, so that no token of the old role outlives its quarter of an hour.
//!
//! Needs `dynamodb:GetItem` and `PutItem` on the users table, `UpdateItem` on the sessions table, and `GetItem`
//! on the key table.

use aws_sdk_dynamodb::Client;
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::{Clock, Function};

use crate::account::User;
use crate::fields::read_role;
use crate::get_user_stats::named_user;
use crate::registration::TRIES;
use crate::store::accounts::{AccountStore, LoginChange, Written};

/// The function.
pub const FUNCTION: Function = Function::new(SetUserRole::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let accounts = AccountStore::start(&environment, client.clone())?;
        shop_http::start(SetUserRole { accounts, clock: environment.clock() }, &environment, &client).await
    })
});

struct SetUserRole {
    accounts: AccountStore,
    clock: Clock,
}

impl Route for SetUserRole {
    const NAME: &'static str = "set-user-role";
    const ACCESS: Access = Access::Admin;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let absent = || Problem::not_found("user");
        let id = named_user(&call).ok_or_else(absent)?;
        let precondition = call.precondition()?;
        let role = read_role(call.body()?)?;
        for _ in 0..TRIES {
            let before = self.accounts.user(&id).await?.ok_or_else(absent)?;
            precondition.check(before.version)?;
            if before.role == role {
                return answer(&before);
            }
            let after = before.in_role(role, call.cause(), self.clock.now());
            match self.accounts.replace(&before, &after, LoginChange::Role).await? {
                Written::Done => return answer(&after),
                Written::Outrun | Written::Taken(_) => {}
            }
        }
        Err(Problem::contended())
    }
}

fn answer(user: &User) -> Result<Reply, Problem> {
    let view = user.view().ok_or_else(|| Problem::not_found("user"))?;
    Reply::ok(&view)?.versioned(user.version)
}

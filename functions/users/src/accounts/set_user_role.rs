//! `PUT /users/{id}/role`: an administrator makes a user an administrator, or a customer again. It ends the
//! user's sessions. Whoever asks must still be an administrator when it is written, and the last administrator stays one:
//! both are conditions of the transaction.

use shop_auth::Role;
use shop_http::{Access, Call, Code, Contract, Endpoint, Problem, Reply, Route, Start, put};
use shop_lambda::{Clock, Function, StartError};

use crate::accounts::fields::read_role;
use crate::accounts::path::named_user;
use crate::accounts::store::{AccountStore, Authority, LoginChange, WriteOutcome};
use crate::accounts::user::{User, UserView};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<SetUserRole>();

pub(crate) struct SetUserRole {
    accounts: AccountStore,
    clock: Clock,
}

impl Route for SetUserRole {
    const NAME: &'static str = "set-user-role";
    const ENDPOINT: Endpoint = put("/users/{id}/role");
    const ACCESS: Access = Access::Admin;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let accounts = AccountStore::start(start.environment(), start.client())?;
        Ok(Self { accounts, clock: start.clock() })
    }

    fn contract() -> Contract {
        Contract::new("Makes a user an administrator, or a customer again")
            .body(read_role)
            .ok::<UserView<'_>>("The account as it is now.")
            .versioned()
            .conditional()
            .codes([Code::LastAdministrator])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let absent = || Problem::not_found("user");
        let id = named_user(&call).ok_or_else(absent)?;
        let precondition = call.precondition()?;
        let role = read_role(call.body()?)?;
        call.audit("role", if role == Role::Admin { "admin" } else { "customer" });
        let mut tries = self.accounts.tries();
        loop {
            let before = self.accounts.user(&id).await?.ok_or_else(absent)?;
            if call.principal.is_user(&id) {
                // Of one's own account the transaction holds what was read here.
                call.check_epoch(before.session_epoch)?;
            }
            precondition.check(before.version)?;
            if before.role == role {
                return answer(&before);
            }
            let after = before.in_role(role, call.cause(), self.clock.now());
            let authority = authority(&call);
            match self.accounts.replace(&before, &after, LoginChange::Role, authority, Vec::new()).await? {
                WriteOutcome::Done => return answer(&after),
                WriteOutcome::LastAdministrator => return Err(last_administrator()),
                WriteOutcome::Unauthorized => return Err(Problem::forbidden()),
                WriteOutcome::Conflict | WriteOutcome::EmailTaken(_) | WriteOutcome::IdTaken(_) => {}
            }
            tries.pause().await?;
        }
    }
}

/// 409: there would be nobody left to run the shop.
pub(crate) fn last_administrator() -> Problem {
    Problem::new(
        Code::LastAdministrator,
        "This is the only administrator. Make another one first: PUT /users/{id}/role.",
    )
}

/// The power by which a call changes somebody else's account.
pub(crate) fn authority(call: &Call) -> Option<Authority<'_>> {
    Some(Authority { user: call.principal.user_id()?, epoch: call.epoch? })
}

fn answer(user: &User) -> Result<Reply, Problem> {
    let view = user.view().ok_or_else(|| Problem::not_found("user"))?;
    Reply::ok(&view)?.versioned(user.version)
}

//! `DELETE /users/{id}`: erases a user's personal data, on the user's own wish or an administrator's.
//!
//! Name, e-mail address, password and sessions go, and the address may be registered anew. What stays is a
//! tombstone of the id: orders, statistics and the ledger belong to the id, which now names nobody, so all books
//! still balance (docs/decisions/0013).
//!
//! Users give their password as it is, in a body `{"current_password": "..."}`: a token that was stolen, or a browser
//! that was left alone, must not be enough. Administrators give none for others. The last administrator cannot go.

use shop_auth::Role;
use shop_http::{Access, Call, Code, Contract, Endpoint, Problem, Reply, Route, Start, delete};
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Function, StartError};

use crate::accounts::fields::read_current_password;
use crate::accounts::path::visible_user;
use crate::accounts::proof::Prover;
use crate::accounts::set_user_role::{authority, last_administrator};
use crate::accounts::store::{AccountStore, LoginChange, WriteOutcome};
use crate::attempts::rate_limiter::RateLimiter;
use crate::credentials::password::Hasher;
use crate::sessions::store::SessionStore;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<DeleteUser>();

pub(crate) struct DeleteUser {
    accounts: AccountStore,
    sessions: SessionStore,
    prover: Prover,
    clock: Clock,
}

impl Route for DeleteUser {
    const NAME: &'static str = "delete-user";
    const ENDPOINT: Endpoint = delete("/users/{id}");
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let accounts = AccountStore::start(start.environment(), start.client())?;
        let sessions = SessionStore::start(start.environment(), start.client())?;
        let prover = Prover {
            limiter: RateLimiter::start(start.environment(), start.client())?,
            hasher: Hasher::start(start.environment())?,
        };
        let clock = start.clock();
        Ok(Self { accounts, sessions, prover, clock })
    }

    fn contract() -> Contract {
        Contract::new("Deletes an account: one's own with its password, or as an administrator")
            .who("the user, administrators")
            .optional_body(|input| read_current_password(Ok(input)))
            .no_content("It is gone.")
            .conditional()
            .codes([Code::LastAdministrator, Code::TooManyAttempts, Code::Forbidden])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let absent = || Problem::not_found("user");
        let id = visible_user(&call).await?.ok_or_else(absent)?;
        let precondition = call.precondition()?;
        let own = call.principal.is_user(&id);
        if own {
            call.check_session().await?;
        }
        // Nobody's password is asked of an administrator. What is sent all the same is what is taken here.
        let given = if call.has_body() { Some(read_current_password(call.body())?) } else { None };
        let (session, now) = (call.session.as_ref(), self.clock.now());
        let mut tries = self.accounts.tries();
        loop {
            let before = self.accounts.user(&id).await?.ok_or_else(|| call.absent_user(&id))?;
            if own {
                call.check_epoch(before.session_epoch)?;
            }
            precondition.check(before.version)?;
            // Before the password is asked for, which would help nobody.
            if before.role == Role::Admin && self.accounts.is_last_admin(&id).await? {
                return Err(last_administrator());
            }
            let mut also = Vec::new();
            if own {
                let password = match &given {
                    Some(password) => password,
                    None => &read_current_password(call.body())?,
                };
                self.prover.prove(&self.accounts, &before, session, password, now).await?;
                also.push(self.prover.limiter.give_back_proof(&id, session, now).into());
            }
            let tombstone = before.deleted(call.cause(), now);
            let (remove, authority) = (LoginChange::Remove, authority(&call));
            match self.accounts.replace(&before, &tombstone, remove, authority, also).await? {
                WriteOutcome::Done => {
                    // They are worth nothing since the write above; the table drops what is left of them.
                    if let Err(error) = self.sessions.remove_all(&id).await {
                        tracing::warn!(user.id = %id, error = %Chain(&error), "sessions are left to expire");
                    }
                    return Ok(Reply::no_content());
                }
                WriteOutcome::LastAdministrator => return Err(last_administrator()),
                WriteOutcome::Unauthorized => return Err(Problem::forbidden()),
                // The password may be another one now.
                WriteOutcome::Conflict | WriteOutcome::EmailTaken(_) | WriteOutcome::IdTaken(_) => {}
            }
            tries.pause().await?;
        }
    }
}

//! `POST /users`: registers a customer. It opens no session: whoever registers logs in next.
//!
//! An address that has an account is a 409, since a shop without a way to write to people has to tell them;
//! it says no more than that, and takes as long as a registration (docs/decisions/0017). A key that was used is told
//! before that. What an address registers is counted before any work is done.

use shop_auth::Role;
use shop_http::{Access, Call, Code, Contract, Edge, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Function, StartError};
use shop_types::UserId;

use crate::accounts::fields::NewUser;
use crate::accounts::registration::{Registered, Registrar, RegistrarSource, RegistrationBudget};
use crate::accounts::user::{User, UserView};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<RegisterUser>();

pub(crate) struct RegisterUser {
    registrar: Registrar,
    budget: RegistrationBudget,
    edge: Edge,
}

impl Route for RegisterUser {
    const NAME: &'static str = "register-user";
    const ENDPOINT: Endpoint = post("/users");
    const ACCESS: Access = Access::Public;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let edge = start.edge()?;
        let registrar = RegistrarSource::of(start.environment(), start.client())?;
        let budget = RegistrationBudget::start(start.environment(), start.client())?;
        Ok(Self { registrar: registrar.read().await?, budget, edge })
    }

    fn contract() -> Contract {
        Contract::new("Makes an account")
            .body(NewUser::read)
            .created::<UserView<'_>>("The account.")
            .versioned()
            .idempotent()
            .codes([Code::EmailTaken, Code::TooManyAttempts])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let new_user = NewUser::read(call.body()?)?;
        let derived = call.idempotency_key()?.map(|key| UserId::derived(key.scope(), key.as_str()));
        self.registrar.count(&self.budget, call.source_address(&self.edge)).await?;
        match self.registrar.register(&new_user, Role::Customer, derived, call.cause()).await? {
            Registered::New(user) => created(&user),
            Registered::Before(user) => Ok(created(&user)?.replayed()),
            Registered::EmailTaken(_) => {
                Err(Problem::new(Code::EmailTaken, "There is an account with this e-mail address: log in."))
            }
        }
    }
}

fn created(user: &User) -> Result<Reply, Problem> {
    let view = user.view().ok_or_else(|| Problem::not_found("user"))?;
    Reply::created(&format!("/users/{}", user.id), &view)?.versioned(user.version)
}

//! `POST /users`: registers a customer. It opens no session: whoever registers logs in next.
//!
//! An address that has an account is a 409, since a shop without a way to write to people has to tell them;
//! it says no more than that, and takes as long as a registration (docs/decisions/0017). A key that was used is told
//! before that. What an address registers is counted before any work is done.
//!
//! Needs `dynamodb:PutItem` on the users table, `PutItem` and `UpdateItem` on the sessions table, `GetItem` on the
//! key table, and the lookup secret.

use aws_sdk_dynamodb::Client;
use shop_auth::Role;
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::Function;
use shop_types::UserId;

use crate::account::User;
use crate::fields::Draft;
use crate::registration::{Registered, Registrar, RegistrarSource, RegistrationBudget};
use crate::secrets::check_token_variables;

/// The function.
pub const FUNCTION: Function = Function::new(RegisterUser::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let registrar = RegistrarSource::of(&environment, client.clone())?;
        let budget = RegistrationBudget::start(&environment, client.clone())?;
        check_token_variables(&environment)?;
        let route = RegisterUser { registrar: registrar.read().await?, budget };
        shop_http::start(route, &environment, &client).await
    })
});

struct RegisterUser {
    registrar: Registrar,
    budget: RegistrationBudget,
}

impl Route for RegisterUser {
    const NAME: &'static str = "register-user";
    const ACCESS: Access = Access::Public;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let draft = Draft::read(call.body()?)?;
        let scope = call.principal.user_id().map_or("guest", UserId::as_str);
        let derived = call.idempotency_key()?.map(|key| UserId::derived(scope, key));
        self.registrar.count(&self.budget, call.source_address()).await?;
        match self.registrar.register(&draft, Role::Customer, derived, call.cause()).await? {
            Registered::New(user) => created(&user),
            Registered::Before(user) => Ok(created(&user)?.replayed()),
            Registered::Taken(_) => {
                Err(Problem::conflict("email_taken", "There is an account with this e-mail address: log in."))
            }
        }
    }
}

fn created(user: &User) -> Result<Reply, Problem> {
    let view = user.view().ok_or_else(|| Problem::not_found("user"))?;
    Reply::created(&format!("/users/{}", user.id), &view)?.versioned(user.version)
}

//! Makes the first administrator. It has no route: only IAM lets somebody invoke it (`lambda:InvokeFunction`),
//! which is what `cargo xtask admin` does.
//!
//! It takes `{"email", "password", "name"}` and answers `{"created": true, "user_id"}`; `false` with the
//! mistakes, or where the address has an account. Such an account is not promoted: whoever registered the
//! address first may be anybody. An administrator makes others by `PUT /users/{id}/role`.
//!
//! Needs what register-user needs, but no key table.

use aws_sdk_dynamodb::Client;
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use shop_auth::Role;
use shop_events::Cause;
use shop_http::{FieldError, Input, Problem};
use shop_lambda::{Function, FunctionError, Handler, Invocation};
use shop_types::UserId;

use crate::fields::Draft;
use crate::registration::{Registered, Registrar, RegistrarSource};

/// The function.
pub const FUNCTION: Function = Function::new("create-admin", |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let registrar = RegistrarSource::of(&environment, client)?.read().await?;
        Ok(Box::new(CreateAdmin { registrar }) as Box<dyn Handler>)
    })
});

struct CreateAdmin {
    registrar: Registrar,
}

/// The answer.
#[derive(Debug, Default, Serialize)]
struct Made<'a> {
    created: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Handler for CreateAdmin {
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>> {
        Box::pin(async move {
            let request_id = &invocation.context.request_id;
            match self.register(invocation.payload.get(), request_id).await {
                Ok(Registered::New(user) | Registered::Before(user)) => {
                    tracing::warn!(user.id = %user.id, "an administrator was made");
                    answer(&Made { created: true, user_id: Some(&user.id), ..Made::default() })
                }
                Ok(Registered::Taken(user)) => {
                    let code = match user.role {
                        Role::Admin => "already_an_administrator",
                        Role::Customer => "email_taken",
                    };
                    answer(&Made { user_id: Some(&user.id), code: Some(code), ..Made::default() })
                }
                Err(problem) if problem.status().is_client_error() => {
                    let (code, errors) = (Some(problem.code()), problem.errors());
                    answer(&Made { code, errors, ..Made::default() })
                }
                Err(problem) => {
                    Err(FunctionError::new("the administrator cannot be made", problem.into_source()))
                }
            }
        })
    }
}

impl CreateAdmin {
    async fn register(&self, payload: &str, request_id: &str) -> Result<Registered, Problem> {
        let draft = Draft::read(Input::parse(payload.as_bytes())?)?;
        let cause = Cause::request(request_id).by(FUNCTION.name());
        self.registrar.register(&draft, Role::Admin, None, cause).await
    }
}

fn answer(made: &Made<'_>) -> Result<Box<RawValue>, FunctionError> {
    to_raw_value(made).map_err(|error| FunctionError::new("the answer cannot be written", error))
}

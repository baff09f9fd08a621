//! Makes an administrator, or restores one. It has no route: only IAM lets somebody invoke it
//! (`lambda:InvokeFunction`), which is what `cargo xtask admin` does.
//!
//! It takes `{"email", "password", "name"}` and answers `{"result": "created", "user_id"}`. Where the address has an
//! account already nothing is done, since whoever registered an address first may be anybody; `"restore": true` says
//! that it is the right one: then that account becomes an administrator's again, with the new password if one is given,
//! and the answer is `"restored"`. Another role or password ends its sessions. Any other answer has a `code`, and the
//! errors.

use aws_sdk_dynamodb::Client;
use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use shop_auth::Role;
use shop_events::Cause;
use shop_http::{FieldCode, FieldError, Input, Problem};
use shop_lambda::{Function, FunctionError, Handler, Invocation, Kind};
use shop_types::UserId;

use crate::accounts::fields::{AdminRequest, NewUser};
use crate::accounts::registration::{Registered, Registrar, RegistrarSource};
use crate::accounts::store::{LoginChange, WriteOutcome};
use crate::accounts::user::Changes;
use crate::credentials::login::Login;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = Function::new("create-admin", Kind::Task, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let registrar = RegistrarSource::of(&environment, client)?.read().await?;
        Ok(Box::new(CreateAdmin { registrar }) as Box<dyn Handler>)
    })
});

struct CreateAdmin {
    registrar: Registrar,
}

#[derive(Debug)]
enum Made {
    Created(UserId),
    Restored(UserId),
    Refused(UserId, &'static str),
}

#[derive(Debug, Default, Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'static str>,
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
            let done = |result, user_id| {
                // As the routes' own lines of the audit trail.
                tracing::warn!(
                    target: "shop_audit",
                    {
                        audit.act = FUNCTION.name(),
                        audit.outcome = "done",
                        audit.actor = FUNCTION.name(),
                        audit.subject = %user_id,
                        audit.details = result,
                        request.id = request_id,
                    },
                    "an administrator was made"
                );
                answer(&Answer { result: Some(result), user_id: Some(user_id), ..Answer::default() })
            };
            match self.make(invocation.payload.get(), request_id).await {
                Ok(Made::Created(user_id)) => done("created", &user_id),
                Ok(Made::Restored(user_id)) => done("restored", &user_id),
                Ok(Made::Refused(user_id, code)) => {
                    answer(&Answer { user_id: Some(&user_id), code: Some(code), ..Answer::default() })
                }
                Err(problem) if problem.status().is_client_error() => {
                    let (code, errors) = (Some(problem.code().as_str()), problem.errors());
                    answer(&Answer { code, errors, ..Answer::default() })
                }
                Err(problem) => {
                    Err(FunctionError::new("the administrator cannot be made", problem.into_source()))
                }
            }
        })
    }
}

impl CreateAdmin {
    async fn make(&self, payload: &str, request_id: &str) -> Result<Made, Problem> {
        let request = AdminRequest::read(Input::parse(payload.as_bytes())?)?;
        let mut tries = self.registrar.accounts.tries();
        loop {
            let login =
                self.registrar.accounts.login(&self.registrar.blind_index.login(&request.email)).await?;
            let made = match login {
                Some(login) if request.restore => self.restore(&request, login, request_id).await?,
                Some(login) => Some(Made::Refused(login.user_id, taken(login.role))),
                None => return self.create(request, request_id).await,
            };
            if let Some(made) = made {
                return Ok(made);
            }
            tries.pause().await?;
        }
    }

    async fn create(&self, request: AdminRequest, request_id: &str) -> Result<Made, Problem> {
        let AdminRequest { email, password, name, .. } = request;
        let Some(password) = password else {
            let pointer = "/password".to_owned();
            let detail = "There is no such account, and a new one needs a password.".to_owned();
            return Err(Problem::invalid(vec![FieldError { pointer, code: FieldCode::Missing, detail }]));
        };
        let request = NewUser { email, password, name };
        let cause = Cause::request(request_id).by(FUNCTION.name());
        match self.registrar.register(&request, Role::Admin, None, cause).await? {
            Registered::New(user) | Registered::Before(user) => Ok(Made::Created(user.id)),
            // Somebody took the address between the two looks: no account of this operator.
            Registered::EmailTaken(user_id) => Ok(Made::Refused(user_id, "email_taken")),
        }
    }

    /// None where the account changed in between.
    async fn restore(
        &self,
        request: &AdminRequest,
        login: Login,
        request_id: &str,
    ) -> Result<Option<Made>, Problem> {
        let Registrar { accounts, hasher, clock, random, .. } = &self.registrar;
        let Some(before) = accounts.user(&login.user_id).await? else { return Ok(None) };
        let changes = Changes { password: request.password.is_some(), ..Changes::default() };
        let cause = || Cause::request(request_id).by(FUNCTION.name());
        let mut after = before.changed(changes, cause(), clock.now());
        if before.role != Role::Admin {
            after = after.in_role(Role::Admin, cause(), clock.now());
            // It is one change.
            after.version = before.version + 1;
        }
        let password = match &request.password {
            Some(password) => hasher.hash(password, random.bytes())?,
            None => login.password.clone(),
        };
        let change = LoginChange::Replace(Login { password, ..login });
        let also = match before.role {
            Role::Admin => vec![accounts.note_admin(&before.id).into()],
            Role::Customer => Vec::new(),
        };
        match accounts.replace(&before, &after, change, None, also).await? {
            WriteOutcome::Done => Ok(Some(Made::Restored(after.id))),
            _ => Ok(None),
        }
    }
}

const fn taken(role: Role) -> &'static str {
    match role {
        Role::Admin => "already_an_administrator",
        Role::Customer => "email_taken",
    }
}

fn answer(answer: &Answer<'_>) -> Result<Box<RawValue>, FunctionError> {
    to_raw_value(answer).map_err(|error| FunctionError::new("the answer cannot be written", error))
}

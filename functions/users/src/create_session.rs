//! `POST /sessions`: logs in, and answers with an access token and the session's first refresh token.
//!
//! Three calls of DynamoDB and one hash. The login and the address's failed attempts are read while this
//! attempt on the account is counted; only who is below both limits has the password hashed, and who is not
//! gets a 429. Then the session is stored, or the address's failure counted. An unknown address takes the same
//! calls and the same work as a wrong password, and has the same answer.
//!
//! Needs `dynamodb:BatchGetItem`, `PutItem` and `UpdateItem` on the sessions table, `GetItem` and `UpdateItem`
//! on the key table, and both secrets.

use aws_sdk_dynamodb::Client;
use futures::future::try_join;
use serde::Serialize;
use shop_auth::{Grant, Role, token_lifetime_seconds};
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::{Clock, Function, Random};
use shop_types::UserId;

use crate::fields::Credentials;
use crate::lookup::Lookup;
use crate::password::{Hasher, Verdict};
use crate::secrets::{LookupSource, Signer, SignerSource};
use crate::session::{REFRESH_LIFETIME_SECONDS, Session};
use crate::store::attempts::{AttemptStore, Window};
use crate::store::sessions::{Rehash, SessionStore};

/// The function.
pub const FUNCTION: Function = Function::new(CreateSession::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let attempts = AttemptStore::start(&environment, client.clone())?;
        let sessions = SessionStore::start(&environment, client.clone())?;
        let hasher = Hasher::start(&environment)?;
        let lookup = LookupSource::of(&environment)?;
        let signer = SignerSource::of(&environment, client.clone())?;
        // It publishes its key, which the verifier of `start` then finds.
        let signer = signer.start().await?;
        let route = CreateSession {
            attempts,
            sessions,
            hasher,
            lookup: lookup.read().await?,
            signer,
            clock: environment.clock(),
            random: environment.random(),
        };
        shop_http::start(route, &environment, &client).await
    })
});

struct CreateSession {
    attempts: AttemptStore,
    sessions: SessionStore,
    hasher: Hasher,
    lookup: Lookup,
    signer: Signer,
    clock: Clock,
    random: Random,
}

/// What a log-in and a refresh answer with. It must not be logged.
#[derive(Serialize)]
pub(crate) struct Tokens<'a> {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    /// Seconds.
    pub(crate) expires_in: i64,
    pub(crate) refresh_token: String,
    /// Seconds.
    pub(crate) refresh_expires_in: i64,
    pub(crate) user_id: &'a UserId,
    pub(crate) role: Role,
}

impl Route for CreateSession {
    const NAME: &'static str = "create-session";
    const ACCESS: Access = Access::Public;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let Credentials { email, password } = Credentials::read(call.body()?)?;
        let now = self.clock.now();
        let window = Window::at(now);
        let address = call.source_address().map(|address| self.lookup.attempts_from(address));
        let (key, account) = (self.lookup.login(&email), self.lookup.attempts_on(&email));
        let ((login, address_may), account_may) = try_join(
            self.attempts.login(&key, address.as_deref(), window),
            self.attempts.may_try(&account, window),
        )
        .await?;
        if !address_may || !account_may {
            return Err(too_many_attempts(window));
        }
        let verdict = self.hasher.verify(&password, login.as_ref().map(|login| &login.password))?;
        let (Some(login), Verdict::Right | Verdict::RightAndWeak) = (login, verdict) else {
            if let Some(address) = address {
                self.attempts.failed(&address, window).await?;
            }
            return Err(Problem::not_proven(
                "invalid_credentials",
                "The e-mail address or the password is wrong.",
            ));
        };
        let rehash = match verdict {
            Verdict::RightAndWeak => {
                let after = self.hasher.hash(&password, self.random.bytes())?;
                Some(Rehash { login: key, before: login.password.clone(), after })
            }
            Verdict::Right | Verdict::Wrong => None,
        };
        // Before anything is stored: there is no session where no token can be given.
        let issuer = self.signer.issuer().await?;
        let (session, refresh_token) = Session::start(
            login.user_id.clone(),
            login.session_epoch,
            self.random.bytes(),
            self.random.bytes(),
            now,
        );
        self.sessions.open(&session, rehash).await?;
        let grant = Grant {
            user: &login.user_id,
            role: login.role,
            epoch: login.session_epoch,
            session: Some(&session.session_id),
        };
        let tokens = Tokens {
            access_token: issuer.issue(&grant, self.random.bytes(), now)?,
            token_type: "Bearer",
            expires_in: token_lifetime_seconds(login.role),
            refresh_token: refresh_token.reveal(),
            refresh_expires_in: REFRESH_LIFETIME_SECONDS,
            user_id: &login.user_id,
            role: login.role,
        };
        Reply::created("/sessions/current", &tokens)
    }
}

/// The same for an account and for an address, so that it says of neither that it is there.
pub(crate) fn too_many_attempts(window: Window) -> Problem {
    let detail = "There were too many attempts. Wait, and try again.";
    Problem::too_many_requests("too_many_attempts", detail, window.rest())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shop_lambda::{Handler, Invocation};

    use super::*;
    use crate::register_user;
    use crate::testing::Table;

    /// Invokes a function with its fixture; the status.
    async fn invoke(handler: &dyn Handler, fixture: &str) -> Value {
        let payload = serde_json::value::RawValue::from_string(fixture.to_owned()).unwrap();
        let invocation = Invocation { payload, context: lambda_runtime::Context::default() };
        let answer: Value = serde_json::from_str(handler.handle(invocation).await.unwrap().get()).unwrap();
        answer["statusCode"].clone()
    }

    #[tokio::test]
    async fn a_hash_of_less_work_is_replaced_when_its_owner_logs_in_and_costs_no_call_more() {
        let table = Table::new();
        table.set_secret(&"a".repeat(64));
        let before = table.environment_with("PASSWORD_MEMORY_KIB", "19456");
        let after = table.environment_with("PASSWORD_MEMORY_KIB", "20480");
        let register = register_user::FUNCTION.start(before).await.unwrap();
        assert_eq!(invoke(&*register, include_str!("../../../events/register-user.json")).await, json!(201));
        let log_in = FUNCTION.start(after).await.unwrap();
        let fixture = include_str!("../../../events/create-session.json");
        for written in ["TransactWriteItems", "PutItem"] {
            let count = table.operations().len();
            assert_eq!(invoke(&*log_in, fixture).await, json!(201));
            let calls = &table.operations()[count..];
            assert_eq!(calls, ["BatchGetItem", "UpdateItem", written]);
            if written == "TransactWriteItems" {
                let update = table.last_call()["TransactItems"][1]["Update"].clone();
                let values = &update["ExpressionAttributeValues"];
                assert!(
                    values[":before"]["S"].as_str().unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
                );
                assert!(
                    values[":after"]["S"].as_str().unwrap().starts_with("$argon2id$v=19$m=20480,t=2,p=1$")
                );
            }
        }
    }

    #[tokio::test]
    async fn a_login_that_changes_meanwhile_keeps_its_hash_and_the_session_is_opened() {
        let table = Table::new();
        table.set_secret(&"a".repeat(64));
        let before = table.environment_with("PASSWORD_MEMORY_KIB", "19456");
        let after = table.environment_with("PASSWORD_MEMORY_KIB", "20480");
        let register = register_user::FUNCTION.start(before).await.unwrap();
        invoke(&*register, include_str!("../../../events/register-user.json")).await;
        let log_in = FUNCTION.start(after).await.unwrap();
        table.before_next("TransactWriteItems", |_, _| {
            let reasons = json!([{ "Code": "None" }, { "Code": "ConditionalCheckFailed" }]);
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            Some((400, json!({ "__type": kind, "CancellationReasons": reasons }).to_string()))
        });
        assert_eq!(invoke(&*log_in, include_str!("../../../events/create-session.json")).await, json!(201));
        assert_eq!(table.operations().last().unwrap(), "PutItem");
    }
}

//! `POST /sessions`: logs in, and answers with an access token and the session's first refresh token.
//!
//! One call reads the login and all buckets that the attempt falls into; where they have room ([`crate::limits`])
//! the attempt is counted, in one call for a device or an address that has logged in before and in three for
//! strangers. Then comes the hash. The transaction that stores the session takes the attempt off again. Unknown
//! addresses take the same calls and the same work as wrong passwords, and have the same answers.
//!
//! Needs `dynamodb:BatchGetItem`, `PutItem` and `UpdateItem` on the sessions table, `GetItem` and `UpdateItem`
//! on the key table, and both secrets.

use schemars::JsonSchema;
use serde::Serialize;
use shop_auth::{Grant, Role, token_lifetime_seconds};
use shop_http::{Access, Call, Code, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, Random, StartError};
use shop_types::UserId;

use crate::attempt::{source, too_many_attempts};
use crate::blind_index::BlindIndex;
use crate::device::DeviceToken;
use crate::fields::Credentials;
use crate::password::{Hasher, PasswordCheck};
use crate::secrets::{BlindIndexSource, Signer, SignerSource};
use crate::session::{REFRESH_LIFETIME_SECONDS, Session};
use crate::store::rate_limiter::{Attempt, Found, RateLimiter};
use crate::store::sessions::{Rehash, SessionStore};

/// The function.
pub const FUNCTION: Function = shop_http::function::<CreateSession>();

/// The route.
pub struct CreateSession {
    limiter: RateLimiter,
    sessions: SessionStore,
    hasher: Hasher,
    blind_index: BlindIndex,
    signer: Signer,
    clock: Clock,
    random: Random,
}

/// What a log-in and a refresh answer with.
// It must not be logged, so it has no `Debug`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Tokens<'a> {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    /// Seconds.
    pub(crate) expires_in: i64,
    pub(crate) refresh_token: String,
    /// Seconds.
    pub(crate) refresh_expires_in: i64,
    /// To be sent with the next log-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device_token: Option<String>,
    pub(crate) user_id: &'a UserId,
    pub(crate) role: Role,
}

impl Route for CreateSession {
    const NAME: &'static str = "create-session";
    const ENDPOINT: Endpoint = post("/sessions");
    const ACCESS: Access = Access::Public;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let limiter = RateLimiter::start(start.environment(), start.client())?;
        let sessions = SessionStore::start(start.environment(), start.client())?;
        let hasher = Hasher::start(start.environment())?;
        let blind_index = BlindIndexSource::of(start.environment())?;
        let signer = SignerSource::of(start.environment(), start.client())?;
        // It publishes its key, which the verifier then finds.
        let signer = signer.start().await?;
        Ok(Self {
            limiter,
            sessions,
            hasher,
            blind_index: blind_index.read().await?,
            signer,
            clock: start.clock(),
            random: start.random(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Logs in")
            .body(Credentials::read)
            .created_here::<Tokens<'_>>("The tokens.")
            .codes([Code::InvalidCredentials, Code::TooManyAttempts])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let Credentials { email, password, device_token } = Credentials::read(call.body()?)?;
        let now = self.clock.now();
        let address = source(call.source_address());
        // A token that is none, or another shop's, is a stranger's: no mistake, since clients keep what they have.
        let device = device_token
            .and_then(|text| text.parse().ok())
            .filter(|token| self.blind_index.is_genuine(token));
        let attempt = Attempt {
            login: self.blind_index.login(&email),
            address: self.blind_index.attempts_from(address),
            account: self.blind_index.attempts_on(&email),
            pair: self.blind_index.attempts_of(address, &email),
            device,
        };
        let found = self.limiter.find(&attempt, now).await?;
        // Whose account is tried, and by whom: no address of either kind.
        call.audit("as", found.path.as_str());
        if let Some(login) = &found.login {
            call.audit("account", &login.user_id);
        }
        self.limiter.count(&attempt, &found, now).await?.map_err(too_many_attempts)?;
        let Found { login, path, .. } = found;
        let check = self.hasher.verify(&password, login.as_ref().map(|login| &login.password))?;
        let (Some(login), PasswordCheck::Right | PasswordCheck::RightAndWeak) = (login, check) else {
            return Err(Problem::invalid_credentials(
                Code::InvalidCredentials,
                "The e-mail address or the password is wrong.",
            ));
        };
        let rehash = match check {
            PasswordCheck::RightAndWeak => {
                let after = self.hasher.hash(&password, self.random.bytes())?;
                Some(Rehash { login: attempt.login.clone(), before: login.password.clone(), after })
            }
            PasswordCheck::Right | PasswordCheck::Wrong => None,
        };
        // Before anything is stored: there is no session where no token can be given.
        let keys = self.signer.keys().await?;
        let random = (self.random.bytes(), self.random.bytes());
        let (session, refresh_token) =
            Session::start(login.user_id.clone(), login.session_epoch, random, &keys.refresh, now);
        let also = self.limiter.give_back(&attempt, path, login.session_epoch, now);
        self.sessions.open(&session, rehash, also).await?;
        let is_current =
            |token: &DeviceToken| *token.user() == login.user_id && token.epoch() == login.session_epoch;
        let device = attempt.device.filter(is_current).unwrap_or_else(|| {
            self.blind_index.device(login.user_id.clone(), login.session_epoch, self.random.bytes())
        });
        let grant = Grant {
            user: &login.user_id,
            role: login.role,
            epoch: login.session_epoch,
            session: Some(&session.session_id),
        };
        let tokens = Tokens {
            access_token: keys.access.issue(&grant, self.random.bytes(), now)?,
            token_type: "Bearer",
            expires_in: token_lifetime_seconds(login.role),
            refresh_token: refresh_token.reveal(),
            refresh_expires_in: REFRESH_LIFETIME_SECONDS,
            device_token: Some(device.reveal()),
            user_id: &login.user_id,
            role: login.role,
        };
        // There is no address to read a session at.
        Reply::created_here(&tokens)
    }
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
        const COUNTED: [&str; 3] = ["UpdateItem"; 3];
        let table = Table::new();
        table.set_secret(&"a".repeat(64));
        let before = table.environment_with("PASSWORD_MEMORY_KIB", "19456");
        let after = table.environment_with("PASSWORD_MEMORY_KIB", "20480");
        let register = register_user::FUNCTION.start(before).await.unwrap();
        assert_eq!(invoke(&*register, include_str!("../../../events/register-user.json")).await, json!(201));
        let log_in = FUNCTION.start(after).await.unwrap();
        let fixture = include_str!("../../../events/create-session.json");
        // The first log-in is a stranger's, the second one's address is known.
        for (counted, is_rehashed) in [(&COUNTED[..], true), (&COUNTED[..1], false)] {
            let count = table.operations().len();
            assert_eq!(invoke(&*log_in, fixture).await, json!(201));
            let calls = &table.operations()[count..];
            assert_eq!(calls, [&["BatchGetItem"], counted, &["TransactWriteItems"]].concat());
            let writes = table.last_call()["TransactItems"].to_string();
            assert_eq!(writes.contains("m=20480"), is_rehashed, "{writes}");
            if is_rehashed {
                let update = table.last_call()["TransactItems"][1]["Update"].clone();
                let values = &update["ExpressionAttributeValues"];
                assert!(
                    values[":is_password"]["S"]
                        .as_str()
                        .unwrap()
                        .starts_with("$argon2id$v=19$m=19456,t=2,p=1$")
                );
                assert!(
                    values[":set_password"]["S"]
                        .as_str()
                        .unwrap()
                        .starts_with("$argon2id$v=19$m=20480,t=2,p=1$")
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
        let reasons = json!([{ "Code": "None" }, { "Code": "ConditionalCheckFailed" }]);
        let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        let cancelled = json!({ "__type": kind, "CancellationReasons": reasons }).to_string();
        table.before_each("TransactWriteItems", move |_, body| {
            let is_rehash = String::from_utf8_lossy(body).contains("m=20480");
            is_rehash.then(|| (400, cancelled.clone()))
        });
        assert_eq!(invoke(&*log_in, include_str!("../../../events/create-session.json")).await, json!(201));
        let writes = table.last_call()["TransactItems"].to_string();
        assert!(writes.contains("session#") && !writes.contains("m=20480"), "{writes}");
    }
}

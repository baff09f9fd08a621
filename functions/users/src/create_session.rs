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
use shop_auth::{ACCESS_TOKEN_LIFETIME_SECONDS, Role, Verifier};
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
pub const FUNCTION: Function = Function::new("create-session", |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let attempts = AttemptStore::start(&environment, client.clone())?;
        let sessions = SessionStore::start(&environment, client.clone())?;
        let hasher = Hasher::start(&environment)?;
        let lookup = LookupSource::of(&environment)?;
        let signer = SignerSource::of(&environment, client.clone())?;
        // It publishes its key, which the verifier then finds.
        let signer = signer.start().await?;
        let verifier = Verifier::start(&environment, &client).await?;
        let route = CreateSession {
            attempts,
            sessions,
            hasher,
            lookup: lookup.read().await?,
            signer,
            clock: environment.clock(),
            random: environment.random(),
        };
        Ok(shop_http::handler(route, verifier))
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
        let (session, refresh_token) = Session::start(
            login.user_id.clone(),
            login.session_epoch,
            self.random.bytes(),
            self.random.bytes(),
            now,
        );
        self.sessions.open(&session, rehash).await?;
        let issuer = self.signer.issuer().await?;
        let tokens = Tokens {
            access_token: issuer.mint_in(&session.session_id, &login.user_id, login.role, now)?,
            token_type: "Bearer",
            expires_in: ACCESS_TOKEN_LIFETIME_SECONDS,
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

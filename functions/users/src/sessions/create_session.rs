//! `POST /sessions`: logs in, and answers with an access token and the session's first refresh token.
//!
//! One call reads the login and all buckets that the attempt falls into; where they have room ([`crate::attempts::limits`])
//! the attempt is counted, in one call for a device or an address that has logged in before and in three for
//! strangers. Then comes the hash. The transaction that stores the session takes the attempt off again. Unknown
//! addresses take the same calls and the same work as wrong passwords, and have the same answers.

use shop_auth::{Grant, REFRESH_LIFETIME_SECONDS, token_lifetime_seconds};
use shop_http::{Access, Call, Code, Contract, Edge, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, Random, StartError};

use crate::attempts::rate_limiter::{Attempt, Found, RateLimiter};
use crate::attempts::{source, too_many_attempts};
use crate::credentials::blind_index::BlindIndex;
use crate::credentials::device::DeviceToken;
use crate::credentials::password::{Hasher, PasswordCheck};
use crate::secrets::BlindIndexSource;
use crate::sessions::fields::Credentials;
use crate::sessions::session::Session;
use crate::sessions::signer::{Signer, SignerSource};
use crate::sessions::store::{Rehash, SessionStore};
use crate::sessions::tokens::Tokens;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<CreateSession>();

pub(crate) struct CreateSession {
    limiter: RateLimiter,
    sessions: SessionStore,
    hasher: Hasher,
    edge: Edge,
    blind_index: BlindIndex,
    signer: Signer,
    clock: Clock,
    random: Random,
}

impl Route for CreateSession {
    const NAME: &'static str = "create-session";
    const ENDPOINT: Endpoint = post("/sessions");
    const ACCESS: Access = Access::Public;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let edge = start.edge()?;
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
            edge,
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
            .session("The refresh token, of a page that says `Session-Transport: cookie`.")
            .codes([Code::InvalidCredentials, Code::TooManyAttempts])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let is_browser = call.is_browser()?;
        let Credentials { email, password, device_token } = Credentials::read(call.body()?)?;
        let now = self.clock.now();
        let address = source(call.source_address(&self.edge));
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
        let also = self.limiter.give_back(&attempt, path, &login, now);
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
            session: Some(&session.id),
        };
        let tokens = Tokens {
            access_token: keys.access.issue(&grant, self.random.bytes(), now)?,
            token_type: "Bearer",
            expires_in: token_lifetime_seconds(login.role),
            refresh_token: (!is_browser).then(|| refresh_token.reveal()),
            refresh_expires_in: REFRESH_LIFETIME_SECONDS,
            device_token: Some(device.reveal()),
            user_id: &login.user_id,
            role: login.role,
        };
        // There is no address to read a session at.
        let reply = Reply::created_here(&tokens)?;
        if is_browser {
            reply.with_session_cookie(&refresh_token.reveal(), REFRESH_LIFETIME_SECONDS)
        } else {
            Ok(reply)
        }
    }
}

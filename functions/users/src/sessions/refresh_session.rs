//! `POST /sessions/refresh`: a new access token, and the next refresh token in the place of the one presented.
//!
//! One read of the session and the account together, and one conditional write. Two who refresh at once are given the
//! same next token. One that was used before that ends the whole session (see [`crate::sessions::session`]), and so does a
//! change of the user's password, address or role; one that was never issued ends nothing.
//!
//! A page presents it by its cookie, and is given the next one so. A refusal takes no cookie away: another tab may just have
//! been given it (docs/decisions/0061).

use shop_auth::{Grant, RefreshToken, token_lifetime_seconds};
use shop_http::{Access, Call, Code, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, Random, StartError};

use crate::accounts::store::Directory;
use crate::sessions::fields::{read_if_any, read_nothing, read_refresh_token};
use crate::sessions::session::Claim;
use crate::sessions::signer::{Signer, SignerSource};
use crate::sessions::store::SessionStore;
use crate::sessions::tokens::Tokens;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<RefreshSession>();

pub(crate) struct RefreshSession {
    sessions: SessionStore,
    accounts: Directory,
    signer: Signer,
    clock: Clock,
    random: Random,
}

impl Route for RefreshSession {
    const NAME: &'static str = "refresh-session";
    const ENDPOINT: Endpoint = post("/sessions/refresh");
    const ACCESS: Access = Access::Public;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let sessions = SessionStore::start(start.environment(), start.client())?;
        let accounts = Directory::start(start.environment(), start.client())?;
        let signer = SignerSource::of(start.environment(), start.client())?;
        // It publishes its key, which the verifier then finds.
        let signer = signer.start().await?;
        Ok(Self { sessions, accounts, signer, clock: start.clock(), random: start.random() })
    }

    fn contract() -> Contract {
        Contract::new("Gives new tokens for a refresh token, which is used up")
            .who("who has the refresh token")
            .optional_body(read_if_any)
            .ok::<Tokens<'_>>("The tokens.")
            .session(
                "The next refresh token, of a page that says `Session-Transport: cookie`, and sends no body.",
            )
            .codes([Code::InvalidRefreshToken, Code::Forbidden])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let is_browser = call.is_browser()?;
        let text = presented(&call, is_browser)?;
        let presented: RefreshToken = text.parse().map_err(|_| refused())?;
        // Before anything is changed: a token is not used up where no other can be given.
        let keys = self.signer.keys().await?;
        // The session may move on between its read and its write: then it is read again.
        let mut tries = self.sessions.tries();
        loop {
            let now = self.clock.now();
            let (user_id, session_id) = (presented.user(), presented.session());
            let (session, user) = self.sessions.find(&self.accounts, user_id, session_id).await?;
            let Some(session) = session else { return Err(refused()) };
            call.audit("account", user_id);
            let next_token = presented.next(&keys.refresh);
            let next = match session.claim(&presented, user.as_ref(), &keys.refresh, now) {
                Claim::Good => {
                    let next = session.rotated(&next_token, now);
                    if !self.sessions.rotate(&session, &next).await? {
                        tries.pause().await?;
                        continue;
                    }
                    next
                }
                Claim::Again if next_token.hash() == session.token_hash => session,
                // The secret was replaced in these seconds: the last token cannot be found again.
                Claim::Again | Claim::Unknown => return Err(refused()),
                claim @ (Claim::Reused | Claim::Outdated) => return self.end(&call, &presented, claim).await,
            };
            let Some(user) = user else { return Err(refused()) };
            let grant =
                Grant { user: &user.id, role: user.role, epoch: user.session_epoch, session: Some(&next.id) };
            let lasts = next.expires_at - now.as_secs();
            let reply = Reply::ok(&Tokens {
                access_token: keys.access.issue(&grant, self.random.bytes(), now)?,
                token_type: "Bearer",
                expires_in: token_lifetime_seconds(user.role),
                refresh_token: (!is_browser).then(|| next_token.reveal()),
                refresh_expires_in: lasts,
                device_token: None,
                user_id: &user.id,
                role: user.role,
            })?;
            return if is_browser {
                reply.with_session_cookie(&next_token.reveal(), lasts)
            } else {
                Ok(reply)
            };
        }
    }
}

impl RefreshSession {
    async fn end(&self, call: &Call, presented: &RefreshToken, why: Claim) -> Result<Reply, Problem> {
        self.sessions.end(presented.user(), presented.session()).await?;
        call.audit("ended", if why == Claim::Reused { "token_reused" } else { "account_changed" });
        if why == Claim::Reused {
            tracing::warn!(user.id = %presented.user(), "a refresh token was used twice; its session has ended");
        }
        Err(refused())
    }
}

/// The text of the token: the cookie's where a page asks, and the body's of everybody else.
fn presented(call: &Call, is_browser: bool) -> Result<String, Problem> {
    if !is_browser {
        return read_refresh_token(call.body()?);
    }
    if call.has_body() {
        read_nothing(call.body()?)?;
    }
    call.session_cookie()?.map(str::to_owned).ok_or_else(refused)
}

/// The same for every reason: whoever stole a token learns nothing.
fn refused() -> Problem {
    Problem::invalid_credentials(Code::InvalidRefreshToken, "The refresh token is not valid. Log in again.")
}

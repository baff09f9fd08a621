//! `DELETE /sessions/current`: logs out. The session that the access token was issued in ends, and with it its
//! refresh tokens. Access tokens that are out show their owner's own data until they expire; they change no account and
//! are no administrator's (docs/decisions/0030).

use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, delete};
use shop_lambda::{Function, StartError};

use crate::sessions::store::SessionStore;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<DeleteSession>();

pub(crate) struct DeleteSession {
    sessions: SessionStore,
}

impl Route for DeleteSession {
    const NAME: &'static str = "delete-session";
    const ENDPOINT: Endpoint = delete("/sessions/current");
    const ACCESS: Access = Access::SignedIn;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let sessions = SessionStore::start(start.environment(), start.client())?;
        Ok(Self { sessions })
    }

    fn contract() -> Contract {
        Contract::new("Logs out")
            .no_content("The session is ended.")
            .session("Takes the cookie of a page away.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let is_browser = call.is_browser()?;
        // A token outside any session, as the local demo's, has nothing to end.
        if let (Some(user), Some(session)) = (call.principal.user_id(), &call.session) {
            self.sessions.end(user, session).await?;
        }
        let reply = Reply::no_content();
        if is_browser { reply.without_session_cookie() } else { Ok(reply) }
    }
}

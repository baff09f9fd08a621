//! `DELETE /sessions/current`: logs out. The session that the access token was issued in ends, and with it its
//! refresh tokens; access tokens that are out are good for the rest of their quarter of an hour.
//!
//! Needs `dynamodb:DeleteItem` on the sessions table, and `GetItem` on the key table.

use aws_sdk_dynamodb::Client;
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::Function;

use crate::store::sessions::SessionStore;

/// The function.
pub const FUNCTION: Function = Function::new(DeleteSession::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let sessions = SessionStore::start(&environment, client.clone())?;
        shop_http::start(DeleteSession { sessions }, &environment, &client).await
    })
});

struct DeleteSession {
    sessions: SessionStore,
}

impl Route for DeleteSession {
    const NAME: &'static str = "delete-session";
    const ACCESS: Access = Access::SignedIn;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        // A token outside any session, as the local demo's, has nothing to end.
        if let (Some(user), Some(session)) = (call.principal.user_id(), &call.session) {
            self.sessions.end(user, session).await?;
        }
        Ok(Reply::no_content())
    }
}

//! `GET /users/{id}`: an account, to its user (`me` is an id, too) and to administrators.

use crate::accounts::user::UserView;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};

use crate::accounts::path::visible_user;
use crate::accounts::store::Directory;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetUser>();

pub(crate) struct GetUser {
    directory: Directory,
}

impl Route for GetUser {
    const NAME: &'static str = "get-user";
    const ENDPOINT: Endpoint = get("/users/{id}");
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let directory = Directory::start(start.environment(), start.client())?;
        Ok(Self { directory })
    }

    fn contract() -> Contract {
        Contract::new("Shows an account; `me` is one's own")
            .who("the user, administrators")
            .ok::<UserView<'_>>("The account.")
            .cacheable()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let absent = || Problem::not_found("user");
        let id = visible_user(&call).await?.ok_or_else(absent)?;
        let user = self.directory.user(&id).await?.ok_or_else(|| call.absent_user(&id))?;
        if call.principal.is_user(&id) {
            call.check_epoch(user.session_epoch)?;
        }
        if call.is_unchanged(user.version)? {
            return Reply::not_modified(user.version);
        }
        Reply::ok(&user.view().ok_or_else(absent)?)?.versioned(user.version)
    }
}

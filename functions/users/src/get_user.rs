//! `GET /users/{id}`: an account, to its user (`me` is an id, too) and to administrators.
//!
//! Needs `dynamodb:GetItem` on the users table, and on the key table.

use aws_sdk_dynamodb::Client;
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::Function;

use crate::get_user_stats::visible_user;
use crate::store::accounts::Directory;

/// The function.
pub const FUNCTION: Function = Function::new(GetUser::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let directory = Directory::start(&environment, client.clone())?;
        shop_http::start(GetUser { directory }, &environment, &client).await
    })
});

struct GetUser {
    directory: Directory,
}

impl Route for GetUser {
    const NAME: &'static str = "get-user";
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let absent = || Problem::not_found("user");
        let id = visible_user(&call).await?.ok_or_else(absent)?;
        let user = self.directory.user(&id).await?.ok_or_else(absent)?;
        if call.principal.is_user(&id) {
            call.check_epoch(user.session_epoch)?;
        }
        if call.is_unchanged(user.version) {
            return Reply::not_modified(user.version);
        }
        Reply::ok(&user.view().ok_or_else(absent)?)?.versioned(user.version)
    }
}

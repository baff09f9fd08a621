//! `GET /users`: the directory of accounts, newest first, page by page, for administrators.
//!
//! One query of a sparse index, which those who were deleted are not in. It follows the table within moments.
//!
//! Needs `dynamodb:Query` on the index, and `GetItem` on the key table.

use aws_sdk_dynamodb::Client;
use shop_auth::Verifier;
use shop_http::{Access, Call, Cursor, Page, Problem, Reply, Route};
use shop_lambda::Function;

use crate::account::User;
use crate::store::accounts::{Directory, Position};

/// The list, as its cursors name it.
const LIST: &str = "/users";

/// The function.
pub const FUNCTION: Function = Function::new("list-users", |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let directory = Directory::start(&environment, client.clone())?;
        let verifier = Verifier::start(&environment, &client).await?;
        Ok(shop_http::handler(ListUsers { directory }, verifier))
    })
});

struct ListUsers {
    directory: Directory,
}

impl Route for ListUsers {
    const ACCESS: Access = Access::Admin;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let query = call.query(&["limit", "cursor"])?;
        let request = call.page::<Position>(&query, LIST)?;
        let listed = self.directory.list(request.after.as_ref(), request.limit).await?;
        let next_cursor = listed.next.map(|position| Cursor::encode(LIST, position)).transpose()?;
        let data = listed.users.iter().filter_map(User::view).collect();
        Reply::page(&Page { data, next_cursor }, LIST, request.limit)
    }
}

//! `GET /users`: the directory of accounts, newest first, page by page, for administrators.
//!
//! One query of a sparse index, which those who were deleted are not in. It follows the table within moments.
//!
//! Needs `dynamodb:Query` on the index, and `GetItem` on the key table.

use aws_sdk_dynamodb::Client;
use shop_http::{Access, Call, Cursor, Page, Problem, Reply, Route};
use shop_lambda::Function;

use crate::account::User;
use crate::store::accounts::{Directory, Position};

/// The list, as its cursors name it.
const LIST: &str = "/users";

/// The function.
pub const FUNCTION: Function = Function::new(ListUsers::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let directory = Directory::start(&environment, client.clone())?;
        shop_http::start(ListUsers { directory }, &environment, &client).await
    })
});

struct ListUsers {
    directory: Directory,
}

impl Route for ListUsers {
    const NAME: &'static str = "list-users";
    const ACCESS: Access = Access::Admin;
    const QUERY: &'static [&'static str] = &["limit", "cursor"];

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let request = call.page::<Position>(LIST)?;
        let listed = self.directory.list(request.after.as_ref(), request.limit).await?;
        let next_cursor = listed.next.map(|position| Cursor::encode(LIST, position)).transpose()?;
        let data = listed.users.iter().filter_map(User::view).collect();
        Reply::page(&Page { data, next_cursor }, LIST, request.limit)
    }
}

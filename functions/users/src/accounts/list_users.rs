//! `GET /users`: the directory of accounts, newest first, page by page, for administrators; `?email=` is the account
//! with that address alone.
//!
//! The directory is one query of a sparse index, which those who were deleted are not in. It follows the table within
//! moments. An address leads to its login, and that to the account: both are as they are now.

use serde_json::json;
use shop_http::{
    Access, Call, Contract, Cursor, Endpoint, FieldCode, FieldError, Page, Problem, Reply, Route, Start, get,
};
use shop_lambda::{Function, StartError};
use shop_types::{EmailAddress, TextForm};

use crate::accounts::store::{AccountStore, Directory, Position, position};
use crate::accounts::user::{User, UserView};
use crate::credentials::blind_index::BlindIndex;
use crate::secrets::BlindIndexSource;

/// The list, as its cursors name it.
const LIST: &str = "/users";

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ListUsers>();

pub(crate) struct ListUsers {
    directory: Directory,
    accounts: AccountStore,
    blind_index: BlindIndex,
}

impl Route for ListUsers {
    const NAME: &'static str = "list-users";
    const ENDPOINT: Endpoint = get("/users");
    const ACCESS: Access = Access::Admin;
    const QUERY: &'static [&'static str] = &["limit", "cursor", "email"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let directory = Directory::start(start.environment(), start.client())?;
        let accounts = AccountStore::start(start.environment(), start.client())?;
        let blind_index = BlindIndexSource::of(start.environment())?;
        Ok(Self { directory, accounts, blind_index: blind_index.read().await? })
    }

    fn contract() -> Contract {
        Contract::new("Lists accounts, newest first, or finds the one with an address")
            .query("email", json!({ "type": "string", "pattern": EmailAddress::PATTERN }))
            .page::<UserView<'_>>("A page of accounts.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        if let Some(email) = call.parameter("email") {
            return self.with_address(email, &call).await;
        }
        let request = call.page::<Position>(LIST)?;
        let listed = self.directory.list(request.after.as_ref(), request.limit).await?;
        let cursor = |position| Cursor::encode(LIST, position);
        let shown: Vec<_> = listed.items.iter().filter_map(|user| Some((user, user.view()?))).collect();
        let page =
            Page::fitting(&shown, |(_, view)| Ok::<_, Problem>(view), |(user, _)| cursor(position(user)))?;
        let next_cursor = match page.next_cursor {
            Some(cursor) => Some(cursor),
            None => listed.next(position).map(cursor).transpose()?,
        };
        Reply::page(&Page { data: page.data, next_cursor }, LIST, request.limit)
    }
}

impl ListUsers {
    async fn with_address(&self, email: &str, call: &Call) -> Result<Reply, Problem> {
        let error = |name: &str, code, detail: &str| {
            Problem::invalid_query(vec![FieldError {
                pointer: format!("?{name}"),
                code,
                detail: detail.to_owned(),
            }])
        };
        call.check_limit()?;
        // An address has one account: there is nothing to go on to.
        if call.parameter("cursor").is_some_and(|cursor| !cursor.is_empty()) {
            return Err(error("cursor", FieldCode::InvalidCursor, "This is not a cursor of this list."));
        }
        let email: EmailAddress = email
            .parse()
            .map_err(|_| error("email", FieldCode::InvalidEmail, "This must be an e-mail address."))?;
        let login = self.accounts.login(&self.blind_index.login(&email)).await?;
        let user = match login {
            Some(login) => self.accounts.user(&login.user_id).await?,
            None => None,
        };
        let data = user.iter().filter_map(User::view).collect();
        Reply::ok(&Page { data, next_cursor: None })
    }
}

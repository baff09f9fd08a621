//! `GET /emails`: the shop's mails, newest first, page by page, for administrators; `order_id` and `user_id` are those
//! about one order, or to one account.
//!
//! The list is read from an index of keys, which follows the table within moments, and shows each mail as it was a moment
//! ago. An account's has an index of its own, since nobody knows how often somebody has asked for a password; the ids of
//! an order's mails follow from its own.

use serde_json::json;
use shop_http::{
    Access, Call, Contract, Cursor, Endpoint, FieldCode, FieldError, Page, Problem, Reply, Route, Start, get,
};
use shop_lambda::{Function, StartError};
use shop_types::{OrderId, UserId};

use crate::email::{Email, EmailView, TEMPLATES, email_id};
use crate::store::{Position, Store};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ListEmails>();

pub(crate) struct ListEmails {
    store: Store,
}

impl Route for ListEmails {
    const NAME: &'static str = "list-emails";
    const ENDPOINT: Endpoint = get("/emails");
    const ACCESS: Access = Access::Admin;
    const QUERY: &'static [&'static str] = &["limit", "cursor", "order_id", "user_id"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { store: Store::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        let id = |prefix: &str| json!({ "type": "string", "pattern": format!("^{prefix}_[0-9a-hjkmnp-tv-z]{{26}}$") });
        Contract::new("Lists the shop's mails, newest first, or those about one order or to one account")
            .query("order_id", id("ord"))
            .query("user_id", id("usr"))
            .page::<EmailView<'_>>("A page of mails.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let subject = subject(&call)?;
        // The cursor is bound to what is listed.
        let list = Subject::list(subject.as_ref());
        let request = call.page::<Position>(&list)?;
        let (after, limit) = (request.after.as_ref(), request.limit);
        let found = match &subject {
            None => self.store.page(after, limit).await?,
            Some(Subject::User(user)) => self.store.page_of_user(user, after, limit).await?,
            Some(Subject::Order(order)) => {
                // One of each template at most.
                let ids = TEMPLATES.map(|template| email_id(template, order.as_str()));
                self.store.page_of(&ids, after, limit).await?
            }
        };
        let cursor = |position| Cursor::encode(&list, position);
        let page = Page::fitting(&found.emails, shown, |email| cursor(email.position()))?;
        let next_cursor = match page.next_cursor {
            Some(cursor) => Some(cursor),
            None => found.next.map(cursor).transpose()?,
        };
        Reply::page(&Page { data: page.data, next_cursor }, &list, limit)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a page takes views that may fail")]
fn shown(email: &Email) -> Result<EmailView<'_>, Problem> {
    Ok(email.view())
}

/// What mails are about.
#[derive(Debug)]
enum Subject {
    Order(OrderId),
    User(UserId),
}

impl Subject {
    /// The list, as its cursors and links name it.
    fn list(subject: Option<&Self>) -> String {
        match subject {
            None => "/emails".to_owned(),
            Some(Self::Order(order)) => format!("/emails?order_id={order}"),
            Some(Self::User(user)) => format!("/emails?user_id={user}"),
        }
    }
}

fn subject(call: &Call) -> Result<Option<Subject>, Problem> {
    let not = |pointer: &str, what| {
        let detail = format!("This is not {what} id.");
        invalid(pointer, FieldCode::InvalidFilter, &detail)
    };
    match (call.parameter("order_id"), call.parameter("user_id")) {
        (None, None) => Ok(None),
        (Some(order), None) => {
            order.parse().map(|order| Some(Subject::Order(order))).map_err(|_| not("?order_id", "an order's"))
        }
        (None, Some(user)) => {
            user.parse().map(|user| Some(Subject::User(user))).map_err(|_| not("?user_id", "a user's"))
        }
        (Some(_), Some(_)) => {
            Err(invalid("?user_id", FieldCode::InvalidFilter, "Give one of `order_id` and `user_id`."))
        }
    }
}

fn invalid(pointer: &str, code: FieldCode, detail: &str) -> Problem {
    Problem::invalid_query(vec![FieldError { pointer: pointer.into(), code, detail: detail.into() }])
}

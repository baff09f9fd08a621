//! `GET /emails`: the shop's mails, newest first, page by page, for administrators; `order_id` and `user_id` are those
//! about one order, or about one account.
//!
//! The list is read from an index of keys, which follows the table within moments, and shows each mail as it was a moment
//! ago. What is about one thing needs no index: the ids of its mails follow from the thing's.

use serde_json::json;
use shop_events::EmailTemplate;
use shop_http::{
    Access, Call, Contract, Cursor, Endpoint, FieldCode, FieldError, Page, Problem, Reply, Route, Start, get,
};
use shop_lambda::{Function, StartError};
use shop_types::{OrderId, UserId};

use crate::email::{Email, EmailView, TEMPLATES, email_id};
use crate::store::{Position, Store};

/// The list, as its cursors name it.
const LIST: &str = "/emails";

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
        Contract::new("Lists the shop's mails, newest first, or those about one order or one account")
            .query("order_id", id("ord"))
            .query("user_id", id("usr"))
            .page::<EmailView<'_>>("A page of mails.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        if let Some(subject) = subject(&call)? {
            return self.about(&subject, &call).await;
        }
        let request = call.page::<Position>(LIST)?;
        let found = self.store.page(request.after.as_ref(), request.limit).await?;
        let cursor = |position| Cursor::encode(LIST, position);
        let page = Page::fitting(&found.emails, shown, |email| cursor(email.position()))?;
        let next_cursor = match page.next_cursor {
            Some(cursor) => Some(cursor),
            None => found.next.map(cursor).transpose()?,
        };
        Reply::page(&Page { data: page.data, next_cursor }, LIST, request.limit)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a page takes views that may fail")]
fn shown(email: &Email) -> Result<EmailView<'_>, Problem> {
    Ok(email.view())
}

impl ListEmails {
    /// The mails about one thing: one of each template at most, so there is nothing to go on to.
    async fn about(&self, subject: &Subject, call: &Call) -> Result<Reply, Problem> {
        call.check_limit()?;
        if call.parameter("cursor").is_some_and(|cursor| !cursor.is_empty()) {
            return Err(invalid("?cursor", FieldCode::InvalidCursor, "This is not a cursor of this list."));
        }
        let ids: Vec<_> = TEMPLATES.into_iter().filter_map(|template| subject.email(template)).collect();
        let emails = self.store.all_of(&ids).await?;
        Reply::ok(&Page { data: emails.iter().map(Email::view).collect(), next_cursor: None })
    }
}

/// What mails are about.
#[derive(Debug)]
enum Subject {
    Order(OrderId),
    User(UserId),
}

impl Subject {
    /// The id of the mail of a template about it, if there may be one.
    fn email(&self, template: EmailTemplate) -> Option<shop_types::EmailId> {
        match (self, template) {
            (Self::User(user), EmailTemplate::Welcome) => Some(email_id(template, user.as_str())),
            (Self::User(_), _) | (Self::Order(_), EmailTemplate::Welcome) => None,
            (Self::Order(order), _) => Some(email_id(template, order.as_str())),
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

//! `GET /alerts`: the alerts that are open, newest first, or those that are over (`?status=closed`). Administrators only.
//!
//! The list is of an index, which follows the table within moments. An alert that was raised is in one of the two.

use serde_json::json;
use shop_http::{
    Access, Call, Contract, Cursor, Endpoint, FieldCode, FieldError, Page, Problem, Reply, Route, Start, get,
};
use shop_lambda::{Function, StartError};

use crate::alert::{AlertView, Position, Status};
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ListAlerts>();

pub(crate) struct ListAlerts {
    store: Store,
}

impl Route for ListAlerts {
    const NAME: &'static str = "list-alerts";
    const ENDPOINT: Endpoint = get("/alerts");
    const ACCESS: Access = Access::Admin;
    const QUERY: &'static [&'static str] = &["limit", "cursor", "status"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { store: Store::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        Contract::new("Lists the alerts that are open, or those that are over, newest first")
            .query(
                "status",
                json!({ "type": "string", "enum": Status::ALL.map(Status::as_str), "default": "open" }),
            )
            .page::<AlertView<'_>>("A page of alerts.")
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let status = status(call.parameter("status"))?;
        // The list, as its cursors and links name it.
        let list = format!("/alerts?status={}", status.as_str());
        let request = call.page::<Position>(&list)?;
        let listed = self.store.list(status, request.after.as_ref(), request.limit).await?;
        let cursor = |position| Cursor::encode(&list, position);
        // What is in the index was raised, so it has a view and a position.
        let shown: Vec<_> =
            listed.items.iter().filter_map(|alert| Some((alert.view()?, alert.position()?))).collect();
        let page = Page::fitting(
            &shown,
            |(view, _)| Ok::<_, Problem>(view),
            |(_, position)| cursor(position.clone()),
        )?;
        let behind = || shown.last().filter(|_| listed.goes_on).map(|(_, position)| cursor(position.clone()));
        let next_cursor = match page.next_cursor {
            Some(cursor) => Some(cursor),
            None => behind().transpose()?,
        };
        Reply::page(&Page { data: page.data, next_cursor }, &list, request.limit)
    }
}

fn status(text: Option<&str>) -> Result<Status, Problem> {
    let Some(text) = text else { return Ok(Status::Open) };
    Status::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
        Problem::invalid_query(vec![FieldError {
            pointer: "?status".into(),
            code: FieldCode::InvalidFilter,
            detail: "This must be open or closed.".into(),
        }])
    })
}

//! `GET /orders`: orders, newest first. A customer sees their own; an administrator all of them, or those of a
//! customer (`?customer_id=...`), of a status (`?status=pending`), or both. `customer_id=me` is who asks. `from` and
//! `to` (RFC 3339) bound the time at which they were placed; `to` itself is not in it.

use crate::view::OrderView;
use serde_json::json;
use shop_events::OrderStatus;
use shop_http::{
    Access, Call, Code, Contract, Cursor, Endpoint, FieldCode, FieldError, Page, Problem, Reply, Route,
    Start, get,
};
use shop_lambda::{Function, StartError};
use shop_types::{Timestamp, UserId};

use crate::order::{ALL_STATUSES, Order, status_name};
use crate::store::{OrderStore, OrdersPage, Position, Window, position};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<ListOrders>();

pub(crate) struct ListOrders {
    orders: OrderStore,
}

/// `me`, or a user's id.
const CUSTOMER_PATTERN: &str = "^(me|usr_[0-9a-hjkmnp-tv-z]{26})$";

/// Which orders are listed.
#[derive(Debug, PartialEq, Eq)]
struct Filter {
    /// Whose; everybody's without one.
    customer: Option<UserId>,
    status: Option<OrderStatus>,
    window: Window,
}

impl Filter {
    /// The list, as its cursors and links name it: what was asked for, in one spelling.
    fn path(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.customer.as_ref().map(|id| format!("customer_id={id}")));
        parts.extend(self.status.map(|status| format!("status={}", status_name(status))));
        parts.extend(self.window.from.map(|from| format!("from={from}")));
        parts.extend(self.window.to.map(|to| format!("to={to}")));
        if parts.is_empty() { "/orders".to_owned() } else { format!("/orders?{}", parts.join("&")) }
    }
}

impl Route for ListOrders {
    const NAME: &'static str = "list-orders";
    const ENDPOINT: Endpoint = get("/orders");
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;
    const QUERY: &'static [&'static str] = &["limit", "cursor", "status", "customer_id", "from", "to"];

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { orders: OrderStore::start(start.environment(), start.client())? })
    }

    fn contract() -> Contract {
        let time = || json!({ "type": "string", "format": "date-time" });
        Contract::new("Lists orders, newest first: one's own, or an administrator's choice")
            .who("signed in: their own; administrators: all")
            .query("status", json!({ "type": "string", "enum": ALL_STATUSES.map(status_name) }))
            .query("customer_id", json!({ "type": "string", "pattern": CUSTOMER_PATTERN }))
            .query("from", time())
            .query("to", time())
            .page::<OrderView<'_>>("A page of orders.")
            .codes([Code::Forbidden])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let filter = filter(&call).await?;
        // The cursor is bound to what is listed, and the listing to who asks, whatever the cursor says.
        let list = filter.path();
        let page = call.page::<Position>(&list)?;
        if page.after.as_ref().is_some_and(|position| !filter.window.holds(position)) {
            return Err(invalid("?cursor", FieldCode::InvalidCursor, "This is not a cursor of this list."));
        }
        let (status, window, after) = (filter.status, filter.window, page.after);
        let found = match &filter.customer {
            _ if window.is_empty() => OrdersPage { orders: Vec::new(), next: None },
            Some(id) => self.orders.of_customer(id, status, window, after, page.limit).await?,
            None => self.orders.of_everybody(status, window, after, page.limit).await?,
        };
        let cursor = |position| Cursor::encode(&list, position);
        let page_of = Page::fitting(&found.orders, Order::view, |order| cursor(position(order)))?;
        let next_cursor = match page_of.next_cursor {
            Some(cursor) => Some(cursor),
            None => found.next.map(cursor).transpose()?,
        };
        Reply::page(&Page { data: page_of.data, next_cursor }, &list, page.limit)
    }
}

async fn filter(call: &Call) -> Result<Filter, Problem> {
    let value = |name| call.parameter(name);
    let me = call
        .principal
        .user_id()
        .ok_or_else(|| Problem::unauthorized("This needs an access token.", false))?;
    let is_own = value("customer_id").is_some_and(|id| id == "me" || id == me.as_str());
    let is_filtered = value("customer_id").is_some() || value("status").is_some();
    // One's own list is everybody's, whatever the account says.
    let may_see_all = !is_own && call.is_admin().await?;
    if !may_see_all && is_filtered && !is_own {
        return Err(Problem::forbidden());
    }
    let customer = match value("customer_id") {
        _ if is_own => Some(me.clone()),
        Some(id) => Some(
            id.parse()
                .map_err(|_| invalid("?customer_id", FieldCode::InvalidFilter, "This is not a user's id."))?,
        ),
        None if may_see_all => None,
        None => Some(me.clone()),
    };
    let status = value("status").map(|text| {
        let known = ALL_STATUSES.into_iter().find(|status| status_name(*status) == text);
        known.ok_or_else(|| invalid("?status", FieldCode::InvalidFilter, "This is not an order's status."))
    });
    let time = |pointer: &str, name| {
        let detail = "This must be a time as RFC 3339 writes it: 2026-11-23T15:00:00Z, with a `+` as %2B.";
        let time = value(name).map(Timestamp::at_or_after);
        time.transpose().map_err(|_| invalid(pointer, FieldCode::InvalidFilter, detail))
    };
    let window = Window { from: time("?from", "from")?, to: time("?to", "to")? };
    if matches!((window.from, window.to), (Some(from), Some(to)) if from > to) {
        return Err(invalid("?to", FieldCode::InvalidFilter, "This must not be before `from`."));
    }
    Ok(Filter { customer, status: status.transpose()?, window })
}

fn invalid(pointer: &str, code: FieldCode, detail: &str) -> Problem {
    Problem::invalid_query(vec![FieldError { pointer: pointer.into(), code, detail: detail.into() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_name_whatever_the_spelling_and_no_two_have_the_same() {
        let at = |text| Some(Timestamp::at_or_after(text).unwrap());
        let filter = |customer: Option<&str>, status, from, to| Filter {
            customer: customer.map(|id| id.parse().unwrap()),
            status,
            window: Window { from, to },
        };
        let (ada, pending) = (Some("usr_0000000000000000000000000a"), Some(OrderStatus::Pending));
        let noon = "2026-11-23T12:00:00Z";
        assert_eq!(filter(None, None, None, None).path(), "/orders");
        let full = filter(ada, pending, at(noon), at("2026-11-23T14:00:00+01:00")).path();
        let expected = "/orders?customer_id=usr_0000000000000000000000000a&status=pending\
                        &from=2026-11-23T12:00:00.000Z&to=2026-11-23T13:00:00.000Z";
        assert_eq!(full, expected);
        let names = [
            filter(None, None, None, None),
            filter(ada, None, None, None),
            filter(None, pending, None, None),
            filter(ada, pending, None, None),
            filter(None, None, at(noon), None),
            filter(None, None, None, at(noon)),
        ]
        .map(|filter| filter.path());
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
    }
}

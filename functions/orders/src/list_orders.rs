//! `GET /orders`: a customer's own orders, newest first; for an administrator also those of a status
//! (`?status=pending`) or of a customer (`?customer_id=...`).

use aws_sdk_dynamodb::Client;
use shop_events::OrderStatus;
use shop_http::{Access, Call, Cursor, FieldError, Page, Problem, Reply, Route};
use shop_lambda::Function;
use shop_types::UserId;

use crate::order::{Order, status_name};
use crate::store::{OrderStore, Position, position};

/// The Lambda function.
pub const FUNCTION: Function = Function::new(ListOrders::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let route =
            ListOrders { orders: OrderStore::new(client.clone(), environment.required("ORDERS_TABLE")?) };
        shop_http::start(route, &environment, &client).await
    })
});

struct ListOrders {
    orders: OrderStore,
}

/// Which orders are listed.
#[derive(Debug, PartialEq, Eq)]
enum Filter {
    Customer(UserId),
    Status(OrderStatus),
}

impl Route for ListOrders {
    const NAME: &'static str = "list-orders";
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;
    const QUERY: &'static [&'static str] = &["limit", "cursor", "status", "customer_id"];

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let filter = filter(&call).await?;
        // The cursor is bound to what is listed, and the listing to who asks, whatever the cursor says.
        let list = match &filter {
            Filter::Customer(id) => format!("/orders?customer_id={id}"),
            Filter::Status(status) => format!("/orders?status={}", status_name(*status)),
        };
        let page = call.page::<Position>(&list)?;
        let found = match &filter {
            Filter::Customer(id) => self.orders.of_customer(id, page.after.as_ref(), page.limit).await?,
            Filter::Status(status) => self.orders.of_status(*status, page.after.as_ref(), page.limit).await?,
        };
        let shown_last = found.orders.last().filter(|_| found.more);
        let next_cursor = shown_last.map(|order| Cursor::encode(&list, position(order))).transpose()?;
        let data = found.orders.iter().map(Order::view).collect::<Result<_, _>>()?;
        let given = call.parameter("status").or(call.parameter("customer_id")).is_some();
        Reply::page(&Page { data, next_cursor }, if given { &list } else { "/orders" }, page.limit)
    }
}

async fn filter(call: &Call) -> Result<Filter, Problem> {
    let (status, customer) = (call.parameter("status"), call.parameter("customer_id"));
    let user = call
        .principal
        .user_id()
        .ok_or_else(|| Problem::unauthorized("This needs an access token.", false))?;
    if status.is_none() && customer.is_none_or(|id| id == user.as_str()) {
        return Ok(Filter::Customer(user.clone()));
    }
    if !call.is_admin().await? {
        return Err(Problem::forbidden());
    }
    let invalid = |pointer: &str, detail: &str| {
        let error = FieldError { pointer: pointer.into(), code: "invalid_filter", detail: detail.into() };
        Problem::invalid_query(vec![error])
    };
    match (status, customer) {
        (Some(status), None) => parse_status(status)
            .map(Filter::Status)
            .ok_or_else(|| invalid("?status", "This is not an order's status.")),
        (None, Some(id)) => {
            id.parse().map(Filter::Customer).map_err(|_| invalid("?customer_id", "This is not a user's id."))
        }
        _ => Err(invalid("?status", "Ask by status or by customer, not by both.")),
    }
}

fn parse_status(text: &str) -> Option<OrderStatus> {
    use OrderStatus::{Cancelled, Confirmed, Delivered, Pending, Rejected, Shipped};
    [Pending, Confirmed, Rejected, Cancelled, Shipped, Delivered]
        .into_iter()
        .find(|status| status_name(*status) == text)
}

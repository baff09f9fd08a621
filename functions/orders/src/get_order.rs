//! `GET /orders/{id}`: the order, to its owner, to an administrator, and a guest's to whoever knows its id.

use aws_sdk_dynamodb::Client;
use shop_auth::Principal;
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::Function;

use crate::order::Order;
use crate::store::OrderStore;

/// The Lambda function.
pub const FUNCTION: Function = Function::new(GetOrder::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let route =
            GetOrder { orders: OrderStore::new(client.clone(), environment.required("ORDERS_TABLE")?) };
        shop_http::start(route, &environment, &client).await
    })
});

struct GetOrder {
    orders: OrderStore,
}

impl Route for GetOrder {
    const NAME: &'static str = "get-order";
    const ACCESS: Access = Access::Public;
    const ASKS_ACCOUNT: bool = true;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id = call.id("order")?;
        let Some(order) = visible(&call, self.orders.get(&id).await?).await? else {
            return Err(absent(&call.principal));
        };
        if call.is_unchanged(order.version) {
            return Reply::not_modified(order.version);
        }
        Reply::ok(&order.view()?)?.versioned(order.version)
    }
}

/// The order, if who asks may see it: whose it is, and administrators.
pub(crate) async fn visible(call: &Call, order: Option<Order>) -> Result<Option<Order>, Problem> {
    Ok(match order {
        Some(order) if order.is_of(&call.principal) || call.is_admin().await? => Some(order),
        _ => None,
    })
}

/// A guest may have forgotten to sign in; a user learns nothing of other people's orders.
fn absent(principal: &Principal) -> Problem {
    match principal {
        Principal::Guest => {
            Problem::unauthorized("There is no such guest's order; your own need an access token.", false)
        }
        Principal::User { .. } => Problem::not_found("order"),
    }
}

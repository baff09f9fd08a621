//! `GET /orders/{id}`: the order, to its owner, to an administrator, and a guest's to whoever knows its id.

use aws_sdk_dynamodb::Client;
use shop_auth::{Principal, Verifier};
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::Function;

use crate::store::OrderStore;

/// The Lambda function.
pub const FUNCTION: Function = Function::new("get-order", |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let route =
            GetOrder { orders: OrderStore::new(client.clone(), environment.required("ORDERS_TABLE")?) };
        Ok(shop_http::handler(route, Verifier::start(&environment, &client).await?))
    })
});

struct GetOrder {
    orders: OrderStore,
}

impl Route for GetOrder {
    const ACCESS: Access = Access::Public;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id = call.id("order")?;
        let order = self.orders.get(&id).await?.filter(|order| order.is_visible_to(&call.principal));
        let Some(order) = order else { return Err(absent(&call.principal)) };
        if call.is_unchanged(order.version) {
            return Reply::not_modified(order.version);
        }
        Reply::ok(&order.view()?)?.versioned(order.version)
    }
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

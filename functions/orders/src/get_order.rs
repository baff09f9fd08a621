//! `GET /orders/{id}`: the order, to its owner, to an administrator, and a guest's to whoever has its token.

use aws_sdk_dynamodb::Client;
use shop_auth::ServiceSecret;
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::Function;

use crate::access::Gate;
use crate::store::OrderStore;

/// The Lambda function.
pub const FUNCTION: Function = Function::new(GetOrder::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let secret = ServiceSecret::new(client.clone(), environment.required("ORDER_KEYS_TABLE")?);
        let route = GetOrder {
            orders: OrderStore::new(client.clone(), environment.required("ORDERS_TABLE")?),
            gate: Gate::new(secret.clone()),
        };
        shop_http::start_with(route, &environment, &client, Some(secret)).await
    })
});

struct GetOrder {
    orders: OrderStore,
    gate: Gate,
}

impl Route for GetOrder {
    const NAME: &'static str = "get-order";
    const ACCESS: Access = Access::Public;
    const ASKS_ACCOUNT: bool = true;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id = call.id("order")?;
        let order = self.gate.admit(&call, &id, self.orders.get(&id).await?).await?;
        if call.is_unchanged(order.version) {
            return Reply::not_modified(order.version);
        }
        Reply::ok(&order.view()?)?.versioned(order.version)
    }
}

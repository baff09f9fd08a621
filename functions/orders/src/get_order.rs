//! `GET /orders/{id}`: the order, to its owner, to an administrator, and a guest's to whoever has its token.

use crate::view::OrderView;
use serde_json::json;
use shop_http::{Access, Call, Contract, Endpoint, Problem, Reply, Route, Start, get};
use shop_lambda::{Function, StartError};

use crate::access::Gate;
use crate::store::OrderStore;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<GetOrder>();

pub(crate) struct GetOrder {
    orders: OrderStore,
    gate: Gate,
}

impl Route for GetOrder {
    const NAME: &'static str = "get-order";
    const ENDPOINT: Endpoint = get("/orders/{id}");
    const ACCESS: Access = Access::Public;
    const ASKS_ACCOUNT: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let gate = Gate::start(start)?;
        Ok(Self { orders: OrderStore::start(start.environment(), start.client())?, gate })
    }

    fn contract() -> Contract {
        Contract::new("Shows an order")
            .who("its owner, administrators; a guest's order: who has its token")
            .header(
                "Order-Token",
                "A guest's order is read and cancelled by its token.",
                json!({ "type": "string" }),
            )
            .ok::<OrderView<'_>>("The order.")
            .cacheable()
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id = call.id("order")?;
        let order = self.gate.admit(&call, &id, self.orders.get(&id).await?).await?;
        if call.is_unchanged(order.version)? {
            return Reply::not_modified(order.version);
        }
        Reply::ok(&order.view()?)?.versioned(order.version)
    }
}

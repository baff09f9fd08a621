//! `POST /orders/{id}/cancel`: cancels a pending or confirmed order; its stock comes back by events.
//!
//! Whoever may see an order may cancel it, a guest with the order's token too.
//! Cancelling a cancelled order again answers as the first time: the caller has what was asked for.

use crate::view::OrderView;
use serde_json::json;
use shop_events::OrderStatus;
use shop_http::{Access, Call, Code, Contract, Endpoint, Problem, Reply, Route, Start, post};
use shop_lambda::{Clock, Function, StartError};
use shop_types::OrderId;

use crate::access::Gate;
use crate::moving::move_to;
use crate::store::OrderStore;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<CancelOrder>();

pub(crate) struct CancelOrder {
    orders: OrderStore,
    gate: Gate,
    clock: Clock,
}

impl Route for CancelOrder {
    const NAME: &'static str = "cancel-order";
    const ENDPOINT: Endpoint = post("/orders/{id}/cancel");
    const ACCESS: Access = Access::Public;
    const ASKS_ACCOUNT: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let gate = Gate::start(start)?;
        Ok(Self {
            orders: OrderStore::start(start.environment(), start.client())?,
            gate,
            clock: start.clock(),
        })
    }

    fn contract() -> Contract {
        Contract::new("Cancels an order")
            .who("its owner, administrators; a guest's order: who has its token")
            .header(
                "Order-Token",
                "A guest's order is read and cancelled by its token.",
                json!({ "type": "string" }),
            )
            .ok::<OrderView<'_>>("The order, which is cancelled.")
            .versioned()
            .conditional()
            .codes([Code::IllegalTransition])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: OrderId = call.id("order")?;
        let precondition = call.precondition()?;
        let order = self.gate.admit(&call, &id, self.orders.get(&id).await?).await?;
        let to = (OrderStatus::Cancelled, None);
        move_to((&self.orders, &self.clock), &call, &precondition, order, to).await
    }
}

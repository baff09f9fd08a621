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
use crate::order::Order;
use crate::store::OrderStore;
use crate::update_order_status::illegal_move;

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
        let gate = Gate::new(start.service_secret("ORDER_KEYS_TABLE")?);
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
        let mut order = self.gate.admit(&call, &id, self.orders.get(&id).await?).await?;
        let mut tries = self.orders.tries();
        loop {
            if order.status == OrderStatus::Cancelled {
                return answer(&order);
            }
            precondition.check(order.version)?;
            let cancelled = order.cancelled(self.clock.now(), call.cause()).map_err(illegal_move)?;
            match self.orders.replace(&order, &cancelled).await? {
                Ok(()) => return answer(&cancelled),
                Err(current) => order = current,
            }
            tries.pause().await?;
        }
    }
}

fn answer(order: &Order) -> Result<Reply, Problem> {
    Reply::ok(&order.view()?)?.versioned(order.version)
}

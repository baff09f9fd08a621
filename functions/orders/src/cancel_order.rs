//! `POST /orders/{id}/cancel`: cancels a pending or confirmed order; its stock comes back by events.
//!
//! Cancelling a cancelled order again answers as the first time: the caller has what was asked for.

use aws_sdk_dynamodb::Client;
use shop_events::OrderStatus;
use shop_http::{Access, Call, Problem, Reply, Route};
use shop_lambda::{Clock, Function};
use shop_types::OrderId;

use crate::get_order::visible;
use crate::order::{Order, status_name};
use crate::store::OrderStore;

/// An order changes twice or three times in its life: nobody loses this race more often.
const TRIES: usize = 4;

/// The Lambda function.
pub const FUNCTION: Function = Function::new(CancelOrder::NAME, |environment| {
    Box::pin(async move {
        let client = Client::new(environment.sdk_config());
        let route = CancelOrder {
            orders: OrderStore::new(client.clone(), environment.required("ORDERS_TABLE")?),
            clock: environment.clock(),
        };
        shop_http::start(route, &environment, &client).await
    })
});

struct CancelOrder {
    orders: OrderStore,
    clock: Clock,
}

impl Route for CancelOrder {
    const NAME: &'static str = "cancel-order";
    const ACCESS: Access = Access::SignedIn;
    const ASKS_ACCOUNT: bool = true;

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: OrderId = call.id("order")?;
        let precondition = call.precondition()?;
        let found = visible(&call, self.orders.get(&id).await?).await?;
        let mut order = found.ok_or_else(|| Problem::not_found("order"))?;
        for _ in 0..TRIES {
            if order.status == OrderStatus::Cancelled {
                return answer(&order);
            }
            precondition.check(order.version)?;
            let cancelled = order.cancelled(self.clock.now()).map_err(|refused| {
                let status = status_name(refused.from);
                Problem::conflict(
                    "illegal_transition",
                    format!("An order that is {status} cannot be cancelled."),
                )
                .with("current_status", status)
            })?;
            match self.orders.cancel(&order, &cancelled).await? {
                Ok(()) => return answer(&cancelled),
                Err(current) => order = current,
            }
        }
        Err(Problem::contended())
    }
}

fn answer(order: &Order) -> Result<Reply, Problem> {
    Reply::ok(&order.view()?)?.versioned(order.version)
}

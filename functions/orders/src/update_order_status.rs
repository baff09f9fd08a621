//! `PATCH /orders/{id}/status`: an administrator says how far an order is: shipped, delivered, or cancelled.
//!
//! An order is shipped with the carrier's number where there is one. What it has become already is answered as the first
//! time. The shop confirms and rejects orders itself: nobody else does.

use shop_events::OrderStatus;
use shop_http::{
    Access, Call, Code, Contract, Endpoint, FieldCode, Input, Problem, Reply, Route, Start, patch,
};
use shop_lambda::{Clock, Function, StartError};
use shop_types::OrderId;

use crate::order::{ALL_STATUSES, IllegalMove, Order, is_set_by_hand, status_name};
use crate::store::OrderStore;
use crate::view::OrderView;

/// The longest number of a carrier, in characters: those in use have up to 40.
const MAX_TRACKING_NUMBER: usize = 64;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = shop_http::function::<UpdateOrderStatus>();

pub(crate) struct UpdateOrderStatus {
    orders: OrderStore,
    clock: Clock,
}

impl Route for UpdateOrderStatus {
    const NAME: &'static str = "update-order-status";
    const ENDPOINT: Endpoint = patch("/orders/{id}/status");
    const ACCESS: Access = Access::Admin;
    const TAKES_BODY: bool = true;

    async fn start(start: &mut Start) -> Result<Self, StartError> {
        let orders = OrderStore::start(start.environment(), start.client())?;
        Ok(Self { orders, clock: start.clock() })
    }

    fn contract() -> Contract {
        Contract::new("Ships, delivers or cancels an order")
            .body(StatusRequest::read)
            .ok::<OrderView<'_>>("The order as it is now.")
            .versioned()
            .conditional()
            .codes([Code::IllegalTransition])
    }

    async fn handle(&self, call: Call) -> Result<Reply, Problem> {
        let id: OrderId = call.id("order")?;
        let precondition = call.precondition()?;
        let StatusRequest { status, tracking_number } = StatusRequest::read(call.body()?)?;
        call.audit("status", status_name(status));
        let absent = || Problem::not_found("order");
        let mut order = self.orders.get(&id).await?.ok_or_else(absent)?;
        let mut tries = self.orders.tries();
        loop {
            let is_tracked =
                tracking_number.as_ref().is_none_or(|number| order.tracking_number.as_ref() == Some(number));
            if order.status == status && is_set_by_hand(status) && is_tracked {
                return answer(&order);
            }
            precondition.check(order.version)?;
            if !is_set_by_hand(status) {
                let detail = "The shop confirms and rejects orders itself.";
                return Err(illegal_transition(order.status, detail));
            }
            let (now, cause) = (self.clock.now(), call.cause());
            let moved = order.moved(status, tracking_number.clone(), now, cause).map_err(illegal_move)?;
            match self.orders.replace(&order, &moved).await? {
                Ok(()) => return answer(&moved),
                Err(current) => order = current,
            }
            tries.pause().await?;
        }
    }
}

/// What an order is to become.
#[derive(Debug)]
struct StatusRequest {
    status: OrderStatus,
    tracking_number: Option<String>,
}

impl StatusRequest {
    /// Reads the body: `{"status": "shipped", "tracking_number": "..."}`.
    fn read(input: Input<'_>) -> Result<Self, Problem> {
        input.read_object(|body| {
            let choices = ALL_STATUSES.map(|status| (status_name(status), status));
            let status = body.required("status", |node| {
                node.one_of(&choices, FieldCode::UnknownStatus, "This must be the status of an order.")
            });
            let tracking_number = body.optional("tracking_number", |node| {
                let number = node.line(1..=MAX_TRACKING_NUMBER)?;
                if status.is_some_and(|status| status != OrderStatus::Shipped) {
                    node.error(
                        FieldCode::OnlyWhenShipped,
                        "Only what is shipped has a number to track it by.",
                    );
                    return None;
                }
                Some(number)
            });
            Some(Self { status: status?, tracking_number: tracking_number? })
        })
    }
}

/// 409: the table of an order's life has no such step.
pub(crate) fn illegal_move(refused: IllegalMove) -> Problem {
    let (from, to) = (status_name(refused.from), status_name(refused.to));
    illegal_transition(refused.from, &format!("An order that is {from} cannot be {to}."))
}

fn illegal_transition(current: OrderStatus, detail: &str) -> Problem {
    Problem::new(Code::IllegalTransition, detail).with("current_status", status_name(current))
}

fn answer(order: &Order) -> Result<Reply, Problem> {
    Reply::ok(&order.view()?)?.versioned(order.version)
}

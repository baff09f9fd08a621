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

use crate::moving::{illegal_transition, move_to};
use crate::order::{ALL_STATUSES, is_set_by_hand, status_name};
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
        let order = self.orders.get(&id).await?.ok_or_else(absent)?;
        if !is_set_by_hand(status) {
            precondition.check(order.version)?;
            return Err(illegal_transition(order.status, "The shop confirms and rejects orders itself."));
        }
        let to = (status, tracking_number.as_deref());
        move_to((&self.orders, &self.clock), &call, &precondition, order, to).await
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

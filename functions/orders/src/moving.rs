//! A move of an order that somebody asks for: read, checked, written, and tried again where somebody else was faster.

use shop_events::OrderStatus;
use shop_http::{Call, Code, Precondition, Problem, Reply};
use shop_lambda::Clock;

use crate::order::{IllegalMove, Order, status_name};
use crate::store::OrderStore;

/// Moves an order that was read to a status, with the carrier's number where it is shipped with one. What it has become
/// already is answered as the first time.
///
/// # Errors
/// 409 for a step that its life does not have, 412 for another version; as the store's.
pub(crate) async fn move_to(
    (orders, clock): (&OrderStore, &Clock),
    call: &Call,
    precondition: &Precondition,
    mut order: Order,
    (status, tracking_number): (OrderStatus, Option<&str>),
) -> Result<Reply, Problem> {
    let mut tries = orders.tries();
    loop {
        let is_tracked =
            tracking_number.is_none_or(|number| order.tracking_number.as_deref() == Some(number));
        if order.status == status && is_tracked {
            return answer(&order);
        }
        precondition.check(order.version)?;
        let tracking_number = tracking_number.map(str::to_owned);
        let moved = order.moved(status, tracking_number, clock.now(), call.cause()).map_err(illegal_move)?;
        match orders.replace(&order, &moved).await? {
            Ok(()) => return answer(&moved),
            Err(current) => order = current,
        }
        tries.pause().await?;
    }
}

/// 409: the table of an order's life has no such step.
fn illegal_move(refused: IllegalMove) -> Problem {
    let (from, to) = (status_name(refused.from), status_name(refused.to));
    illegal_transition(refused.from, &format!("An order that is {from} cannot be {to}."))
}

/// 409, with the status that the order has.
pub(crate) fn illegal_transition(current: OrderStatus, detail: &str) -> Problem {
    Problem::new(Code::IllegalTransition, detail).with("current_status", status_name(current))
}

fn answer(order: &Order) -> Result<Reply, Problem> {
    Reply::ok(&order.view()?)?.versioned(order.version)
}

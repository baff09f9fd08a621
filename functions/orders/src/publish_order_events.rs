//! The relay of the orders table: its stream is the outbox of this service.

use shop_lambda::Function;
use shop_messaging::relay;

use crate::events::events;

/// The Lambda function.
pub const FUNCTION: Function = Function::new("publish-order-events", |environment| {
    Box::pin(async move { relay::start(&environment, events) })
});

//! Relay of the products table's stream: what each write means to others goes to the topic. The meaning is in
//! [`crate::events`].

use shop_lambda::Function;
use shop_messaging::relay;

use crate::events::events;

/// The function.
pub const FUNCTION: Function = Function::new("publish-product-events", |environment| {
    Box::pin(async move { relay::start(&environment, events) })
});

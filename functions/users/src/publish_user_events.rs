//! The relay of the users table: its stream becomes `user.order_placed`.
//!
//! It retries what the topic does not take, and parks what cannot become an event (see
//! [`shop_messaging::relay`]). Needs `sns:Publish` on the topic and `sqs:SendMessage` on the relay's
//! dead-letter queue.

use shop_lambda::Function;
use shop_messaging::relay;

use crate::events::events;

/// The function.
pub const FUNCTION: Function = Function::new("publish-user-events", |environment| {
    Box::pin(async move { relay::start(&environment, events) })
});

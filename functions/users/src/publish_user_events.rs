//! The relay of the users table: its stream becomes `user.order_placed`.
//!
//! It retries what the topic does not take, and dead-letters what cannot become an event (see
//! [`shop_messaging::relay`]). Needs `sns:Publish` on the topic and `sqs:SendMessage` on the relay's
//! dead-letter queue.

use shop_events::Event;
use shop_lambda::Function;
use shop_messaging::relay::{Image, ImageError, Outbox, relay};

use crate::events::events;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = relay::<UserEvents>();

/// The outbox that is the stream of the users table.
pub struct UserEvents;

impl Outbox for UserEvents {
    const NAME: &'static str = "publish-user-events";
    type Error = ImageError;

    fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, ImageError> {
        events(old, new)
    }
}

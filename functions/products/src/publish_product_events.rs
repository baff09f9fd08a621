//! Relay of the products table's stream: what each write means to others goes to the topic. The meaning is in
//! [`crate::events`].

use shop_events::Event;
use shop_lambda::Function;
use shop_messaging::relay::{Image, Outbox, relay};

use crate::events::{RecordError, events};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = relay::<ProductEvents>();

/// The outbox that is the stream of the products table.
pub struct ProductEvents;

impl Outbox for ProductEvents {
    const NAME: &'static str = "publish-product-events";
    type Error = RecordError;

    fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, RecordError> {
        events(old, new)
    }
}

//! The relay of the orders table: its stream is the outbox of this service.

use shop_events::Event;
use shop_lambda::Function;
use shop_messaging::relay::{Image, Outbox, relay};

use crate::events::{UnreadableOrder, events};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = relay::<OrderEvents>();

/// The outbox that is the stream of the orders table.
pub struct OrderEvents;

impl Outbox for OrderEvents {
    const NAME: &'static str = "publish-order-events";
    type Error = UnreadableOrder;

    fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, UnreadableOrder> {
        events(old, new)
    }
}

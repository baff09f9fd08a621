//! The relay of the table of redrives: its stream is the outbox of this service.

use shop_events::Event;
use shop_lambda::Function;
use shop_messaging::relay::{Image, ImageError, Outbox, relay};

use crate::events::events;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = relay::<RedriveEvents>();

/// The outbox that is the stream of the table of redrives.
pub struct RedriveEvents;

impl Outbox for RedriveEvents {
    const NAME: &'static str = "publish-redrive-events";
    type Error = ImageError;

    fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, ImageError> {
        events(old, new)
    }
}

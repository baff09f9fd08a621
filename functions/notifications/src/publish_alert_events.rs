//! The relay of the table of alerts: its stream is the outbox of this service. What each write means is in
//! [`crate::events`].

use shop_events::Event;
use shop_lambda::Function;
use shop_messaging::relay::{Image, Outbox, relay};

use crate::events::{RecordError, events};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = relay::<AlertEvents>();

/// The outbox that is the stream of the table of alerts.
pub struct AlertEvents;

impl Outbox for AlertEvents {
    const NAME: &'static str = "publish-alert-events";
    type Error = RecordError;

    fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, RecordError> {
        events(old, new)
    }
}

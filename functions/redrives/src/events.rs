//! What the table's writes mean to other services. Pure: no AWS, no clock.

use shop_events::{Event, EventData, RedriveCreated};
use shop_messaging::relay::{Image, ImageError};

use crate::redrive::Redrive;

/// The events of one write: `redrive.created` for a new item.
pub(crate) fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, ImageError> {
    let (None, Some(new)) = (old, new) else { return Ok(Vec::new()) };
    let new: Redrive = new.read("redrive")?;
    let data = RedriveCreated { redrive_id: new.id, created_at: new.created_at };
    Ok(vec![Event::new(EventData::RedriveCreated(data), new.version, new.created_at, new.cause)])
}

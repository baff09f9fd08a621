//! What the writes of redrives mean to other services. Pure: no AWS, no clock.

use shop_events::{Event, EventData, RedriveCreated, RedriveFinished};
use shop_messaging::relay::{Image, ImageError};

use crate::redrive::Redrive;

/// The events of one write: `redrive.created` for a new one, `redrive.finished` once it has ended,
/// and moves no letter any more.
pub(crate) fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, ImageError> {
    let Some(new) = new else { return Ok(Vec::new()) };
    let new: Redrive = new.read("redrive")?;
    let old: Option<Redrive> = old.map(|old| old.read("redrive")).transpose()?;
    let mut events = Vec::new();
    if old.is_none() {
        let data = RedriveCreated {
            redrive_id: new.id.clone(),
            disposal: new.disposal,
            consumer: new.consumer.clone(),
            failure_code: new.failure_code.clone(),
            cutoff: new.cutoff,
            matched: new.matched,
            created_at: new.created_at,
        };
        events.push(Event::new(
            EventData::RedriveCreated(data),
            new.version,
            new.created_at,
            new.cause.clone(),
        ));
    }
    let had_ended = old.is_some_and(|old| old.status.has_ended());
    if let (true, false, Some(finished_at)) = (new.status.has_ended(), had_ended, new.finished_at) {
        let data = RedriveFinished {
            redrive_id: new.id,
            disposal: new.disposal,
            consumer: new.consumer,
            moved: new.moved,
            finished_at,
        };
        events.push(Event::new(EventData::RedriveFinished(data), new.version, finished_at, new.cause));
    }
    Ok(events)
}

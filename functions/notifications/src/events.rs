//! What a write to the table of alerts means to others. Pure: no AWS, no clock.
//!
//! - alert.raised, version 1: the write that says what raised it, whenever that comes.
//! - alert.resolved, version 2: the write after which it was both raised and resolved. An end that comes before its
//!   beginning is told together with it.
//! - That its mail was sent: nothing.
//!
//! An event's time is that of the write; when the stock changed is in its data.

use shop_dynamo::Record;
use shop_events::{Event, EventData};
use shop_messaging::relay::{Image, ImageError};

use crate::alert::Alert;

/// Why a record cannot become events: it is dead-lettered.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// An image is no alert.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// An alert is never removed.
    #[error("an alert was removed")]
    Removed,
}

/// The events of one write.
pub(crate) fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, RecordError> {
    let read = |image: &Image| image.read::<Alert>(Alert::KIND);
    let old = old.map(read).transpose()?;
    let new = new.map(read).transpose()?.ok_or(RecordError::Removed)?;
    let was_raised = old.as_ref().is_some_and(|old| old.as_raised().is_some());
    let was_resolved = old.as_ref().is_some_and(|old| old.as_resolved().is_some());
    let at = new.updated_at;
    let raised = new.as_raised().filter(|_| !was_raised);
    let raised =
        raised.map(|(data, raised)| Event::new(EventData::AlertRaised(data), 1, at, raised.cause.clone()));
    let resolved = new.as_resolved().filter(|_| !was_resolved);
    let resolved = resolved
        .map(|(data, resolved)| Event::new(EventData::AlertResolved(data), 2, at, resolved.cause.clone()));
    Ok(raised.into_iter().chain(resolved).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::tests::{low, product, replenished};
    use crate::alert::{Half, Note, Status};
    use shop_events::EventType;
    use shop_types::Timestamp;

    /// The alert when some events of it were noted.
    fn alert(of: &[&Event]) -> Alert {
        let notes: Vec<_> = of.iter().flat_map(|event| Note::of(event).unwrap()).collect();
        let mut alert = Alert {
            id: notes[0].id.clone(),
            kind: notes[0].kind,
            product_id: product(),
            status: Status::Open,
            raised: None,
            resolved: None,
            updated_at: Timestamp::from_millis(20_000),
            announced_at: None,
        };
        for note in notes {
            match note.half {
                Half::Raised(raised) => alert.raised = Some(raised),
                Half::Resolved(resolved) => (alert.resolved, alert.status) = (Some(resolved), Status::Closed),
            }
        }
        alert
    }

    fn told(old: Option<&Alert>, new: &Alert) -> Vec<Event> {
        let image = |alert| Image::of("alert", alert).unwrap();
        events(old.map(image).as_ref(), Some(&image(new))).unwrap()
    }

    #[test]
    fn an_alert_is_told_once_when_it_begins_and_once_when_it_ends() {
        let (begin, end) = (low(7), replenished(7, 9));
        let open = alert(&[&begin]);
        let closed = alert(&[&begin, &end]);
        let raised = &told(None, &open)[0];
        assert_eq!((raised.event_type(), raised.version()), (EventType::AlertRaised, 1));
        assert_eq!((raised.time(), raised.cause()), (open.updated_at, &begin.as_cause()));
        assert_eq!(raised.subject(), open.id.to_string());
        let announced = Alert { announced_at: Some(Timestamp::from_millis(9)), ..open.clone() };
        assert_eq!(told(Some(&open), &announced), []);
        let resolved = &told(Some(&announced), &closed)[0];
        assert_eq!((resolved.event_type(), resolved.version()), (EventType::AlertResolved, 2));
        assert_eq!((resolved.time(), resolved.cause()), (closed.updated_at, &end.as_cause()));

        let early = alert(&[&end]);
        assert_eq!(told(None, &early), []);
        assert_eq!(
            told(Some(&early), &closed),
            [raised.clone(), resolved.clone()],
            "and are the very same events"
        );
    }

    #[test]
    fn what_is_no_alert_or_is_gone_is_an_error() {
        let image = Image::of("alert", &alert(&[&low(7)])).unwrap();
        assert!(matches!(events(Some(&image), None), Err(RecordError::Removed)));
        let other = Image::of("alert", &serde_json::json!({ "id": "x" })).unwrap();
        assert!(matches!(events(None, Some(&other)), Err(RecordError::Image(_))));
    }
}

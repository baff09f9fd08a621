//! What writes tell, and what was published of it.

use std::collections::BTreeMap;

use shop_events::{Event, EventId};

use super::Violation;

/// An event as a write tells it.
#[derive(Debug)]
struct Telling {
    content: String,
    published: u64,
}

/// All events that any write has told.
#[derive(Debug, Default)]
pub(crate) struct Told(BTreeMap<EventId, Telling>);

impl Told {
    /// Takes in an event that a write tells.
    pub(super) fn tell(&mut self, event: &Event) -> Option<Violation> {
        let content = match event.to_json() {
            Ok(content) => content,
            Err(error) => return Some(Violation::new("an-item-is-readable", error.to_string())),
        };
        match self.0.get(event.id()) {
            Some(telling) if telling.content != content => {
                let seen = format!("{} and {content}", telling.content);
                Some(Violation::new("an-event-id-is-one-content", seen))
            }
            Some(_) => None,
            None => {
                self.0.insert(event.id().clone(), Telling { content, published: 0 });
                None
            }
        }
    }

    /// Takes in a publication.
    pub(super) fn published(&mut self, message: &str) -> Option<Violation> {
        let Ok(event) = Event::from_json(message) else {
            return Some(Violation::new("an-event-comes-from-a-write", format!("no event: {message}")));
        };
        match self.0.get_mut(event.id()) {
            None => Some(Violation::new("an-event-comes-from-a-write", message)),
            Some(telling) => {
                telling.published += 1;
                let seen = || format!("told {} and published {message}", telling.content);
                (telling.content != message).then(|| Violation::new("an-event-id-is-one-content", seen()))
            }
        }
    }

    /// The events that were never published.
    pub(super) fn unpublished(&self) -> impl Iterator<Item = &EventId> {
        self.0.iter().filter(|(_, telling)| telling.published == 0).map(|(id, _)| id)
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

//! What the users table's writes mean to other services. Pure: no AWS, no clock.

use shop_events::{Event, EventData, UserOrderPlaced};
use shop_messaging::relay::{Image, ImageError};

use crate::ledger::{EntryState, LedgerEntry};
use crate::store::is_ledger_entry;

/// The events of one write: `user.order_placed` where an order begins to count. Statistics and tombstones
/// tell nothing, and neither does taking an order off: `order.cancelled` said it already.
///
/// # Errors
/// An entry cannot be read.
pub fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, ImageError> {
    let (None, Some(new)) = (old, new) else { return Ok(Vec::new()) };
    if !new.text("sk").is_some_and(is_ledger_entry) {
        return Ok(Vec::new());
    }
    let entry: LedgerEntry = new.read("ledger entry")?;
    Ok(match entry.state {
        EntryState::Cancelled => Vec::new(),
        EntryState::Counted => {
            let data = EventData::UserOrderPlaced(UserOrderPlaced {
                user_id: entry.user_id,
                order_id: entry.order_id,
                total: entry.total,
                placed_at: entry.placed_at,
            });
            vec![Event::new(data, entry.version, entry.recorded_at, entry.cause)]
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use shop_events::EventType;
    use shop_types::Timestamp;

    use super::*;
    use crate::ledger::tests::{change, user};
    use crate::ledger::{Account, Update};
    use crate::stats::UserStats;
    use crate::store::{entry_item, stats_item};

    fn update(state: EntryState) -> Update {
        let account = Account { stats: UserStats::empty(user()), entries: BTreeMap::new() };
        account.apply(&[change(0, state)], Timestamp::from_millis(9000)).unwrap()
    }

    fn image_of(state: EntryState) -> Image {
        Image::of_item(entry_item(&update(state).entries[0].entry).unwrap())
    }

    #[test]
    fn an_order_that_begins_to_count_is_told_with_its_cause() {
        let events = events(None, Some(&image_of(EntryState::Counted))).unwrap();
        let [event] = &events[..] else { panic!("{events:?}") };
        let order = change(0, EntryState::Counted);
        assert_eq!(event.id().as_str(), format!("{}/{}:1:user.order_placed", user(), order.order_id));
        assert_eq!(event.time(), Timestamp::from_millis(9000));
        assert_eq!(*event.cause(), order.cause);
    }

    #[test]
    fn nothing_else_is_told() {
        let counted = image_of(EntryState::Counted);
        let cancelled = image_of(EntryState::Cancelled);
        let stats = update(EntryState::Counted).stats.unwrap();
        let stats = Image::of_item(stats_item(&stats).unwrap());
        for (old, new) in [
            (None, Some(&cancelled)),
            (Some(&counted), Some(&cancelled)),
            (Some(&counted), None),
            (None, Some(&stats)),
            (Some(&stats), Some(&stats)),
        ] {
            assert!(events(old, new).unwrap().is_empty());
        }
    }

    #[test]
    fn the_fixture_tells_of_one_order() {
        let fixture = include_str!("../../../events/publish-user-events.json");
        let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();
        let image = |image: &serde_json::Value| Option::<Image>::deserialize(image).unwrap();
        let told = fixture["Records"].as_array().unwrap().iter().flat_map(|record| {
            let change = &record["dynamodb"];
            events(image(&change["OldImage"]).as_ref(), image(&change["NewImage"]).as_ref()).unwrap()
        });
        let types: Vec<_> = told.map(|event| event.event_type()).collect();
        assert_eq!(types, [EventType::UserOrderPlaced]);
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_an_error() {
        let keys = BTreeMap::from([("pk", "usr_1"), ("sk", "order#1")]);
        assert!(events(None, Some(&Image::of("keys", &keys).unwrap())).is_err());
    }
}

//! What the users table's writes mean to other services. Pure: no AWS, no clock.

use shop_auth::Role;
use shop_dynamo::Record;
use shop_events::{Cause, Event, EventData, UserDeleted, UserOrderPlaced, UserSnapshot, UserStatsRepaired};
use shop_messaging::relay::{Image, ImageError};

use crate::accounts::user::User;
use crate::mail_proofs::mail_request::{MailKind, MailRequest};
use crate::statistics::ledger::{EntryState, LedgerEntry};
use crate::statistics::stats::UserStats;
use crate::table::{is_account, is_ledger_entry, is_stats};

/// The events of one write: `user.registered`, `.updated` and `.deleted` for an account, `user.order_placed` where
/// an order begins to count, `user.password_reset_requested` and `user.email_confirmation_requested` where a mail is asked
/// for, and `user.stats_repaired` where a repair wrote the statistics. Other statistics and
/// tombstones of orders publish nothing, and neither does taking an order off: `order.cancelled` said it already.
pub(crate) fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, ImageError> {
    let Some(new) = new else { return Ok(Vec::new()) };
    match new.text("sk") {
        Some(sk) if is_account(sk) => of_account(old, new),
        Some(sk) if is_ledger_entry(sk) && old.is_none() => of_new_entry(new),
        Some(sk) if is_stats(sk) => of_stats(old, new),
        Some(sk) => match MailKind::of(sk) {
            Some(kind) => of_mail_request(kind, old, new),
            None => Ok(Vec::new()),
        },
        None => Ok(Vec::new()),
    }
}

fn of_account(old: Option<&Image>, new: &Image) -> Result<Vec<Event>, ImageError> {
    let user: User = new.read("account")?;
    let before: Option<User> = old.map(|old| old.read("account")).transpose()?;
    if before.as_ref().is_some_and(|before| before.version == user.version) {
        return Ok(Vec::new());
    }
    let snapshot = || UserSnapshot {
        user_id: user.id.clone(),
        is_admin: user.role == Role::Admin,
        registered_at: user.created_at,
    };
    let data = match (before, user.deleted_at) {
        (_, Some(deleted_at)) => EventData::UserDeleted(UserDeleted { user_id: user.id.clone(), deleted_at }),
        (None, None) => EventData::UserRegistered(snapshot()),
        (Some(_), None) => EventData::UserUpdated(snapshot()),
    };
    Ok(vec![Event::new(data, user.version, user.updated_at, user.cause)])
}

fn of_mail_request(kind: MailKind, old: Option<&Image>, new: &Image) -> Result<Vec<Event>, ImageError> {
    let new: MailRequest = new.read(MailRequest::KIND)?;
    let before: Option<MailRequest> = old.map(|old| old.read(MailRequest::KIND)).transpose()?;
    if before.is_some_and(|before| before.version == new.version) {
        return Ok(Vec::new());
    }
    Ok(new.event(kind).into_iter().collect())
}

fn of_stats(old: Option<&Image>, new: &Image) -> Result<Vec<Event>, ImageError> {
    const KIND: &str = "user's statistics";
    let new: UserStats = new.read(KIND)?;
    let (Some(repair), Some(time)) = (&new.repair, new.updated_at) else { return Ok(Vec::new()) };
    let old = match old {
        Some(old) => old.read(KIND)?,
        None => UserStats::empty(new.user_id.clone()),
    };
    if old.version == new.version {
        return Ok(Vec::new());
    }
    let data = UserStatsRepaired {
        user_id: new.user_id.clone(),
        before: old.figures(),
        after: new.figures(),
        order_ids: repair.order_ids.clone(),
    };
    let cause = Cause::request(repair.request_id.clone());
    Ok(vec![Event::new(EventData::UserStatsRepaired(data), new.version, time, cause)])
}

fn of_new_entry(new: &Image) -> Result<Vec<Event>, ImageError> {
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
    use crate::statistics::ledger::tests::{change, user};
    use crate::statistics::ledger::{StatsSnapshot, Update};
    use crate::statistics::stats::UserStats;
    use crate::statistics::store::{entry_item, stats_item};

    fn update(state: EntryState) -> Update {
        let snapshot = StatsSnapshot { stats: UserStats::empty(user()), entries: BTreeMap::new() };
        snapshot.apply(&[change(0, state)], Timestamp::from_millis(9000)).unwrap()
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
        assert_eq!(event.time(), Timestamp::from_millis(9000), "when it was recorded");
        assert_eq!(*event.cause(), order.cause);
        assert_ne!(order.placed_at, event.time());
        let expected = UserOrderPlaced {
            user_id: user(),
            order_id: order.order_id,
            total: order.total,
            placed_at: order.placed_at,
        };
        assert_eq!(*event.data(), EventData::UserOrderPlaced(expected), "what the order says");
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
    fn an_account_tells_of_its_life_and_of_nobody() {
        let cause = || shop_events::Cause::request("request-2");
        let at = Timestamp::from_millis;
        let registered = crate::accounts::user::tests::user();
        let promoted = registered.in_role(Role::Admin, cause(), at(2000));
        let deleted = promoted.deleted(cause(), at(3000));
        let image = |user: &User| Image::of_item(crate::accounts::store::account_item(user).unwrap());
        let published = |old: Option<&User>, new: &User| {
            let events = events(old.map(image).as_ref(), Some(&image(new))).unwrap();
            events.iter().map(|event| event.to_json().unwrap()).collect::<Vec<_>>()
        };
        let id = &registered.id;
        for (old, new, expected) in [
            (None, &registered, format!("{id}:1:user.registered")),
            (Some(&registered), &promoted, format!("{id}:2:user.updated")),
            (Some(&promoted), &deleted, format!("{id}:3:user.deleted")),
        ] {
            let events = published(old, new);
            let [event] = &events[..] else { panic!("{events:?}") };
            assert!(event.contains(&expected), "{event}");
            assert!(!event.contains("Ada") && !event.contains("example.com"), "{event}");
        }
        assert!(published(Some(&registered), &registered).is_empty());
        assert!(events(Some(&image(&registered)), None).unwrap().is_empty());
    }

    #[test]
    fn a_repair_tells_what_was_found_and_what_was_made_of_it() {
        let empty = StatsSnapshot { stats: UserStats::empty(user()), entries: BTreeMap::new() };
        let image = |stats: &UserStats| Image::of_item(stats_item(stats).unwrap());
        let now = Timestamp::from_millis(9000);
        let update = empty.repair(&[change(0, EntryState::Counted)], "request-9", now).unwrap();
        let repaired = update.stats.unwrap();
        let published = events(None, Some(&image(&repaired))).unwrap();
        let [event] = &published[..] else { panic!("{published:?}") };
        assert_eq!(event.id().as_str(), format!("{}:1:user.stats_repaired", user()));
        assert_eq!((event.time(), event.cause()), (now, &Cause::request("request-9")));
        let EventData::UserStatsRepaired(data) = event.data() else { panic!("{event:?}") };
        assert_eq!((data.before.orders_placed, data.after.orders_placed), (0, 1));
        assert_eq!(data.order_ids, [change(0, EntryState::Counted).order_id]);

        // The next order is none of the repair's.
        let snapshot = StatsSnapshot { stats: repaired.clone(), ..empty };
        let next = snapshot.apply(&[change(1, EntryState::Counted)], now).unwrap().stats.unwrap();
        assert!(events(Some(&image(&repaired)), Some(&image(&next))).unwrap().is_empty());
        assert!(events(Some(&image(&repaired)), Some(&image(&repaired))).unwrap().is_empty());
    }

    #[test]
    fn the_fixture_tells_of_one_order_and_one_account() {
        let fixture = include_str!("../../../events/publish-user-events.json");
        let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();
        let image = |image: &serde_json::Value| Option::<Image>::deserialize(image).unwrap();
        let published = fixture["Records"].as_array().unwrap().iter().flat_map(|record| {
            let change = &record["dynamodb"];
            events(image(&change["OldImage"]).as_ref(), image(&change["NewImage"]).as_ref()).unwrap()
        });
        let types: Vec<_> = published.map(|event| event.event_type()).collect();
        assert_eq!(types, [EventType::UserOrderPlaced, EventType::UserRegistered]);
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_an_error() {
        let keys = BTreeMap::from([("pk", "usr_1"), ("sk", "order#1")]);
        assert!(events(None, Some(&Image::of("keys", &keys).unwrap())).is_err());
    }
}

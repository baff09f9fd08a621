//! What a write to the products table means to others: from an item before and after to events. Pure.
//!
//! - A product: product.created, .updated, .deleted, at the product's version.
//! - A stock counter: inventory.updated, at the counter's version, where its figures changed; inventory.low,
//!   .replenished, `.sold_out` and `.back_in_stock`, where the write crossed one of these ([`crate::watch`]);
//!   inventory.closed, where its product was deleted; and inventory.repaired, where a repair changed them.
//! - An entry of the ledger: inventory.reserved, .rejected, .released, at the entry's version. A cancellation
//!   that came before its order set nothing aside, so it releases nothing. An entry that is re-emitted is
//!   published with the very same event. Where a repair wrote it, reservation.repaired.
//! - An adjustment or a creation, which only remember an idempotency key: nothing.

use shop_events::{
    Event, EventData, InventoryBackInStock, InventoryClosed, InventoryLow, InventoryRejected,
    InventoryReleased, InventoryRepaired, InventoryReplenished, InventoryReserved, InventorySoldOut,
    ProductDeleted, RejectionReason, ReservationRepaired, ReservationStatus,
};
use shop_messaging::relay::{Image, ImageError};

use crate::product::Product;
use crate::reservation::{Reservation, Status};
use crate::stock::Stock;
use crate::store::Kind;

/// Why a record cannot become events: it is dead-lettered.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// An image is not the item that its key says it is.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The sort key is none of this table's.
    #[error("the item is of no known kind")]
    UnknownKind,
    /// An item that is never removed was removed.
    #[error("a {0} was removed")]
    Removed(&'static str),
}

/// The events of one write.
pub(crate) fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, RecordError> {
    let sort_key = new.or(old).and_then(|image| image.text("sk"));
    let kind = sort_key.and_then(Kind::of).ok_or(RecordError::UnknownKind)?;
    if matches!(kind, Kind::Adjustment | Kind::Creation | Kind::Checkpoint) {
        return Ok(Vec::new());
    }
    let new = new.ok_or(RecordError::Removed(kind.name()))?;
    Ok(match kind {
        Kind::Product => of_product(read(kind, old)?.as_ref(), &new.read(kind.name())?).into_iter().collect(),
        Kind::Stock => {
            let (old, new) = (read(kind, old)?, new.read(kind.name())?);
            let told = of_stock(old.as_ref(), &new).into_iter();
            told.chain(crossings(old.as_ref(), &new)).chain(repair_of_stock(old.as_ref(), &new)).collect()
        }
        Kind::Reservation => {
            let (old, new) = (read(kind, old)?, new.read(kind.name())?);
            let repair = repair_of_reservation(old.as_ref(), &new);
            of_reservation(old.as_ref(), new).into_iter().chain(repair).collect()
        }
        Kind::Adjustment | Kind::Creation | Kind::Checkpoint => Vec::new(),
    })
}

fn read<T: serde::de::DeserializeOwned>(kind: Kind, image: Option<&Image>) -> Result<Option<T>, ImageError> {
    image.map(|image| image.read(kind.name())).transpose()
}

fn of_product(old: Option<&Product>, new: &Product) -> Option<Event> {
    let was_deleted = old.is_some_and(|old| old.deleted_at.is_some());
    let data = match (old, new.deleted_at) {
        _ if was_deleted => return None,
        (_, Some(_)) => EventData::ProductDeleted(ProductDeleted { product_id: new.id.clone() }),
        (None, None) => EventData::ProductCreated(new.snapshot()),
        (Some(old), None) if old.version == new.version => return None,
        (Some(_), None) => EventData::ProductUpdated(new.snapshot()),
    };
    Some(Event::new(data, new.version, new.updated_at, new.cause.clone()))
}

fn of_stock(old: Option<&Stock>, new: &Stock) -> Option<Event> {
    let data = EventData::InventoryUpdated(new.change_since(old)?);
    Some(Event::new(data, new.version, new.updated_at, new.cause.clone()))
}

/// What the write crossed; or that nothing of the counter will be told any more.
fn crossings(old: Option<&Stock>, new: &Stock) -> Vec<Event> {
    let product_id = || new.product_id.clone();
    let (before, watch) = (old.map(Stock::watch).unwrap_or_default(), new.watch());
    if let Some(deleted_at) = new.deleted_at {
        if old.is_some_and(|old| old.deleted_at.is_some()) {
            return Vec::new();
        }
        let (low_since, sold_out_since) = (watch.low_since(), watch.sold_out_since());
        let data = InventoryClosed { product_id: product_id(), low_since, sold_out_since };
        // A clock that was ahead may have changed the figures; a counter's events sort by their time.
        let at = deleted_at.max(new.updated_at);
        return vec![Event::new(EventData::InventoryClosed(data), new.version, at, new.cause.clone())];
    }
    let (available, low_stock_threshold) = (new.available, watch.threshold());
    let level = match (before.low_since(), watch.low_since()) {
        (was, Some(is)) if was != Some(is) => {
            let data = InventoryLow { product_id: product_id(), available, low_stock_threshold };
            Some(EventData::InventoryLow(data))
        }
        (Some(low_since), None) => {
            let product_id = product_id();
            let data = InventoryReplenished { product_id, available, low_stock_threshold, low_since };
            Some(EventData::InventoryReplenished(data))
        }
        _ => None,
    };
    let stock = match (old.map_or(0, |old| old.available), available) {
        (1.., 0) => Some(EventData::InventorySoldOut(InventorySoldOut { product_id: product_id() })),
        (0, 1..) => {
            let sold_out_since = before.sold_out_since();
            let data = InventoryBackInStock { product_id: product_id(), available, sold_out_since };
            Some(EventData::InventoryBackInStock(data))
        }
        _ => None,
    };
    let event = |data| Event::new(data, new.version, new.updated_at, new.cause.clone());
    level.into_iter().chain(stock).map(event).collect()
}

/// The mark of a repair stays on the item; only the write that made the version it names is the repair.
fn repair_of_stock(old: Option<&Stock>, new: &Stock) -> Option<Event> {
    let old = old.filter(|old| new.repair == Some(new.version) && old.repair != new.repair)?;
    let data =
        InventoryRepaired { product_id: new.product_id.clone(), before: old.figures(), after: new.figures() };
    Some(Event::new(EventData::InventoryRepaired(data), new.version, new.updated_at, new.cause.clone()))
}

fn of_reservation(old: Option<&Reservation>, new: Reservation) -> Option<Event> {
    let before = old.map(|old| old.status);
    let is_re_emitted = old.is_some_and(|old| new.re_emits > old.re_emits);
    if before == Some(new.status) && !is_re_emitted {
        return None;
    }
    let order_id = new.order_id;
    let data = match new.status {
        Status::Reserved => EventData::InventoryReserved(InventoryReserved { order_id, lines: new.lines }),
        Status::Rejected => {
            let reason = new.reason.unwrap_or(RejectionReason::InsufficientStock);
            EventData::InventoryRejected(InventoryRejected { order_id, reason, shortages: new.shortages })
        }
        Status::Released if before.is_none() => return None,
        Status::Released => EventData::InventoryReleased(InventoryReleased { order_id, lines: new.lines }),
    };
    Some(Event::new(data, new.version, new.updated_at, new.cause))
}

fn repair_of_reservation(old: Option<&Reservation>, new: &Reservation) -> Option<Event> {
    let is_new = old.is_none_or(|old| old.repair != new.repair);
    if !is_new || new.repair != Some(new.version) {
        return None;
    }
    let data = ReservationRepaired {
        order_id: new.order_id.clone(),
        before: old.map(|old| told_status(old.status)),
        after: told_status(new.status),
    };
    Some(Event::new(EventData::ReservationRepaired(data), new.version, new.updated_at, new.cause.clone()))
}

const fn told_status(status: Status) -> ReservationStatus {
    match status {
        Status::Reserved => ReservationStatus::Reserved,
        Status::Rejected => ReservationStatus::Rejected,
        Status::Released => ReservationStatus::Released,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use shop_events::{Cause, EventType, ReservedLine, Shortage};
    use shop_types::{OrderId, ProductId, Timestamp};

    use crate::product::tests::product;
    use crate::stock::tests::stock;

    /// The image of an item, with its sort key as the store writes it.
    fn image(sort_key: &'static str, item: &impl Serialize) -> Image {
        #[derive(Serialize)]
        struct Keyed<'a, T> {
            sk: &'static str,
            #[serde(flatten)]
            item: &'a T,
        }
        Image::of("item", &Keyed { sk: sort_key, item }).unwrap()
    }

    fn published(sort_key: &'static str, old: Option<&impl Serialize>, new: &impl Serialize) -> Vec<Event> {
        let old = old.map(|old| image(sort_key, old));
        events(old.as_ref(), Some(&image(sort_key, new))).unwrap()
    }

    fn types(events: &[Event]) -> Vec<(EventType, u64)> {
        events.iter().map(|event| (event.event_type(), event.version())).collect()
    }

    fn cause() -> Cause {
        let event = Event::new(
            EventData::ProductDeleted(ProductDeleted { product_id: product().id }),
            1,
            Timestamp::from_millis(0),
            Cause::request("request-1"),
        );
        event.as_cause()
    }

    fn later() -> Timestamp {
        Timestamp::from_millis(2000)
    }

    #[test]
    fn a_product_is_created_updated_and_deleted() {
        let first = product();
        let second = first.with(&crate::fields::Changes::default(), later(), Cause::request("request-2"));
        let third = second.deleted(later(), Cause::request("request-3"));
        let created = published("product", None::<&Product>, &first);
        assert_eq!(types(&created), [(EventType::ProductCreated, 1)]);
        assert_eq!(created[0].id().as_str(), "prod-1:1:product.created");
        assert_eq!(*created[0].cause(), Cause::request("request-1"));
        assert_eq!(*created[0].data(), EventData::ProductCreated(first.snapshot()));
        let updated = published("product", Some(&first), &second);
        assert_eq!(types(&updated), [(EventType::ProductUpdated, 2)]);
        assert_eq!((updated[0].time(), updated[0].cause()), (later(), &Cause::request("request-2")));
        assert_eq!(types(&published("product", Some(&second), &third)), [(EventType::ProductDeleted, 3)]);
        assert_eq!(published("product", Some(&third), &third), []);
        assert_eq!(published("product", Some(&first), &first), []);
    }

    #[test]
    fn stock_tells_its_figures_when_they_change() {
        let before = stock("prod-1", 50, 0);
        let moved = Stock { available: 48, reserved: 2, version: 2, cause: cause(), ..before.clone() };
        let updated = published("stock", Some(&before), &moved);
        assert_eq!(types(&updated), [(EventType::InventoryUpdated, 2)]);
        let EventData::InventoryUpdated(data) = updated[0].data() else { panic!("{updated:?}") };
        assert_eq!((data.available, data.reserved, data.change), (48, 2, -2));
        assert_eq!(updated[0].cause().causation_id.as_ref().unwrap().as_str(), "prod-1:1:product.deleted");
        let first = [(EventType::InventoryUpdated, 1), (EventType::InventoryBackInStock, 1)];
        assert_eq!(types(&published("stock", None::<&Stock>, &before)), first);
        assert_eq!(published("stock", None::<&Stock>, &stock("prod-1", 0, 0)), []);
    }

    /// The counter after `available` has become another.
    fn moved(stock: &Stock, available: u64) -> Stock {
        let version = stock.version + 1;
        let watch = Some(stock.watch().moved(stock.available, available, version));
        Stock { available, total: available + stock.reserved, version, watch, ..stock.clone() }
    }

    #[test]
    fn a_write_tells_what_it_crossed_and_names_what_that_ends() {
        let full = stock("prod-1", 50, 0);
        let low = moved(&full, 4);
        let empty = moved(&low, 0);
        let some = moved(&empty, 3);
        let enough = moved(&some, 6);
        let crossed = |old: &Stock, new: &Stock| {
            let mut events = published("stock", Some(old), new);
            assert_eq!(events.remove(0).event_type(), EventType::InventoryUpdated);
            events.into_iter().map(|event| event.data().clone()).collect::<Vec<_>>()
        };
        let product_id: ProductId = "prod-1".parse().unwrap();
        let data = InventoryLow { product_id: product_id.clone(), available: 4, low_stock_threshold: 5 };
        assert_eq!(crossed(&full, &low), [EventData::InventoryLow(data)]);
        let data = InventorySoldOut { product_id: product_id.clone() };
        assert_eq!(crossed(&low, &empty), [EventData::InventorySoldOut(data)]);
        let (available, sold_out_since) = (3, Some(3));
        let data = InventoryBackInStock { product_id: product_id.clone(), available, sold_out_since };
        assert_eq!(crossed(&empty, &some), [EventData::InventoryBackInStock(data)]);
        let data = InventoryReplenished {
            product_id: product_id.clone(),
            available: 6,
            low_stock_threshold: 5,
            low_since: 2,
        };
        assert_eq!(crossed(&some, &enough), [EventData::InventoryReplenished(data)]);
        let types = |data: Vec<EventData>| data.iter().map(EventData::event_type).collect::<Vec<_>>();
        let both = [EventType::InventoryLow, EventType::InventorySoldOut];
        assert_eq!(types(crossed(&full, &moved(&full, 0))), both);
        let both = [EventType::InventoryReplenished, EventType::InventoryBackInStock];
        assert_eq!(types(crossed(&empty, &moved(&empty, 9))), both);
    }

    #[test]
    fn a_counter_of_a_deleted_product_tells_what_is_left_open_and_then_nothing_but_its_figures() {
        let low = moved(&stock("prod-1", 50, 2), 0);
        let early = Timestamp::from_millis(1);
        let closed = Stock { deleted_at: Some(early), updated_at: later(), cause: cause(), ..low.clone() };
        let told = published("stock", Some(&low), &closed);
        assert_eq!(types(&told), [(EventType::InventoryClosed, 2)]);
        assert_eq!((told[0].time(), told[0].cause()), (later(), &cause()));
        let (low_since, sold_out_since) = (Some(2), Some(2));
        let data = InventoryClosed { product_id: "prod-1".parse().unwrap(), low_since, sold_out_since };
        assert_eq!(told[0].data(), &EventData::InventoryClosed(data));
        let released = Stock { available: 2, reserved: 0, version: 3, ..closed.clone() };
        assert_eq!(types(&published("stock", Some(&closed), &released)), [(EventType::InventoryUpdated, 3)]);
    }

    #[test]
    fn a_claim_that_comes_and_goes_tells_nothing_by_itself() {
        let order = OrderId::derived(b"test", "test", "order");
        let claim = Reservation::reserved(order, vec![], later(), cause());
        let kept = Stock { claim: Some(claim), ..stock("prod-1", 48, 2) };
        let gone = Stock { claim: None, ..kept.clone() };
        assert_eq!(published("stock", Some(&kept), &gone), []);
    }

    #[test]
    fn what_is_told_once_more_is_the_very_same_event() {
        let order = OrderId::derived(b"test", "test", "order");
        let reason = RejectionReason::InsufficientStock;
        for entry in [
            Reservation::reserved(order.clone(), vec![], later(), cause()),
            Reservation::rejected(order, reason, vec![], later(), cause()),
        ] {
            let first = published("reservation", None::<&Reservation>, &entry);
            let (once, twice) =
                (Reservation { re_emits: 1, ..entry.clone() }, Reservation { re_emits: 2, ..entry.clone() });
            assert_eq!(published("reservation", Some(&entry), &once), first);
            assert_eq!(published("reservation", Some(&once), &twice), first);
            assert_eq!(published("reservation", Some(&once), &once), []);
        }
    }

    #[test]
    fn a_repair_tells_what_was_found_and_what_was_made_of_it() {
        let found = stock("prod-1", 46, 4);
        let right = Stock { available: 48, reserved: 2, version: 2, repair: Some(2), ..found.clone() };
        let events = published("stock", Some(&found), &right);
        assert_eq!(types(&events), [(EventType::InventoryUpdated, 2), (EventType::InventoryRepaired, 2)]);
        let EventData::InventoryRepaired(data) = events[1].data() else { panic!("{events:?}") };
        assert_eq!((data.before.reserved, data.after.reserved, data.after.total), (4, 2, 50));
        // The mark stays, and later writes are no repairs.
        let moved = Stock { available: 47, reserved: 3, version: 3, ..right.clone() };
        assert_eq!(types(&published("stock", Some(&right), &moved)), [(EventType::InventoryUpdated, 3)]);
        let closed = Stock { deleted_at: Some(later()), ..right.clone() };
        assert_eq!(types(&published("stock", Some(&right), &closed)), [(EventType::InventoryClosed, 2)]);

        let order = OrderId::derived(b"test", "test", "order");
        let tombstone = Reservation::never_needed(order.clone(), later(), cause()).into_repair();
        let events = published("reservation", None::<&Reservation>, &tombstone);
        assert_eq!(types(&events), [(EventType::ReservationRepaired, 1)]);
        let reserved = Reservation::reserved(order, vec![], later(), cause());
        let released = reserved.released(later(), cause()).into_repair();
        let events = published("reservation", Some(&reserved), &released);
        assert_eq!(types(&events), [(EventType::InventoryReleased, 2), (EventType::ReservationRepaired, 2)]);
        let EventData::ReservationRepaired(data) = events[1].data() else { panic!("{events:?}") };
        assert_eq!(
            (data.before, data.after),
            (Some(ReservationStatus::Reserved), ReservationStatus::Released)
        );
    }

    #[test]
    fn a_reservation_tells_what_became_of_its_order() {
        let order = OrderId::derived(b"test", "test", "order");
        let product: ProductId = "prod-1".parse().unwrap();
        let lines = vec![ReservedLine { product_id: product.clone(), quantity: 2 }];
        let shortages = vec![Shortage { product_id: product, requested: 2, available: 1 }];
        let none = None::<&Reservation>;

        let reserved = Reservation::reserved(order.clone(), lines.clone(), later(), cause());
        let event = &published("reservation", none, &reserved)[0];
        let data = InventoryReserved { order_id: order.clone(), lines: lines.clone() };
        assert_eq!((event.data(), event.version()), (&EventData::InventoryReserved(data), 1));
        assert_eq!((event.time(), event.cause()), (later(), &cause()));

        let released = reserved.released(later(), Cause::request("request-9"));
        let event = &published("reservation", Some(&reserved), &released)[0];
        let data = InventoryReleased { order_id: order.clone(), lines };
        assert_eq!((event.data(), event.version()), (&EventData::InventoryReleased(data), 2));

        let reason = RejectionReason::InsufficientStock;
        let rejected = Reservation::rejected(order.clone(), reason, shortages.clone(), later(), cause());
        let event = &published("reservation", none, &rejected)[0];
        let data = InventoryRejected { order_id: order.clone(), reason, shortages };
        assert_eq!((event.data(), event.version()), (&EventData::InventoryRejected(data), 1));

        let tombstone = Reservation::never_needed(order, later(), cause());
        assert_eq!(published("reservation", none, &tombstone), []);
    }

    #[test]
    fn an_adjustment_tells_nothing_and_what_is_unknown_is_an_error() {
        #[derive(Serialize)]
        struct Nothing {}
        assert_eq!(published("adjustment", None::<&Nothing>, &Nothing {}), []);
        let unknown = image("surprise", &Nothing {});
        assert!(matches!(events(None, Some(&unknown)), Err(RecordError::UnknownKind)));
        let malformed = image("stock", &Nothing {});
        assert!(matches!(events(None, Some(&malformed)), Err(RecordError::Image(_))));
        let gone = image("stock", &stock("prod-1", 1, 0));
        assert!(matches!(events(Some(&gone), None), Err(RecordError::Removed("stock counter"))));
        assert!(matches!(events(None, None), Err(RecordError::UnknownKind)));
    }
}

//! What a change of an order means to others: a pure function from two images to events.

use shop_events::{Event, EventData, OrderCancelled, OrderRejected, OrderShipped, OrderStalled, OrderStatus};
use shop_messaging::relay::{Image, ImageError};

use crate::order::Order;

/// An order's image that no write of this service makes. The relay dead-letters the record.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableOrder {
    /// The image is no order.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// It is rejected, and does not say why.
    #[error("a rejected order without a reason")]
    NoReason,
}

/// The events of a change.
pub(crate) fn events(old: Option<&Image>, new: Option<&Image>) -> Result<Vec<Event>, UnreadableOrder> {
    // Orders are kept; a removal is an operator's doing, and publishes nothing.
    let Some(new) = new else { return Ok(Vec::new()) };
    let order: Order = new.read("order")?;
    let before: Option<Order> = old.map(|old| old.read("order")).transpose()?;
    let cancelled_from = before.as_ref().map(|before| before.status);
    if let Some(before) = before.filter(|before| before.status == order.status) {
        return Ok(stalled(&before, order).into_iter().collect());
    }
    let snapshot = order.snapshot();
    let data = match order.status {
        OrderStatus::Pending => EventData::OrderCreated(snapshot),
        OrderStatus::Confirmed => EventData::OrderConfirmed(snapshot),
        OrderStatus::Cancelled => {
            EventData::OrderCancelled(OrderCancelled { order: snapshot, cancelled_from })
        }
        OrderStatus::Rejected => {
            let rejection = order.rejection.ok_or(UnreadableOrder::NoReason)?;
            EventData::OrderRejected(OrderRejected {
                order: snapshot,
                reason: rejection.reason,
                shortages: rejection.shortages,
            })
        }
        OrderStatus::Shipped => {
            let tracking_number = order.tracking_number;
            EventData::OrderShipped(OrderShipped { order: snapshot, tracking_number })
        }
        OrderStatus::Delivered => EventData::OrderDelivered(snapshot),
    };
    Ok(vec![Event::new(data, order.version, order.updated_at, order.cause)])
}

/// A re-emit: the order itself has not changed. Each has a number of its own, so each is an event of its own.
fn stalled(before: &Order, order: Order) -> Option<Event> {
    let re_emitted_at = order.re_emitted_at.filter(|_| order.re_emits > before.re_emits)?;
    let data = OrderStalled { order: order.snapshot(), re_emits: order.re_emits };
    Some(Event::new(EventData::OrderStalled(data), order.re_emits, re_emitted_at, order.cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Rejection;
    use crate::order::tests::order;
    use shop_events::{EventType, RejectionReason};
    use shop_types::Timestamp;

    fn image(order: &Order) -> Image {
        Image::of("order", order).unwrap()
    }

    fn published(old: Option<&Order>, new: &Order) -> Vec<(String, EventType)> {
        let events = events(old.map(image).as_ref(), Some(&image(new))).unwrap();
        events.iter().map(|event| (event.id().to_string(), event.event_type())).collect()
    }

    #[test]
    fn each_move_is_told_once_with_an_id_of_its_own() {
        let pending = order(OrderStatus::Pending);
        let confirmed = Order { status: OrderStatus::Confirmed, version: 2, ..pending.clone() };
        let id = &pending.id;
        assert_eq!(published(None, &pending), [(format!("{id}:1:order.created"), EventType::OrderCreated)]);
        assert_eq!(
            published(Some(&pending), &confirmed),
            [(format!("{id}:2:order.confirmed"), EventType::OrderConfirmed)]
        );
        assert_eq!(published(Some(&confirmed), &confirmed), []);
        let cause = shop_events::Cause::request("request-2");
        let cancelled = confirmed.moved(OrderStatus::Cancelled, None, confirmed.updated_at, cause).unwrap();
        assert_eq!(
            published(Some(&confirmed), &cancelled),
            [(format!("{id}:3:order.cancelled"), EventType::OrderCancelled)]
        );
        assert_eq!(events(Some(&image(&pending)), None).unwrap(), []);
    }

    #[test]
    fn a_cancellation_says_what_it_ended() {
        for status in [OrderStatus::Pending, OrderStatus::Confirmed] {
            let before = order(status);
            let cause = shop_events::Cause::request("request-2");
            let after = before.moved(OrderStatus::Cancelled, None, before.updated_at, cause).unwrap();
            let events = events(Some(&image(&before)), Some(&image(&after))).unwrap();
            let EventData::OrderCancelled(data) = events[0].data() else { panic!("{events:?}") };
            assert_eq!(data.cancelled_from, Some(status));
        }
    }

    #[test]
    fn an_event_says_when_it_happened_and_of_what_it_came() {
        let pending = order(OrderStatus::Pending);
        let later = Timestamp::from_millis(9_000);
        let settled = shop_events::Cause { correlation_id: "request-1".into(), ..pending.cause.clone() };
        let mut rejected = Order {
            status: OrderStatus::Rejected,
            version: 2,
            updated_at: later,
            cause: settled,
            ..pending.clone()
        };
        rejected.rejection =
            Some(Rejection { reason: RejectionReason::InsufficientStock, shortages: Vec::new() });
        let confirmed = Order { status: OrderStatus::Confirmed, rejection: None, ..rejected.clone() };
        let cause = shop_events::Cause::request("request-2").by("usr_1");
        let cancelled = confirmed
            .moved(OrderStatus::Cancelled, None, Timestamp::from_millis(10_000), cause.clone())
            .unwrap();
        for (old, new) in [
            (None, &pending),
            (Some(&pending), &confirmed),
            (Some(&pending), &rejected),
            (Some(&confirmed), &cancelled),
        ] {
            let events = events(old.map(image).as_ref(), Some(&image(new))).unwrap();
            assert_eq!(
                (events[0].time(), events[0].cause()),
                (new.updated_at, &new.cause),
                "{:?}",
                new.status
            );
        }
        assert_eq!(cancelled.cause, cause);
    }

    #[test]
    fn each_re_emit_is_published_once_with_an_id_of_its_own() {
        let pending = order(OrderStatus::Pending);
        let re_emitted = |re_emits| {
            let re_emitted_at = Some(Timestamp::from_millis(600_000));
            Order { re_emits, re_emitted_at, ..pending.clone() }
        };
        for (before, after) in [(pending.clone(), re_emitted(1)), (re_emitted(1), re_emitted(2))] {
            let expected = format!("{}/stall:{}:order.stalled", pending.id, after.re_emits);
            assert_eq!(published(Some(&before), &after), [(expected, EventType::OrderStalled)]);
        }
        let event = &events(Some(&image(&pending)), Some(&image(&re_emitted(1)))).unwrap()[0];
        assert_eq!((event.time(), event.cause()), (Timestamp::from_millis(600_000), &pending.cause));
        // What became of it in the end is published alone.
        let confirmed = Order { status: OrderStatus::Confirmed, version: 2, ..re_emitted(2) };
        assert_eq!(published(Some(&re_emitted(2)), &confirmed).len(), 1);
        assert_eq!(published(Some(&confirmed), &confirmed), []);
    }

    #[test]
    fn a_rejection_says_why_or_is_poison() {
        let pending = order(OrderStatus::Pending);
        let mut rejected = Order { status: OrderStatus::Rejected, version: 2, ..pending.clone() };
        assert!(events(Some(&image(&pending)), Some(&image(&rejected))).is_err());
        rejected.rejection =
            Some(Rejection { reason: RejectionReason::InsufficientStock, shortages: Vec::new() });
        assert_eq!(published(Some(&pending), &rejected).len(), 1);
    }
}

//! The orders table, for the verifications of what other services have made of orders.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use shop_dynamo::{ForeignItem, ForeignTable, Record, StoreError};
use shop_events::OrderStatus;
use shop_lambda::recovery::GRACE_PERIOD;
use shop_types::{OrderId, Timestamp};

/// The orders table, for reading what every verification needs of an order, and `D`.
pub type OrdersReadModel<D> = ForeignTable<OrderRecord<D>>;

/// What one service reads of an order beside what all do. It should be no more than what it must agree with.
pub trait OrderDetail: DeserializeOwned {
    /// The attributes that hold it.
    const ATTRIBUTES: &'static [&'static str];
}

/// What is read of an order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(bound = "D: DeserializeOwned")]
pub struct OrderRecord<D> {
    /// Its id.
    pub id: OrderId,
    /// Where it is in its life.
    pub status: OrderStatus,
    /// One more with every change.
    pub version: u64,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// What this service must agree with.
    #[serde(flatten)]
    pub detail: D,
}

impl<D: OrderDetail> Record for OrderRecord<D> {
    const KIND: &'static str = "order";
}

impl<D: OrderDetail> ForeignItem for OrderRecord<D> {
    const KEY: &'static str = "id";

    fn attributes() -> Vec<&'static str> {
        let of_all = ["id", "status", "version", "placed_at", "updated_at"];
        of_all.iter().chain(D::ATTRIBUTES).copied().collect()
    }
}

/// Whether a service's books can be judged by an order: neither the order nor what was made of it (at `recorded_at`, if
/// anything was) has changed within the [`GRACE_PERIOD`], so that no event is on its way. What was made of it was read
/// after the order, and may belong to what that has become since: so the order is read once more.
///
/// # Errors
/// DynamoDB failed.
pub async fn may_be_judged<D: OrderDetail + PartialEq>(
    orders: &OrdersReadModel<D>,
    order: &OrderRecord<D>,
    recorded_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let is_fresh = |at: Timestamp| now.abs_diff(at) < GRACE_PERIOD;
    if is_fresh(order.updated_at) || recorded_at.is_some_and(is_fresh) {
        return Ok(false);
    }
    orders.is_still(order.id.as_str(), order).await
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_dynamo::AttributeValue;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Count {
        count: u32,
    }

    impl OrderDetail for Count {
        const ATTRIBUTES: &'static [&'static str] = &["count"];
    }

    #[test]
    fn what_is_asked_for_is_what_is_read() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |text: &str| AttributeValue::N(text.to_owned());
        let id = OrderId::derived(b"test", "test", "order");
        let mut item = HashMap::from([
            ("id".to_owned(), text(id.as_str())),
            ("status".to_owned(), text("confirmed")),
            ("version".to_owned(), number("2")),
            ("placed_at".to_owned(), text("2026-11-23T15:00:00.000Z")),
            ("updated_at".to_owned(), text("2026-11-23T15:00:01.000Z")),
            ("count".to_owned(), number("3")),
        ]);
        let mut names: Vec<_> = item.keys().map(String::as_str).collect();
        let mut asked = OrderRecord::<Count>::attributes();
        names.sort_unstable();
        asked.sort_unstable();
        assert_eq!(asked, names);
        let read = |item: &HashMap<String, AttributeValue>| {
            serde_dynamo::from_item::<_, OrderRecord<Count>>(item.clone())
        };
        let order = read(&item).unwrap();
        assert_eq!((order.id, order.version, order.detail), (id, 2, Count { count: 3 }));
        item.remove("count");
        assert!(read(&item).is_err());
    }
}

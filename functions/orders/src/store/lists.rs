//! Lists of orders: by customer, by status, and all of them, newest first, within a window of time.
//!
//! An index follows the table within moments. While an order moves from one status to another, a list of all
//! statuses may show it twice, of which one is left out, or not at all.

use std::cmp::Reverse;

use futures::future::try_join_all;
use shop_dynamo::{After, Condition, Item, List, Page, StoreError};
use shop_events::OrderStatus;
use shop_types::{Timestamp, UserId};

use super::{OrderStore, Position, STATUS_SHARDS, key, position, shard_name};
use crate::order::{ALL_STATUSES, Order};

/// Most pages of an index that are looked through for one page of a list. Where few of a customer's orders have
/// the status that is asked for, the page may then be short, or empty, and still not be the last.
const MAX_LOOKS: usize = 10;

/// The orders from a time to another, which is not in it; without an end where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first time that is in it.
    pub(crate) from: Option<Timestamp>,
    /// The first time that is not.
    pub(crate) to: Option<Timestamp>,
}

impl Window {
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        matches!((self.from, self.to), (Some(from), Some(to)) if from >= to)
    }

    /// Whether an order at this position is in it.
    #[must_use]
    pub(crate) fn holds(&self, position: &Position) -> bool {
        let text = String::from(position.clone());
        (self.lower()..self.upper()).contains(&text)
    }

    /// Below the sort keys of all that are in it.
    fn lower(&self) -> String {
        Position::before(self.from.unwrap_or_default())
    }

    /// Above the sort keys of all that are in it, which begin with a digit.
    fn upper(&self) -> String {
        self.to.map_or_else(|| ":".to_owned(), Position::before)
    }
}

#[derive(Debug)]
pub(crate) struct OrdersPage {
    /// Newest first.
    pub(crate) orders: Vec<Order>,
    /// Where the next page goes on, if there may be one.
    pub(crate) next: Option<Position>,
}

#[derive(Debug)]
pub(crate) struct PendingPage {
    /// Oldest first.
    pub(crate) orders: Vec<Order>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Item>,
}

/// A part of an index: the orders that have one value of an attribute.
#[derive(Clone, Copy)]
struct Part<'a> {
    index: &'a str,
    attribute: &'a str,
    value: &'a str,
}

impl OrderStore {
    /// A customer's orders, newest first; of one status, where that is asked for.
    pub(crate) async fn of_customer(
        &self,
        customer: &UserId,
        status: Option<OrderStatus>,
        window: Window,
        after: Option<Position>,
        limit: i32,
    ) -> Result<OrdersPage, StoreError> {
        let part = Part { index: "by-customer", attribute: "customer_id", value: customer.as_str() };
        let wanted = usize::try_from(limit).unwrap_or_default();
        let (mut orders, mut after, mut looks) = (Vec::new(), after, 0);
        loop {
            let found = self.newest_first(part, window, after.as_ref(), limit).await?;
            after = found.next(position);
            let is_wanted = |order: &Order| status.is_none_or(|status| order.status == status);
            orders.extend(found.items.into_iter().filter(is_wanted));
            looks += 1;
            if orders.len() > wanted {
                orders.truncate(wanted);
                return Ok(OrdersPage { next: orders.last().map(position), orders });
            }
            if status.is_none() || after.is_none() || looks == MAX_LOOKS {
                return Ok(OrdersPage { orders, next: after });
            }
        }
    }

    /// All orders, newest first; of one status, where that is asked for.
    pub(crate) async fn of_everybody(
        &self,
        status: Option<OrderStatus>,
        window: Window,
        after: Option<Position>,
        limit: i32,
    ) -> Result<OrdersPage, StoreError> {
        let one = status.map(|status| [status]);
        let statuses = one.as_ref().map_or(&ALL_STATUSES[..], |one| &one[..]);
        let shards = statuses.iter().flat_map(|status| (0..STATUS_SHARDS).map(|shard| (*status, shard)));
        let values: Vec<_> = shards.map(|(status, shard)| shard_name(status, shard)).collect();
        let part = |value| {
            let part = Part { index: "by-status", attribute: "status_shard", value };
            self.newest_first(part, window, after.as_ref(), limit)
        };
        let pages = try_join_all(values.iter().map(|value| part(value))).await?;
        Ok(merged(pages, limit))
    }

    /// One of the [`STATUS_SHARDS`] parts of the orders that are pending, oldest first, behind a key. As the
    /// index has it: an order that was settled a moment ago may still be among them.
    pub(crate) async fn pending(&self, shard: u8, after: Option<Item>) -> Result<PendingPage, StoreError> {
        let shard = Condition::equals("status_shard", shard_name(OrderStatus::Pending, shard));
        let mut found = self.table.query_index("by-status", shard).after(after).page().await?;
        Ok(PendingPage { next: found.next.take(), orders: found.read()? })
    }

    /// A position that a window does not hold must not come here: DynamoDB would refuse it.
    async fn newest_first(
        &self,
        part: Part<'_>,
        window: Window,
        after: Option<&Position>,
        limit: i32,
    ) -> Result<Page<Order>, StoreError> {
        let list = List {
            index: part.index,
            partition: (part.attribute, part.value),
            sort_key: "placed",
            backwards: true,
            within: Some((window.lower(), window.upper())),
        };
        let after = after.map(|after| After { sort_key: after.clone().into(), key: key(after.id()) });
        self.table.page(&list, after, limit).await
    }
}

/// One page of what several parts have, each up to its end or to where it goes on.
fn merged(pages: Vec<Page<Order>>, limit: i32) -> OrdersPage {
    // What lies behind the end of a page in the others may come after orders that this one has not reached yet.
    let horizon = pages.iter().filter_map(|page| page.next(position)).max();
    let mut orders: Vec<_> = pages.into_iter().flat_map(|page| page.items).collect();
    if let Some(horizon) = &horizon {
        orders.retain(|order| position(order) >= *horizon);
    }
    // An order that moved from one status to another between two of the queries is shown as it is now.
    orders.sort_by_cached_key(|order| Reverse((position(order), order.version)));
    orders.dedup_by(|later, earlier| later.id == earlier.id);
    let limit = usize::try_from(limit).unwrap_or_default();
    let goes_on = horizon.is_some() || orders.len() > limit;
    orders.truncate(limit);
    OrdersPage { next: orders.last().filter(|_| goes_on).map(position), orders }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::tests::order;
    use shop_types::OrderId;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn placed(millis: i64, name: &str) -> Order {
        let id = OrderId::derived(b"test", "test", name);
        Order { id, placed_at: at(millis), ..order(OrderStatus::Pending) }
    }

    #[test]
    fn a_window_has_its_first_moment_and_not_its_last() {
        let window = |from: Option<i64>, to: Option<i64>| Window { from: from.map(at), to: to.map(at) };
        for (from, to, moments) in [
            (None, None, [true, true, true]),
            (Some(1000), None, [false, true, true]),
            (Some(1001), None, [false, false, true]),
            (None, Some(1000), [true, false, false]),
            (None, Some(1001), [true, true, false]),
            (Some(1000), Some(1001), [false, true, false]),
            (Some(1000), Some(1000), [false, false, false]),
            (Some(-5), Some(i64::MAX), [true, true, true]),
            (Some(i64::MAX), None, [false, false, false]),
        ] {
            let window = window(from, to);
            let held = [999, 1000, 1001].map(|millis| window.holds(&position(&placed(millis, "a"))));
            assert_eq!(held, moments, "{from:?} to {to:?}");
        }
        assert!(window(Some(2), Some(1)).is_empty() && window(Some(1), Some(1)).is_empty());
        assert!(!window(Some(1), Some(2)).is_empty() && !window(None, None).is_empty());
    }

    fn page(items: Vec<Order>, goes_on: bool) -> Page<Order> {
        Page { items, goes_on }
    }

    #[test]
    fn exactly_as_many_as_asked_for_are_the_last_page() {
        let orders = |count: i64| (0..count).map(|n| placed(n, &n.to_string())).collect::<Vec<_>>();
        for (count, limit, shown, more) in
            [(0, 2, 0, false), (1, 2, 1, false), (2, 2, 2, false), (3, 2, 2, true), (1, 1, 1, false)]
        {
            let page = merged(vec![page(orders(count), false)], limit);
            assert_eq!((page.orders.len(), page.next.is_some()), (shown, more), "{count} by {limit}");
        }
    }

    #[test]
    fn nothing_behind_the_horizon_is_shown_and_an_order_on_the_move_once() {
        let (older, middle, newer) = (placed(1, "a"), placed(2, "b"), placed(3, "c"));
        let moved = Order { version: 2, status: OrderStatus::Confirmed, ..newer.clone() };
        let parts = vec![
            page(vec![newer], false),
            page(vec![moved.clone(), older.clone()], false),
            page(vec![middle.clone()], true),
            page(vec![older], true),
        ];
        let page = merged(parts, 10);
        assert_eq!(page.orders, [moved, middle.clone()]);
        assert_eq!(page.next, Some(position(&middle)));
    }
}

//! Lists of orders: by customer, by status, and all of them, newest first, within a window of time.
//!
//! An index has only the keys; what is shown is read from the table. It follows the table within moments: while an order
//! moves from one partition to another, a list may miss it, and never shows it twice, or with a status of before.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use serde::Deserialize;
use shop_dynamo::{After, Condition, Item, List, Page, Read, Record, StoreError, read};
use shop_events::OrderStatus;
use shop_types::{OrderId, Timestamp, UserId};

use super::{
    KIND, ORDER_ATTRIBUTES, OrderStore, PARTITIONS, Position, STATUS_SHARDS, key, partition, position,
};
use crate::order::Order;

/// Most pages of an index that are looked through for one page of a list. Where few of a customer's orders have
/// the status that is asked for, the page may then be short, or empty, and still not be the last.
const MAX_LOOKS: usize = 10;
/// Most orders that one call reads (DynamoDB's API reference).
const MAX_READ: usize = 100;
/// How many pending orders a sweep looks at at a time.
const PENDING_PAGE: i32 = 100;

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

/// An order, as an index has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Listed {
    placed: Position,
}

impl Record for Listed {
    const KIND: &'static str = KIND;
}

/// What is listed.
#[derive(Clone, Copy)]
struct Listing<'a> {
    parts: &'a [Part<'a>],
    status: Option<OrderStatus>,
    /// Whether nearly all orders of the parts have that status: then nothing is looked for.
    is_apart: bool,
    window: Window,
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
        let listing = Listing { parts: &[part], status, is_apart: status.is_none(), window };
        self.listed(listing, after, limit).await
    }

    /// All orders, newest first; of one status, where that is asked for. Those that are over share their partitions, so
    /// that one status of theirs is looked for.
    pub(crate) async fn of_everybody(
        &self,
        status: Option<OrderStatus>,
        window: Window,
        after: Option<Position>,
        limit: i32,
    ) -> Result<OrdersPage, StoreError> {
        let one = status.map(|status| [partition(status)]);
        let partitions = one.as_ref().map_or(&PARTITIONS[..], |one| &one[..]);
        let shards =
            partitions.iter().flat_map(|name| (0..STATUS_SHARDS).map(move |n| format!("{name}#{n}")));
        let values: Vec<_> = shards.collect();
        let part = |value| Part { index: "by-status", attribute: "status_shard", value };
        let parts: Vec<_> = values.iter().map(|value| part(value)).collect();
        let is_open = |status| matches!(status, OrderStatus::Pending | OrderStatus::Confirmed);
        let is_apart = status.is_none_or(is_open);
        self.listed(Listing { parts: &parts, status, is_apart, window }, after, limit).await
    }

    async fn listed(
        &self,
        listing: Listing<'_>,
        after: Option<Position>,
        limit: i32,
    ) -> Result<OrdersPage, StoreError> {
        let Listing { parts, status, is_apart, window } = listing;
        let wanted = usize::try_from(limit).unwrap_or_default();
        let (mut orders, mut after, mut looks) = (Vec::new(), after, 0);
        loop {
            let pages = parts.iter().map(|part| self.newest_first(*part, window, after.as_ref(), limit));
            let found = merged(try_join_all(pages).await?, limit);
            let is_wanted = |order: &Order| status.is_none_or(|status| order.status == status);
            orders.extend(self.read(&found.positions).await?.into_iter().filter(is_wanted));
            (looks, after) = (looks + 1, found.next);
            if orders.len() > wanted {
                orders.truncate(wanted);
                return Ok(OrdersPage { next: orders.last().map(position), orders });
            }
            let is_enough = is_apart && (status.is_none() || orders.len() == wanted);
            if is_enough || after.is_none() || looks == MAX_LOOKS {
                return Ok(OrdersPage { orders, next: after });
            }
        }
    }

    /// The orders at some positions, in their order.
    async fn read(&self, positions: &[Position]) -> Result<Vec<Order>, StoreError> {
        let mut found: BTreeMap<OrderId, Order> = BTreeMap::new();
        for positions in positions.chunks(MAX_READ) {
            let keys = positions.iter().map(|position| key(position.id())).collect();
            // Nothing that is a guest's own is read.
            let wanted = self.table.wanted(keys, Read::Eventual).only(ORDER_ATTRIBUTES);
            for item in self.table.batch_get([wanted]).await?.items_of(&self.table) {
                let order: Order = read(KIND, item)?;
                found.insert(order.id.clone(), order);
            }
        }
        Ok(positions.iter().filter_map(|position| found.remove(position.id())).collect())
    }

    /// One of the [`STATUS_SHARDS`] parts of the orders that are pending, oldest first, behind a key. An
    /// order that was settled a moment ago may still be among them.
    pub(crate) async fn pending(&self, shard: u8, after: Option<Item>) -> Result<PendingPage, StoreError> {
        let shard = format!("{}#{shard}", partition(OrderStatus::Pending));
        let shard = Condition::equals("status_shard", shard);
        let query = self.table.query_index("by-status", shard).limit(PENDING_PAGE).after(after);
        let mut found = query.page().await?;
        let next = found.next.take();
        let positions: Vec<_> = found.read::<Listed>()?.into_iter().map(|listed| listed.placed).collect();
        let mut orders = self.read(&positions).await?;
        orders.retain(|order| order.status == OrderStatus::Pending);
        Ok(PendingPage { orders, next })
    }

    /// A position that a window does not hold must not come here: DynamoDB would refuse it.
    async fn newest_first(
        &self,
        part: Part<'_>,
        window: Window,
        after: Option<&Position>,
        limit: i32,
    ) -> Result<Page<Listed>, StoreError> {
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

/// The positions of a page, newest first.
#[derive(Debug)]
struct Positions {
    positions: Vec<Position>,
    next: Option<Position>,
}

/// One page of what several parts have, each up to its end or to where it goes on.
fn merged(pages: Vec<Page<Listed>>, limit: i32) -> Positions {
    // What lies behind the end of a page in the others may come after orders that this one has not reached yet.
    let horizon = pages.iter().filter_map(|page| page.next(|listed| listed.placed.clone())).max();
    let mut positions: Vec<_> =
        pages.into_iter().flat_map(|page| page.items).map(|listed| listed.placed).collect();
    if let Some(horizon) = &horizon {
        positions.retain(|position| position >= horizon);
    }
    // An order that moved from one partition to another between two of the queries is in both.
    positions.sort_by(|a, b| b.cmp(a));
    positions.dedup();
    let limit = usize::try_from(limit).unwrap_or_default();
    let goes_on = horizon.is_some() || positions.len() > limit;
    positions.truncate(limit);
    Positions { next: positions.last().filter(|_| goes_on).cloned(), positions }
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

    fn page(items: &[&Order], goes_on: bool) -> Page<Listed> {
        let items = items.iter().map(|order| Listed { placed: position(order) }).collect();
        Page { items, goes_on }
    }

    #[test]
    fn exactly_as_many_as_asked_for_are_the_last_page() {
        let orders: Vec<_> = (0..3).map(|n| placed(n, &n.to_string())).collect();
        for (count, limit, shown, more) in
            [(0, 2, 0, false), (1, 2, 1, false), (2, 2, 2, false), (3, 2, 2, true), (1, 1, 1, false)]
        {
            let orders: Vec<_> = orders[..count].iter().collect();
            let page = merged(vec![page(&orders, false)], limit);
            assert_eq!((page.positions.len(), page.next.is_some()), (shown, more), "{count} by {limit}");
        }
    }

    #[test]
    fn nothing_behind_the_horizon_is_shown_and_an_order_on_the_move_once() {
        let (older, middle, newer) = (placed(1, "a"), placed(2, "b"), placed(3, "c"));
        let parts = vec![
            page(&[&newer], false),
            page(&[&newer, &older], false),
            page(&[&middle], true),
            page(&[&older], true),
        ];
        let page = merged(parts, 10);
        assert_eq!(page.positions, [position(&newer), position(&middle)]);
        assert_eq!(page.next, Some(position(&middle)));
    }
}

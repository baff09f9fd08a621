//! Lists of orders: by customer, by status, and all of them, newest first, within a window of time.
//!
//! An index follows the table within moments. While an order moves from one status to another, a list of all
//! statuses may show it twice, of which one is left out, or not at all.

use std::cmp::Reverse;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures::future::try_join_all;
use shop_dynamo::{Item, StoreError, read, string};
use shop_events::OrderStatus;
use shop_types::{Timestamp, UserId};

use super::{KIND, OrderStore, Position, STATUS_SHARDS, position};
use crate::order::{ALL_STATUSES, Order, status_name};

/// Most pages of an index that are looked through for one page of a list. Where few of a customer's orders have
/// the status that is asked for, the page may then be short, or empty, and still not be the last.
const MOST_LOOKS: usize = 10;

/// The orders from a time to another, which is not in it; without an end where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The first time that is in it.
    pub from: Option<Timestamp>,
    /// The first time that is not.
    pub to: Option<Timestamp>,
}

impl Window {
    /// Whether it can hold anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!((self.from, self.to), (Some(from), Some(to)) if from >= to)
    }

    /// Whether an order at this position is in it.
    #[must_use]
    pub fn holds(&self, position: &Position) -> bool {
        let text = String::from(position.clone());
        (self.lower()..self.upper()).contains(&text)
    }

    /// Below the sort keys of all that are in it. A sort key begins with 13 digits of milliseconds.
    fn lower(&self) -> String {
        bound(self.from.unwrap_or_default())
    }

    /// Above the sort keys of all that are in it.
    fn upper(&self) -> String {
        self.to.map_or_else(|| ":".to_owned(), bound)
    }
}

/// Before the first order of a moment: a sort key goes on behind it.
fn bound(at: Timestamp) -> String {
    const LAST: i64 = 9_999_999_999_999;
    format!("{:013}", at.as_millis().clamp(0, LAST))
}

/// One page of orders.
#[derive(Debug)]
pub struct Orders {
    /// Newest first.
    pub orders: Vec<Order>,
    /// Where the next page goes on, if there may be one.
    pub next: Option<Position>,
}

/// One page of pending orders.
#[derive(Debug)]
pub struct Pending {
    /// Oldest first.
    pub orders: Vec<Order>,
    /// Where the next page begins, if there is one.
    pub next: Option<Item>,
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
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn of_customer(
        &self,
        customer: &UserId,
        status: Option<OrderStatus>,
        window: Window,
        after: Option<Position>,
        limit: i32,
    ) -> Result<Orders, StoreError> {
        let part = Part { index: "by-customer", attribute: "customer_id", value: customer.as_str() };
        let Some(status) = status else {
            return page(vec![self.newest_first(part, window, after.as_ref(), limit)], limit).await;
        };
        let (mut orders, mut after, mut looks) = (Vec::new(), after, 0);
        loop {
            let query = self.newest_first(part, window, after.as_ref(), limit);
            let found = page(vec![query], limit).await?;
            orders.extend(found.orders.into_iter().filter(|order| order.status == status));
            after = found.next;
            looks += 1;
            let wanted = usize::try_from(limit).unwrap_or_default();
            if orders.len() > wanted {
                orders.truncate(wanted);
                return Ok(Orders { next: orders.last().map(position), orders });
            }
            if after.is_none() || looks == MOST_LOOKS {
                return Ok(Orders { orders, next: after });
            }
        }
    }

    /// All orders, newest first; of one status, where that is asked for.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn of_everybody(
        &self,
        status: Option<OrderStatus>,
        window: Window,
        after: Option<Position>,
        limit: i32,
    ) -> Result<Orders, StoreError> {
        let one = status.map(|status| [status]);
        let statuses = one.as_ref().map_or(&ALL_STATUSES[..], |one| &one[..]);
        let shards = statuses
            .iter()
            .flat_map(|status| (0..STATUS_SHARDS).map(|shard| format!("{}#{shard}", status_name(*status))));
        let query = |shard: String| {
            let part = Part { index: "by-status", attribute: "status_shard", value: &shard };
            self.newest_first(part, window, after.as_ref(), limit)
        };
        page(shards.map(query).collect(), limit).await
    }

    /// One of the [`STATUS_SHARDS`] parts of the orders that are pending, oldest first, behind a key. As the
    /// index has it: an order that was settled a moment ago may still be among them.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn pending(&self, shard: u8, after: Option<Item>) -> Result<Pending, StoreError> {
        let shard = format!("{}#{shard}", status_name(OrderStatus::Pending));
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by-status")
            .key_condition_expression("status_shard = :shard")
            .expression_attribute_values(":shard", string(shard))
            .set_exclusive_start_key(after);
        let answer = query.send().await.map_err(StoreError::call("Query"))?;
        let found = answer.items.unwrap_or_default().into_iter().map(|item| read(KIND, item));
        Ok(Pending { orders: found.collect::<Result<_, _>>()?, next: answer.last_evaluated_key })
    }

    /// A position that a window does not hold must not come here: DynamoDB would refuse it.
    fn newest_first(
        &self,
        part: Part<'_>,
        window: Window,
        after: Option<&Position>,
        limit: i32,
    ) -> QueryFluentBuilder {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(part.index)
            .key_condition_expression("#key = :value AND placed BETWEEN :lower AND :upper")
            .expression_attribute_names("#key", part.attribute)
            .expression_attribute_values(":value", string(part.value))
            .expression_attribute_values(":lower", string(window.lower()))
            .expression_attribute_values(":upper", string(window.upper()))
            .scan_index_forward(false)
            // One more than asked for tells whether more follow.
            .limit(limit + 1);
        if let Some(position) = after {
            query = query
                .exclusive_start_key(part.attribute, string(part.value))
                .exclusive_start_key("placed", string(position.clone()))
                .exclusive_start_key("id", string(position.id().as_str()));
        }
        query
    }
}

/// Runs queries at once, and merges what they find into one page.
async fn page(queries: Vec<QueryFluentBuilder>, limit: i32) -> Result<Orders, StoreError> {
    let answers = try_join_all(queries.into_iter().map(QueryFluentBuilder::send)).await;
    let mut horizon = None;
    let mut orders: Vec<Order> = Vec::new();
    for answer in answers.map_err(StoreError::call("Query"))? {
        let found = answer.items.unwrap_or_default().into_iter().map(|item| read(KIND, item));
        orders.append(&mut found.collect::<Result<Vec<_>, _>>()?);
        if answer.last_evaluated_key.is_some() {
            // This query stopped there (at its limit, or at 1 MB of orders): what lies behind in the other
            // answers may come after orders that this one has not told yet.
            horizon = horizon.max(orders.last().map(position));
        }
    }
    Ok(merged(orders, horizon.as_ref(), limit))
}

/// One page of what several parts have told up to a horizon, behind which there may be more.
fn merged(mut orders: Vec<Order>, horizon: Option<&Position>, limit: i32) -> Orders {
    if let Some(horizon) = horizon {
        orders.retain(|order| position(order) >= *horizon);
    }
    // An order that moved from one status to another between two of the queries is shown as it is now.
    orders.sort_by_cached_key(|order| Reverse((position(order), order.version)));
    orders.dedup_by(|later, earlier| later.id == earlier.id);
    let limit = usize::try_from(limit).unwrap_or_default();
    let more = horizon.is_some() || orders.len() > limit;
    orders.truncate(limit);
    Orders { next: orders.last().filter(|_| more).map(position), orders }
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

    #[test]
    fn exactly_as_many_as_asked_for_are_the_last_page() {
        let orders = |count: i64| (0..count).map(|n| placed(n, &n.to_string())).collect::<Vec<_>>();
        for (count, limit, shown, more) in
            [(0, 2, 0, false), (1, 2, 1, false), (2, 2, 2, false), (3, 2, 2, true), (1, 1, 1, false)]
        {
            let page = merged(orders(count), None, limit);
            assert_eq!((page.orders.len(), page.next.is_some()), (shown, more), "{count} by {limit}");
        }
    }

    #[test]
    fn nothing_behind_the_horizon_is_shown_and_an_order_on_the_move_once() {
        let (older, middle, newer) = (placed(1, "a"), placed(2, "b"), placed(3, "c"));
        let moved = Order { version: 2, status: OrderStatus::Confirmed, ..newer.clone() };
        let all = vec![newer.clone(), older, middle.clone(), moved.clone()];
        let page = merged(all, Some(&position(&middle)), 10);
        assert_eq!(page.orders, [moved, middle.clone()]);
        assert_eq!(page.next, Some(position(&middle)));
    }
}

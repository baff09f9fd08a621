//! The orders table: its keys, its conditions, its items. Nothing else speaks DynamoDB to it.
//!
//! One item an order, by its `id`. Two sparse indexes: `by-customer` (a guest's order is not in it) and
//! `by-status`, whose partitions are split in four, since all new orders are `pending` and one partition
//! takes 1,000 writes a second.

use std::cmp::Reverse;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use shop_dynamo::{Item, StoreError, condition_failed, number, read, string, value, write};
use shop_events::{Cause, OrderStatus};
use shop_types::{EmailAddress, ListPosition, OrderId, Timestamp, UserId};

use crate::order::{Order, Rejection, status_name};

/// How many partitions of the index hold the orders of one status.
pub const STATUS_SHARDS: u8 = 4;
const KIND: &str = "order";

/// The orders table.
#[derive(Clone, Debug)]
pub struct OrderStore {
    client: Client,
    table: String,
}

/// An order as an item: the order itself, and what the indexes and the idempotency check need.
#[derive(Debug, Serialize, Deserialize)]
struct StoredOrder {
    #[serde(flatten)]
    order: Order,
    /// Sort key of both indexes.
    placed: String,
    /// Partition key of `by-status`.
    status_shard: String,
    /// Tells a replay from another request under the same key.
    request_hash: String,
    /// Where to write to a guest: personal data, and no part of the order that others see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contact_email: Option<EmailAddress>,
}

impl StoredOrder {
    fn is_of(&self, request_hash: &str, contact_email: Option<&EmailAddress>) -> bool {
        // An address that a phone has begun with a capital is the same address.
        let comparable = |email: &EmailAddress| email.comparable();
        self.request_hash == request_hash
            && self.contact_email.as_ref().map(comparable) == contact_email.map(comparable)
    }
}

/// What came of placing an order.
#[derive(Debug)]
pub enum Placed {
    /// It is stored now.
    New,
    /// The same request stored it before.
    Before(Box<Order>),
    /// Another request used the same idempotency key.
    KeyReused,
}

/// How a status was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The order has the new status now.
    Now,
    /// The order was no longer pending: settled or cancelled before.
    Before,
    /// There is no such order.
    Unknown,
}

/// Where a list of orders goes on.
pub type Position = ListPosition<OrderId>;

/// The position of an order.
#[must_use]
pub fn position(order: &Order) -> Position {
    Position::new(order.placed_at, order.id.clone())
}

/// One page of orders, and whether more follow.
#[derive(Debug)]
pub struct Orders {
    /// Newest first.
    pub orders: Vec<Order>,
    /// Whether there are orders behind the last one.
    pub more: bool,
}

/// One page of pending orders.
#[derive(Debug)]
pub struct Pending {
    /// Oldest first.
    pub orders: Vec<Order>,
    /// Where the next page begins, if there is one.
    pub next: Option<Item>,
}

impl OrderStore {
    /// The store in a table.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Stores a new order: the order, the record of its idempotency key and the outbox in one write.
    ///
    /// # Errors
    /// DynamoDB failed; the order may or may not be stored, and the same call tells.
    pub async fn place(
        &self,
        order: &Order,
        request_hash: &str,
        contact_email: Option<EmailAddress>,
    ) -> Result<Placed, StoreError> {
        let stored = StoredOrder {
            placed: position(order).into(),
            status_shard: shard(order.status, &order.id),
            order: order.clone(),
            request_hash: request_hash.to_owned(),
            contact_email,
        };
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(write(KIND, &stored)?))
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(AllOld);
        let Err(error) = put.send().await else { return Ok(Placed::New) };
        let Some(item) = condition_failed(error)? else { return Err(StoreError::Contended { kind: KIND }) };
        let before: StoredOrder = read(KIND, item)?;
        Ok(if !before.is_of(request_hash, stored.contact_email.as_ref()) {
            Placed::KeyReused
        } else if before.order.cause.correlation_id == order.cause.correlation_id && before.order.version == 1
        {
            // Our own write: its answer was lost, and the SDK tried again.
            Placed::New
        } else {
            Placed::Before(Box::new(before.order))
        })
    }

    /// What an idempotency key stands for: the order under its id, if the request was the same.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn placed_before(
        &self,
        id: &OrderId,
        request_hash: &str,
        contact_email: Option<&EmailAddress>,
    ) -> Result<Option<Placed>, StoreError> {
        let Some(item) = self.item(id).await? else { return Ok(None) };
        let before: StoredOrder = read(KIND, item)?;
        let is_same = before.is_of(request_hash, contact_email);
        Ok(Some(if is_same { Placed::Before(Box::new(before.order)) } else { Placed::KeyReused }))
    }

    /// An order as it is now.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn get(&self, id: &OrderId) -> Result<Option<Order>, StoreError> {
        self.item(id).await?.map(|item| read(KIND, item)).transpose()
    }

    async fn item(&self, id: &OrderId) -> Result<Option<Item>, StoreError> {
        let get = self.client.get_item().table_name(&self.table).key("id", string(id.as_str()));
        let answer = get.consistent_read(true).send().await.map_err(StoreError::call("GetItem"))?;
        Ok(answer.item)
    }

    /// Replaces `before` by `after`, its next version. `Err` of the inner result is the order as somebody
    /// else has made it in between.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn cancel(&self, before: &Order, after: &Order) -> Result<Result<(), Order>, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", string(after.id.as_str()))
            .update_expression(
                "SET #status = :status, status_shard = :shard, version = :version, updated_at = :now \
                 REMOVE causation_id",
            )
            .condition_expression("version = :read")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", string(status_name(after.status)))
            .expression_attribute_values(":shard", string(shard(after.status, &after.id)))
            .expression_attribute_values(":version", version(after.version))
            .expression_attribute_values(":read", version(before.version))
            .expression_attribute_values(":now", string(after.updated_at.to_string()))
            .return_values_on_condition_check_failure(AllOld);
        let Err(error) = update.send().await else { return Ok(Ok(())) };
        match condition_failed(error)? {
            None => Err(StoreError::Contended { kind: KIND }),
            Some(item) => {
                let current: Order = read(KIND, item)?;
                // Our own write, whose answer was lost, is no conflict.
                Ok(if current == *after { Ok(()) } else { Err(current) })
            }
        }
    }

    /// Confirms a pending order, or rejects it. It needs no read, and may be repeated.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn settle(
        &self,
        id: &OrderId,
        rejection: Option<&Rejection>,
        cause: &Cause,
        now: Timestamp,
    ) -> Result<Settled, StoreError> {
        let status = if rejection.is_some() { OrderStatus::Rejected } else { OrderStatus::Confirmed };
        let mut expression = "SET #status = :status, status_shard = :shard, version = version + :one, \
                              updated_at = :now, causation_id = :cause"
            .to_owned();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", string(id.as_str()))
            .condition_expression("#status = :pending")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", string(status_name(status)))
            .expression_attribute_values(":shard", string(shard(status, id)))
            .expression_attribute_values(":pending", string(status_name(OrderStatus::Pending)))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", string(now.to_string()))
            .return_values_on_condition_check_failure(AllOld);
        if let Some(event) = &cause.causation_id {
            update = update.expression_attribute_values(":cause", string(event.as_str()));
        }
        if let Some(rejection) = rejection {
            expression.push_str(", rejection = :rejection");
            let rejection = value(KIND, rejection)?;
            update = update.expression_attribute_values(":rejection", rejection);
        }
        match update.update_expression(expression).send().await {
            Ok(_) => Ok(Settled::Now),
            Err(error) => {
                Ok(if condition_failed(error)?.is_some() { Settled::Before } else { Settled::Unknown })
            }
        }
    }

    /// A customer's own orders, newest first.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn of_customer(
        &self,
        customer: &UserId,
        after: Option<&Position>,
        limit: i32,
    ) -> Result<Orders, StoreError> {
        let query = self.newest_first("by-customer", "customer_id", customer.as_str(), after, limit);
        page(vec![query], limit).await
    }

    /// All orders of a status, newest first.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn of_status(
        &self,
        status: OrderStatus,
        after: Option<&Position>,
        limit: i32,
    ) -> Result<Orders, StoreError> {
        let shards = (0..STATUS_SHARDS).map(|shard| {
            let key = format!("{}#{shard}", status_name(status));
            self.newest_first("by-status", "status_shard", &key, after, limit)
        });
        page(shards.collect(), limit).await
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

    /// Notes that an order is stalled, for the relay to tell; whether that is done. It is not where the order
    /// is no longer pending, or somebody nudged it since it was read. `sweep` tells one sweep from another.
    ///
    /// # Errors
    /// DynamoDB failed; the order may or may not be nudged.
    pub async fn nudge(&self, order: &Order, now: Timestamp, sweep: &str) -> Result<bool, StoreError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", string(order.id.as_str()))
            .update_expression("SET nudges = :nudges, nudged_at = :now, nudged_by = :sweep")
            .expression_attribute_values(":sweep", string(sweep))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":nudges", version(order.nudges + 1))
            .expression_attribute_values(":now", string(now.to_string()))
            .expression_attribute_values(":pending", string(status_name(OrderStatus::Pending)))
            .return_values_on_condition_check_failure(AllOld);
        update = if order.nudges == 0 {
            update.condition_expression("#status = :pending AND attribute_not_exists(nudges)")
        } else {
            update
                .condition_expression("#status = :pending AND nudges = :read")
                .expression_attribute_values(":read", version(order.nudges))
        };
        let Err(error) = update.send().await else { return Ok(true) };
        let Some(item) = condition_failed(error)? else { return Ok(false) };
        // Our own write, whose answer was lost, is done.
        Ok(item.get("nudged_by") == Some(&string(sweep))
            && item.get("nudges") == Some(&version(order.nudges + 1)))
    }

    fn newest_first(
        &self,
        index: &str,
        attribute: &str,
        value: &str,
        after: Option<&Position>,
        limit: i32,
    ) -> QueryFluentBuilder {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#key = :value")
            .expression_attribute_names("#key", attribute)
            .expression_attribute_values(":value", string(value))
            .scan_index_forward(false)
            // One more than asked for tells whether more follow.
            .limit(limit + 1);
        if let Some(position) = after {
            query = query
                .exclusive_start_key(attribute, string(value))
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
    if let Some(horizon) = &horizon {
        orders.retain(|order| position(order) >= *horizon);
    }
    orders.sort_by_cached_key(|order| Reverse(position(order)));
    let limit = usize::try_from(limit).unwrap_or_default();
    let more = horizon.is_some() || orders.len() > limit;
    orders.truncate(limit);
    Ok(Orders { orders, more })
}

fn version(version: u64) -> AttributeValue {
    AttributeValue::N(version.to_string())
}

/// The partition of `by-status` that an order belongs to, by its id, so that it never moves between shards.
fn shard(status: OrderStatus, id: &OrderId) -> String {
    let sum = id.as_str().bytes().fold(0_u8, u8::wrapping_add);
    format!("{}#{}", status_name(status), sum % STATUS_SHARDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::tests::order;

    #[test]
    fn an_order_reads_back_as_it_was_stored() {
        let order = order(OrderStatus::Pending);
        let stored = StoredOrder {
            placed: position(&order).into(),
            status_shard: shard(order.status, &order.id),
            order: order.clone(),
            request_hash: "hash".into(),
            contact_email: Some("ada@example.com".parse().unwrap()),
        };
        let item = write(KIND, &stored).unwrap();
        assert!(item["status_shard"].as_s().unwrap().starts_with("pending#"));
        assert_eq!(item["contact_email"], string("ada@example.com"));
        let read: Order = read(KIND, item).unwrap();
        assert_eq!(read, order);
        // What answers, events and logs are made of has no address.
        assert!(!format!("{read:?}{}", serde_json::to_string(&read).unwrap()).contains("example.com"));
    }
}

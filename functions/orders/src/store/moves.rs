//! Moves of an order: cancelled, settled, nudged.

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use shop_dynamo::{Assignment, StoreError, condition_failed, number, read, string, value};
use shop_events::{Cause, OrderStatus};
use shop_types::{OrderId, Timestamp};

use super::{KIND, OrderStore, shard, version};
use crate::order::{Order, Rejection, status_name};

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

impl OrderStore {
    /// Replaces `before` by `after`, its next version. `Err` of the inner result is the order as somebody
    /// else has made it in between.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn cancel(&self, before: &Order, after: &Order) -> Result<Result<(), Order>, StoreError> {
        let cause = Assignment::of(&after.cause.attributes());
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", string(after.id.as_str()))
            .update_expression(cause.expression(
                "#status = :status, status_shard = :shard, version = :version, updated_at = :now",
            ))
            .condition_expression("version = :read")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", string(status_name(after.status)))
            .expression_attribute_values(":shard", string(shard(after.status, &after.id)))
            .expression_attribute_values(":version", version(after.version))
            .expression_attribute_values(":read", version(before.version))
            .expression_attribute_values(":now", string(after.updated_at.to_string()))
            .return_values_on_condition_check_failure(AllOld);
        for (name, value) in cause.values {
            update = update.expression_attribute_values(name, value);
        }
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

    /// Confirms a pending order, or rejects it. It needs no read, and may be repeated. Where this clock is behind
    /// the one that placed the order, the order's time is taken: its events sort by time as by version.
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
        let (settled, later) = self.try_settle(id, rejection, cause, now).await?;
        match later {
            Some(later) => Ok(self.try_settle(id, rejection, cause, later).await?.0),
            None => Ok(settled),
        }
    }

    /// The same, and the order's own time, where it is pending and has changed after `now`.
    async fn try_settle(
        &self,
        id: &OrderId,
        rejection: Option<&Rejection>,
        cause: &Cause,
        now: Timestamp,
    ) -> Result<(Settled, Option<Timestamp>), StoreError> {
        let status = if rejection.is_some() { OrderStatus::Rejected } else { OrderStatus::Confirmed };
        let mut set = "#status = :status, status_shard = :shard, version = version + :one, updated_at = :now"
            .to_owned();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", string(id.as_str()))
            .condition_expression("#status = :pending AND updated_at <= :now")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":status", string(status_name(status)))
            .expression_attribute_values(":shard", string(shard(status, id)))
            .expression_attribute_values(":pending", string(status_name(OrderStatus::Pending)))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", string(now.to_string()))
            .return_values_on_condition_check_failure(AllOld);
        if let Some(rejection) = rejection {
            set.push_str(", rejection = :rejection");
            let rejection = value(KIND, rejection)?;
            update = update.expression_attribute_values(":rejection", rejection);
        }
        let cause = Assignment::of(&cause.attributes());
        update = update.update_expression(cause.expression(&set));
        for (name, value) in cause.values {
            update = update.expression_attribute_values(name, value);
        }
        let Err(error) = update.send().await else { return Ok((Settled::Now, None)) };
        let Some(item) = condition_failed(error)? else { return Ok((Settled::Unknown, None)) };
        let is_pending = item.get("status") == Some(&string(status_name(OrderStatus::Pending)));
        let updated_at = item.get("updated_at").and_then(|at| at.as_s().ok()?.parse::<Timestamp>().ok());
        Ok((Settled::Before, updated_at.filter(|at| is_pending && *at > now)))
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
        let is = |name: &str, expected: AttributeValue| item.get(name) == Some(&expected);
        Ok(is("nudged_by", string(sweep)) && is("nudges", version(order.nudges + 1)))
    }
}

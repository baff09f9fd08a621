//! Moves of an order: cancelled, shipped and delivered, settled, re-emitted.

use serde::Deserialize;
use shop_dynamo::{Condition, Record, StoreError, Updated, value};
use shop_events::{Cause, OrderStatus};
use shop_types::{OrderId, Timestamp};

use super::{KIND, OrderStore, key, shard};
use crate::order::{Order, Rejection, status_name};

/// What an order that was not settled says of it.
#[derive(Deserialize)]
struct Unsettled {
    status: OrderStatus,
    updated_at: Timestamp,
}

impl Record for Unsettled {
    const KIND: &'static str = KIND;
}

/// What an order that was not re-emitted says of it.
#[derive(Deserialize)]
struct ReEmitted {
    #[serde(default)]
    re_emits: u64,
    re_emitted_by: Option<String>,
}

impl Record for ReEmitted {
    const KIND: &'static str = KIND;
}

/// How a status was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The order has the new status now.
    Now,
    /// The order was no longer pending: settled or cancelled before.
    Before,
    Unknown,
}

impl OrderStore {
    /// Replaces `before` by `after`, its next version. `Err` of the inner result is the order as somebody
    /// else has made it in between.
    pub(crate) async fn replace(
        &self,
        before: &Order,
        after: &Order,
    ) -> Result<Result<(), Order>, StoreError> {
        let update = self
            .table
            .update(key(&after.id))
            .set("status", status_name(after.status))
            .set("status_shard", shard(after.status, &after.id))
            .set("version", after.version)
            .set("updated_at", after.updated_at)
            .set_or_remove(&[("tracking_number", after.tracking_number.as_deref())])
            .set_or_remove(&after.cause.attributes())
            .only_if(Condition::equals("version", before.version));
        Ok(match self.table.update_if(update).await? {
            Updated::Done => Ok(()),
            // Our own write, whose answer was lost, is no conflict.
            Updated::Changed(current) if current == *after => Ok(()),
            Updated::Changed(current) => Err(current),
            Updated::Absent => return Err(StoreError::Contended { kind: KIND }),
        })
    }

    /// Confirms a pending order, or rejects it. It needs no read, and may be repeated. Where this clock is behind
    /// the one that placed the order, the order's time is taken: its events sort by time as by version.
    pub(crate) async fn settle(
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
        let is_pending = Condition::equals("status", status_name(OrderStatus::Pending));
        let mut update = self
            .table
            .update(key(id))
            .set("status", status_name(status))
            .set("status_shard", shard(status, id))
            .add("version", 1)
            .set("updated_at", now)
            .set_or_remove(&cause.attributes())
            .only_if(is_pending.and(Condition::of("updated_at <= :now").with("now", now)));
        if let Some(rejection) = rejection {
            update = update.set("rejection", value(KIND, rejection)?);
        }
        Ok(match self.table.update_if(update).await? {
            Updated::Done => (Settled::Now, None),
            Updated::Changed(Unsettled { status: OrderStatus::Pending, updated_at }) => {
                (Settled::Before, Some(updated_at).filter(|at| *at > now))
            }
            Updated::Changed(_) => (Settled::Before, None),
            Updated::Absent => (Settled::Unknown, None),
        })
    }

    /// Notes that an order is stalled, for the relay to publish; whether that is done. It is not where the order
    /// is no longer pending, or somebody re-emitted it since it was read. `sweep` tells one sweep from another.
    ///
    /// # Errors
    /// See [`StoreError`]; the order may or may not be re-emitted.
    pub(crate) async fn re_emit(
        &self,
        order: &Order,
        now: Timestamp,
        sweep: &str,
    ) -> Result<bool, StoreError> {
        let as_read = match order.re_emits {
            0 => Condition::absent("re_emits"),
            re_emits => Condition::equals("re_emits", re_emits),
        };
        let update = self
            .table
            .update(key(&order.id))
            .set("re_emits", order.re_emits + 1)
            .set("re_emitted_at", now)
            .set("re_emitted_by", sweep)
            .only_if(Condition::equals("status", status_name(OrderStatus::Pending)).and(as_read));
        Ok(match self.table.update_if(update).await? {
            Updated::Done => true,
            // Our own write, whose answer was lost, is done.
            Updated::Changed(ReEmitted { re_emits, re_emitted_by }) => {
                re_emits == order.re_emits + 1 && re_emitted_by.as_deref() == Some(sweep)
            }
            Updated::Absent => false,
        })
    }
}

//! The reservation ledger: one entry per order. The entry is the claim on the order's events (each takes
//! effect once) and says what is set aside. Pure: no AWS, no clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shop_events::{Cause, RejectionReason, ReservedLine, Shortage};
use shop_types::{OrderId, ProductId, Timestamp};

pub(crate) type Quantities = BTreeMap<ProductId, u64>;

/// What became of an order's lines. There is no way back from the last two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All of them are set aside.
    Reserved,
    /// Not all of them were there, so none is set aside.
    Rejected,
    /// The order was cancelled: nothing is set aside, and never will be.
    Released,
}

/// How many of each product some lines come to.
#[must_use]
pub(crate) fn quantities(lines: &[ReservedLine]) -> Quantities {
    let mut quantities = Quantities::new();
    for line in lines.iter().filter(|line| line.quantity > 0) {
        *quantities.entry(line.product_id.clone()).or_default() += u64::from(line.quantity);
    }
    quantities
}

/// An entry of the ledger, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The order.
    #[serde(rename = "pk")]
    pub order_id: OrderId,
    /// What became of it.
    pub status: Status,
    /// What is or was set aside: all of the order's lines, or nothing.
    pub lines: Vec<ReservedLine>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RejectionReason>,
    /// The lines that could not be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortages: Vec<Shortage>,
    /// 1 at first; 2 when a reservation was released.
    pub version: u64,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// The event that changed it last.
    #[serde(flatten)]
    pub cause: Cause,
    /// How often its event was published once more: see [`crate::plan::Step::ReEmit`]. It is no change of the entry, so
    /// the version stays.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub re_emits: u64,
    /// The version that a repair made, if one did: see [`crate::verify_stock`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Reservation {
    fn first(order_id: OrderId, status: Status, now: Timestamp, cause: Cause) -> Self {
        let (lines, shortages) = (Vec::new(), Vec::new());
        Self {
            order_id,
            status,
            lines,
            reason: None,
            shortages,
            version: 1,
            updated_at: now,
            cause,
            re_emits: 0,
            repair: None,
        }
    }

    /// All of the order's lines are set aside.
    #[must_use]
    pub fn reserved(order_id: OrderId, lines: Vec<ReservedLine>, now: Timestamp, cause: Cause) -> Self {
        Self { lines, ..Self::first(order_id, Status::Reserved, now, cause) }
    }

    /// The order cannot be had.
    #[must_use]
    pub fn rejected(
        order_id: OrderId,
        reason: RejectionReason,
        shortages: Vec<Shortage>,
        now: Timestamp,
        cause: Cause,
    ) -> Self {
        Self { reason: Some(reason), shortages, ..Self::first(order_id, Status::Rejected, now, cause) }
    }

    /// The order was cancelled before anything was set aside: a tombstone, which the order meets when it
    /// arrives after its cancellation.
    #[must_use]
    pub(crate) fn never_needed(order_id: OrderId, now: Timestamp, cause: Cause) -> Self {
        Self::first(order_id, Status::Released, now, cause)
    }

    /// This reservation, released. Its lines stay, to tell what was released.
    #[must_use]
    pub(crate) fn released(&self, now: Timestamp, cause: Cause) -> Self {
        let updated_at = now.max(self.updated_at);
        Self { status: Status::Released, version: self.version + 1, updated_at, cause, ..self.clone() }
    }

    /// This entry, as a repair makes it.
    #[must_use]
    pub(crate) fn into_repair(self) -> Self {
        Self { repair: Some(self.version), ..self }
    }

    /// How many of each product it sets aside.
    #[must_use]
    pub fn quantities(&self) -> Quantities {
        quantities(&self.lines)
    }
}

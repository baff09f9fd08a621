//! The ledger: one entry per order of a user, and what it means for the statistics. Pure: no AWS, no clock.
//!
//! ```text
//! (none) --confirmed--> counted --cancelled--> cancelled
//! (none) --cancelled--> cancelled
//! ```
//!
//! Whatever else arrives changes nothing: a message that is repeated, or a confirmation that comes after its
//! cancellation. So any order and any repetition of the same messages lead to the same statistics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shop_events::{Cause, Event, EventData, OrderSnapshot};
use shop_types::{Money, OrderId, Timestamp, UserId};

use crate::statistics::stats::{LastOrder, OutOfRange, StatsRepair, UserStats};

/// What an entry says of its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// It is in the statistics.
    Counted,
    /// It is not, and never will be.
    Cancelled,
}

/// What is known of one order of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The user.
    pub user_id: UserId,
    /// The order.
    pub order_id: OrderId,
    /// Whether it counts.
    pub state: EntryState,
    /// What it cost.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// 1 when the entry was made, 2 when its order was taken off again.
    pub version: u64,
    /// When the entry was made or changed.
    pub recorded_at: Timestamp,
    /// The event that made or changed it.
    #[serde(flatten)]
    pub cause: Cause,
}

impl LedgerEntry {
    /// Its order, as the statistics name it.
    #[must_use]
    pub fn as_last_order(&self) -> LastOrder {
        LastOrder { placed_at: self.placed_at, order_id: self.order_id.clone() }
    }
}

/// What an event says of an order of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The state that the order's entry should have.
    pub(crate) state: EntryState,
    pub(crate) order_id: OrderId,
    pub(crate) total: Money,
    pub(crate) placed_at: Timestamp,
    pub(crate) cause: Cause,
}

/// What an event means for this service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A user's order counts, or no longer.
    OfUser(UserId, Change),
    /// The order is a guest's, who has no statistics.
    OfGuest,
    /// It is none of the events that this service consumes.
    Unexpected,
}

#[must_use]
pub(crate) fn meaning(event: &Event) -> Meaning {
    let (state, order): (_, &OrderSnapshot) = match event.data() {
        EventData::OrderConfirmed(order) => (EntryState::Counted, order),
        EventData::OrderCancelled(data) => (EntryState::Cancelled, &data.order),
        _ => return Meaning::Unexpected,
    };
    let Some(user_id) = order.customer_id.clone() else { return Meaning::OfGuest };
    let change = Change {
        state,
        order_id: order.order_id.clone(),
        total: order.total,
        placed_at: order.placed_at,
        cause: event.as_cause(),
    };
    Meaning::OfUser(user_id, change)
}

/// A user's statistics, and those of the ledger's entries that some changes are about.
#[derive(Clone, Debug)]
pub(crate) struct StatsSnapshot {
    pub(crate) stats: UserStats,
    pub(crate) entries: BTreeMap<OrderId, LedgerEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EntryWrite {
    pub(crate) entry: LedgerEntry,
    /// Whether there is one already, which is then `counted`.
    pub(crate) replaces: bool,
}

/// What some changes come to: one write of the statistics at most, and one of each entry that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    pub(crate) user_id: UserId,
    /// The statistics as they are to be, one version on; none where no order is added or taken off.
    pub(crate) stats: Option<UserStats>,
    pub(crate) entries: Vec<EntryWrite>,
    /// Whether the last order is taken off, so that the one before it has to be found in the ledger:
    /// [`Update::find_last_order`].
    pub(crate) last_order_is_lost: bool,
}

impl StatsSnapshot {
    /// What the changes come to, taken in their order.
    pub(crate) fn apply(&self, changes: &[Change], now: Timestamp) -> Result<Update, OutOfRange> {
        let mut after: BTreeMap<&OrderId, LedgerEntry> = BTreeMap::new();
        for change in changes {
            let before = after.get(&change.order_id).or_else(|| self.entries.get(&change.order_id));
            if before.is_none_or(|entry| entry.state == EntryState::Counted && entry.state != change.state) {
                after.insert(&change.order_id, self.entry(change, now));
            }
        }

        let mut stats = self.stats.clone();
        let mut entries = Vec::with_capacity(after.len());
        for (order_id, entry) in after {
            let before = self.entries.get(order_id);
            match (before, entry.state) {
                (None, EntryState::Counted) => stats.add(entry.as_last_order(), entry.total)?,
                (Some(before), EntryState::Cancelled) => stats.remove(before.total)?,
                (None, EntryState::Cancelled) | (Some(_), EntryState::Counted) => {}
            }
            entries.push(EntryWrite { entry, replaces: before.is_some() });
        }

        let is_off = |last: &LastOrder| entries.iter().any(|write| write.takes_off(&last.order_id));
        let last_order_is_lost = self.stats.last_order.as_ref().is_some_and(is_off);
        let is_changed =
            entries.iter().any(|write| write.replaces || write.entry.state == EntryState::Counted);
        if is_changed {
            stats.version += 1;
            stats.repair = None;
            stats.updated_at = self.stats.updated_at.max(Some(now));
        }
        let stats = is_changed.then_some(stats);
        Ok(Update { user_id: self.stats.user_id.clone(), stats, entries, last_order_is_lost })
    }

    /// What the changes come to as a repair, which marks the statistics: they are written even where only a
    /// tombstone was missing, since they tell of it.
    pub(crate) fn repair(
        &self,
        changes: &[Change],
        request_id: &str,
        now: Timestamp,
    ) -> Result<Update, OutOfRange> {
        let mut update = self.apply(changes, now)?;
        if !update.is_empty() {
            let order_ids = update.entries.iter().map(|write| write.entry.order_id.clone()).collect();
            let stats = update.stats.get_or_insert_with(|| self.stats.repaired(&self.stats, request_id, now));
            stats.repair = Some(StatsRepair { request_id: request_id.to_owned(), order_ids });
        }
        Ok(update)
    }

    fn entry(&self, change: &Change, now: Timestamp) -> LedgerEntry {
        let before = self.entries.get(&change.order_id);
        LedgerEntry {
            user_id: self.stats.user_id.clone(),
            order_id: change.order_id.clone(),
            state: change.state,
            // What was added is what is taken off.
            total: before.map_or(change.total, |entry| entry.total),
            placed_at: before.map_or(change.placed_at, |entry| entry.placed_at),
            version: before.map_or(1, |entry| entry.version + 1),
            recorded_at: now,
            cause: change.cause.clone(),
        }
    }
}

impl EntryWrite {
    fn takes_off(&self, order_id: &OrderId) -> bool {
        self.entry.state == EntryState::Cancelled && self.entry.order_id == *order_id
    }
}

impl Update {
    /// New figures of the statistics, and no change of the ledger.
    #[must_use]
    pub(crate) fn of_stats(stats: UserStats) -> Self {
        let user_id = stats.user_id.clone();
        Self { user_id, stats: Some(stats), entries: Vec::new(), last_order_is_lost: false }
    }

    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.stats.is_none()
    }

    /// Finds the last order anew. `counted` are all orders that the stored ledger has as counted.
    pub(crate) fn find_last_order(&mut self, counted: impl IntoIterator<Item = LastOrder>) {
        let Self { stats: Some(stats), entries, .. } = self else { return };
        let stored = counted
            .into_iter()
            .filter(|order| !entries.iter().any(|write| write.takes_off(&order.order_id)))
            .max();
        let added = entries
            .iter()
            .filter(|write| write.entry.state == EntryState::Counted)
            .map(|write| write.entry.as_last_order())
            .max();
        stats.last_order = stored.max(added);
    }
}

#[cfg(test)]
pub(crate) mod tests;

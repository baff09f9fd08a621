//! A user's statistics: confirmed orders that were not cancelled. Pure: no AWS, no clock.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shop_events::StatsFigures;
use shop_types::{Currency, Money, OrderId, Timestamp, UserId};

/// What a user has ordered so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserStats {
    /// The user.
    pub user_id: UserId,
    /// How many orders count.
    pub orders_placed: u64,
    /// What they cost, in minor units of each currency. A currency in which nothing was spent is absent.
    pub spent: BTreeMap<Currency, i64>,
    /// The newest order that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_order: Option<LastOrder>,
    /// 0 for a user without statistics; one more with every write.
    pub version: u64,
    /// When they changed last; none for a user without statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Whether a repair made this version, and of what: see [`crate::statistics::verify_user_stats`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<StatsRepair>,
}

/// What a repair put right besides the figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatsRepair {
    /// The request that asked for it.
    pub request_id: String,
    /// The orders whose entries were missing or wrong.
    pub order_ids: Vec<OrderId>,
}

/// An order by its time; the later one is the greater, and of two of the same millisecond the greater id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LastOrder {
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The order.
    pub order_id: OrderId,
}

/// A sum that cannot be: beyond 64 bits, or less than nothing, which the ledger rules out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the statistics are out of range")]
pub(crate) struct OutOfRange;

impl UserStats {
    /// The statistics of a user who has ordered nothing.
    #[must_use]
    pub fn empty(user_id: UserId) -> Self {
        let spent = BTreeMap::new();
        Self {
            user_id,
            orders_placed: 0,
            spent,
            last_order: None,
            version: 0,
            updated_at: None,
            repair: None,
        }
    }

    #[must_use]
    pub(crate) fn figures(&self) -> StatsFigures {
        let spent = self.spent.iter().map(|(&currency, &minor)| Money { minor, currency });
        StatsFigures {
            orders_placed: self.orders_placed,
            spent: spent.collect(),
            last_order_id: self.last_order.as_ref().map(|last| last.order_id.clone()),
        }
    }

    /// Whether other statistics have the same figures, whenever they were written.
    #[must_use]
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        (self.orders_placed, &self.spent, &self.last_order)
            == (other.orders_placed, &other.spent, &other.last_order)
    }

    /// The next version of these statistics, by a repair that gives them the figures of `right`.
    #[must_use]
    pub(crate) fn repaired(&self, right: &Self, request_id: &str, now: Timestamp) -> Self {
        Self {
            user_id: self.user_id.clone(),
            version: self.version + 1,
            updated_at: self.updated_at.max(Some(now)),
            repair: Some(StatsRepair { request_id: request_id.to_owned(), order_ids: Vec::new() }),
            ..right.clone()
        }
    }

    /// Adds an order that cost so much, and makes it the last one if it is.
    pub(crate) fn add(&mut self, order: LastOrder, total: Money) -> Result<(), OutOfRange> {
        self.orders_placed = self.orders_placed.checked_add(1).ok_or(OutOfRange)?;
        self.spend(total.currency, total.minor)?;
        if self.last_order.as_ref().is_none_or(|last| *last < order) {
            self.last_order = Some(order);
        }
        Ok(())
    }

    /// Takes off an order that was added. Which one is the last then, only the ledger knows.
    pub(crate) fn remove(&mut self, total: Money) -> Result<(), OutOfRange> {
        self.orders_placed = self.orders_placed.checked_sub(1).ok_or(OutOfRange)?;
        self.spend(total.currency, total.minor.checked_neg().ok_or(OutOfRange)?)
    }

    fn spend(&mut self, currency: Currency, minor: i64) -> Result<(), OutOfRange> {
        let before = self.spent.get(&currency).copied().unwrap_or_default();
        match before.checked_add(minor).ok_or(OutOfRange)? {
            sum if sum < 0 => return Err(OutOfRange),
            0 => self.spent.remove(&currency),
            sum => self.spent.insert(currency, sum),
        };
        Ok(())
    }
}

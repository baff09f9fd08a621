//! When somebody is told of a product's stock. Pure: no AWS, no clock.
//!
//! The rule, for any walk of what is for sale, and whoever moves it (orders, their cancellations, an administrator, a
//! repair), however many moves are one write:
//!
//! - A product becomes low when a write leaves fewer for sale than its threshold, and stays low until a write leaves
//!   [`ok_at`] or more: a fifth above the threshold, so that a level that goes to and fro is told once. A threshold of
//!   0 is never gone below.
//! - It is sold out when a write leaves none for sale that was not there before, and back in stock when a write leaves
//!   some where there were none. A new product that comes with stock is back in stock, too.
//! - A write is judged by what it leaves, not by what it went through. One that leaves as many for sale as there were,
//!   under the same threshold, is not judged: so a new product is not low, however few come with it, until its stock
//!   or its threshold changes.
//! - Another threshold is judged at once, by what is for sale.
//! - Nothing is told of a product that was deleted.
//!
//! The state is part of the counter's item, and changes in the write that moves the counter. So each crossing is in
//! exactly one write, whose images tell it: see [`crate::events`].

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::stock::MAX_STOCK;

/// The threshold of a product that was given none.
pub(crate) const DEFAULT_THRESHOLD: u64 = 5;

/// What is watched of a counter, and what was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Fewer than this are low.
    low_at: u64,
    /// So many are low no longer.
    ok_at: u64,
    /// The version of the counter at which it became low; none while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    low_since: Option<u64>,
    /// The version at which the last one for sale went; none while some are for sale, or never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sold_out_since: Option<u64>,
}

impl Default for Watch {
    fn default() -> Self {
        Self::new(DEFAULT_THRESHOLD)
    }
}

/// How many are enough again where fewer than a threshold are low.
const fn ok_at(low_at: u64) -> u64 {
    low_at.saturating_add(low_at / 5)
}

impl Watch {
    /// The watch of a new counter.
    #[must_use]
    pub const fn new(low_at: u64) -> Self {
        Self { low_at, ok_at: ok_at(low_at), low_since: None, sold_out_since: None }
    }

    /// Fewer than this are low.
    #[must_use]
    pub const fn threshold(&self) -> u64 {
        self.low_at
    }

    /// The version at which the counter became low, while it is.
    #[must_use]
    pub const fn low_since(&self) -> Option<u64> {
        self.low_since
    }

    /// The version at which the last one went, while none are for sale.
    #[must_use]
    pub const fn sold_out_since(&self) -> Option<u64> {
        self.sold_out_since
    }

    /// The watch when a write that makes `version` leaves `after` for sale, where there were `before`.
    #[must_use]
    pub fn moved(self, before: u64, after: u64, version: u64) -> Self {
        if before == after { self } else { self.judged(before, after, version) }
    }

    /// The same under another threshold.
    #[must_use]
    pub(crate) fn with_threshold(self, low_at: u64, before: u64, after: u64, version: u64) -> Self {
        if low_at == self.low_at {
            return self.moved(before, after, version);
        }
        Self { low_at, ok_at: ok_at(low_at), ..self }.judged(before, after, version)
    }

    const fn judged(self, before: u64, after: u64, version: u64) -> Self {
        let low_since = match self.low_since {
            Some(_) if after >= self.ok_at => None,
            None if after < self.low_at => Some(version),
            since => since,
        };
        let sold_out_since = match self.sold_out_since {
            _ if after > 0 => None,
            None if before > 0 => Some(version),
            since => since,
        };
        Self { low_since, sold_out_since, ..self }
    }

    /// What a write may leave for sale, besides what is there, without a change of this watch: all between the lowest
    /// and the highest of these.
    #[must_use]
    pub(crate) fn calm(&self) -> RangeInclusive<u64> {
        match self.low_since {
            None => self.low_at.max(1)..=MAX_STOCK,
            Some(_) => 1..=self.ok_at.saturating_sub(1).max(1),
        }
    }
}

/// What a write must ask of a counter that it moves without having its version, so that its watch stays true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// Nothing: the product was deleted, or as many are for sale as were.
    Unwatched,
    /// That nothing is crossed: it is watched as it was read, and so many are for sale before the write.
    Nothing {
        /// The watch.
        watch: Watch,
        /// How many may be for sale before the write.
        available: RangeInclusive<u64>,
    },
    /// That it is the very one that was read, since its watch becomes another.
    To {
        /// The version that was read.
        version: u64,
        /// The watch that it gets.
        watch: Watch,
    },
}

impl Crossing {
    /// The crossing of a counter at `version`, watched by `watch` (by none if it is of before there were any), when a
    /// write takes `net` and leaves `after` for sale.
    #[must_use]
    pub(crate) fn of(watch: Option<Watch>, version: u64, net: i64, after: u64) -> Self {
        let before = after.saturating_add_signed(net);
        if before == after {
            return Self::Unwatched;
        }
        let becomes = watch.unwrap_or_default().moved(before, after, version + 1);
        if watch != Some(becomes) {
            return Self::To { version, watch: becomes };
        }
        let (least, most) = becomes.calm().into_inner();
        let shifted = |left: u64| left.saturating_add_signed(net);
        Self::Nothing { watch: becomes, available: shifted(least)..=shifted(most) }
    }
}

#[cfg(test)]
mod tests;

//! A product's stock counter. Pure: no AWS, no clock.
//!
//! Invariant, at any time: total = available + reserved, none of them negative, `total` at most
//! [`MAX_STOCK`]. `total` is what came in at first and since, less what was taken out.

use serde::{Deserialize, Serialize};
use shop_events::{Cause, InventoryUpdated, StockFigures};
use shop_types::{ProductId, Timestamp};

use crate::reservation::Reservation;
use crate::watch::Watch;

/// The most of one product that the shop counts.
pub(crate) const MAX_STOCK: u64 = 1_000_000_000;

/// A stock counter, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// The product.
    #[serde(rename = "pk")]
    pub product_id: ProductId,
    /// All that are on hand.
    pub total: u64,
    /// How many are for sale.
    pub available: u64,
    /// How many are set aside for orders.
    pub reserved: u64,
    /// 1 at first, one more with every change of the figures or of the threshold.
    pub version: u64,
    /// When the figures changed last.
    pub updated_at: Timestamp,
    /// Who is to be told of it, and when; none in a counter of before there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<Watch>,
    /// Whether the product was deleted: what is set aside can be released, and nothing more be reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// A reservation whose stock has moved and whose own item is still to be written: see
    /// [`crate::plan::Step::Claim`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Reservation>,
    /// The version that a repair made, if one did: see [`crate::verify_stock`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<u64>,
    /// Why the figures changed last.
    #[serde(flatten)]
    pub cause: Cause,
}

/// What an administrator does to a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct StockChange {
    /// What to do to the level; none to leave it.
    pub(crate) adjustment: Option<Adjustment>,
    /// Fewer than this are low from now on; none to leave it as it is.
    pub(crate) low_stock_threshold: Option<u64>,
}

/// What an administrator does to a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// So many are for sale, whatever there was.
    Set(u64),
    /// So many more, or fewer, are for sale.
    Change(i64),
}

/// The level cannot be adjusted like this. It depends on what is there, so it is a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdjustmentError {
    /// Fewer are for sale than should be taken out.
    #[error("there are not that many for sale")]
    Insufficient,
    /// More than [`MAX_STOCK`] on hand.
    #[error("there would be more than the shop can count")]
    TooMany,
}

impl Stock {
    /// The latest time that an event of the counter had.
    #[must_use]
    pub(crate) fn last_told_at(&self) -> Timestamp {
        self.deleted_at.map_or(self.updated_at, |deleted_at| deleted_at.max(self.updated_at))
    }

    /// The counter of a new product.
    #[must_use]
    pub fn create(product_id: ProductId, level: u64, now: Timestamp, cause: Cause) -> Self {
        Self {
            product_id,
            total: level,
            available: level,
            reserved: 0,
            version: 1,
            updated_at: now,
            deleted_at: None,
            watch: Some(Watch::default()),
            claim: None,
            repair: None,
            cause,
        }
    }

    /// The counter of a new product, with a threshold of its own.
    #[must_use]
    pub(crate) fn watched_below(self, low_stock_threshold: u64) -> Self {
        Self { watch: Some(Watch::new(low_stock_threshold)), ..self }
    }

    /// The watch; that of a new product in a counter of before there were any.
    #[must_use]
    pub(crate) fn watch(&self) -> Watch {
        self.watch.unwrap_or_default()
    }

    /// The counter after an adjustment. What is reserved stays reserved.
    ///
    /// # Errors
    /// See [`AdjustmentError`].
    pub fn adjusted(&self, by: Adjustment, now: Timestamp, cause: Cause) -> Result<Self, AdjustmentError> {
        self.changed(StockChange { adjustment: Some(by), low_stock_threshold: None }, now, cause)
    }

    /// The counter after what an administrator did to it. What is reserved stays reserved.
    ///
    /// # Errors
    /// See [`AdjustmentError`].
    pub(crate) fn changed(
        &self,
        change: StockChange,
        now: Timestamp,
        cause: Cause,
    ) -> Result<Self, AdjustmentError> {
        let available = match change.adjustment {
            None => self.available,
            Some(Adjustment::Set(level)) => level,
            Some(Adjustment::Change(delta)) if delta < 0 => {
                self.available.checked_sub(delta.unsigned_abs()).ok_or(AdjustmentError::Insufficient)?
            }
            Some(Adjustment::Change(delta)) => {
                self.available.checked_add(delta.unsigned_abs()).ok_or(AdjustmentError::TooMany)?
            }
        };
        let total = available.checked_add(self.reserved).filter(|total| *total <= MAX_STOCK);
        let total = total.ok_or(AdjustmentError::TooMany)?;
        let updated_at = now.max(self.updated_at);
        let version = self.version + 1;
        let watch = self.watch();
        let threshold = change.low_stock_threshold.unwrap_or(watch.threshold());
        let watch = Some(watch.with_threshold(threshold, self.available, available, version));
        Ok(Self { total, available, version, updated_at, watch, cause, ..self.clone() })
    }

    #[must_use]
    pub(crate) const fn figures(&self) -> StockFigures {
        StockFigures { total: self.total, available: self.available, reserved: self.reserved }
    }

    /// What this write means to others, if the figures changed.
    #[must_use]
    pub(crate) fn change_since(&self, old: Option<&Self>) -> Option<InventoryUpdated> {
        let before = old.map_or((0, 0), |old| (old.available, old.reserved));
        if before == (self.available, self.reserved) {
            return None;
        }
        Some(InventoryUpdated {
            product_id: self.product_id.clone(),
            available: self.available,
            reserved: self.reserved,
            change: self.available.cast_signed() - before.0.cast_signed(),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1000);

    pub(crate) fn stock(product: &str, available: u64, reserved: u64) -> Stock {
        let stock = Stock::create(product.parse().unwrap(), available, NOW, Cause::request("request-1"));
        Stock { total: available + reserved, reserved, ..stock }
    }

    fn adjusted(stock: &Stock, by: Adjustment) -> Result<(u64, u64, u64), AdjustmentError> {
        let stock = stock.adjusted(by, NOW, Cause::request("request-2"))?;
        Ok((stock.total, stock.available, stock.reserved))
    }

    #[test]
    fn a_level_is_set_or_moved_and_what_is_reserved_stays() {
        let stock = stock("a", 5, 2);
        assert_eq!(adjusted(&stock, Adjustment::Set(50)), Ok((52, 50, 2)));
        assert_eq!(adjusted(&stock, Adjustment::Change(-5)), Ok((2, 0, 2)));
        assert_eq!(adjusted(&stock, Adjustment::Change(3)), Ok((10, 8, 2)));
        assert_eq!(adjusted(&stock, Adjustment::Change(-6)), Err(AdjustmentError::Insufficient));
        assert_eq!(adjusted(&stock, Adjustment::Change(i64::MIN)), Err(AdjustmentError::Insufficient));
        assert_eq!(adjusted(&stock, Adjustment::Change(i64::MAX)), Err(AdjustmentError::TooMany));
        assert_eq!(adjusted(&stock, Adjustment::Set(MAX_STOCK)), Err(AdjustmentError::TooMany));
        assert_eq!(adjusted(&stock, Adjustment::Set(MAX_STOCK - 2)), Ok((MAX_STOCK, MAX_STOCK - 2, 2)));
    }

    proptest! {
        #[test]
        fn the_invariant_holds_after_any_adjustments(by in prop::collection::vec(
            prop_oneof![
                (0..=MAX_STOCK).prop_map(Adjustment::Set),
                (-2_000_000_000_i64..2_000_000_000).prop_map(Adjustment::Change),
            ],
            0..20,
        )) {
            let mut stock = stock("a", 10, 3);
            for by in by {
                if let Ok(next) = stock.adjusted(by, NOW, Cause::request("r")) {
                    prop_assert_eq!(next.total, next.available + next.reserved);
                    prop_assert!(next.total <= MAX_STOCK);
                    prop_assert_eq!(next.reserved, 3);
                    prop_assert_eq!(next.version, stock.version + 1);
                    stock = next;
                }
            }
        }
    }
}

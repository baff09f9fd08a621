//! What a bucket counts, and which buckets there are. Pure: no AWS, no clock.

use std::fmt;

use jiff::civil::Date;
use shop_types::{Currency, ProductId};

use crate::zone::Hour;

/// What was sold, and what of it was taken back. Each figure only grows: so whoever sees a bucket twice with the same
/// figures knows that nothing was counted in it in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Orders that were confirmed.
    pub(crate) orders: i64,
    /// What was in them.
    pub(crate) units: i64,
    /// What they cost, in minor units.
    pub(crate) gross: i64,
    /// Orders that were cancelled after they were confirmed.
    pub(crate) cancelled_orders: i64,
    pub(crate) cancelled_units: i64,
    pub(crate) cancelled: i64,
}

/// A sum beyond 64 bits, or a time beyond the calendar: nothing that is sold comes near it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the figures are out of range")]
pub(crate) struct OutOfRange;

impl shop_lambda::Internal for OutOfRange {}

impl From<crate::zone::BeyondCalendar> for OutOfRange {
    fn from(_: crate::zone::BeyondCalendar) -> Self {
        Self
    }
}

impl Figures {
    /// The attributes, in the order of [`Figures::values`]. They are short because a read of 31 days of every product
    /// pays for each of their letters 62,000 times.
    pub(crate) const NAMES: [&'static str; 6] =
        ["orders", "units", "gross", "c_orders", "c_units", "c_gross"];

    pub(crate) const fn values(&self) -> [i64; 6] {
        let Self { orders, units, gross, cancelled_orders, cancelled_units, cancelled } = *self;
        [orders, units, gross, cancelled_orders, cancelled_units, cancelled]
    }

    pub(crate) const fn of(values: [i64; 6]) -> Self {
        let [orders, units, gross, cancelled_orders, cancelled_units, cancelled] = values;
        Self { orders, units, gross, cancelled_orders, cancelled_units, cancelled }
    }

    pub(crate) fn checked_add(self, other: Self) -> Result<Self, OutOfRange> {
        let mut sums = self.values();
        for (sum, more) in sums.iter_mut().zip(other.values()) {
            *sum = sum.checked_add(more).ok_or(OutOfRange)?;
        }
        Ok(Self::of(sums))
    }

    /// The sum of some figures.
    pub(crate) fn sum(all: impl IntoIterator<Item = Self>) -> Result<Self, OutOfRange> {
        all.into_iter().try_fold(Self::default(), Self::checked_add)
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// What is left of the revenue, in minor units.
    pub(crate) const fn net(&self) -> i64 {
        self.gross.saturating_sub(self.cancelled)
    }

    /// What is left of the units.
    pub(crate) const fn net_units(&self) -> i64 {
        self.units.saturating_sub(self.cancelled_units)
    }
}

/// Something that is counted by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Bucket {
    /// An hour of UTC.
    Hour(Currency, Hour),
    /// A day of the shop's zone.
    Day(Currency, Date),
    /// A product on a day: units and revenue, no orders.
    Product(Currency, Date, ProductId),
}

impl Bucket {
    /// Its key in the table: partition and sort key.
    pub(crate) fn key(&self) -> (String, String) {
        match self {
            Self::Hour(currency, hour) => (hours_of(*currency, &hour.month()), hour.to_string()),
            Self::Day(currency, date) => (days_of(*currency, date.year()), date.to_string()),
            Self::Product(currency, date, product) => (products_of(*currency, *date), product.to_string()),
        }
    }

    /// What a report of a drift calls it.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Hour(..) => "sales_hour",
            Self::Day(..) => "sales_day",
            Self::Product(..) => "sales_product",
        }
    }
}

/// As its key, in one text.
impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pk, sk) = self.key();
        write!(f, "{pk} {sk}")
    }
}

/// The partition of the hours of a month.
pub(crate) fn hours_of(currency: Currency, month: &str) -> String {
    format!("hour#{currency}#{month}")
}

/// The partition of the days of a year.
pub(crate) fn days_of(currency: Currency, year: i16) -> String {
    format!("day#{currency}#{year:04}")
}

/// The partition of the products of a day.
pub(crate) fn products_of(currency: Currency, date: Date) -> String {
    format!("units#{currency}#{date}")
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_bucket_has_a_key_that_sorts_by_its_time() {
        let hour = Hour::of("2026-11-23T15:59:00Z".parse().unwrap());
        let day = date(2026, 11, 3);
        let usd = Currency::USD;
        for (bucket, expected) in [
            (Bucket::Hour(usd, hour), "hour#USD#2026-11 2026-11-23T15"),
            (Bucket::Day(usd, day), "day#USD#2026 2026-11-03"),
            (Bucket::Product(usd, day, "prod-1".parse().unwrap()), "units#USD#2026-11-03 prod-1"),
        ] {
            assert_eq!(bucket.to_string(), expected);
        }
    }

    #[test]
    fn sums_are_checked_and_differences_never_panic() {
        let most = Figures { gross: i64::MAX, ..Figures::default() };
        assert_eq!(Figures::sum([most, Figures { gross: 1, ..Figures::default() }]), Err(OutOfRange));
        assert_eq!(Figures::sum([most, Figures { units: 1, ..Figures::default() }]).unwrap().units, 1);
        // No bucket has less than nothing, and what somebody has written past this code is no reason to die.
        let broken = Figures { gross: i64::MIN, cancelled: 1, units: i64::MIN, cancelled_units: 2, ..most };
        assert_eq!((broken.net(), broken.net_units()), (i64::MIN, i64::MIN));
        assert_eq!(Figures::of(broken.values()), broken);
        assert!(Figures::default().is_zero() && !most.is_zero());
    }
}

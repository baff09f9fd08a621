//! The decision behind verify-sales: whether the buckets of a day are the sums of the ledger's facts. Pure: no AWS, no
//! clock.
//!
//! A busy shop counts while it is looked at. Figures only grow, and each fact makes those of its buckets grow in the
//! transaction that puts it. So a bucket that has the same figures before and after its facts were read had exactly
//! those facts all the while: only such a bucket is judged.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use shop_types::Currency;

use crate::fact::{Fact, add};
use crate::figures::{Bucket, Figures, OutOfRange};
use crate::zone::{Hour, Zone};

/// What a day's facts come to.
#[derive(Debug)]
pub(crate) struct Recount<'a> {
    zone: &'a Zone,
    currency: Currency,
    date: Date,
    hours: BTreeSet<Hour>,
    sums: BTreeMap<Bucket, Figures>,
    facts: usize,
    is_out_of_range: bool,
}

/// A bucket that is not what its facts come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrongBucket {
    pub(crate) bucket: Bucket,
    pub(crate) found: Figures,
    pub(crate) right: Figures,
}

impl<'a> Recount<'a> {
    /// Of a day, and of the hours that begin on it.
    pub(crate) fn of(zone: &'a Zone, currency: Currency, date: Date) -> Result<Self, OutOfRange> {
        let hours = zone.hours_of(date)?.into_iter().collect();
        Ok(Self { zone, currency, date, hours, sums: BTreeMap::new(), facts: 0, is_out_of_range: false })
    }

    /// The buckets that the day has whatever was sold.
    pub(crate) fn fixed(&self) -> BTreeSet<Bucket> {
        let hours = self.hours.iter().map(|hour| Bucket::Hour(self.currency, *hour));
        hours.chain([Bucket::Day(self.currency, self.date)]).collect()
    }

    /// Takes in a fact of an hour around the day. What of it counts elsewhere is left out.
    pub(crate) fn see(&mut self, fact: &Fact) {
        let Ok(adds) = fact.adds(self.zone) else {
            self.is_out_of_range = true;
            return;
        };
        let mut is_of_day = false;
        for (bucket, figures) in adds {
            let is_mine = match &bucket {
                Bucket::Hour(_, hour) => self.hours.contains(hour),
                Bucket::Day(_, date) | Bucket::Product(_, date, _) => *date == self.date,
            };
            if is_mine {
                is_of_day |= matches!(bucket, Bucket::Day(..));
                self.is_out_of_range |= add(&mut self.sums, bucket, figures).is_err();
            }
        }
        self.facts += usize::from(is_of_day);
    }

    /// How many facts count on the day.
    pub(crate) const fn facts(&self) -> usize {
        self.facts
    }

    /// Whether a sum, or a fact, is beyond what can be: then nothing is judged.
    pub(crate) const fn is_out_of_range(&self) -> bool {
        self.is_out_of_range
    }

    /// The buckets that are not what they should be. `found` has every bucket of the day that is stored.
    pub(crate) fn wrong(&self, found: &BTreeMap<Bucket, Figures>) -> Vec<WrongBucket> {
        let all: BTreeSet<&Bucket> = found.keys().chain(self.sums.keys()).collect();
        let wrong = all.into_iter().map(|bucket| WrongBucket {
            bucket: bucket.clone(),
            found: found.get(bucket).copied().unwrap_or_default(),
            right: self.sums.get(bucket).copied().unwrap_or_default(),
        });
        wrong.filter(|wrong| wrong.found != wrong.right).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::tests::order;
    use crate::fact::{FactKind, facts};
    use crate::zone::tests::zone;
    use jiff::civil::date;
    use shop_types::Timestamp;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn facts_at(times: &[&str]) -> Vec<Fact> {
        let times = times.iter().enumerate();
        times
            .flat_map(|(n, time)| facts(&order(&n.to_string(), &[n]).0, FactKind::Confirmed, at(time)))
            .collect()
    }

    fn buckets(zone: &Zone, facts: &[Fact]) -> BTreeMap<Bucket, Figures> {
        let mut all = BTreeMap::new();
        for (bucket, figures) in facts.iter().flat_map(|fact| fact.adds(zone).unwrap()) {
            add(&mut all, bucket, figures).unwrap();
        }
        all
    }

    /// The days on which clocks change, and their neighbours: each bucket is some day's, and of none but that.
    #[test]
    fn days_of_23_and_25_hours_are_the_sums_of_their_facts() {
        let berlin = zone("Europe/Berlin");
        let facts = facts_at(&[
            "2026-10-24T21:59:59.999Z",
            "2026-10-24T22:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:30:00Z",
            "2026-10-25T22:59:59.999Z",
            "2026-10-25T23:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-03-29T21:59:00Z",
        ]);
        let stored = buckets(&berlin, &facts);
        let mut judged = 0;
        for (day, count) in [
            (date(2026, 10, 24), 1),
            (date(2026, 10, 25), 4),
            (date(2026, 10, 26), 1),
            (date(2026, 3, 29), 2),
        ] {
            let mut recount = Recount::of(&berlin, Currency::USD, day).unwrap();
            for fact in &facts {
                recount.see(fact);
            }
            let hours = recount.hours.clone();
            let mine: BTreeMap<_, _> = stored
                .clone()
                .into_iter()
                .filter(|(bucket, _)| match bucket {
                    Bucket::Hour(_, hour) => hours.contains(hour),
                    Bucket::Day(_, date) | Bucket::Product(_, date, _) => *date == day,
                })
                .collect();
            assert_eq!((recount.facts(), recount.wrong(&mine)), (count, vec![]), "{day}");
            judged += mine.len();
        }
        assert_eq!(judged, stored.len());
    }

    #[test]
    fn each_figure_that_is_wrong_missing_or_too_much_is_found() {
        let utc = zone("UTC");
        let facts = facts_at(&["2026-11-23T01:00:00Z", "2026-11-23T05:00:00Z"]);
        let right = buckets(&utc, &facts);
        let mut recount = Recount::of(&utc, Currency::USD, date(2026, 11, 23)).unwrap();
        for fact in &facts {
            recount.see(fact);
        }
        assert_eq!(recount.wrong(&right), []);
        for bucket in right.keys() {
            for place in 0..6 {
                let mut wrong = right.clone();
                let mut values = wrong[bucket].values();
                values[place] += 1;
                wrong.insert(bucket.clone(), Figures::of(values));
                let found = recount.wrong(&wrong);
                assert_eq!((found.len(), &found[0].bucket, found[0].right), (1, bucket, right[bucket]));
            }
            let mut missing = right.clone();
            missing.remove(bucket);
            assert_eq!(recount.wrong(&missing).len(), 1);
        }
        let mut more = right.clone();
        let stranger = Bucket::Product(Currency::USD, date(2026, 11, 23), "stranger".parse().unwrap());
        more.insert(stranger, Figures { units: 1, ..Figures::default() });
        assert_eq!(recount.wrong(&more)[0].right, Figures::default());
    }

    #[test]
    fn a_sum_out_of_range_is_said_so() {
        let utc = zone("UTC");
        let mut recount = Recount::of(&utc, Currency::USD, date(2026, 11, 23)).unwrap();
        for mut fact in facts_at(&["2026-11-23T01:00:00Z", "2026-11-23T05:00:00Z"]) {
            fact.total = i64::MAX;
            recount.see(&fact);
        }
        assert!(recount.is_out_of_range());
    }
}

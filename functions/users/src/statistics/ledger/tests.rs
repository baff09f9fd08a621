//! The ledger's rules, one by one and under any order, repetition and cutting into batches.

use proptest::prelude::*;
use shop_types::Currency;

use super::*;
use EntryState::{Cancelled, Counted};

pub(crate) fn user() -> UserId {
    UserId::fresh(Timestamp::from_millis(1), [1; 10])
}

/// The n-th order costs 10, 20, ... and was placed at second n; every third is in yen.
pub(crate) fn change(n: u8, state: EntryState) -> Change {
    let currency = if n % 3 == 2 { "JPY".parse().unwrap() } else { Currency::USD };
    Change {
        state,
        order_id: OrderId::derived(b"test", "test", &n.to_string()),
        total: Money { minor: 10 * (i64::from(n) + 1), currency },
        placed_at: Timestamp::from_millis(1000 * i64::from(n)),
        cause: Cause::request("request-1"),
    }
}

/// The table, as a value.
#[derive(Clone)]
struct Table(StatsSnapshot);

impl Table {
    fn new() -> Self {
        Self(StatsSnapshot { stats: UserStats::empty(user()), entries: BTreeMap::new() })
    }

    fn record(&mut self, changes: &[Change]) -> Update {
        let mut update = self.0.apply(changes, Timestamp::from_millis(5000)).unwrap();
        if update.last_order_is_lost {
            update.find_last_order(self.counted());
        }
        if let Some(stats) = &update.stats {
            assert_eq!(stats.version, self.0.stats.version + 1);
            self.0.stats = stats.clone();
        }
        for write in &update.entries {
            let before = self.0.entries.insert(write.entry.order_id.clone(), write.entry.clone());
            assert_eq!(before.is_some(), write.replaces);
            assert!(before.is_none_or(|before| before.state == Counted && write.entry.state == Cancelled));
        }
        update
    }

    fn counted(&self) -> Vec<LastOrder> {
        let counted = self.0.entries.values().filter(|entry| entry.state == Counted);
        counted.map(LedgerEntry::as_last_order).collect()
    }

    /// All but the version and the time, which say how often and when it was written.
    fn figures(&self) -> (u64, Vec<(Currency, i64)>, Option<LastOrder>) {
        let stats = self.0.stats.clone();
        (stats.orders_placed, stats.spent.into_iter().collect(), stats.last_order)
    }
}

fn last(n: u8) -> LastOrder {
    let change = change(n, Counted);
    LastOrder { placed_at: change.placed_at, order_id: change.order_id }
}

#[test]
fn a_confirmed_order_counts_once() {
    let mut table = Table::new();
    let update = table.record(&[change(0, Counted), change(0, Counted)]);
    assert_eq!(update.entries.len(), 1);
    assert!(table.record(&[change(0, Counted)]).is_empty());
    assert_eq!(table.figures(), (1, vec![(Currency::USD, 10)], Some(last(0))));
    assert_eq!(table.0.stats.version, 1);
}

#[test]
fn a_cancelled_order_is_taken_off_once() {
    let mut table = Table::new();
    table.record(&[change(0, Counted), change(1, Counted)]);
    let update = table.record(&[change(1, Cancelled), change(1, Cancelled)]);
    assert!(update.last_order_is_lost);
    assert_eq!(update.entries[0].entry.version, 2);
    assert!(table.record(&[change(1, Cancelled)]).is_empty());
    assert_eq!(table.figures(), (1, vec![(Currency::USD, 10)], Some(last(0))));
}

#[test]
fn a_cancel_that_comes_first_leaves_a_tombstone_and_no_statistics() {
    let mut table = Table::new();
    let update = table.record(&[change(0, Cancelled)]);
    assert_eq!((update.stats, update.entries.len()), (None, 1));
    assert!(table.record(&[change(0, Counted)]).is_empty());
    assert_eq!(table.figures(), (0, vec![], None));
}

#[test]
fn confirmed_and_cancelled_in_one_batch_is_a_tombstone() {
    let mut table = Table::new();
    let update = table.record(&[change(0, Counted), change(0, Cancelled)]);
    assert_eq!(update.stats, None);
    assert_eq!((update.entries[0].entry.state, update.entries[0].entry.version), (Cancelled, 1));
}

#[test]
fn the_statistics_are_written_once_for_a_batch() {
    let mut table = Table::new();
    let changes: Vec<_> = (0..90).map(|n| change(n, Counted)).collect();
    let update = table.record(&changes);
    assert_eq!(update.entries.len(), 90);
    assert_eq!((table.0.stats.version, table.0.stats.orders_placed), (1, 90));
}

#[test]
fn what_was_added_is_what_is_taken_off() {
    let mut table = Table::new();
    table.record(&[change(0, Counted)]);
    let mut cancel = change(0, Cancelled);
    cancel.total.minor = 7;
    table.record(&[cancel]);
    assert_eq!(table.figures(), (0, vec![], None));
}

#[test]
fn a_repair_marks_the_statistics_even_where_only_a_tombstone_is_missing() {
    let mut table = Table::new();
    table.record(&[change(0, Counted)]);
    let now = Timestamp::from_millis(9000);
    let update = table.0.repair(&[change(1, Cancelled)], "request-9", now).unwrap();
    let stats = update.stats.unwrap();
    assert!(stats.agrees(&table.0.stats));
    assert_eq!(stats.version, 2);
    let repair = StatsRepair { request_id: "request-9".into(), order_ids: vec![last(1).order_id] };
    assert_eq!(stats.repair, Some(repair));
    assert!(table.0.repair(&[change(0, Counted)], "request-9", now).unwrap().is_empty());
}

#[test]
fn sums_out_of_range_are_an_error() {
    let mut table = Table::new();
    let mut huge = change(0, Counted);
    huge.total.minor = i64::MAX;
    table.record(&[huge]);
    assert_eq!(table.0.apply(&[change(1, Counted)], Timestamp::default()), Err(OutOfRange));
}

proptest! {
    /// Messages about up to six orders, any of them repeated, in any order, cut into any batches.
    #[test]
    fn any_order_and_repetition_gives_the_same_figures(
        messages in prop::collection::vec((0_u8..6, prop::bool::ANY), 0..40),
        cuts in prop::collection::vec(1_usize..8, 40),
    ) {
        let changes: Vec<_> = messages
            .iter()
            .map(|&(n, cancelled)| change(n, if cancelled { Cancelled } else { Counted }))
            .collect();
        let mut table = Table::new();
        let mut rest = &changes[..];
        for cut in cuts {
            let (batch, later) = rest.split_at(cut.min(rest.len()));
            table.record(batch);
            rest = later;
        }
        prop_assert!(rest.is_empty());

        let counts = |n: u8| messages.contains(&(n, false)) && !messages.contains(&(n, true));
        let mut expected = BTreeMap::new();
        for total in (0..6).filter(|&n| counts(n)).map(|n| change(n, Counted).total) {
            *expected.entry(total.currency).or_insert(0) += total.minor;
        }
        let count = (0..6).filter(|&n| counts(n)).count() as u64;
        let newest = (0..6).filter(|&n| counts(n)).max().map(last);
        prop_assert_eq!(table.figures(), (count, expected.into_iter().collect(), newest));
    }
}

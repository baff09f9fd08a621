//! The decision behind verify-user-stats: whether statistics agree with their ledger, and the ledger with the
//! orders. Pure: no AWS, no clock.

use std::collections::BTreeMap;

use shop_events::OrderStatus;
use shop_types::UserId;

use crate::statistics::ledger::{EntryState, LedgerEntry};
use crate::statistics::stats::{OutOfRange, UserStats};

/// Statistics beside what the ledgers come to, as one look at the whole table saw them. Items that changed
/// between two reads of the look seem to differ: whoever differs must be read again.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    users: BTreeMap<UserId, Seen>,
    entries: usize,
}

#[derive(Debug)]
struct Seen {
    stored: Option<UserStats>,
    counted: UserStats,
    is_out_of_range: bool,
    is_unreadable: bool,
}

impl Audit {
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn see_stats(&mut self, stats: UserStats) {
        let user = stats.user_id.clone();
        self.seen(&user).stored = Some(stats);
    }

    pub(crate) fn see_entry(&mut self, entry: &LedgerEntry) {
        self.entries += 1;
        let seen = self.seen(&entry.user_id);
        if entry.state == EntryState::Counted {
            seen.is_out_of_range |= seen.counted.add(entry.as_last_order(), entry.total).is_err();
        }
    }

    pub(crate) fn see_unreadable(&mut self, user: &UserId) {
        self.seen(user).is_unreadable = true;
    }

    fn seen(&mut self, user: &UserId) -> &mut Seen {
        self.users.entry(user.clone()).or_insert_with(|| Seen {
            stored: None,
            counted: UserStats::empty(user.clone()),
            is_out_of_range: false,
            is_unreadable: false,
        })
    }

    /// Whether it has seen anything of a user.
    #[must_use]
    pub(crate) fn has(&self, user: &UserId) -> bool {
        self.users.contains_key(user)
    }

    #[must_use]
    pub(crate) fn users(&self) -> usize {
        self.users.len()
    }

    #[must_use]
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    /// How many users have something that cannot be read. What their ledger comes to is not known.
    #[must_use]
    pub(crate) fn unreadable(&self) -> usize {
        self.users.values().filter(|seen| seen.is_unreadable).count()
    }

    /// The users whose statistics seem not to be what their ledger comes to, where that is known.
    #[must_use]
    pub(crate) fn suspects(self) -> Vec<UserId> {
        let differs = |seen: &Seen| {
            let agrees = match &seen.stored {
                Some(stored) => stored.agrees(&seen.counted),
                None => seen.counted.orders_placed == 0,
            };
            !seen.is_unreadable && (seen.is_out_of_range || !agrees)
        };
        self.users.into_iter().filter(|(_, seen)| differs(seen)).map(|(user, _)| user).collect()
    }
}

/// What some entries of one user come to.
pub(crate) fn recount(user: &UserId, counted: &[LedgerEntry]) -> Result<UserStats, OutOfRange> {
    let mut stats = UserStats::empty(user.clone());
    for entry in counted {
        stats.add(entry.as_last_order(), entry.total)?;
    }
    Ok(stats)
}

/// How an order's entry agrees with its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consistency {
    /// It is as it should be; or nothing can be said, as long as the order is pending.
    Consistent,
    /// It should say this, and can be made to: as if the order's event came only now.
    Late(EntryState),
    /// It should say this, or there should be none, and there is no telling why it is not so.
    Inconsistent(Option<EntryState>),
}

/// Judges the entry of a user's order by the order's state.
#[must_use]
pub(crate) const fn consistency(order: OrderStatus, entry: Option<EntryState>) -> Consistency {
    use EntryState::{Cancelled, Counted};
    match (order, entry) {
        (OrderStatus::Pending, _)
        | (OrderStatus::Rejected, None)
        | (OrderStatus::Cancelled, Some(Cancelled))
        | (OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered, Some(Counted)) => {
            Consistency::Consistent
        }
        (OrderStatus::Cancelled, None | Some(Counted)) => Consistency::Late(Cancelled),
        (OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered, None) => {
            Consistency::Late(Counted)
        }
        (OrderStatus::Confirmed | OrderStatus::Shipped | OrderStatus::Delivered, Some(Cancelled)) => {
            Consistency::Inconsistent(Some(Counted))
        }
        (OrderStatus::Rejected, Some(_)) => Consistency::Inconsistent(None),
    }
}

#[cfg(test)]
mod tests {
    use shop_types::Timestamp;

    use super::*;
    use crate::statistics::ledger::tests::{change, user};
    use crate::statistics::ledger::{StatsSnapshot, Update};

    fn update(numbers: &[u8]) -> Update {
        let snapshot = StatsSnapshot { stats: UserStats::empty(user()), entries: BTreeMap::new() };
        let changes: Vec<_> = numbers.iter().map(|&number| change(number, EntryState::Counted)).collect();
        snapshot.apply(&changes, Timestamp::from_millis(9000)).unwrap()
    }

    fn entries(update: &Update) -> Vec<LedgerEntry> {
        update.entries.iter().map(|write| write.entry.clone()).collect()
    }

    fn suspects(stats: Option<UserStats>, entries: &[LedgerEntry]) -> usize {
        let mut audit = Audit::new();
        for entry in entries {
            audit.see_entry(entry);
        }
        if let Some(stats) = stats {
            audit.see_stats(stats);
        }
        assert_eq!(audit.entries(), entries.len());
        audit.suspects().len()
    }

    #[test]
    fn statistics_that_are_the_sum_of_their_ledger_agree() {
        let update = update(&[0, 1, 2]);
        let stats = update.stats.clone().unwrap();
        let mut entries = entries(&update);
        assert_eq!(suspects(Some(stats.clone()), &entries), 0);
        assert!(recount(&user(), &entries).unwrap().agrees(&stats));
        entries[2].state = EntryState::Cancelled;
        assert_eq!(suspects(Some(stats), &entries), 1);
    }

    #[test]
    fn every_figure_is_compared() {
        let update = update(&[0, 1]);
        let right = update.stats.clone().unwrap();
        for wrong in [
            UserStats { orders_placed: 3, ..right.clone() },
            UserStats { spent: BTreeMap::new(), ..right.clone() },
            UserStats { last_order: None, ..right.clone() },
        ] {
            assert_eq!(suspects(Some(wrong), &entries(&update)), 1);
        }
        assert_eq!(suspects(Some(UserStats { version: 9, ..right }), &entries(&update)), 0);
    }

    #[test]
    fn statistics_that_are_missing_are_those_of_nobody() {
        let update = update(&[0]);
        assert_eq!(suspects(None, &entries(&update)), 1);
        let mut cancelled = entries(&update);
        cancelled[0].state = EntryState::Cancelled;
        assert_eq!(suspects(None, &cancelled), 0);
    }

    #[test]
    fn a_user_with_an_unreadable_item_is_no_suspect() {
        let update = update(&[0, 1]);
        let mut audit = Audit::new();
        audit.see_stats(update.stats.clone().unwrap());
        audit.see_entry(&entries(&update)[0]);
        audit.see_unreadable(&user());
        assert_eq!(audit.unreadable(), 1);
        assert_eq!(audit.suspects(), []);
    }

    #[test]
    fn a_sum_out_of_range_is_a_suspect() {
        let mut entries = entries(&update(&[0, 1]));
        entries[0].total.minor = i64::MAX;
        entries[1].total.minor = i64::MAX;
        assert_eq!(suspects(None, &entries), 1);
        assert_eq!(recount(&user(), &entries), Err(OutOfRange));
    }

    #[test]
    fn an_entry_fits_its_order_or_is_late_or_wrong() {
        use EntryState::{Cancelled, Counted};
        let fits = |order| [None, Some(Counted), Some(Cancelled)].map(|entry| consistency(order, entry));
        assert_eq!(fits(OrderStatus::Pending), [Consistency::Consistent; 3]);
        assert_eq!(
            fits(OrderStatus::Rejected),
            [Consistency::Consistent, Consistency::Inconsistent(None), Consistency::Inconsistent(None)]
        );
        assert_eq!(
            fits(OrderStatus::Cancelled),
            [Consistency::Late(Cancelled), Consistency::Late(Cancelled), Consistency::Consistent]
        );
        for order in [OrderStatus::Confirmed, OrderStatus::Shipped, OrderStatus::Delivered] {
            assert_eq!(
                fits(order),
                [
                    Consistency::Late(Counted),
                    Consistency::Consistent,
                    Consistency::Inconsistent(Some(Counted))
                ]
            );
        }
    }
}

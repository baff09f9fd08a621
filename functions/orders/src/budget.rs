//! How many orders one principal may place: an account, or for guests the network address, in a window of time
//! (docs/decisions/0021).
//!
//! The counter is read with the prices. It is written by whoever orders again: the first order of a window costs
//! nothing more, and is counted together with the second by the environment that took both. So a counter lacks at
//! most one order for each environment, and one who orders now and then pays for no counter at all.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use shop_lambda::{Environment, StartError};
use shop_types::Timestamp;

/// How long a window is.
pub const WINDOW_SECONDS: i64 = 900;
/// So many principals are remembered. Who is not is counted at once, which is right and costs a unit more.
const MAX_REMEMBERED: usize = 4096;

/// How many orders a window has for one principal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) account: u32,
    /// For a guest's network address.
    pub(crate) address: u32,
}

impl Limits {
    /// Those of the variables `ACCOUNT_ORDER_LIMIT` and `ADDRESS_ORDER_LIMIT`.
    ///
    /// # Errors
    /// A variable that is not set, or no number above 0.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            account: environment.number("ACCOUNT_ORDER_LIMIT")?,
            address: environment.number("ADDRESS_ORDER_LIMIT")?,
        })
    }
}

/// The budget of one principal in the window of this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// The counter's id: the principal and the window. It tells nothing of an address.
    pub(crate) id: String,
    /// How many orders the window has.
    pub(crate) limit: u32,
    /// When the window ends, in seconds since the epoch.
    pub(crate) ends_at: i64,
    now: i64,
}

impl Budget {
    /// The budget of `whose` at a moment. `kind` keeps names of different kinds apart.
    #[must_use]
    pub(crate) fn of(kind: &str, whose: &str, limit: u32, now: Timestamp) -> Self {
        let now = now.as_secs();
        let window = now.div_euclid(WINDOW_SECONDS);
        Self { id: format!("{kind}#{whose}#{window}"), limit, ends_at: (window + 1) * WINDOW_SECONDS, now }
    }

    /// The seconds until there is another window: at least one.
    #[must_use]
    pub(crate) fn retry_after(&self) -> u32 {
        u32::try_from(self.ends_at - self.now).unwrap_or(1).max(1)
    }
}

/// How the next order of a principal is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    /// Alone. This environment remembers it, and counts it with the next one.
    Later,
    /// With the counter, which goes up by so many: this one, and those that this environment has not counted yet.
    Now(u32),
}

/// What this environment has not counted yet.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<BTreeMap<String, Remembered>>);

#[derive(Debug)]
struct Remembered {
    uncounted: u32,
    ends_at: i64,
    /// The budget is used up, and nothing has to be asked any more.
    is_used_up: bool,
}

impl Tally {
    /// How the next order within a budget is to be written, where the counter was read as `counted` (none where it
    /// could not be read along); none where the budget is used up. [`Tally::done`] must be told of what became of
    /// the order.
    pub(crate) fn next(&self, budget: &Budget, counted: Option<u32>) -> Option<Counting> {
        let mut remembered = self.lock();
        let count = match remembered.get(&budget.id) {
            Some(before) if before.is_used_up => return None,
            Some(before) => before.uncounted + 1,
            None => 1,
        };
        // Remembered before it is written: a write whose answer is lost may have been done.
        if counted == Some(0) && !remembered.contains_key(&budget.id) && remember(&mut remembered, budget, 1)
        {
            return Some(Counting::Later);
        }
        let is_within = counted.unwrap_or(0).saturating_add(count) <= budget.limit;
        is_within.then_some(Counting::Now(count))
    }

    /// Notes that the counter has no room any more.
    pub(crate) fn used_up(&self, budget: &Budget) {
        let mut remembered = self.lock();
        if let Some(entry) = remembered.get_mut(&budget.id) {
            entry.is_used_up = true;
        } else if remember(&mut remembered, budget, 0)
            && let Some(entry) = remembered.get_mut(&budget.id)
        {
            entry.is_used_up = true;
        }
    }

    /// Notes what became of the order: whether it was `written` now. Where that is not known it must not be told.
    pub(crate) fn done(&self, budget: &Budget, counting: Counting, written: bool) {
        let mut remembered = self.lock();
        match (counting, written, remembered.get_mut(&budget.id)) {
            // The earlier request that this one repeats was counted by whoever took it.
            (Counting::Later, false, _) => drop(remembered.remove(&budget.id)),
            (Counting::Now(count), true, Some(entry)) => entry.uncounted -= entry.uncounted.min(count - 1),
            _ => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Remembers a principal, if there is room.
fn remember(remembered: &mut BTreeMap<String, Remembered>, budget: &Budget, uncounted: u32) -> bool {
    if remembered.len() >= MAX_REMEMBERED {
        remembered.retain(|_, entry| entry.ends_at > budget.now);
    }
    if remembered.len() >= MAX_REMEMBERED {
        return false;
    }
    let entry = Remembered { uncounted, ends_at: budget.ends_at, is_used_up: false };
    remembered.insert(budget.id.clone(), entry);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(whose: &str, second: i64) -> Budget {
        Budget::of("account", whose, 3, Timestamp::from_millis(second * 1000))
    }

    #[test]
    fn a_window_says_when_it_ends() {
        for (second, retry_after) in [(0, 900), (1, 899), (899, 1), (900, 900)] {
            assert_eq!(budget("a", second).retry_after(), retry_after, "{second}");
        }
        assert_eq!(budget("a", 0).id, budget("a", 899).id);
        assert_ne!(budget("a", 0).id, budget("a", 900).id);
        assert_ne!(budget("a", 0).id, Budget::of("address", "a", 3, Timestamp::from_millis(0)).id);
    }

    #[test]
    fn the_first_order_is_counted_with_the_second() {
        let (tally, budget) = (Tally::default(), budget("a", 0));
        assert_eq!(tally.next(&budget, Some(0)), Some(Counting::Later));
        tally.done(&budget, Counting::Later, true);
        assert_eq!(tally.next(&budget, Some(0)), Some(Counting::Now(2)));
        // It met others: both are still to be counted.
        assert_eq!(tally.next(&budget, Some(0)), Some(Counting::Now(2)));
        tally.done(&budget, Counting::Now(2), true);
        assert_eq!(tally.next(&budget, Some(2)), Some(Counting::Now(1)));
        tally.done(&budget, Counting::Now(1), true);
        assert_eq!(tally.next(&budget, Some(3)), None);
    }

    #[test]
    fn a_replay_uses_nothing_up_and_an_unknown_end_does() {
        let (tally, budget) = (Tally::default(), budget("a", 0));
        assert_eq!(tally.next(&budget, Some(0)), Some(Counting::Later));
        tally.done(&budget, Counting::Later, false);
        assert_eq!(tally.next(&budget, Some(0)), Some(Counting::Later));
        // Its answer was lost: nobody tells what became of it.
        assert_eq!(tally.next(&budget, Some(0)), Some(Counting::Now(2)));
    }

    #[test]
    fn who_was_counted_elsewhere_or_whose_counter_was_not_read_is_counted_at_once() {
        let tally = Tally::default();
        for counted in [None, Some(1), Some(2)] {
            assert_eq!(tally.next(&budget("a", 0), counted), Some(Counting::Now(1)));
        }
        assert_eq!(tally.next(&budget("a", 0), Some(3)), None);
    }

    #[test]
    fn a_budget_that_is_used_up_asks_nothing_until_the_next_window() {
        for counted in [Some(0), Some(1)] {
            let tally = Tally::default();
            assert!(tally.next(&budget("a", 0), counted).is_some());
            tally.used_up(&budget("a", 0));
            assert_eq!(tally.next(&budget("a", 899), counted), None);
            assert!(tally.next(&budget("a", 900), counted).is_some());
            assert!(tally.next(&budget("b", 0), counted).is_some());
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_windows_end() {
        let tally = Tally::default();
        for number in 0..MAX_REMEMBERED {
            assert_eq!(tally.next(&budget(&number.to_string(), 0), Some(0)), Some(Counting::Later));
        }
        assert_eq!(tally.next(&budget("one more", 0), Some(0)), Some(Counting::Now(1)));
        assert_eq!(tally.next(&budget("one more", 900), Some(0)), Some(Counting::Later));
        assert_eq!(tally.lock().len(), 1, "those of the window before are forgotten");
    }
}

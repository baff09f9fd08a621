//! How often passwords may be tried: who is refused, and for how long. Pure: no AWS, no clock.
//!
//! Nobody who knows no password can keep an account's owner out of it, and the guesses at one account stay bounded
//! whatever number of addresses they come from (docs/decisions/0015, and its table: docs/log-in-limits.md):
//!
//! | who tries ([`Path`]) | is limited by |
//! |---|---|
//! | a device that has logged in to the account | a bucket of its own: [`DEVICE`] |
//! | such a device, from before the last change of password, address or role | one bucket of all of them: [`FORMER`] |
//! | an address that has logged in to the account | its own bucket for this account: [`PAIR`] |
//! | a stranger | the address over all accounts ([`ADDRESS`]), the pair of both ([`PAIR`]), and the account's bucket that all strangers share ([`ACCOUNT`]) |
//!
//! An attempt is counted before its work is done, so that any number of them at once gets no more; a right password
//! is taken off again. Who is refused at one level uses up nothing of the others.

use serde::Deserialize;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Attempts from one address on any accounts: many people may share it.
pub(crate) const ADDRESS: Rate = Rate { burst: 100, interval: 9 * SECOND };
/// Attempts of all strangers together on one account: about a thousand a day, which find no password that is on no
/// list.
pub(crate) const ACCOUNT: Rate = Rate { burst: 20, interval: 90 * SECOND };
/// Attempts of all devices together that once logged in to an account, before its password, address or role was changed.
pub(crate) const FORMER: Rate = Rate { burst: 10, interval: 15 * MINUTE };
/// Attempts from one address on one account.
pub(crate) const PAIR: Backoff = Backoff { free: 5, first: MINUTE, longest: 12 * HOUR, forgets_after: DAY };
/// Attempts from one device on its account.
pub(crate) const DEVICE: Backoff =
    Backoff { free: 10, first: MINUTE, longest: 12 * HOUR, forgets_after: DAY };
/// Wrong current passwords in one session, whose caller holds a token: no stranger's guess counts here.
pub(crate) const PROOF: Backoff = DEVICE;
/// Changes of one account's e-mail address, each of which says whether another account has the new one.
pub(crate) const ADDRESS_CHANGES: Rate = Rate { burst: 10, interval: 6 * MINUTE };
/// Mails of one kind that an e-mail address is sent on request, whoever asks, or by an account that has changed to it:
/// nobody's mailbox is filled through the shop. Welcomes are as few as registrations.
pub(crate) const MAILS_TO: Rate = Rate { burst: 3, interval: 20 * MINUTE };
/// How long an address counts as one that has logged in to an account.
pub(crate) const KNOWN_FOR_SECONDS: i64 = 90 * 24 * 3600;

/// Registrations from one address.
#[must_use]
pub(crate) const fn registrations(per_hour: u32) -> Rate {
    let per_hour = if per_hour == 0 { 1 } else { per_hour as i64 };
    Rate { burst: per_hour, interval: HOUR / per_hour }
}

/// It is too early: in so many milliseconds it may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wait(pub i64);

impl Wait {
    /// For `Retry-After`: whole seconds, after which it is no longer too early.
    #[must_use]
    pub(crate) fn seconds(self) -> u32 {
        u32::try_from(self.0.saturating_add(SECOND - 1) / SECOND).unwrap_or(u32::MAX).max(1)
    }
}

/// A bucket that so many attempts fit in, and that one leaves at each interval. Its state is one time: when it
/// would be empty (the generic cell rate algorithm's theoretical arrival time).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    burst: i64,
    interval: i64,
}

impl Rate {
    /// Whether there is room for one more.
    ///
    /// # Errors
    /// How long there is not.
    pub(crate) fn check(self, empty_at: Option<i64>, now: i64) -> Result<(), Wait> {
        let wait = empty_at.map_or(0, |at| at - self.latest(now));
        if wait <= 0 { Ok(()) } else { Err(Wait(wait)) }
    }

    /// The latest time to be empty at with which there is room for one more.
    #[must_use]
    pub(crate) const fn latest(self, now: i64) -> i64 {
        now + (self.burst - 1) * self.interval
    }

    /// What one more adds to the time.
    #[must_use]
    pub(crate) const fn interval(self) -> i64 {
        self.interval
    }

    /// From when on the bucket says nothing any more, whatever is put in now.
    #[must_use]
    pub(crate) const fn forgotten_at(self, now: i64) -> i64 {
        now + self.burst * self.interval
    }
}

/// What is remembered of attempts that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Failures {
    pub(crate) failures: u32,
    /// When the last one was, in milliseconds since the epoch.
    pub(crate) failed_at: i64,
}

/// Some free attempts, then one after a delay that doubles each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    free: u32,
    first: i64,
    longest: i64,
    forgets_after: i64,
}

impl Backoff {
    /// Counts one more attempt, if it may be made.
    ///
    /// # Errors
    /// How long it may not.
    pub(crate) fn count(self, before: Option<Failures>, now: i64) -> Result<Failures, Wait> {
        let Some(before) = before.filter(|before| now - before.failed_at < self.forgets_after) else {
            return Ok(Failures { failures: 1, failed_at: now });
        };
        let delay = self.delay(before.failures);
        let wait = before.failed_at + delay - now;
        // Those that count at once come in another order than their clocks say: what is free waits for none.
        if delay > 0 && wait > 0 {
            return Err(Wait(wait));
        }
        Ok(Failures { failures: before.failures.saturating_add(1), failed_at: now.max(before.failed_at) })
    }

    /// From when on an attempt of now says nothing any more.
    #[must_use]
    pub(crate) const fn forgotten_at(self, now: i64) -> i64 {
        now + self.forgets_after
    }

    fn delay(self, failures: u32) -> i64 {
        match failures.checked_sub(self.free) {
            None => 0,
            // 2^20 minutes are beyond any longest delay.
            Some(over) => (self.first << over.min(20)).min(self.longest),
        }
    }
}

/// As whom somebody tries to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// With the token of a device that has logged in to this account.
    Device,
    /// With such a token from before the last change of password, address or role.
    Former,
    /// From an address that has logged in to this account.
    Known,
    /// As anybody.
    Stranger,
}

impl Path {
    /// Its word in the audit trail.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Former => "former_device",
            Self::Known => "known_address",
            Self::Stranger => "stranger",
        }
    }

    /// The path of an attempt on the account with this epoch, if there is one. `device` is the epoch of a token
    /// that was proven to be of this account, `known` that of the last log-in from the same address.
    #[must_use]
    pub(crate) fn of(account: Option<u64>, device: Option<u64>, known: Option<u64>) -> Self {
        match (account, device) {
            (Some(epoch), Some(device)) if device == epoch => Self::Device,
            // What a former password was good for stays bounded: it may have logged in with any number of devices.
            (Some(_), Some(_)) => Self::Former,
            (Some(epoch), None) if known == Some(epoch) => Self::Known,
            _ => Self::Stranger,
        }
    }
}

/// What the buckets held when they were looked at: a [`Rate`]'s time, a [`Backoff`]'s failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) address: Option<i64>,
    /// The account's, of strangers.
    pub(crate) account: Option<i64>,
    /// That of former devices.
    pub(crate) former: Option<i64>,
    /// That of address and account.
    pub(crate) pair: Option<Failures>,
    pub(crate) device: Option<Failures>,
}

impl Seen {
    /// Whether an attempt may be made, at all levels.
    ///
    /// # Errors
    /// How long it may not: until all of them allow it.
    pub(crate) fn check(&self, path: Path, now: i64) -> Result<(), Wait> {
        let pair = || PAIR.count(self.pair, now).map(|_| ());
        match path {
            Path::Device => DEVICE.count(self.device, now).map(|_| ()),
            Path::Former => FORMER.check(self.former, now),
            Path::Known => pair(),
            Path::Stranger => {
                let levels = [ADDRESS.check(self.address, now), pair(), ACCOUNT.check(self.account, now)];
                levels.into_iter().filter_map(Result::err).max().map_or(Ok(()), Err)
            }
        }
    }
}

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The times, from a first one on, at which an attempt is made that is made as soon as it may be.
    fn eager(backoff: Backoff, attempts: usize) -> Vec<i64> {
        let (mut state, mut now, mut times) = (None, 0, Vec::new());
        while times.len() < attempts {
            match backoff.count(state, now) {
                Ok(counted) => {
                    state = Some(counted);
                    times.push(now);
                }
                Err(Wait(wait)) => now += wait,
            }
        }
        times
    }

    #[test]
    fn some_attempts_are_free_and_the_delay_then_doubles_up_to_half_a_day() {
        let times = eager(PAIR, 18);
        assert_eq!(times[..5], [0; 5]);
        let delays: Vec<_> = times.windows(2).skip(4).map(|pair| (pair[1] - pair[0]) / MINUTE).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 720, 720, 720]);
    }

    #[test]
    fn a_quiet_day_is_forgotten() {
        let state = Some(Failures { failures: 30, failed_at: 0 });
        assert_eq!(PAIR.count(state, 12 * HOUR - 1), Err(Wait(1)));
        assert_eq!(PAIR.count(state, 12 * HOUR), Ok(Failures { failures: 31, failed_at: 12 * HOUR }));
        assert_eq!(PAIR.count(state, DAY), Ok(Failures { failures: 1, failed_at: DAY }));
    }

    #[test]
    fn clocks_that_differ_cost_no_free_attempt_and_win_none() {
        let ahead = Some(Failures { failures: 4, failed_at: 5000 });
        assert_eq!(PAIR.count(ahead, 0), Ok(Failures { failures: 5, failed_at: 5000 }));
        assert_eq!(PAIR.count(Some(Failures { failures: 5, failed_at: 5000 }), 0), Err(Wait(MINUTE + 5000)));
    }

    #[test]
    fn a_bucket_takes_its_burst_and_then_one_at_each_interval() {
        let (mut empty_at, mut taken) = (None, 0);
        for now in (0..=DAY).step_by(10_000) {
            while ACCOUNT.check(empty_at, now).is_ok() {
                empty_at = Some(empty_at.unwrap_or(now).max(now) + ACCOUNT.interval());
                taken += 1;
            }
        }
        assert_eq!(taken, 20 + 24 * 40);
        assert!(empty_at.unwrap() <= ACCOUNT.forgotten_at(DAY));
    }

    #[test]
    fn a_path_is_of_the_account_s_epoch() {
        for (account, device, known, path) in [
            (Some(2), Some(2), None, Path::Device),
            (Some(2), Some(2), Some(2), Path::Device),
            (Some(2), Some(1), Some(2), Path::Former),
            (Some(2), None, Some(2), Path::Known),
            (Some(2), None, Some(1), Path::Stranger),
            (Some(2), None, None, Path::Stranger),
            (None, None, None, Path::Stranger),
            (None, Some(1), Some(1), Path::Stranger),
        ] {
            assert_eq!(Path::of(account, device, known), path, "{account:?} {device:?} {known:?}");
        }
    }

    #[test]
    fn whoever_is_refused_waits_for_all_levels() {
        let full = |rate: Rate| Some(rate.latest(0) + 5000);
        let tired = Some(Failures { failures: 6, failed_at: 0 });
        let seen = Seen { address: full(ADDRESS), account: full(ACCOUNT), pair: tired, ..Seen::default() };
        assert_eq!(seen.check(Path::Stranger, 0), Err(Wait(2 * MINUTE)));
        assert_eq!(Seen { pair: None, ..seen }.check(Path::Stranger, 0), Err(Wait(5000)));
        // Neither address nor account keeps out who has been there before.
        assert_eq!(Seen { pair: None, ..seen }.check(Path::Known, 0), Ok(()));
        assert_eq!(seen.check(Path::Device, 0), Ok(()));
        assert_eq!(seen.check(Path::Former, 0), Ok(()));
    }

    #[test]
    fn seconds_are_never_too_few() {
        assert_eq!([0, 1, 1000, 1001].map(|millis| Wait(millis).seconds()), [1, 1, 1, 2]);
        assert_eq!(Wait(i64::MAX).seconds(), u32::MAX);
    }

    proptest! {
        #[test]
        fn after_the_wait_it_may_be_tried(failures in 0..100_u32, failed_at in 0..DAY, now in 0..DAY) {
            let state = Some(Failures { failures, failed_at });
            if let Err(wait) = PAIR.count(state, now) {
                prop_assert!(wait > Wait(0));
                prop_assert!(PAIR.count(state, now + i64::from(wait.seconds()) * SECOND).is_ok());
                prop_assert!(PAIR.count(state, now + wait.0 - 1).is_err());
            }
        }
    }
}

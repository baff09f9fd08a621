//! Counts what every function calls, what it costs, and which permissions that takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::observer::{Access, Call, Invoked, Observer, Outcome, Units};

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The function, or the outside caller.
    pub caller: String,
    /// The API operation, as `dynamodb:TransactWriteItems`.
    pub operation: String,
    /// The resource, by its physical name.
    pub resource: String,
}

/// The counts of an [`Entry`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls, each once for every resource that it touches.
    pub calls: u64,
    /// Calls that were answered with an error.
    pub errors: u64,
    /// What they cost.
    pub units: Units,
}

/// Invocations of one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Invocations {
    /// All of them.
    pub total: u64,
    /// Those that failed, timed out or crashed.
    pub errors: u64,
    /// Those that had to start an environment.
    pub cold: u64,
}

/// A snapshot of all counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// Calls and their cost.
    pub calls: BTreeMap<Entry, Counts>,
    /// Invocations, by function.
    pub invocations: BTreeMap<String, Invocations>,
    /// The permissions that each caller used.
    pub permissions: BTreeMap<String, BTreeSet<Access>>,
}

impl Meter {
    /// The sum over all entries that a condition picks.
    pub fn sum(&self, mut picks: impl FnMut(&Entry) -> bool) -> Counts {
        let mut sum = Counts::default();
        for (_, counts) in self.calls.iter().filter(|(entry, _)| picks(entry)) {
            sum.calls += counts.calls;
            sum.errors += counts.errors;
            sum.units.add(counts.units);
        }
        sum
    }
}

impl Units {
    pub(crate) fn add(&mut self, other: Self) {
        self.half_reads += other.half_reads;
        self.writes += other.writes;
        self.requests += other.requests;
    }
}

#[derive(Debug, Default)]
pub(super) struct Counter(Mutex<Meter>);

impl Counter {
    pub(super) fn snapshot(&self) -> Meter {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Counter {
    fn called(&self, _time: i64, call: &Call, outcome: &Outcome<'_>) {
        let mut meter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let operation = format!("{}:{}", call.service, call.operation);
        let mut resources: BTreeMap<&str, Units> = BTreeMap::new();
        for access in &call.accesses {
            resources.entry(&access.resource).or_default();
        }
        for (resource, units) in outcome.units {
            resources.entry(resource).or_default().add(*units);
        }
        for (resource, units) in resources {
            let (caller, resource) = (call.caller.to_string(), resource.to_owned());
            let entry = Entry { caller, operation: operation.clone(), resource };
            let counts = meter.calls.entry(entry).or_default();
            counts.calls += 1;
            counts.errors += u64::from(outcome.error.is_some());
            counts.units.add(units);
        }
        if !meter.permissions.contains_key(&*call.caller) {
            meter.permissions.insert(call.caller.to_string(), BTreeSet::new());
        }
        if let Some(used) = meter.permissions.get_mut(&*call.caller) {
            for access in &call.accesses {
                if !used.contains(access) {
                    used.insert(access.clone());
                }
            }
        }
    }

    fn invoked(&self, _time: i64, invoked: &Invoked<'_>) {
        let mut meter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !meter.invocations.contains_key(invoked.function) {
            meter.invocations.insert(invoked.function.to_owned(), Invocations::default());
        }
        if let Some(counts) = meter.invocations.get_mut(invoked.function) {
            counts.total += 1;
            counts.errors += u64::from(invoked.error.is_some());
            counts.cold += u64::from(invoked.cold);
        }
    }
}

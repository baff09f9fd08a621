//! What a verification of a service's books found, as its function answers and logs it. Pure.

use std::collections::BTreeMap;
use std::error::Error;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::FunctionError;
use crate::log::Chain;

/// The log line of a verification that had no time for all, which the template's metric filter counts.
pub const INCOMPLETE: &str = "verification incomplete";

/// The log line of a drift, which the template's metric filter counts.
pub const DRIFT: &str = "drift found";

/// Most of the drifts that a report lists; it counts them all. Lambda's answers end at 6 MB.
const MAX_LISTED: usize = 100;

/// What an operator may ask of a verification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct VerifyRequest {
    /// Whether to repair what can be.
    #[serde(default)]
    pub repair: bool,
    /// Whether to begin anew, where the last run of its kind had no time for all.
    #[serde(default)]
    pub from_start: bool,
}

impl VerifyRequest {
    /// What a run that repairs and one that only reports are called: each goes on where the last of its kind stopped.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        if self.repair { "repair" } else { "report" }
    }
}

/// What became of a drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RepairOutcome {
    /// It is put right.
    Repaired,
    /// It can be put right; nobody asked to.
    NotRequested,
    /// It was tried, and failed; the log says why.
    Failed,
    /// What is right cannot be told from the books: somebody must look.
    None,
}

impl RepairOutcome {
    /// What becomes of a drift whose repair was tried; none where there was nothing to repair any more.
    pub fn tried<E: Error + 'static>(repair: Result<bool, E>) -> Option<Self> {
        match repair {
            Ok(true) => Some(Self::Repaired),
            Ok(false) => None,
            Err(error) => {
                tracing::error!(error = %Chain(&error), "a repair failed");
                Some(Self::Failed)
            }
        }
    }
}

/// Something that is not as it should be. It must hold ids and figures only: it is logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// What kind of thing it is.
    pub kind: &'static str,
    /// The id of the thing.
    pub subject: String,
    /// How it should be.
    pub expected: Value,
    /// How it was found.
    pub found: Value,
    /// Whether it is put right.
    pub repaired: bool,
    /// What became of it.
    pub outcome: RepairOutcome,
}

impl Drift {
    /// A drift, and what became of it.
    #[must_use]
    pub fn new(
        kind: &'static str,
        subject: impl Into<String>,
        expected: Value,
        found: Value,
        outcome: RepairOutcome,
    ) -> Self {
        let repaired = outcome == RepairOutcome::Repaired;
        Self { kind, subject: subject.into(), expected, found, repaired, outcome }
    }
}

impl Drift {
    /// An item that is not what its key says it is: no function wrote it so, and somebody must look. Its key is
    /// the subject.
    #[must_use]
    pub fn unreadable(key: impl Into<String>) -> Self {
        Self::new("unreadable_item", key, Value::Null, Value::Null, RepairOutcome::None)
    }
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many of each kind of thing were looked at.
    pub checked: BTreeMap<&'static str, u64>,
    /// How many were not as they should be.
    pub found: u64,
    /// How many of those are put right now.
    pub repaired: u64,
    /// How many were changing while they were looked at, or changed a moment ago: another run judges them.
    pub not_judged: u64,
    /// Whether it came to the end. Where it did not, the next run of its kind goes on.
    pub complete: bool,
    /// Where it began; none where that was the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resumed_at: Option<String>,
    /// How far it came; none where that was the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<String>,
    /// The first of those that were not as they should be.
    pub drift: Vec<Drift>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            checked: BTreeMap::new(),
            found: 0,
            repaired: 0,
            not_judged: 0,
            complete: true,
            resumed_at: None,
            stopped_at: None,
            drift: Vec::new(),
        }
    }
}

impl Report {
    /// Logs what was found, also where the verification failed then: `what` says so.
    ///
    /// # Errors
    /// It failed.
    pub fn conclude<E: Error + Send + Sync + 'static>(
        self,
        result: Result<(), E>,
        what: &'static str,
    ) -> Result<Self, FunctionError> {
        self.log();
        match result {
            Ok(()) => Ok(self),
            Err(error) => Err(FunctionError::new(what, error)),
        }
    }

    /// Says that there was no time for what is behind here.
    pub fn stop(&mut self, position: &impl Serialize) {
        self.complete = false;
        self.stopped_at = serde_json::to_string(position).ok();
    }

    /// Says that it goes on here.
    pub fn resume(&mut self, position: &impl Serialize) {
        self.resumed_at = serde_json::to_string(position).ok();
    }

    /// Those of some items that can be read; the keys of the others are reported.
    pub fn readable<T>(&mut self, items: Vec<Result<T, String>>) -> Vec<T> {
        let readable = |item: Result<T, String>| item.map_err(|key| self.add(Drift::unreadable(key))).ok();
        items.into_iter().filter_map(readable).collect()
    }

    /// Counts things that another run judges.
    pub fn skip(&mut self, count: usize) {
        self.not_judged += number(count);
    }

    /// Counts things that were looked at.
    pub fn check(&mut self, kind: &'static str, count: usize) {
        *self.checked.entry(kind).or_default() += number(count);
    }

    /// Adds a drift, and logs it.
    pub fn add(&mut self, drift: Drift) {
        tracing::error!(
            drift.kind = drift.kind,
            drift.subject = drift.subject,
            drift.expected = %drift.expected,
            drift.found = %drift.found,
            drift.repaired = drift.repaired,
            "{DRIFT}"
        );
        self.found += 1;
        self.repaired += u64::from(drift.repaired);
        if self.drift.len() < MAX_LISTED {
            self.drift.push(drift);
        }
    }

    /// Logs the counts, at the end of a verification.
    fn log(&self) {
        tracing::info!(
            report.found = self.found,
            report.repaired = self.repaired,
            report.not_judged = self.not_judged,
            report.complete = self.complete,
            report.resumed_at = self.resumed_at,
            report.stopped_at = self.stopped_at,
            "verification finished"
        );
        if !self.complete {
            tracing::warn!(report.stopped_at = self.stopped_at, "{INCOMPLETE}");
        }
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_are_counted_and_the_first_hundred_listed() {
        let mut report = Report::default();
        report.check("thing", 150);
        for number in 0..150 {
            let outcome = if number % 2 == 0 { RepairOutcome::Repaired } else { RepairOutcome::None };
            report.add(Drift::new("thing", number.to_string(), json!(1), json!(null), outcome));
        }
        assert_eq!((report.found, report.repaired, report.drift.len()), (150, 75, MAX_LISTED));
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["checked"], json!({ "thing": 150 }));
        let first = json!({ "kind": "thing", "subject": "0", "expected": 1, "found": null,
            "repaired": true, "outcome": "repaired" });
        assert_eq!(json["drift"][0], first);
        assert_eq!(json["drift"][1]["outcome"], "none");
    }

    #[test]
    fn what_cannot_be_read_is_reported_and_what_is_skipped_is_counted() {
        let mut report = Report::default();
        assert_eq!(report.readable(vec![Ok(1), Err("a".to_owned()), Ok(2)]), [1, 2]);
        report.skip(3);
        assert_eq!((report.drift, report.not_judged), (vec![Drift::unreadable("a")], 3));
    }
}

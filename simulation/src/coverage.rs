//! Crash points: every AWS call of every function, before and after it takes effect.
//!
//! A call is told from another by its function, its operation, what it touches, and the conditions that it sets:
//! two places in the code that do different things to one table are two calls. What a run sees and where it lets
//! functions die is added up over all runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use shop_local::cloud::Call;

/// When a function dies at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// Before the call takes effect.
    Before,
    /// After it took effect, and before the function knows.
    After,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
        })
    }
}

/// A call of a function, as the code makes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Site(String);

impl Site {
    #[must_use]
    pub(crate) fn of(call: &Call) -> Self {
        let mut resources: Vec<String> = call
            .accesses
            .iter()
            .map(|access| format!("{} {}", verb(&access.action), access.resource))
            .collect();
        resources.sort_unstable();
        resources.dedup();
        let mut site = format!("{} {}: {}", call.caller, call.operation, resources.join(", "));
        let body = String::from_utf8_lossy(&call.body);
        let conditions: BTreeSet<&str> = strings(&body, "\"ConditionExpression\":\"").collect();
        if !conditions.is_empty() {
            let conditions: Vec<&str> = conditions.into_iter().collect();
            site.push_str(" if ");
            site.push_str(&conditions.join(" | "));
        }
        Self(site)
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn verb(action: &str) -> &str {
    action.rsplit(':').next().unwrap_or(action)
}

/// The JSON strings that follow a mark. Expressions hold no quotation marks.
fn strings<'a>(text: &'a str, mark: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(mark).skip(1).filter_map(|rest| rest.split('"').next())
}

/// A call and a side of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CrashPoint {
    pub(crate) site: Site,
    pub(crate) side: Side,
}

impl fmt::Display for CrashPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.side, self.site)
    }
}

impl FromStr for CrashPoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (when, call) = text.split_once(' ').ok_or("a crash point is a side and a call")?;
        let side = match when {
            "before" => Side::Before,
            "after" => Side::After,
            _ => return Err("the side of a crash point is before or after"),
        };
        Ok(Self { site: Site(call.to_owned()), side })
    }
}

/// What is known of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How often it was made.
    pub(crate) calls: u64,
    /// How often the function died before it.
    pub(crate) before: u64,
    /// How often the function died after it.
    pub(crate) after: u64,
    /// A case in which it was made, with as few crashes of its own as any that made it.
    pub(crate) witness: Witness,
}

/// A seed, and the crashes besides it, that get to a call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Witness {
    pub(crate) seed: u64,
    pub(crate) crashes: Vec<CrashPoint>,
}

impl Witness {
    /// The simpler of two: fewer crashes, then the lower seed.
    fn simpler(self, other: Self) -> Self {
        let rank = |witness: &Self| (witness.crashes.len(), witness.seed);
        if rank(&other) < rank(&self) { other } else { self }
    }
}

/// All calls that were seen, and the crashes at them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coverage(pub(crate) BTreeMap<Site, Seen>);

impl Coverage {
    pub(crate) fn called(&mut self, call: &Site, witness: &Witness) {
        if let Some(known) = self.0.get_mut(call) {
            known.calls += 1;
        } else {
            let seen = Seen { calls: 1, witness: witness.clone(), ..Seen::default() };
            self.0.insert(call.clone(), seen);
        }
    }

    pub(crate) fn crashed(&mut self, call: &Site, side: Side) {
        if let Some(seen) = self.0.get_mut(call) {
            match side {
                Side::Before => seen.before += 1,
                Side::After => seen.after += 1,
            }
        }
    }

    /// Takes in what another run saw.
    pub(crate) fn add(&mut self, other: Self) {
        for (site, seen) in other.0 {
            let sum = self
                .0
                .entry(site)
                .or_insert_with(|| Seen { witness: seen.witness.clone(), ..Seen::default() });
            sum.calls += seen.calls;
            sum.before += seen.before;
            sum.after += seen.after;
            sum.witness = std::mem::take(&mut sum.witness).simpler(seen.witness);
        }
    }

    /// The crash points at which no function has died yet, each with a case that gets there.
    #[must_use]
    pub(crate) fn missing(&self) -> Vec<(CrashPoint, Witness)> {
        let mut missing = Vec::new();
        for (site, seen) in &self.0 {
            for (side, crashes) in [(Side::Before, seen.before), (Side::After, seen.after)] {
                if crashes == 0 {
                    missing.push((CrashPoint { site: site.clone(), side }, seen.witness.clone()));
                }
            }
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_point_reads_back() {
        let point = CrashPoint {
            site: Site("settle-order UpdateItem: UpdateItem T if a = :b".into()),
            side: Side::After,
        };
        assert_eq!(point.to_string().parse(), Ok(point));
        assert!("beside x".parse::<CrashPoint>().is_err());
    }

    #[test]
    fn what_no_run_has_crashed_at_is_missing() {
        let site = Site("f Op: Op T".into());
        let witness = |seed, crashes| Witness { seed, crashes };
        let after = CrashPoint { site: site.clone(), side: Side::After };
        let mut coverage = Coverage::default();
        coverage.called(&site, &witness(3, vec![after.clone()]));
        coverage.crashed(&site, Side::Before);
        let mut sum = Coverage::default();
        sum.add(coverage);
        let mut coverage = Coverage::default();
        coverage.called(&site, &witness(7, Vec::new()));
        sum.add(coverage.clone());
        // A seed that gets there by itself is better than a lower one that needs a crash.
        assert_eq!(sum.missing(), [(after, witness(7, Vec::new()))]);
        coverage.crashed(&site, Side::After);
        sum.add(coverage);
        assert!(sum.missing().is_empty());
        assert_eq!((sum.0[&site].calls, sum.0[&site].before, sum.0[&site].after), (3, 1, 1));
    }
}

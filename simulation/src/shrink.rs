//! From a run that fails to the shortest one found that still fails in the same way: fewer faults, then fewer
//! operations.

use std::collections::BTreeSet;

use anyhow::Result;
use shop_local::template::Template;

use crate::case::Case;
use crate::run::run;

/// Runs that it may take.
const MAX_RUNS: usize = 200;

/// What is left of a case.
#[derive(Debug)]
pub(crate) struct Shrunk {
    pub(crate) case: Case,
    /// How many runs that took.
    pub(crate) runs: usize,
}

/// Shortens a case that breaks an invariant.
///
/// # Errors
/// When the simulation itself cannot work.
pub(crate) fn shrink(case: &Case, invariant: &str, template: &Template) -> Result<Shrunk> {
    let mut shrinker = Shrinker { invariant, template, runs: 0 };
    let outcome = run(case, template, false)?;
    let mut best = case.clone();
    let mut faults = best.faults.clone().unwrap_or(outcome.faults);
    for fault in faults.clone() {
        let fewer: Vec<_> = faults.iter().copied().filter(|other| *other != fault).collect();
        let candidate = Case { faults: Some(fewer.clone()), ..best.clone() };
        if shrinker.still_fails(&candidate)? {
            (best, faults) = (candidate, fewer);
        }
    }
    let all = || (0..outcome.operations).collect::<BTreeSet<_>>();
    let mut operations: Vec<usize> = best.operations.clone().unwrap_or_else(all).into_iter().collect();
    let mut size = operations.len().div_ceil(2);
    while size > 0 && !operations.is_empty() {
        let mut start = 0;
        while start < operations.len() {
            let end = (start + size).min(operations.len());
            let fewer: Vec<usize> = [&operations[..start], &operations[end..]].concat();
            let candidate = Case { operations: Some(fewer.iter().copied().collect()), ..best.clone() };
            if shrinker.still_fails(&candidate)? {
                (best, operations) = (candidate, fewer);
            } else {
                start = end;
            }
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    Ok(Shrunk { case: best, runs: shrinker.runs })
}

struct Shrinker<'a> {
    invariant: &'a str,
    template: &'a Template,
    runs: usize,
}

impl Shrinker<'_> {
    fn still_fails(&mut self, case: &Case) -> Result<bool> {
        if self.runs >= MAX_RUNS {
            return Ok(false);
        }
        self.runs += 1;
        let outcome = run(case, self.template, false)?;
        Ok(outcome.violations.iter().any(|violation| violation.invariant == self.invariant))
    }
}

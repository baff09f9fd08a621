//! Many runs: a range of seeds on all processors, what they add up to, and the first that fails.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use shop_local::template::Template;

use crate::case::Case;
use crate::coverage::Coverage;
use crate::faults::Fault;
use crate::run::run;
use crate::violation::Violation;

#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) case: Case,
    pub(crate) violations: Vec<Violation>,
}

/// What many runs add up to.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    /// How many runs there were.
    pub(crate) runs: u64,
    /// How many orders were asked for.
    pub(crate) orders: u64,
    /// How many events there were.
    pub(crate) events: u64,
    /// How often each fault was injected.
    pub(crate) injected: BTreeMap<Fault, u64>,
    /// All calls, and the crashes at them.
    pub(crate) coverage: Coverage,
    /// The failures, by seed.
    pub(crate) failures: BTreeMap<u64, Failure>,
}

/// Runs a case for each seed of a range, on so many threads.
///
/// With `stop` it ends with the first failure: seeds after the lowest failing one may be left out, seeds before
/// it never are. `progress` is told of every so many runs.
///
/// # Errors
/// When the simulation itself cannot work.
pub(crate) fn campaign(
    seeds: Range<u64>,
    threads: usize,
    template: &Template,
    stop: bool,
    case_of: &(dyn Fn(u64) -> Case + Sync),
    progress: &(dyn Fn(u64, f64) + Sync),
) -> Result<Sum> {
    let next = AtomicU64::new(seeds.start);
    let is_over = AtomicBool::new(false);
    let sum = Mutex::new(Sum::default());
    let begun = Instant::now();
    let work = || -> Result<()> {
        while !is_over.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let case = case_of(seed);
            let outcome = run(&case, template, false).with_context(|| format!("{case}"))?;
            let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            sum.runs += 1;
            sum.orders += u64::try_from(outcome.orders)?;
            sum.events += u64::try_from(outcome.events)?;
            for (fault, times) in outcome.injected {
                *sum.injected.entry(fault).or_default() += times;
            }
            sum.coverage.add(outcome.coverage);
            if !outcome.violations.is_empty() {
                sum.failures.insert(seed, Failure { case, violations: outcome.violations });
                is_over.fetch_or(stop, Ordering::Relaxed);
            }
            progress(sum.runs, begun.elapsed().as_secs_f64());
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a run panicked"))?)
    })?;
    Ok(sum.into_inner().unwrap_or_else(PoisonError::into_inner))
}

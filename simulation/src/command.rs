//! `cargo xtask simulate`: runs seeds, replays failures, shows that mutants are caught, and that functions
//! have died at every AWS call (docs/reliability.md).

mod report;

use std::collections::BTreeSet;
use std::ops::Range;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::campaign::{Failure, Sum, campaign};
use crate::case::Case;
use crate::coverage::CrashPoint;
use crate::faults::Fault;
use crate::mutants::{self, Mutant};
use crate::order_trace;
use crate::run::{run, template};
use crate::shrink::shrink;
use crate::violation::Violation;
use anyhow::{Context, Result, bail};
use clap::Parser;
use shop_local::template::Template;

/// How many seeds run without a choice.
const SEEDS: u64 = 1000;
/// Of so many crash points one may be left at which no function has died.
const UNREACHED_ONE_IN: usize = 100;
/// Within how many seeds a mutant must be caught.
const MUTANT_SEEDS: u64 = 200;

/// The whole shop under a seed, with everything going wrong that may.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
struct Arguments {
    /// The seeds, as 0..1000; 1,000 fresh ones without
    #[arg(long, value_parser = range)]
    seeds: Option<Range<u64>>,
    /// Put this mutant into the wire; the run is red when it is caught, as it must be
    #[arg(long)]
    mutant: Option<String>,
    /// Put in every mutant, one after the other: each must be caught within 200 seeds
    #[arg(long)]
    mutants: bool,
    /// Only these faults, as throttling,stale-reads; `none` for none
    #[arg(long)]
    faults: Option<String>,
    /// Only these operations of the seed's people, by number
    #[arg(long)]
    operations: Option<String>,
    /// Let a function die at this call, as a failure prints it
    #[arg(long)]
    crash: Vec<CrashPoint>,
    /// Print everything that happens in the first seed
    #[arg(long)]
    trace: bool,
    /// Go on after a failure, and do not shorten it
    #[arg(long)]
    keep_going: bool,
    /// Print every crash point
    #[arg(long)]
    crash_points: bool,
    /// Print the faults, the invariants and the mutants
    #[arg(long)]
    list: bool,
    /// How many seeds run at once
    #[arg(long)]
    threads: Option<usize>,
}

/// Runs the command that this process was started as.
#[must_use]
pub fn command() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments {
        Arguments { list: true, .. } => {
            report::list();
            Ok(true)
        }
        Arguments { mutants: true, .. } => {
            Simulator::new(arguments).and_then(|simulator| simulator.mutants())
        }
        Arguments { trace: true, .. } => Simulator::new(arguments).and_then(|simulator| simulator.trace()),
        _ => Simulator::new(arguments).and_then(|simulator| simulator.seeds()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn range(text: &str) -> Result<Range<u64>, String> {
    let (start, end) = text.split_once("..").ok_or("a range is written as 0..1000")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| error.to_string());
    Ok(number(start)?..number(end)?)
}

struct Simulator {
    arguments: Arguments,
    template: Template,
    seeds: Range<u64>,
    pattern: Case,
    threads: usize,
}

impl Simulator {
    fn new(arguments: Arguments) -> Result<Self> {
        let seeds = arguments.seeds.clone().map_or_else(fresh, Ok)?;
        let threads =
            arguments.threads.map_or_else(|| std::thread::available_parallelism().map(Into::into), Ok)?;
        let faults = arguments.faults.as_deref().map(faults).transpose()?;
        let operations = arguments.operations.as_deref().map(numbers).transpose()?;
        let mutant = arguments.mutant.as_deref().map(named).transpose()?;
        let pattern = Case { seed: 0, operations, faults, mutant, crashes: arguments.crash.clone() };
        Ok(Self { arguments, template: template()?, seeds, pattern, threads })
    }

    fn case(&self, seed: u64) -> Case {
        Case { seed, ..self.pattern.clone() }
    }

    /// Runs the seeds, then crashes where no run has crashed. Whether all is well.
    fn seeds(&self) -> Result<bool> {
        let Range { start, end } = self.seeds;
        println!("seeds {start}..{end} on {} threads", self.threads);
        let begun = Instant::now();
        let stop = !self.arguments.keep_going;
        let case_of = |seed| self.case(seed);
        let mut sum =
            campaign(self.seeds.clone(), self.threads, &self.template, stop, &case_of, &report::progress)?;
        report::summarise(&sum, begun);
        if self.is_whole() && sum.failures.is_empty() {
            self.crash_everywhere(&mut sum)?;
        }
        if self.arguments.crash_points {
            println!("{}", report::table(&sum.coverage));
        }
        // What failed is told last, where it is seen; crashes are looked for only where nothing has failed.
        let is_covered = self.is_whole() && sum.failures.is_empty();
        let missing = if is_covered { sum.coverage.missing() } else { Vec::new() };
        for (point, witness) in &missing {
            println!("no function has died {point} (seed {})", witness.seed);
        }
        for failure in sum.failures.values() {
            report::failure(failure);
        }
        if let Some(failure) = sum.failures.values().next().filter(|_| stop) {
            self.explain(failure)?;
        }
        let points = 2 * sum.coverage.0.len();
        println!(
            "{} seeds, {} failed; {} of {points} crash points covered",
            sum.runs,
            sum.failures.len(),
            points - missing.len()
        );
        // A call of a shape that one seed in hundreds makes may not be made again in the run that is to die at it.
        let is_covered = missing.len() * UNREACHED_ONE_IN <= points;
        Ok(sum.failures.is_empty() && is_covered)
    }

    /// Whether the runs are whole, so that what they cover says something.
    fn is_whole(&self) -> bool {
        let Case { operations, faults, mutant, crashes, .. } = &self.pattern;
        operations.is_none() && faults.is_none() && mutant.is_none() && crashes.is_empty()
    }

    /// Runs cases once more, with a crash where none has been yet. That may lead to calls that no run has made
    /// before, so it goes on until nothing is left, or nothing is won.
    fn crash_everywhere(&self, sum: &mut Sum) -> Result<()> {
        let mut before = Vec::new();
        loop {
            let missing = sum.coverage.missing();
            if missing == before {
                return Ok(());
            }
            println!("{} crash points are left: a run for each", missing.len());
            before.clone_from(&missing);
            let case_of = |number: u64| {
                let number = usize::try_from(number).unwrap_or_default();
                let (point, witness) = &missing[number];
                let crashes = [witness.crashes.as_slice(), std::slice::from_ref(point)].concat();
                Case { crashes, ..self.case(witness.seed) }
            };
            let runs = 0..u64::try_from(missing.len())?;
            let crashed = campaign(runs, self.threads, &self.template, false, &case_of, &|_, _| {})?;
            sum.coverage.add(crashed.coverage);
            sum.failures.extend(crashed.failures);
        }
    }

    /// Puts in every mutant. Whether each is caught.
    fn mutants(&self) -> Result<bool> {
        let mut missed = 0;
        for mutant in mutants::all() {
            let start = self.seeds.start;
            let seeds = start..start + MUTANT_SEEDS;
            let case_of = |seed| Case { mutant: Some(mutant), ..self.case(seed) };
            let sum = campaign(seeds, self.threads, &self.template, true, &case_of, &|_, _| {})?;
            if let Some(failure) = sum.failures.values().next() {
                let after = failure.case.seed - start + 1;
                let invariants: BTreeSet<_> =
                    failure.violations.iter().map(|violation| violation.invariant).collect();
                let invariants: Vec<_> = invariants.into_iter().collect();
                println!("caught   {:30} after {after:3} seeds: {}", mutant.name, invariants.join(", "));
            } else {
                missed += 1;
                println!("MISSED   {:30} in {MUTANT_SEEDS} seeds: {}", mutant.name, mutant.stands_for);
            }
        }
        println!("{} mutants caught, {missed} missed", mutants::all().len() - missed);
        Ok(missed == 0)
    }

    fn trace(&self) -> Result<bool> {
        let outcome = run(&self.case(self.seeds.start), &self.template, true)?;
        println!("{}", outcome.trace.unwrap_or_default());
        for violation in &outcome.violations {
            eprintln!("{violation}");
        }
        Ok(outcome.violations.is_empty())
    }

    /// Prints the shortest run found that fails like this one, and the trace of its order.
    fn explain(&self, failure: &Failure) -> Result<()> {
        // One that names an order has a trace.
        let names_order = |violation: &&Violation| order_trace::order_in(&violation.seen).is_some();
        let violations = &failure.violations;
        let Some(first) = violations.iter().find(names_order).or(violations.first()) else { return Ok(()) };
        let shrunk = shrink(&failure.case, first.invariant, &self.template)?;
        println!(
            "\nthe shortest run found in {} that fails so:\n  cargo xtask simulate {}",
            shrunk.runs, shrunk.case
        );
        let outcome = run(&shrunk.case, &self.template, true)?;
        let same = outcome.violations.iter().find(|violation| violation.invariant == first.invariant);
        let violation = same.context("the same case is not the same run")?;
        println!("  {violation}");
        report::order_trace(violation, &outcome.trace.unwrap_or_default());
        Ok(())
    }
}

/// Seeds that nobody has run: from the time, so that each run of CI adds to the last.
fn fresh() -> Result<Range<u64>> {
    let start = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() * SEEDS;
    Ok(start..start + SEEDS)
}

fn faults(text: &str) -> Result<Vec<Fault>> {
    if text == "none" {
        return Ok(Vec::new());
    }
    text.split(',').map(|name| name.parse().map_err(anyhow::Error::msg)).collect()
}

fn numbers(text: &str) -> Result<BTreeSet<usize>> {
    let numbers = text.split(',').filter(|text| !text.is_empty());
    numbers.map(|text| text.parse().with_context(|| text.to_owned())).collect()
}

fn named(name: &str) -> Result<&'static Mutant> {
    match mutants::find(name) {
        Some(mutant) => Ok(mutant),
        None => bail!("there is no mutant {name}; --list prints them"),
    }
}

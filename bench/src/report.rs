//! The figures, their targets, and the baseline that they are held against. Whole numbers only.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// Exact, on every machine: anything else fails the run.
    Exactly(u64),
    /// A size, the same on every machine: more fails the run.
    NoMoreThan(u64),
    /// A time or a size that depends on the machine.
    About(Bound),
    /// Shown for what it is.
    None,
}

/// A target that a slow or busy machine may miss.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    AtLeast(u64),
    AtMost(u64),
}

#[derive(Debug)]
struct Figure {
    name: String,
    unit: &'static str,
    value: u64,
    target: Target,
}

/// The figures of the last run that was saved, and where it ran.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Baseline {
    machine: Machine,
    figures: BTreeMap<String, u64>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Machine {
    processors: usize,
    architecture: String,
    system: String,
}

/// All figures of a run.
#[derive(Debug)]
pub(crate) struct Report {
    path: PathBuf,
    baseline: Baseline,
    figures: Vec<Figure>,
}

impl Report {
    /// A report without figures; the baseline is read, where there is one.
    pub(crate) fn new(root: &Path) -> Result<Self> {
        let path = root.join("bench/baseline.json");
        let baseline = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("{}", path.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Baseline::default(),
            Err(error) => return Err(error).with_context(|| format!("{}", path.display())),
        };
        Ok(Self { path, baseline, figures: Vec::new() })
    }

    /// Adds a figure.
    pub(crate) fn add(&mut self, name: impl Into<String>, unit: &'static str, value: u64, target: Target) {
        self.figures.push(Figure { name: name.into(), unit, value, target });
    }

    /// Whether every figure that does not depend on the machine meets its target.
    pub(crate) fn holds(&self) -> bool {
        self.figures.iter().all(|figure| match figure.target {
            Target::Exactly(_) | Target::NoMoreThan(_) => figure.meets(),
            Target::About(_) | Target::None => true,
        })
    }

    /// Prints the figures; whether they hold.
    pub(crate) fn finish(&self) -> Result<ExitCode> {
        self.print()?;
        Ok(if self.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Prints the figures as a table.
    fn print(&self) -> Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "\n{:<52} {:>10} {:>10} {:>12}  ", "figure", "measured", "baseline", "target")?;
        for figure in &self.figures {
            let Figure { name, unit, value, target } = figure;
            let baseline = self.baseline.figures.get(name).map_or("-".to_owned(), u64::to_string);
            let target = match *target {
                Target::Exactly(bound) => format!("= {bound}"),
                Target::NoMoreThan(bound) | Target::About(Bound::AtMost(bound)) => format!("<= {bound}"),
                Target::About(Bound::AtLeast(bound)) => format!(">= {bound}"),
                Target::None => String::new(),
            };
            let verdict = if figure.meets() { "" } else { "MISSED" };
            let name = format!("{name} [{unit}]");
            writeln!(out, "{name:<52} {value:>10} {baseline:>10} {target:>12}  {verdict}")?;
        }
        out.flush().context("standard output")
    }

    /// Makes the figures the baseline.
    pub(crate) fn save(&self) -> Result<()> {
        let machine = Machine {
            processors: available_parallelism().context("the number of processors")?.get(),
            architecture: std::env::consts::ARCH.to_owned(),
            system: std::env::consts::OS.to_owned(),
        };
        let figures = self.figures.iter().map(|figure| (figure.name.clone(), figure.value)).collect();
        let mut text = serde_json::to_string_pretty(&Baseline { machine, figures })?;
        text.push('\n');
        fs::write(&self.path, text).with_context(|| format!("{}", self.path.display()))
    }
}

impl Figure {
    fn meets(&self) -> bool {
        match self.target {
            Target::Exactly(bound) => self.value == bound,
            Target::NoMoreThan(bound) | Target::About(Bound::AtMost(bound)) => self.value <= bound,
            Target::About(Bound::AtLeast(bound)) => self.value >= bound,
            Target::None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(figures: &[(u64, Target)]) -> Report {
        let mut report = Report { path: PathBuf::new(), baseline: Baseline::default(), figures: Vec::new() };
        for (value, target) in figures {
            report.add("figure", "unit", *value, *target);
        }
        report
    }

    #[test]
    fn a_count_or_a_size_that_misses_its_target_fails_the_run() {
        assert!(report(&[(1, Target::Exactly(1)), (8, Target::NoMoreThan(8))]).holds());
        assert!(!report(&[(1, Target::Exactly(1)), (2, Target::Exactly(1))]).holds());
        assert!(!report(&[(9, Target::NoMoreThan(8))]).holds());
    }

    #[test]
    fn a_slow_machine_fails_nothing() {
        let slow = report(&[
            (10, Target::About(Bound::AtLeast(250))),
            (9000, Target::About(Bound::AtMost(1000))),
            (7, Target::None),
        ]);
        assert!(slow.holds());
        assert!(!slow.figures[0].meets());
        assert!(!slow.figures[1].meets());
    }
}

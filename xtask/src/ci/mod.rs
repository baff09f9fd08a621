//! `cargo xtask ci`: everything that must hold, as `.ci/run` runs it. Quick steps come first, and the first
//! that fails ends the run. What only computes runs beside those that wait for servers and browsers.

mod dependencies;
mod steps;

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::cargo::cargo;
use crate::process::{self, Server};
use crate::project::Project;
use steps::{BEGINS_TO_WAIT, STEPS};

/// One thing that must hold.
struct Step {
    name: &'static str,
    turn: Turn,
    run: fn(&Project) -> Result<()>,
}

/// When a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// After the one before it.
    Here,
    /// After the one before it that runs beside, from [`BEGINS_TO_WAIT`] on, with what the processors have to spare.
    Beside,
}

/// What all those are called that run beside.
const BESIDE: &str = "what ran beside";

/// Runs every step whose name contains `only`, and ends with a line that counts them; or just those that run beside.
///
/// # Errors
/// The first step's that fails.
pub(crate) fn ci(project: &Project, only: &str, beside: bool) -> Result<()> {
    let is_whole = only.is_empty() && !beside;
    let chosen = STEPS.iter().filter(|step| step.name.contains(only));
    let chosen = chosen.filter(|step| !beside && !is_whole || (step.turn == Turn::Beside) == beside);
    let mut run = Progress { project, took: Vec::new(), passed: 0, begun: Instant::now() };
    let mut others: Option<Server> = None;
    for step in chosen {
        if is_whole && step.name == BEGINS_TO_WAIT {
            others = Some(start_others(project)?);
        }
        run.step(step.name, || (step.run)(project))?;
        if let Some(Err(error)) = others.as_mut().map(Server::check_not_failed) {
            return Err(run.failed(BESIDE, &error));
        }
    }
    if let Some(others) = others {
        run.step(BESIDE, || others.finish())?;
    }
    run.summarise();
    println!("\n{} passed, 0 failed", run.passed);
    Ok(())
}

/// Runs what runs beside, one step after the other.
fn start_others(project: &Project) -> Result<Server> {
    let mut command = cargo(project);
    command.args(["run", "--quiet", "--bin", "xtask", "--", "ci", "--beside"]);
    let log = project.workshop().join("ci-beside.log");
    Server::start(BESIDE, &mut process::with_low_priority(&command), &log)
}

/// What has run so far.
struct Progress<'a> {
    project: &'a Project,
    took: Vec<(&'static str, Duration)>,
    passed: usize,
    begun: Instant,
}

impl Progress<'_> {
    /// Runs a step.
    fn step(&mut self, name: &'static str, run: impl FnOnce() -> Result<()>) -> Result<()> {
        println!("\n==> {name}");
        let started = Instant::now();
        let result = run();
        self.took.push((name, started.elapsed()));
        result.map_err(|error| self.failed(name, &error))?;
        self.passed += 1;
        Ok(())
    }

    /// Says how it ended; the error of the whole run.
    fn failed(&self, name: &str, error: &anyhow::Error) -> anyhow::Error {
        eprintln!("{error:#}");
        self.summarise();
        println!("\n{} passed, 1 failed", self.passed);
        anyhow!("{name} failed")
    }

    /// What each step took, and what is left of the disk: programs that cannot write seldom say why.
    fn summarise(&self) {
        println!("\n==> durations");
        for (name, duration) in self.took.iter().copied().chain([("in all", self.begun.elapsed())]) {
            println!("{:>6}.{} s  {name}", duration.as_secs(), duration.subsec_millis() / 100);
        }
        match process::output(Command::new("df").arg("-h").arg(self.project.root())) {
            Ok(disk) => println!("\n{}", disk.trim_end()),
            Err(error) => eprintln!("{error:#}"),
        }
    }
}

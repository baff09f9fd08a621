//! `cargo xtask ci`: everything that must hold, as `.ci/run` runs it. Quick steps come first, and the first
//! that fails ends the run. What only computes runs beside those that wait for servers.

mod dependencies;
mod steps;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::process::{self, Server};
use crate::project::Project;

/// One thing that must hold.
struct Step {
    name: &'static str,
    run: Run,
}

/// How a step is run.
enum Run {
    /// In its turn.
    Here(fn(&Project) -> Result<()>),
    /// From [`steps::BEGINS_TO_WAIT`] on, with what the processors have to spare. Its turn waits for its end.
    Beside(fn(&Project) -> Command),
}

/// Runs every step whose name contains `only`, and ends with a line that counts them.
///
/// # Errors
/// The first step's that fails.
pub(crate) fn ci(project: &Project, only: &str) -> Result<()> {
    let mut took: Vec<(&str, Duration)> = Vec::new();
    let begun = Instant::now();
    let mut beside = BTreeMap::new();
    for step in steps::STEPS.iter().filter(|step| step.name.contains(only)) {
        println!("\n==> {}", step.name);
        // Whoever runs one step waits for what that needs, and for nothing else.
        if only.is_empty() && step.name == steps::BEGINS_TO_WAIT {
            beside = begin_beside(project)?;
        }
        let started = Instant::now();
        let result = run(project, step, &mut beside);
        took.push((step.name, started.elapsed()));
        if let Err(error) = &result {
            eprintln!("{error:#}");
            summarise(project, &took, begun.elapsed());
            println!("\n{} passed, 1 failed", took.len() - 1);
            bail!("{} failed", step.name);
        }
    }
    summarise(project, &took, begun.elapsed());
    println!("\n{} passed, 0 failed", took.len());
    Ok(())
}

fn begin_beside(project: &Project) -> Result<BTreeMap<&'static str, Server>> {
    let mut beside = BTreeMap::new();
    for (number, step) in steps::STEPS.iter().enumerate() {
        if let Run::Beside(command) = step.run {
            let log = project.workshop().join(format!("ci-step-{number}.log"));
            let mut command = process::with_low_priority(&command(project));
            beside.insert(step.name, Server::start(step.name, &mut command, &log)?);
        }
    }
    Ok(beside)
}

fn run(project: &Project, step: &Step, beside: &mut BTreeMap<&'static str, Server>) -> Result<()> {
    for server in beside.values_mut() {
        server.check_not_failed()?;
    }
    match (&step.run, beside.remove(step.name)) {
        (Run::Here(run), _) => run(project),
        (Run::Beside(_), Some(server)) => server.finish(),
        (Run::Beside(command), None) => process::run(&mut command(project)),
    }
}

/// What each step took, and what is left of the disk: programs that cannot write seldom say why.
fn summarise(project: &Project, took: &[(&str, Duration)], whole: Duration) {
    println!("\n==> durations");
    for (name, duration) in took.iter().copied().chain([("in all", whole)]) {
        println!("{:>6}.{} s  {name}", duration.as_secs(), duration.subsec_millis() / 100);
    }
    match process::output(Command::new("df").arg("-h").arg(project.root())) {
        Ok(disk) => println!("\n{}", disk.trim_end()),
        Err(error) => eprintln!("{error:#}"),
    }
}

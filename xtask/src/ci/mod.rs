//! `cargo xtask ci`: everything that must hold, as `.ci/run` runs it. Quick steps come first, and the first
//! that fails ends the run.

mod dependencies;
mod steps;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::project::Project;

/// One thing that must hold.
struct Step {
    name: &'static str,
    run: fn(&Project) -> Result<()>,
}

/// Runs every step whose name contains `only`, and ends with a line that counts them.
///
/// # Errors
/// The first step's that fails.
pub(crate) fn ci(project: &Project, only: &str) -> Result<()> {
    let mut took: Vec<(&str, Duration)> = Vec::new();
    let begun = Instant::now();
    for step in steps::STEPS.iter().filter(|step| step.name.contains(only)) {
        println!("\n==> {}", step.name);
        let started = Instant::now();
        let result = (step.run)(project);
        took.push((step.name, started.elapsed()));
        if let Err(error) = &result {
            eprintln!("{error:#}");
            summarise(&took, begun.elapsed());
            println!("\n{} passed, 1 failed", took.len() - 1);
            bail!("{} failed", step.name);
        }
    }
    summarise(&took, begun.elapsed());
    println!("\n{} passed, 0 failed", took.len());
    Ok(())
}

fn summarise(took: &[(&str, Duration)], whole: Duration) {
    println!("\n==> durations");
    for (name, duration) in took.iter().copied().chain([("in all", whole)]) {
        println!("{:>6}.{} s  {name}", duration.as_secs(), duration.subsec_millis() / 100);
    }
}

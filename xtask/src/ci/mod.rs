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
    let mut beside = None;
    for step in steps::STEPS.iter().filter(|step| step.name.contains(only)) {
        println!("\n==> {}", step.name);
        // Whoever runs one step waits for what that needs, and for nothing else.
        if only.is_empty() && step.name == steps::BEGINS_TO_WAIT {
            beside = Some(steps::build_beside(project)?);
        }
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
    drop(beside);
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

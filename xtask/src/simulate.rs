//! `cargo xtask simulate`: the fault simulation of simulation/, optimised.

use std::process::Command;

use anyhow::Result;

use crate::cargo::cargo;
use crate::process;
use crate::project::Project;

/// Runs the simulation in its own profile; `arguments` are its own.
///
/// # Errors
/// When the build fails, or something did not hold.
pub(crate) fn simulate(project: &Project, arguments: &[String]) -> Result<()> {
    process::run(&mut command(project, arguments))
}

/// The same as a command.
pub(crate) fn command(project: &Project, arguments: &[String]) -> Command {
    let mut command = cargo(project);
    command.args(["run", "--quiet", "--profile", "simulation", "--bin", "simulate", "--"]);
    command.args(arguments);
    command
}

//! `cargo xtask simulate`: the fault simulation of simulation/, optimised.

use anyhow::Result;

use crate::cargo::cargo;
use crate::process;
use crate::project::Project;

/// Runs the simulation in its own profile; `arguments` are its own.
///
/// # Errors
/// When the build fails, or something did not hold.
pub(crate) fn simulate(project: &Project, arguments: &[String]) -> Result<()> {
    let mut command = cargo(project);
    command.args(["run", "--quiet", "--profile", "simulation", "--bin", "simulate", "--"]);
    process::run(command.args(arguments))
}

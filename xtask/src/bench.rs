//! `cargo xtask bench`: the measurements of bench/, against their baselines.

use anyhow::Result;

use crate::cargo::cargo;
use crate::process;
use crate::project::Project;

/// Runs the measurements in the release profile; `arguments` are theirs.
///
/// # Errors
/// When the build or a measurement fails.
pub(crate) fn bench(project: &Project, arguments: &[String]) -> Result<()> {
    process::run(cargo(project).args(["run", "--release", "--bin", "shop-bench", "--"]).args(arguments))
}

//! `cargo xtask bench`: the measurements of bench/, against their baselines.

use anyhow::Result;

use crate::cargo::cargo;
use crate::process;
use crate::project::Project;
use crate::sizes;

/// What `--starts` measures (bench/src/starts.rs).
const STARTED: [&str; 3] = ["create-order", "get-product", "reserve-stock"];

/// Runs the measurements in the release profile; `arguments` are theirs.
///
/// # Errors
/// When the build or a measurement fails.
pub(crate) fn bench(project: &Project, arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--starts") {
        process::run(&mut sizes::build(project, &STARTED)?)?;
    }
    process::run(cargo(project).args(["run", "--release", "--bin", "shop-bench", "--"]).args(arguments))
}

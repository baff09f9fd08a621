//! `cargo xtask bench`: the measurements of bench/, against their baselines.

use anyhow::Result;

use crate::cargo::{cargo, for_deployment};
use crate::process;
use crate::project::Project;
use crate::sizes;

/// What `--starts` measures (bench/src/starts.rs), beside a hello world.
const STARTED: [&str; 3] = ["create-order", "get-product", "reserve-stock"];

/// Runs the measurements in the release profile; `arguments` are theirs.
///
/// # Errors
/// When the build or a measurement fails.
pub(crate) fn bench(project: &Project, arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|argument| argument == "--starts") {
        process::run(&mut sizes::build(project, &STARTED)?)?;
        let mut hello_world = cargo(project);
        hello_world.args(["build", "--release", "--package", "shop-lambda", "--example", "hello-world"]);
        process::run(for_deployment(&mut hello_world))?;
    }
    process::run(cargo(project).args(["run", "--release", "--bin", "shop-bench", "--"]).args(arguments))
}

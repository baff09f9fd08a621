//! The acceptance script of the first order, where it is present: it lies beside the checkout, not in it.

use std::process::Command;

use anyhow::Result;

use crate::process;
use crate::project::Project;

/// Runs `../shared/acceptance/first-order.sh` against a shop that runs; says so when there is none.
///
/// # Errors
/// When it fails.
pub(crate) fn first_order(project: &Project, base_url: &str) -> Result<()> {
    let script = project.root().join("../shared/acceptance/first-order.sh");
    if !script.is_file() {
        println!("no {}: skipped", script.display());
        return Ok(());
    }
    process::run(Command::new("bash").arg(script).arg(base_url))
}

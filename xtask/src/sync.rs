//! `cargo xtask sync`: writes what follows from the registry of services and from template.yaml.

use anyhow::Result;

use crate::cargo::cargo;
use crate::process;
use crate::project::Project;

/// Writes it, or only says what differs. A binary of its own does it: it needs every service.
///
/// # Errors
/// When that does not build, or with `is_check` something differs.
pub(crate) fn sync(project: &Project, is_check: bool) -> Result<()> {
    let mut command = cargo(project);
    command.args(["run", "--quiet", "--bin", "sync", "--"]);
    process::run(command.args(is_check.then_some("--check")))
}

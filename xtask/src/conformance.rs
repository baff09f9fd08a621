//! `cargo xtask conformance`: what plays AWS, held to AWS's documentation (docs/conformance.md).

use std::process::Command;

use anyhow::Result;

use crate::cargo::build;
use crate::process;
use crate::project::Project;

/// Checks the embedded cloud, and what answers at `endpoint`, if one is given. The clients there have made-up
/// credentials, whatever the caller's own settings are. `emulator` tells whose differences are known.
///
/// # Errors
/// When the build fails, or somebody differs otherwise than known.
pub(crate) fn conformance(project: &Project, endpoint: Option<&str>, emulator: Option<&str>) -> Result<()> {
    let checks = build(project, &["conformance"])?.join("conformance");
    let mut command = Command::new(checks);
    command.current_dir(project.root());
    command.args(endpoint.into_iter().flat_map(|endpoint| ["--endpoint", endpoint]));
    process::run(command.args(emulator.into_iter().flat_map(|emulator| ["--emulator", emulator])))
}

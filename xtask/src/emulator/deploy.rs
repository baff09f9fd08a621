//! The deployment: `sam deploy` of the very same template, and the routes that the emulator leaves out.

use anyhow::Result;

use super::{Emulator, STACK};
use crate::process;
use crate::project::Project;
use crate::python::Environment;

/// Deploys template.yaml with samconfig.toml's environment `local`. What is deployed already is updated.
///
/// # Errors
/// When a step fails; each has said why.
pub(crate) fn deploy(project: &Project, emulator: &Emulator, sam: &Environment) -> Result<()> {
    let mut command = sam.command("sam");
    emulator.point(&mut command);
    command.current_dir(project.root()).args(["deploy", "--config-env", "local"]);
    // By itself it would take what an earlier `sam build` has left.
    command.args(["--template-file", "template.yaml"]);
    process::run_quietly(&mut command, &emulator.folder.join("deploy.log"))?;

    let mut command = sam.command("python");
    emulator.point(&mut command);
    command.current_dir(project.root()).args(["localstack/add_http_routes.py", STACK]);
    process::run(&mut command)
}

//! The deployment: `sam deploy` of the very same template, and the routes that the emulator leaves out.

use anyhow::{Context, Result, ensure};

use super::{Emulator, STACK};
use crate::process;
use crate::project::Project;
use crate::python::Environment;

/// What `add_http_routes.py` ends with where there is no HTTP API that could have routes.
const NO_HTTP_API: i32 = 3;

/// What became of the API's routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Routes {
    /// They are there.
    Made,
    /// The emulator has no HTTP API.
    NoApi,
}

/// Deploys template.yaml with samconfig.toml's environment `local`. What is deployed already is updated.
///
/// # Errors
/// When a step fails; each has said why.
pub(super) fn deploy(project: &Project, emulator: &Emulator, sam: &Environment) -> Result<Routes> {
    let mut command = sam.command("sam");
    emulator.point(&mut command);
    command.current_dir(project.root()).args(["deploy", "--config-env", "local"]);
    // By itself it would take what an earlier `sam build` has left.
    command.args(["--template-file", "template.yaml"]);
    process::run_quietly(&mut command, &emulator.folder.join("deploy.log"))?;

    let mut command = sam.command("python");
    emulator.point(&mut command);
    command.current_dir(project.root()).args(["localstack/add_http_routes.py", STACK]);
    let status = command.status().context("cannot start the environment's python")?;
    if status.code() == Some(NO_HTTP_API) {
        return Ok(Routes::NoApi);
    }
    ensure!(status.success(), "localstack/add_http_routes.py: {status}");
    Ok(Routes::Made)
}

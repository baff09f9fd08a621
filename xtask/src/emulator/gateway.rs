//! The gateway before the emulator: slashes, `/api`, the demo identity and the demo products, so that one
//! base URL behaves like the deployed shop's.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::{Emulator, Stack};
use crate::http;
use crate::process::Server;
use crate::project::Project;

/// The first request also starts a function in the emulator.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// Starts the gateway on a port and waits until the shop answers through it; gives its base URL.
///
/// # Errors
/// When it does not start, or the shop does not answer.
pub(crate) fn start(
    project: &Project,
    emulator: &Emulator,
    shop: &Path,
    stack: &Stack,
    port: u16,
) -> Result<(Server, String)> {
    let base_url = format!("http://127.0.0.1:{port}");
    let host = format!("{}.execute-api.localhost:{}", stack.api_id()?, emulator.port());
    let mut command = Command::new(shop);
    emulator.point(&mut command);
    command.current_dir(project.root()).args([
        "gateway",
        "--port",
        &port.to_string(),
        "--upstream",
        &emulator.endpoint(),
        "--host-header",
        &host,
    ]);
    for (flag, output) in [
        ("--secret-id", "TokenSecretArn"),
        ("--keys-table", "KeysTableName"),
        ("--users-table", "UsersTableName"),
        ("--admin-function", "CreateAdminFunctionName"),
        ("--token-issuer", "TokenIssuer"),
        ("--token-audience", "TokenAudience"),
    ] {
        command.args([flag, stack.output(output)?]);
    }
    let mut server = Server::start("the gateway", &mut command, &emulator.folder.join("gateway.log"))?;
    server.wait_until(START_PATIENCE, || http::answers(&format!("{base_url}/products")))?;
    Ok((server, base_url))
}

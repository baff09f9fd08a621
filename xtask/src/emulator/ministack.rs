//! `MiniStack`: a Python package, run without Docker, on the loopback only.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Emulator;
use crate::http;
use crate::process::Server;
use crate::project::Project;
use crate::python::Environment;

const START_PATIENCE: Duration = Duration::from_mins(1);

/// Starts MiniStack and waits until it answers.
///
/// # Errors
/// When it cannot be installed, its port is taken, or it does not start.
pub(crate) fn start(project: &Project, emulator: &Emulator) -> Result<Server> {
    let health = format!("{}/_ministack/health", emulator.endpoint());
    let environment = Environment::ministack(project)?;
    remove_temporary(emulator)?;
    let temporary = temporary(emulator);
    fs::create_dir_all(&temporary)?;
    let mut command = environment.command("ministack");
    emulator.point(&mut command);
    command
        .current_dir(project.root())
        .env("GATEWAY_PORT", emulator.port().to_string())
        .env("BIND_HOST", "127.0.0.1")
        .env("TMPDIR", &temporary)
        .env("MINISTACK_REGION", super::REGION)
        // Services with ports of their own, which are not bound to the loopback.
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("LOG_LEVEL", "WARNING");
    let mut server = Server::start("MiniStack", &mut command, &emulator.folder.join("ministack.log"))?;
    server.wait_until(START_PATIENCE, || http::answers(&health))?;
    Ok(server)
}

/// Where all goes that it writes: unpacked functions, its process id.
fn temporary(emulator: &Emulator) -> PathBuf {
    emulator.folder.join("tmp")
}

/// Removes what a stopped `MiniStack` has left.
///
/// # Errors
/// When it cannot be removed.
pub(super) fn remove_temporary(emulator: &Emulator) -> Result<()> {
    let temporary = temporary(emulator);
    match fs::remove_dir_all(&temporary) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", temporary.display()))
        }
        _ => Ok(()),
    }
}

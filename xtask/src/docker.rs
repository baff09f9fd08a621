//! Docker, for `sam local invoke`: the engine, and the image that Lambda's runtime comes in.

use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{self, Server};
use crate::project::Project;

const START_PATIENCE: Duration = Duration::from_mins(1);
/// What SAM CLI starts functions of `provided.al2023` in.
const IMAGE: &str = "public.ecr.aws/lambda/provided:al2023-x86_64";
/// The name that people use.
const IMAGE_ALIAS: &str = "public.ecr.aws/lambda/provided:al2023";
/// Where there is no way to the image: a system with the C library that the binaries were built with.
const STAND_IN: &str = "bookworm";

/// Starts the engine where none runs; it then stops with the value returned.
///
/// # Errors
/// When there is no engine, or it does not start.
pub(crate) fn engine(project: &Project) -> Result<Option<Server>> {
    if is_running() {
        return Ok(None);
    }
    let mut command = Command::new("dockerd");
    let mut server = Server::start("dockerd", &mut command, &project.workshop().join("dockerd.log"))
        .context("a Docker engine is needed, running or installed (Debian: docker.io)")?;
    server.wait_until(START_PATIENCE, is_running).context("dockerd needs root")?;
    Ok(Some(server))
}

fn is_running() -> bool {
    process::succeeds(docker().arg("info"))
}

/// The docker client.
pub(crate) fn docker() -> Command {
    Command::new("docker")
}

/// Sees to it that Lambda's image is there: pulled, or a stand-in of the same name.
///
/// # Errors
/// When there is neither.
pub(crate) fn image(project: &Project) -> Result<()> {
    if process::succeeds(docker().args(["image", "inspect", IMAGE])) {
        return Ok(());
    }
    if process::succeeds(docker().args(["pull", "--quiet", IMAGE])) {
        return process::run(docker().args(["tag", IMAGE, IMAGE_ALIAS]));
    }
    println!("{IMAGE} cannot be pulled; Debian {STAND_IN} stands in for it");
    let folder = project.workshop().join("image");
    fs::create_dir_all(&folder)?;
    let (system, archive) = (folder.join("system"), folder.join("system.tar"));
    let mut bootstrap = Command::new("debootstrap");
    // Every function makes a TLS client at its start, and that wants to know whom to trust.
    bootstrap.args(["--variant=minbase", "--include=ca-certificates", STAND_IN]).arg(&system);
    process::run_quietly(&mut bootstrap, &folder.join("debootstrap.log"))
        .context("debootstrap is needed, and root (Debian: debootstrap)")?;
    process::run(Command::new("tar").arg("-C").arg(&system).arg("-cf").arg(&archive).arg("."))?;
    process::run(docker().args(["import"]).arg(&archive).arg(IMAGE))?;
    process::run(docker().args(["tag", IMAGE, IMAGE_ALIAS]))?;
    fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))
}

/// The address at which a container of the default network reaches this machine: the engine tells it to a
/// container that asks for the name `host-gateway`. The image must be there.
///
/// # Errors
/// When it does not.
pub(crate) fn host_address() -> Result<Ipv4Addr> {
    let mut command = docker();
    command.args(["run", "--rm", "--add-host", "this-machine:host-gateway", "--entrypoint", "cat", IMAGE]);
    let hosts = process::output(command.arg("/etc/hosts"))?;
    let line = hosts.lines().find(|line| line.contains("this-machine")).context("Docker names no gateway")?;
    let address = line.split_whitespace().next().unwrap_or_default();
    address.parse().with_context(|| format!("{address} is no address"))
}

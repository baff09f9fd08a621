//! `cargo xtask emulator`: the same stack, deployed from the same template into an emulator on this machine.

mod deploy;
mod e2e;
mod gateway;
pub(crate) mod localstack;
mod ministack;
mod record;
mod stack;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::cargo::{build, build_functions};
use crate::http;
use crate::process::Server;
use crate::project::Project;
use crate::python::Environment;

pub(crate) use e2e::{checks, e2e};
pub(crate) use stack::Stack;

/// The stack's name in samconfig.toml's environment `local`.
pub(crate) const STACK: &str = "shop-local";
/// The region of that environment; the emulator keeps regions apart, as AWS does.
pub(crate) const REGION: &str = "us-east-1";
/// Where emulators of this kind listen.
pub(crate) const PORT: u16 = 4566;
/// Where the shop answers before the emulator of that port, so that its URL stays the same. `cargo run` has 8000.
const SHOP_PORT: u16 = 8001;

/// An emulator by the port that it listens on; its logs and records are kept per port.
#[derive(Clone, Debug)]
pub(crate) struct Emulator {
    port: u16,
    folder: PathBuf,
}

impl Emulator {
    /// The emulator of a port of the loopback.
    pub(crate) fn new(project: &Project, port: u16) -> Self {
        Self { port, folder: project.workshop().join(format!("emulator-{port}")) }
    }

    /// Where AWS services answer.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Points an AWS client at the emulator, whatever the caller's own settings are: nothing that these
    /// commands start may reach a real account.
    pub(crate) fn point(&self, command: &mut Command) {
        point_at(&self.endpoint(), command);
    }

    /// The port for its gateway: the one that it had before, or the usual one, or else a free one.
    fn shop_port(&self, before: Option<&str>) -> Result<u16> {
        let had = before.and_then(|base_url| base_url.rsplit(':').next()?.parse().ok());
        let usual = (self.port == PORT).then_some(SHOP_PORT);
        match had.into_iter().chain(usual).find(|port| http::is_free(*port)) {
            Some(port) => Ok(port),
            None => http::free_port(),
        }
    }

    /// The base URL of the gateway, if [`up`] has left one running here with its emulator.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(crate) fn base_url(&self) -> Result<Option<String>> {
        let record = record::Record::read(&self.folder)?;
        Ok(record.filter(record::Record::is_running).map(|record| record.base_url))
    }

    /// Whether [`up`] has left an emulator running here.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(crate) fn is_up(&self) -> Result<bool> {
        Ok(self.base_url()?.is_some())
    }

    /// The deployed stack, as the emulator describes it.
    ///
    /// # Errors
    /// When it is not up, or cannot be asked.
    pub(crate) fn stack(&self, project: &Project) -> Result<Stack> {
        self.ensure_is_up()?;
        Stack::describe(project, self)
    }

    /// Makes sure that [`up`] has left an emulator running here.
    ///
    /// # Errors
    /// When it has not.
    pub(crate) fn ensure_is_up(&self) -> Result<()> {
        ensure!(
            self.is_up()?,
            "no emulator runs at {}: `cargo xtask emulator up` starts one",
            self.endpoint()
        );
        Ok(())
    }
}

/// Points an AWS client at an emulator, whatever the caller's own settings are.
pub(crate) fn point_at(endpoint: &str, command: &mut Command) {
    for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"] {
        command.env_remove(name);
    }
    command
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION);
}

/// A gateway and, where none ran before, an emulator; both are stopped with this value.
#[derive(Debug)]
struct Running {
    base_url: String,
    servers: Vec<Server>,
}

/// Starts the emulator where none runs, builds all functions, deploys the template, and starts the
/// gateway before it. Run again, it deploys again. All of it stays up; returns the gateway's base URL.
///
/// # Errors
/// When a step fails. What was started is stopped then.
pub(crate) fn up(project: &Project, emulator: &Emulator) -> Result<String> {
    let running = start(project, emulator)?;
    running.servers.into_iter().for_each(Server::leave);
    Ok(running.base_url)
}

fn start(project: &Project, emulator: &Emulator) -> Result<Running> {
    let before = record::Record::read(&emulator.folder)?;
    // Before minutes are spent on building.
    if before.as_ref().and_then(record::Record::running_ministack).is_none()
        && !http::is_free(emulator.port())
    {
        bail!(
            "port {} is taken by something that this checkout did not start: stop it, or choose another --port",
            emulator.port()
        );
    }
    let sam = Environment::sam(project)?;
    build_functions(project)?;
    let shop = build(project, &["shop"])?.join("shop");
    let mut servers = Vec::new();
    let ministack = if let Some(process) = before.as_ref().and_then(record::Record::running_ministack) {
        process
    } else {
        down(emulator)?;
        let server = ministack::start(project, emulator)?;
        let process = record::Process::of(server.pid())?;
        servers.push(server);
        process
    };
    deploy::deploy(project, emulator, &sam)?;
    let stack = Stack::describe(project, emulator)?;
    // The one that ran knows the old stack.
    if let Some(process) = before.clone().and_then(record::Record::running_gateway) {
        process.stop()?;
    }
    let port = emulator.shop_port(before.as_ref().map(|record| record.base_url.as_str()))?;
    let (server, base_url) = gateway::start(project, emulator, &shop, &stack, port)?;
    let gateway = record::Process::of(server.pid())?;
    servers.insert(0, server);
    record::Record { ministack, gateway, base_url: base_url.clone() }.write(&emulator.folder)?;
    Ok(Running { base_url, servers })
}

/// Deploys the template again into an emulator that is up, with the functions as they were built last.
///
/// # Errors
/// When a step fails.
pub(crate) fn deploy_again(project: &Project, emulator: &Emulator) -> Result<()> {
    deploy::deploy(project, emulator, &Environment::sam(project)?).map(drop)
}

/// Runs `work` with an emulator, given the base URL of its gateway: one that is up as it is, or one that
/// is brought up for this, and stopped again however this command ends.
///
/// # Errors
/// When the emulator or the work fails.
pub(crate) fn with_emulator(
    project: &Project,
    emulator: &Emulator,
    work: impl FnOnce(&str) -> Result<()>,
) -> Result<()> {
    if let Some(base_url) = emulator.base_url()? {
        return work(&base_url);
    }
    let running = start(project, emulator)?;
    let worked = work(&running.base_url);
    drop(running);
    // What the record names beyond that, and the record itself. The failure of the work comes first.
    let cleared = down(emulator);
    worked.and(cleared)
}

/// Stops what [`up`] started; nothing to stop is fine.
///
/// # Errors
/// When something does not stop, or the record cannot be read or removed.
pub(crate) fn down(emulator: &Emulator) -> Result<()> {
    localstack::down(emulator)?;
    let Some(record) = record::Record::read(&emulator.folder)? else { return Ok(()) };
    record.gateway.stop()?;
    record.ministack.stop()?;
    ministack::remove_temporary(emulator)?;
    record::Record::remove(&emulator.folder)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;

    #[test]
    fn the_shop_s_url_stays_unless_somebody_else_has_its_port() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listener.local_addr().unwrap().port();
        let free = http::free_port().unwrap();
        let emulator = |port| Emulator { port, folder: PathBuf::new() };
        let url = |port| format!("http://localhost:{port}");
        // Whichever it had before is it again.
        assert_eq!(emulator(4567).shop_port(Some(&url(free))).unwrap(), free);
        assert_eq!(emulator(PORT).shop_port(Some(&url(free))).unwrap(), free);
        // Of an emulator at the usual port it is a known one from the first start on.
        if http::is_free(SHOP_PORT) {
            assert_eq!(emulator(PORT).shop_port(None).unwrap(), SHOP_PORT);
        }
        let other = emulator(4567).shop_port(Some(&url(taken))).unwrap();
        assert!(other != taken && http::is_free(other));
    }
}

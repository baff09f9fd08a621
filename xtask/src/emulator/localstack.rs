//! LocalStack 4.14, the last release that runs without an account: tables, topic, queues, secrets and functions, and
//! no HTTP API (v2), so there is no gateway before it.
//!
//! It is a Python package as `MiniStack` is, but runs functions in containers, and makes those ready when a function is
//! created: without a Docker engine its services answer, and nothing of the stack is deployed. Its DynamoDB (AWS's
//! DynamoDB Local, and a Java for it) and what runs in the containers are fetched at first use.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::record::Process;
use super::{Emulator, STACK, deploy};
use crate::cargo::build_functions;
use crate::docker::docker;
use crate::http;
use crate::process::{self, Server};
use crate::project::Project;
use crate::python::{self, Environment};

const START_PATIENCE: Duration = Duration::from_mins(2);
const RECORD: &str = "localstack.json";

/// Starts LocalStack where none of this checkout runs, and deploys the template into it where there is a Docker
/// engine. It stays up.
///
/// # Errors
/// When a step fails. What was started is stopped then.
pub(crate) fn up(project: &Project, emulator: &Emulator) -> Result<()> {
    let running = read(emulator)?.is_some_and(|process| process.is_running());
    if !running {
        ensure!(
            http::is_free(emulator.port()),
            "port {} is taken by something that this checkout did not start: stop it, or choose another --port",
            emulator.port()
        );
    }
    let server = if running { None } else { Some(start(project, emulator)?) };
    let is_deployed = process::succeeds(docker().arg("info"));
    if is_deployed {
        deploy(project, emulator)?;
    } else {
        println!("no Docker engine runs: functions cannot be deployed, and so neither can the stack");
    }
    if let Some(server) = server {
        let process = serde_json::to_vec_pretty(&Process::of(server.pid())?)?;
        fs::write(record(emulator), process).with_context(|| record(emulator).display().to_string())?;
        server.leave();
    }
    println!("AWS services  {}", emulator.endpoint());
    if is_deployed {
        println!("              eval \"$(cargo xtask exports --endpoint {})\"", emulator.endpoint());
    }
    Ok(())
}

/// Stops what [`up`] started; nothing to stop is fine.
///
/// # Errors
/// When it does not stop.
pub(super) fn down(emulator: &Emulator) -> Result<()> {
    let Some(process) = read(emulator)? else { return Ok(()) };
    process.stop()?;
    fs::remove_file(record(emulator)).with_context(|| record(emulator).display().to_string())
}

/// Starts LocalStack, waits until it answers, and stops it again: what can be tried anywhere.
///
/// # Errors
/// When it does not start, or does not answer.
pub(crate) fn check(project: &Project) -> Result<()> {
    if let Err(error) = python::interpreter(python::LOCALSTACK_PYTHON) {
        println!("LocalStack is not tried: {error}");
        return Ok(());
    }
    let emulator = Emulator::new(project, http::free_port()?);
    let server = start(project, &emulator)?;
    let health = http::get(&health(&emulator))?;
    drop(server);
    for service in ["cloudformation", "dynamodb", "lambda", "secretsmanager", "sns", "sqs"] {
        let state = &health["services"][service];
        ensure!(state == "available" || state == "running", "LocalStack: {service} is {state}");
    }
    println!("LocalStack starts");
    Ok(())
}

fn start(project: &Project, emulator: &Emulator) -> Result<Server> {
    let mut command = Environment::localstack(project)?.command("python");
    emulator.point(&mut command);
    // Where it keeps what it writes, which as a package it takes for the root of a container.
    let root = emulator.folder.join("localstack");
    fs::create_dir_all(&root)?;
    command
        // For its own calls to itself it finds the way alone.
        .env_remove("AWS_ENDPOINT_URL")
        .args(["-m", "localstack.runtime.main"])
        .env("GATEWAY_LISTEN", format!("127.0.0.1:{}", emulator.port()))
        .env("FILESYSTEM_ROOT", root)
        // In a container that is not its own it would take the container's root all the same.
        .env("OVERRIDE_IN_DOCKER", "0")
        // The other engine does not find the roles that SAM makes for functions, which policies name.
        .env("PROVIDER_OVERRIDE_CLOUDFORMATION", "engine-legacy")
        .env("DNS_ADDRESS", "0")
        .env("DISABLE_EVENTS", "1")
        .env("SKIP_SSL_CERT_DOWNLOAD", "1");
    let mut server = Server::start("LocalStack", &mut command, &emulator.folder.join("localstack.log"))?;
    server.wait_until(START_PATIENCE, || http::answers(&health(emulator)))?;
    Ok(server)
}

fn deploy(project: &Project, emulator: &Emulator) -> Result<()> {
    build_functions(project)?;
    let sam = Environment::sam(project)?;
    if deploy::deploy(project, emulator, &sam)? == deploy::Routes::Made {
        bail!("{STACK} has routes, which LocalStack cannot serve");
    }
    Ok(())
}

fn health(emulator: &Emulator) -> String {
    format!("{}/_localstack/health", emulator.endpoint())
}

fn record(emulator: &Emulator) -> PathBuf {
    emulator.folder.join(RECORD)
}

fn read(emulator: &Emulator) -> Result<Option<Process>> {
    let path = record(emulator);
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read(&path).with_context(|| path.display().to_string())?;
    Ok(Some(serde_json::from_slice(&text).with_context(|| path.display().to_string())?))
}

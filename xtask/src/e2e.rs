//! `cargo xtask e2e`: the end-to-end suite, against a shop of its own or one that runs already.

use std::fs;
use std::io::ErrorKind;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::admin::random_text;
use crate::cargo::build;
use crate::http;
use crate::process::{self, Server};
use crate::project::Project;

/// The embedded cloud starts within a second; a debug build on a busy machine takes longer.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// How much the suite asks of the shop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scale {
    /// The embedded cloud, or AWS.
    Full,
    /// An emulator, which is slow.
    Emulator,
}

/// All of the suite's people have one network address, and one of them orders by the hundred: what is budgeted is not
/// what it tests. It sends mails, as the demo does: none leaves the machine.
pub(crate) const AMPLE: [&str; 8] = [
    "--parameter",
    "RegistrationsPerHour=1000000",
    "--parameter",
    "EmailFrom=shop@example.com",
    "--parameter",
    "AddressOrderLimit=1000000",
    "--parameter",
    "AccountOrderLimit=1000000",
];

/// Runs the suite against `base_url`, or against two shops of its own: a `cargo run -- --memory`, and a `cargo run
/// -- --no-demo` whose first administrator was made by `shop admin`.
///
/// # Errors
/// When a build, the shop or a test fails.
pub(crate) fn e2e(project: &Project, base_url: Option<&str>) -> Result<()> {
    if let Some(base_url) = base_url {
        return suite(project, base_url, Scale::Full, &[]);
    }
    with_shop(project, &AMPLE, |base_url| suite(project, base_url, Scale::Full, &[]))?;
    with_administrator(project, |base_url, identity| suite(project, base_url, Scale::Full, identity))
}

/// Runs `test` against a shop as a deployed one is: no demo identity, and an administrator who logs in, as whom the
/// variables that `test` is given say. It is stopped afterwards.
///
/// # Errors
/// When the build, the shop or the test fails.
pub(crate) fn with_administrator(
    project: &Project,
    test: impl FnOnce(&str, &[(&str, String)]) -> Result<()>,
) -> Result<()> {
    let shop = build(project, &["shop"])?.join("shop");
    let data = project.workshop().join("e2e-data");
    match fs::remove_dir_all(&data) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context("the old data"),
        _ => {}
    }
    let (email, password) = ("e2e@example.com", random_text());
    let mut admin = Command::new(&shop);
    admin
        .current_dir(project.root())
        .args(["admin", "--email", email, "--password-stdin", "--data"])
        .arg(&data);
    process::run_with_input(&mut admin, &format!("{password}\n"))?;

    let identity = [("SHOP_ADMIN_EMAIL", email.to_owned()), ("SHOP_ADMIN_PASSWORD", password)];
    let mut command = Command::new(shop);
    command.args(["--no-demo", "--data"]).arg(&data).args(AMPLE);
    serving(project, "shop-without-demo", command, |base_url| test(base_url, &identity))
}

/// Runs `test` against a `cargo run -- --memory` on a free port, with more arguments; it is stopped afterwards.
///
/// # Errors
/// When the build, the shop or the test fails.
pub(crate) fn with_shop(
    project: &Project,
    arguments: &[&str],
    test: impl FnOnce(&str) -> Result<()>,
) -> Result<()> {
    let mut command = Command::new(build(project, &["shop"])?.join("shop"));
    command.arg("--memory").args(arguments);
    serving(project, "shop", command, test)
}

/// Starts a shop on a free port, with a log of this name, and runs `test` once it answers.
fn serving(
    project: &Project,
    name: &'static str,
    mut command: Command,
    test: impl FnOnce(&str) -> Result<()>,
) -> Result<()> {
    let port = http::free_port()?;
    let base_url = format!("http://127.0.0.1:{port}");
    command.current_dir(project.root()).args(["--port", &port.to_string()]);
    let log = project.workshop().join(format!("{name}.log"));
    let mut shop = Server::start(name, &mut command, &log)?;
    shop.wait_until(START_PATIENCE, || http::answers(&format!("{base_url}/products")))?;
    test(&base_url).inspect_err(|_| eprintln!("{}", shop.log_tail()))
}

/// Runs the suite against a shop that runs, with `variables` that say who it can be there.
///
/// # Errors
/// When the build or a test fails.
pub(crate) fn suite(
    project: &Project,
    base_url: &str,
    scale: Scale,
    variables: &[(&str, String)],
) -> Result<()> {
    let suite = build(project, &["end-to-end"])?.join("end-to-end");
    let scale = match scale {
        Scale::Full => "full",
        Scale::Emulator => "emulator",
    };
    let mut command = Command::new(suite);
    command.current_dir(project.root()).args(["--base-url", base_url, "--scale", scale]);
    process::run(command.envs(variables.iter().map(|(name, value)| (name, value))))
}

//! `cargo xtask admin`: makes an administrator, or restores one, on this machine or in a deployed stack.
//!
//! It hands on standard input, so a password that comes by it is in no argument and no variable.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::cargo::build;
use crate::emulator::{Emulator, STACK, point_at};
use crate::process;
use crate::project::Project;
use crate::python::Environment;

/// Whom to make an administrator, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Admin {
    /// The administrator's e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    /// The administrator's name
    #[arg(long, default_value = "Administrator")]
    name: String,
    /// Read the password from standard input; without this one is made up, and shown once
    #[arg(long)]
    password_stdin: bool,
    /// If the address has an account, make it an administrator's (again). It keeps its password, unless one is given
    /// by --password-stdin
    #[arg(long)]
    restore: bool,
    /// The data folder of a `cargo run` that is stopped [default: .data]
    #[arg(long, value_name = "DIR", conflicts_with = "stack")]
    data: Option<PathBuf>,
    /// A deployed stack, in the account of your own AWS settings
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// The emulator that the stack is deployed in
    #[arg(long, value_name = "URL", requires = "stack")]
    endpoint: Option<String>,
}

/// Makes the administrator.
///
/// # Errors
/// When the address has an account already, or something on the way fails; it has said what.
pub(crate) fn admin(project: &Project, admin: &Admin) -> Result<()> {
    let mut command = match &admin.stack {
        None => local(project, admin)?,
        Some(stack) => deployed(project, admin, stack)?,
    };
    if admin.password_stdin {
        command.arg("--password-stdin");
    }
    if admin.restore {
        command.arg("--restore");
    }
    process::run(command.current_dir(project.root()))
}

/// Makes an administrator in an emulator's stack, with a password that comes by standard input.
///
/// # Errors
/// When none is made.
pub(crate) fn check(project: &Project, emulator: &Emulator) -> Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    let admin = Admin {
        email: format!("check-{now}@example.com"),
        name: "A check".to_owned(),
        password_stdin: true,
        restore: false,
        data: None,
        stack: Some(STACK.to_owned()),
        endpoint: Some(emulator.endpoint()),
    };
    let mut command = deployed(project, &admin, STACK)?;
    command.current_dir(project.root()).arg("--password-stdin");
    process::run_with_input(&mut command, &format!("{}\n", random_text()))
}

/// A password that nobody else has: the standard library seeds its hashers from the system.
pub(crate) fn random_text() -> String {
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

fn local(project: &Project, admin: &Admin) -> Result<Command> {
    let mut command = Command::new(build(project, &["shop"])?.join("shop"));
    command.args(["admin", "--email", &admin.email, "--name", &admin.name]);
    if let Some(data) = &admin.data {
        command.arg("--data").arg(data);
    }
    Ok(command)
}

fn deployed(project: &Project, admin: &Admin, stack: &str) -> Result<Command> {
    let mut command = Environment::sam(project)?.command("python");
    command.args(["localstack/create_admin.py", stack, &admin.email, &admin.name]);
    if let Some(endpoint) = &admin.endpoint {
        point_at(endpoint, &mut command);
    }
    Ok(command)
}

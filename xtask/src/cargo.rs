//! Cargo calls, and what they build.
//!
//! Cargo compiles a dependency once for each set of features that is asked of it, and on two cores a second
//! build of the AWS SDKs costs minutes. So no call here selects packages: the features are those of the whole
//! workspace, as with `cargo run` and `cargo lambda watch`. Tests ask for more features; the CI run builds
//! everything with them once, and takes the binaries from there ([`Project::with_tests`]).

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::project::Project;

/// A call of cargo in the checkout.
pub(crate) fn cargo(project: &Project) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(project.root());
    // `cargo run` has set these for this command; they are not for the packages that it builds.
    for (name, _) in env::vars_os() {
        let set_for_xtask = name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_"));
        if set_for_xtask || name == "CARGO_MANIFEST_DIR" || name == "CARGO_MANIFEST_PATH" {
            command.env_remove(name);
        }
    }
    if project.is_copy() {
        command.env("CARGO_TARGET_DIR", project.target());
    }
    command
}

/// Has a release build of functions optimise each over all of its crates: a sixth smaller, and a fifth less work for each
/// request (docs/decisions/0071). It is no part of the profile, since linking a function takes some 13 s more, and the shop of
/// `cargo run --release`, which has all functions in it, minutes.
pub(crate) fn for_deployment(command: &mut Command) -> &mut Command {
    command.env("CARGO_PROFILE_RELEASE_LTO", "fat")
}

/// Builds binaries in the dev profile; gives the folder that they are in.
///
/// # Errors
/// When the build fails.
pub(crate) fn build(project: &Project, binaries: &[&str]) -> Result<PathBuf> {
    let mut command = cargo(project);
    command.arg("build");
    if project.has_tests() {
        command.args(["--workspace", "--all-targets"]);
    } else {
        command.args(binaries.iter().flat_map(|binary| ["--bin", binary]));
    }
    process::run(&mut command)?;
    Ok(project.target().join("debug"))
}

/// Builds every function in one call, in the dev profile, to `target/lambda/<name>/bootstrap`.
///
/// The copies are stripped: an emulator takes them as zip files, and keeps them in memory.
///
/// # Errors
/// When the build fails, or a copy cannot be made.
pub(crate) fn build_functions(project: &Project) -> Result<()> {
    let functions = project.functions()?;
    let names: Vec<_> = functions.iter().map(|function| function.name.as_str()).collect();
    let built = build(project, &names)?;
    for name in names {
        let bootstrap = project.bootstrap(name);
        let folder = bootstrap.parent().context("a bootstrap is in a folder")?;
        fs::create_dir_all(folder)?;
        process::run(Command::new("strip").arg("-s").arg("-o").arg(&bootstrap).arg(built.join(name)))?;
    }
    Ok(())
}

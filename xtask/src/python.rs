//! Python tools (SAM CLI, MiniStack, cargo-lambda), each set in a virtual environment of its own, because
//! each pins versions that another cannot bear.
//!
//! The environments are made from the pinned requirements in localstack/, and made anew when those change.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::project::Project;

/// Holds the requirements that an environment was made from; written last, so that half an environment
/// counts as none.
const STAMP: &str = "requirements.txt";

/// A virtual environment.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    bin: PathBuf,
}

impl Environment {
    /// SAM CLI, cfn-lint, and boto3 for the scripts of localstack/.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn sam(project: &Project) -> Result<Self> {
        Self::make(project, "sam")
    }

    /// The AWS CLI.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn aws(project: &Project) -> Result<Self> {
        Self::make(project, "aws")
    }

    /// MiniStack.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn ministack(project: &Project) -> Result<Self> {
        Self::make(project, "ministack")
    }

    /// LocalStack.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn localstack(project: &Project) -> Result<Self> {
        Self::make_with("python3.13", project, "localstack")
    }

    /// cargo-lambda.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn cargo_lambda(project: &Project) -> Result<Self> {
        Self::make(project, "lambda")
    }

    fn make(project: &Project, name: &str) -> Result<Self> {
        Self::make_with("python3", project, name)
    }

    fn make_with(python: &str, project: &Project, name: &str) -> Result<Self> {
        let requirements = project.root().join(format!("localstack/requirements-{name}.txt"));
        let wanted =
            fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
        let folder = project.workshop().join("python").join(name);
        let environment = Self { bin: folder.join("bin") };
        if fs::read(folder.join(STAMP)).is_ok_and(|made_from| made_from == wanted) {
            return Ok(environment);
        }
        eprintln!("installing {} to {}", requirements.display(), folder.display());
        process::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder)).with_context(
            || format!("{python} with venv is needed, of version 3.11 or later (Debian: python3-venv)"),
        )?;
        process::run(
            environment
                .command("python")
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"])
                .arg(&requirements),
        )?;
        fs::write(folder.join(STAMP), wanted)?;
        Ok(environment)
    }

    /// A program of the environment, with the environment's folder first on its search path.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.env("PATH", self.path()).env("SAM_CLI_TELEMETRY", "0").env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// The folder of its programs.
    pub(crate) fn bin(&self) -> &Path {
        &self.bin
    }

    /// The search path with the environment's folder first.
    pub(crate) fn path(&self) -> OsString {
        let inherited = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.bin.clone()).chain(env::split_paths(&inherited));
        // A folder of the inherited path was split off it, so it can be joined again; the environment's own
        // holds no separator unless the checkout's path does.
        env::join_paths(folders).unwrap_or(inherited)
    }
}

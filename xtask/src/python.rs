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

/// What LocalStack 4.14 runs on: its SQS is a syntax error before it.
pub(crate) const LOCALSTACK_PYTHON: &str = "3.13";

/// The interpreter of a version, as `3.13`: of the search path, or one of pyenv's.
///
/// # Errors
/// When there is none.
pub(crate) fn interpreter(version: &str) -> Result<PathBuf> {
    let name = format!("python{version}");
    let of_home = || env::home_dir().map(|home| home.join(".pyenv"));
    let pyenv = env::var_os("PYENV_ROOT").map(PathBuf::from).or_else(of_home);
    let versions = pyenv.map(|root| root.join("versions"));
    let mut candidates = vec![PathBuf::from(&name)];
    candidates.extend(versions.iter().flat_map(|versions| of_pyenv(versions, version)));
    // One that is there need not run: pyenv puts a name for each version that it has onto the search path, and those
    // of versions that are not chosen fail.
    let runs = |python: &PathBuf| process::succeeds(Command::new(python).arg("--version"));
    candidates.into_iter().find(runs).with_context(|| {
        let looked = versions.map_or_else(String::new, |versions| format!(", nor in {}", versions.display()));
        format!(
            "Python {version} is needed, and there is no {name} on the search path{looked}: install it \
             (`pyenv install {version}`)"
        )
    })
}

/// The interpreters of a version that pyenv has, the newest first.
fn of_pyenv(versions: &Path, version: &str) -> Vec<PathBuf> {
    let patch_of = |name: &str| name.strip_prefix(version)?.strip_prefix('.')?.parse::<u32>().ok();
    let entries = fs::read_dir(versions).into_iter().flatten().flatten();
    let mut found: Vec<_> =
        entries.filter_map(|entry| Some((patch_of(entry.file_name().to_str()?)?, entry.path()))).collect();
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, folder)| folder.join("bin").join(format!("python{version}"))).collect()
}

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

    /// checkov.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn checkov(project: &Project) -> Result<Self> {
        Self::make(project, "checkov")
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
        Self::make_with(|| interpreter(LOCALSTACK_PYTHON), project, "localstack")
    }

    /// Schemathesis.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn schemathesis(project: &Project) -> Result<Self> {
        Self::make(project, "schemathesis")
    }

    /// cargo-lambda.
    ///
    /// # Errors
    /// When it cannot be installed.
    pub(crate) fn cargo_lambda(project: &Project) -> Result<Self> {
        Self::make(project, "lambda")
    }

    fn make(project: &Project, name: &str) -> Result<Self> {
        Self::make_with(|| Ok("python3".into()), project, name)
    }

    fn make_with(python: impl FnOnce() -> Result<PathBuf>, project: &Project, name: &str) -> Result<Self> {
        let requirements = project.root().join(format!("localstack/requirements-{name}.txt"));
        let wanted =
            fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
        let folder = project.workshop().join("python").join(name);
        let environment = Self { bin: folder.join("bin") };
        if fs::read(folder.join(STAMP)).is_ok_and(|made_from| made_from == wanted) {
            return Ok(environment);
        }
        eprintln!("installing {} to {}", requirements.display(), folder.display());
        let python = python()?;
        // pip in a step of its own: what `venv` starts to install it says nothing of why it failed.
        let venv = ["-m", "venv", "--clear", "--without-pip"];
        process::run(Command::new(&python).args(venv).arg(&folder))
            .and_then(|()| {
                process::output(environment.command("python").args(["-m", "ensurepip", "--default-pip"]))
            })
            .with_context(|| {
                let python = python.display();
                format!("{python} with venv is needed, of version 3.11 or later (Debian: python3-venv)")
            })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pyenv_s_newest_of_a_version_comes_first() {
        let folder = env::temp_dir().join(format!("shop-pyenv-{}", std::process::id()));
        for name in ["3.13.2", "3.13.10", "3.12.1", "3.130.1", "3.13-dev", "3.13"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let found = of_pyenv(&folder, "3.13");
        let expected = ["3.13.10", "3.13.2"].map(|name| folder.join(name).join("bin/python3.13"));
        assert_eq!(found, expected);
        assert_eq!(of_pyenv(&folder.join("none"), "3.13"), Vec::<PathBuf>::new());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_python_that_is_not_there_is_asked_for() {
        let error = interpreter("3.999").unwrap_err().to_string();
        assert!(error.contains("Python 3.999 is needed") && error.contains("pyenv install 3.999"), "{error}");
    }
}

//! Where things are in this checkout, and which functions there are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// A function: its binary's name, which is its name everywhere, and the package that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Function {
    /// `verb-noun`.
    pub(crate) name: String,
    /// The service's package.
    pub(crate) package: String,
}

/// The checkout.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    root: PathBuf,
    with_tests: bool,
    /// A copy has a target folder of its own, whatever the environment says.
    is_copy: bool,
}

impl Project {
    /// The checkout that this command was built from.
    ///
    /// # Errors
    /// When it has moved since.
    pub(crate) fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("xtask has no parent folder")?.to_owned();
        ensure!(root.join("Cargo.toml").is_file(), "{} is no checkout", root.display());
        Ok(Self { root, with_tests: false, is_copy: false })
    }

    /// A copy of the checkout.
    pub(crate) fn copy_at(root: PathBuf) -> Self {
        Self { root, with_tests: false, is_copy: true }
    }

    /// Whether it is a copy.
    pub(crate) fn is_copy(&self) -> bool {
        self.is_copy
    }

    /// The same checkout, whose binaries are built together with all tests.
    pub(crate) fn with_tests(self) -> Self {
        Self { with_tests: true, ..self }
    }

    /// Whether binaries are built together with all tests.
    pub(crate) fn has_tests(&self) -> bool {
        self.with_tests
    }

    /// The root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What the project's commands install and keep: virtual environments, logs, records of servers.
    /// Ignored by git; may be removed when no emulator runs.
    pub(crate) fn workshop(&self) -> PathBuf {
        self.root.join(".emulator")
    }

    /// Cargo's target folder.
    pub(crate) fn target(&self) -> PathBuf {
        std::env::var_os("CARGO_TARGET_DIR")
            .filter(|_| !self.is_copy)
            .map_or_else(|| self.root.join("target"), |dir| self.root.join(dir))
    }

    /// The functions' binaries as the template expects them: `target/lambda/<name>/bootstrap`.
    pub(crate) fn bootstrap(&self, function: &str) -> PathBuf {
        self.root.join("target/lambda").join(function).join("bootstrap")
    }

    /// Every function, by its name: the files of `functions/<service>/src/bin`.
    ///
    /// # Errors
    /// When a folder cannot be read, or there is no function.
    pub(crate) fn functions(&self) -> Result<Vec<Function>> {
        let mut functions = Vec::new();
        for service in entries(&self.root.join("functions"))? {
            let package = name(&service)?;
            let binaries = service.join("src/bin");
            if !binaries.is_dir() {
                continue;
            }
            for binary in entries(&binaries)? {
                functions.push(Function { name: name(&binary)?, package: package.clone() });
            }
        }
        ensure!(!functions.is_empty(), "no function in {}", self.root.join("functions").display());
        functions.sort();
        Ok(functions)
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    read.map(|entry| Ok(entry?.path())).collect()
}

fn name(path: &Path) -> Result<String> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    Ok(stem.with_context(|| format!("{} has no plain name", path.display()))?.to_owned())
}

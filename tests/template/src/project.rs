//! What the rest of the repository says: its binaries, its fixtures, the watch router, `sam`'s environments.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::names::Route;
use crate::template::{Template, list, members};

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The real template.
///
/// # Errors
/// It cannot be read.
pub fn template() -> Result<Template> {
    Template::parse(&text("template.yaml")?)
}

/// A file of the repository.
///
/// # Errors
/// It cannot be read.
pub fn text(path: &str) -> Result<String> {
    std::fs::read_to_string(root().join(path)).with_context(|| format!("{path} cannot be read"))
}

/// All Rust files of a folder, one after another.
///
/// # Errors
/// One cannot be read.
pub fn sources(folder: &str) -> Result<String> {
    let mut all = String::new();
    for entry in std::fs::read_dir(root().join(folder)).with_context(|| folder.to_owned())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&std::fs::read_to_string(&path)?);
        }
    }
    Ok(all)
}

/// All Rust files of a folder and of those below it, one after another.
///
/// # Errors
/// One cannot be read.
pub fn code(folder: &str) -> Result<String> {
    let mut all = String::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all.push_str(&std::fs::read_to_string(&path)?);
            }
        }
    }
    Ok(all)
}

/// A TOML file of the repository, as JSON.
///
/// # Errors
/// It cannot be read, or is not TOML.
pub fn toml(path: &str) -> Result<Value> {
    toml::from_str(&text(path)?).with_context(|| format!("{path} is not TOML"))
}

/// The names of all functions' binaries: `functions/<service>/src/bin/<verb-noun>.rs`.
///
/// # Errors
/// A folder cannot be read.
pub fn binaries() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for service in std::fs::read_dir(root().join("functions"))? {
        names.extend(stems(&service?.path().join("src/bin"), "rs")?);
    }
    Ok(names)
}

/// The names of all fixtures: `events/<verb-noun>.json`.
///
/// # Errors
/// The folder cannot be read.
pub fn fixtures() -> Result<BTreeSet<String>> {
    stems(&root().join("events"), "json")
}

/// A function's fixture.
///
/// # Errors
/// It cannot be read, or is not JSON.
pub fn fixture(name: &str) -> Result<Value> {
    let path = format!("events/{name}.json");
    serde_json::from_str(&text(&path)?).with_context(|| format!("{path} is not JSON"))
}

/// The routes of `cargo lambda watch`, from the root manifest.
///
/// # Errors
/// The manifest cannot be read.
pub fn watch_routes() -> Result<Vec<Route>> {
    let manifest = toml("Cargo.toml")?;
    let paths = &manifest["workspace"]["metadata"]["lambda"]["watch"]["router"];
    let mut routes = Vec::new();
    for (path, entries) in members(paths) {
        for entry in list(entries) {
            let field = |name: &str| entry[name].as_str().map(str::to_owned);
            let (method, function) =
                field("method").zip(field("function")).context("a route of the watch router")?;
            routes.push(Route { method, path: path.to_owned(), function });
        }
    }
    Ok(routes)
}

fn stems(folder: &Path, extension: &str) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    Ok(names)
}

//! Does what docs/adding.md says, in a copy of the checkout: a service, routes of it and of another one, and a consumer of its event, each
//! by `cargo xtask new`; then everything must compile without a warning, and the tests that a skeleton must pass, pass.
//!
//! The copy has a target folder of its own. What was compiled of other people's crates is linked into it: a copy of a
//! workspace asks for the same crates under the same names, so with a common folder one of the two would be taken for
//! the other.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};

use crate::cargo::cargo;
use crate::new::{self, New};
use crate::process;
use crate::project::Project;

/// What is not part of a checkout.
const NOT_COPIED: [&str; 4] = [".git", ".data", ".emulator", "target"];

/// The programs whose tests a skeleton must all pass at once: those of the events' contracts, of what is written by `sync`,
/// and of who did what.
const PROGRAMS: [&str; 3] = ["contracts", "same", "audit"];

/// The tests of larger programs that it must pass: of the template, of what the simulation knows, of who may do what, and
/// its own. How many resources a stack may have is no matter of a skeleton's (docs/adding.md).
const TESTS: [&str; 13] = [
    "documents::",
    "environment::",
    "fixtures::",
    "names::",
    "rules::",
    "registered::",
    "authorization::",
    "wishlists::",
    "wishlist_events::",
    "get_wishlist_summary::",
    "note_wishlists::",
    "drop_wishlist_note::",
    "keep_order_note::",
];

/// Routes that change something: of the new service, and of one that has been there.
const CHANGES: [(&str, &str, &str, &str); 2] = [
    ("wishlists", "DELETE", "/wishlists/{id}/note", "drop-wishlist-note"),
    ("orders", "PUT", "/orders/{id}/note", "keep-order-note"),
];

/// Adds one of each and tries them.
///
/// # Errors
/// When a skeleton cannot be written, does not compile, or fails a test.
pub(crate) fn check(project: &Project) -> Result<()> {
    let copy = project.workshop().join("adding");
    if copy.exists() {
        fs::remove_dir_all(&copy).with_context(|| copy.display().to_string())?;
    }
    copy_of(project.root(), &copy)?;
    let copy = Project::copy_at(copy);
    link_dependencies(project, &copy)?;
    let text = |text: &str| text.to_owned();
    new::new(&copy, &New::Service { name: text("wishlists"), item: None })?;
    let route = New::Route {
        service: text("wishlists"),
        method: text("GET"),
        path: text("/wishlists/{id}/summary"),
        name: text("get-wishlist-summary"),
        subject: None,
    };
    new::new(&copy, &route)?;
    for (service, method, path, name) in CHANGES {
        let [service, method, path, name] = [service, method, path, name].map(text);
        new::new(&copy, &New::Route { service, method, path, name, subject: None })?;
    }
    let consumer = New::Consumer {
        service: text("wishlists"),
        name: text("note-wishlists"),
        events: vec![text("wishlist.created"), text("order.confirmed")],
        subject: None,
    };
    new::new(&copy, &consumer)?;
    process::run(cargo(&copy).args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))?;
    let mut programs = cargo(&copy);
    programs.args(["test", "--workspace"]);
    process::run(programs.args(PROGRAMS.iter().flat_map(|program| ["--test", program])))?;
    let mut tests = cargo(&copy);
    tests.args(["test", "--workspace"]);
    tests.args(["--test", "template", "--test", "simulation", "--test", "services", "--"]);
    process::run(tests.args(TESTS))?;
    // What failed is left for whoever looks into it; what passed is only large.
    fs::remove_dir_all(copy.root()).with_context(|| copy.root().display().to_string())
}

fn copy_of(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let (name, target) = (entry.file_name(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            if !NOT_COPIED.iter().any(|other| name == *other) {
                copy_of(&entry.path(), &target)?;
            }
        } else {
            fs::copy(entry.path(), &target).with_context(|| target.display().to_string())?;
        }
    }
    Ok(())
}

/// Links what was compiled of crates that are not this workspace's. Nothing writes into it: it is never out of date.
fn link_dependencies(project: &Project, copy: &Project) -> Result<()> {
    let own = own_crates(project)?;
    let (from, to) = (project.target().join("debug"), copy.target().join("debug"));
    for folder in ["deps", "build", ".fingerprint"] {
        let Ok(entries) = fs::read_dir(from.join(folder)) else { continue };
        fs::create_dir_all(to.join(folder))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !own.contains(&crate_of(&name)) {
                link(&entry.path(), &to.join(folder).join(name))?;
            }
        }
    }
    Ok(())
}

/// The crate that a file or folder of the target folder is of: what comes before the hash.
fn crate_of(file: &str) -> String {
    let stem = file.split('.').next().unwrap_or_default();
    let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name).replace('-', "_");
    name.strip_prefix("lib").map_or(name.clone(), str::to_owned)
}

/// The names of the workspace's crates and of their other targets, but for those that other people's crates have, too.
fn own_crates(project: &Project) -> Result<BTreeSet<String>> {
    let metadata = process::output(cargo(project).args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).context("the output of cargo metadata")?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let (own, others): (Vec<_>, Vec<_>) = packages.partition(|package| package["source"].is_null());
    let targets = own.iter().flat_map(|package| package["targets"].as_array().into_iter().flatten());
    let names = |named: &serde_json::Value| named["name"].as_str().map(|name| name.replace('-', "_"));
    let others: BTreeSet<_> = others.into_iter().filter_map(names).collect();
    Ok(own.iter().copied().chain(targets).filter_map(names).filter(|name| !others.contains(name)).collect())
}

fn link(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            link(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    match fs::hard_link(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => fs::copy(from, to).map(drop),
        other => other,
    }
    .with_context(|| to.display().to_string())
}

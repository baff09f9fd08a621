//! `cargo xtask sizes`: every function in the release profile, and its size.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::cargo::cargo;
use crate::process;
use crate::project::Project;

/// Unzipped, in bytes: a function starts faster the less there is to load.
const LIMIT: u64 = 8_000_000;
/// The same of a function that reaches files: S3's client is a megabyte and a half.
const LIMIT_WITH_FILES: u64 = 9_500_000;
/// The same of a function that searches, or writes what is searched.
pub(crate) const LIMIT_WITH_SEARCH: u64 = 13_000_000;
const WITH_SEARCH: [&str; 4] = ["index-products", "rebuild-search", "search-products", "suggest-products"];
const WITH_FILES: [&str; 6] = [
    "create-import",
    "export-products",
    "get-export",
    "import-products",
    "list-import-refusals",
    "start-import",
];

/// How large a function may be.
fn limit(function: &str) -> u64 {
    match function {
        _ if WITH_SEARCH.contains(&function) => LIMIT_WITH_SEARCH,
        _ if WITH_FILES.contains(&function) => LIMIT_WITH_FILES,
        _ => LIMIT,
    }
}

/// Builds all functions in one call and prints their sizes.
///
/// # Errors
/// When the build fails, or a function is larger than the limit.
pub(crate) fn sizes(project: &Project) -> Result<()> {
    let functions = project.functions()?;
    let mut packages: Vec<_> = functions.iter().map(|function| function.package.as_str()).collect();
    packages.dedup();
    let mut command = cargo(project);
    command.args(["build", "--release", "--bins"]);
    command.args(packages.iter().flat_map(|package| ["--package", package]));
    process::run(&mut command)?;
    let mut too_large = Vec::new();
    for function in &functions {
        let binary = project.target().join("release").join(&function.name);
        let bytes = fs::metadata(&binary).with_context(|| format!("no {}", binary.display()))?.len();
        println!("{bytes:>10}  {}", function.name);
        if bytes > limit(&function.name) {
            too_large.push(function.name.as_str());
        }
    }
    ensure!(too_large.is_empty(), "larger than they may be: {}", too_large.join(", "));
    Ok(())
}

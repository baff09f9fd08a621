//! `cargo xtask sizes`: the functions as they are built for deployment, and their sizes, held to those of bench/sizes.json.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo::{cargo, for_deployment};
use crate::process;
use crate::project::Project;

/// Unzipped, in bytes: a function starts faster the less there is to load.
const LIMIT: u64 = 6_200_000;
/// The same of a function that reaches files: S3's client is a megabyte and a half.
const LIMIT_WITH_FILES: u64 = 7_000_000;
/// The same of a function that searches, or writes what is searched. `cargo xtask deploy` refuses what is larger.
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
/// One of each kind that every order comes through: routes that write and read, a consumer, a relay.
const HOT: [&str; 4] = ["create-order", "get-product", "reserve-stock", "publish-order-events"];
/// By how many hundredths a function may grow before somebody says that it may.
const MAY_GROW: u64 = 1;

/// What to build.
#[derive(Debug, clap::Args)]
pub(crate) struct Sizes {
    /// Only four that every order comes through, as with each change
    #[arg(long)]
    hot: bool,
    /// Write the sizes as those that functions are held to (bench/sizes.json)
    #[arg(long)]
    save: bool,
}

/// How large a function may be.
fn limit(function: &str) -> u64 {
    match function {
        _ if WITH_SEARCH.contains(&function) => LIMIT_WITH_SEARCH,
        _ if WITH_FILES.contains(&function) => LIMIT_WITH_FILES,
        _ => LIMIT,
    }
}

/// What is too much about a function's size, `was` before.
fn fault(function: &str, bytes: u64, was: Option<u64>) -> Option<String> {
    let limit = limit(function);
    if bytes > limit {
        return Some(format!("{function}: {bytes} bytes, and {limit} are the limit"));
    }
    let was = was.filter(|was| bytes * 100 > was * (100 + MAY_GROW))?;
    Some(format!("{function}: {bytes} bytes, and {was} before; where it must: cargo xtask sizes --save"))
}

/// Builds functions as for deployment, and prints their sizes.
///
/// # Errors
/// When the build fails, or a function is larger than the limit, or has grown.
pub(crate) fn sizes(project: &Project, wanted: &Sizes) -> Result<()> {
    let all: Vec<_> = project.functions()?.into_iter().map(|function| function.name).collect();
    let functions: Vec<&str> =
        if wanted.hot { HOT.to_vec() } else { all.iter().map(String::as_str).collect() };
    process::run(&mut build(project, &functions)?)?;
    let path = project.root().join("bench/sizes.json");
    let text = fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
    let mut saved: BTreeMap<String, u64> = serde_json::from_str(&text).context("bench/sizes.json")?;
    let mut faults = Vec::new();
    for function in functions {
        let bytes = size(&project.target().join("release").join(function))?;
        println!("{bytes:>10}  {function}");
        let was = saved.insert(function.to_owned(), bytes).filter(|_| !wanted.save);
        faults.extend(fault(function, bytes, was));
    }
    if wanted.save {
        saved.retain(|function, _| all.contains(function));
        fs::write(&path, serde_json::to_string_pretty(&saved)? + "\n").context("bench/sizes.json")?;
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    Ok(())
}

/// The call that builds functions as for deployment, for this machine's processor. All packages of functions are named
/// whichever of their functions are wanted, so that dependencies have the features of a deployment.
///
/// # Errors
/// When the functions cannot be listed.
pub(crate) fn build(project: &Project, functions: &[&str]) -> Result<Command> {
    let mut packages: Vec<_> = project.functions()?.into_iter().map(|function| function.package).collect();
    packages.dedup();
    let mut command = cargo(project);
    command.args(["build", "--release"]);
    command.args(packages.iter().flat_map(|package| ["--package", package]));
    command.args(functions.iter().flat_map(|function| ["--bin", function]));
    for_deployment(&mut command);
    Ok(command)
}

fn size(binary: &Path) -> Result<u64> {
    Ok(fs::metadata(binary).with_context(|| format!("no {}", binary.display()))?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_grows_by_a_hundredth_and_to_its_limit_and_no_more() {
        assert_eq!(fault("create-order", 5_050_000, Some(5_000_000)), None);
        assert!(fault("create-order", 5_050_001, Some(5_000_000)).unwrap().contains("5000000 before"));
        assert_eq!(fault("create-order", LIMIT, None), None);
        assert!(fault("create-order", LIMIT + 1, None).unwrap().contains("the limit"));
        assert_eq!(fault("create-import", LIMIT + 1, None), None);
        assert_eq!(fault("search-products", LIMIT_WITH_FILES + 1, None), None);
    }
}

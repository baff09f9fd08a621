//! `cargo xtask pages`: the pages' types, and their tests in headless Chromium against a `cargo run`.

use std::process::Command;

use anyhow::Result;

use crate::e2e;
use crate::process;
use crate::project::Project;

/// Checks and tests the pages, or some of it; against `base_url`, or a shop of its own.
///
/// # Errors
/// When Node, npm or Chromium is missing, a type does not fit the API's document, or a test fails.
pub(crate) fn pages(project: &Project, filter: Option<&str>, base_url: Option<&str>) -> Result<()> {
    check(project)?;
    let tests: Vec<&str> = filter.into_iter().flat_map(|filter| ["--only", filter]).collect();
    match base_url {
        Some(base_url) => test(project, "pages", &tests, base_url),
        None => test_on_shop(project, &tests),
    }
}

/// The pages' types, and the tests of how quick they are: those that other work on this machine disturbs.
///
/// # Errors
/// As [`pages`].
pub(crate) fn speed(project: &Project) -> Result<()> {
    check(project)?;
    test_on_shop(project, &["--suite", "speed"])
}

/// What people do with the pages.
///
/// # Errors
/// As [`pages`].
pub(crate) fn journeys(project: &Project) -> Result<()> {
    install(project)?;
    test_on_shop(project, &["--suite", "journeys"])
}

/// The storefront's way, from the search to the order, against a deployed stack's gateway.
///
/// # Errors
/// As [`pages`].
pub(crate) fn storefront(project: &Project, base_url: &str) -> Result<()> {
    install(project)?;
    test(project, "pages-deployed", &["--only", "from the search to a confirmed order"], base_url)
}

fn check(project: &Project) -> Result<()> {
    install(project)?;
    npm(project, &["run", "--silent", "check"])?;
    // What is vendored is what its checksums say.
    process::run(node(project).args(["vendor.mjs", "--check"]))
}

fn test_on_shop(project: &Project, tests: &[&str]) -> Result<()> {
    // A message's tries take seconds: one of the tests follows it to its end, and back.
    let arguments = [&e2e::AMPLE[..], &["--time-lapse", "500"]].concat();
    e2e::with_shop(project, &arguments, |base_url| test(project, "pages", tests, base_url))
}

fn install(project: &Project) -> Result<()> {
    npm(project, &["ci", "--silent", "--no-audit"])
}

fn test(project: &Project, shots: &str, tests: &[&str], base_url: &str) -> Result<()> {
    // The name that the shop tells: to a browser another name of this machine is another site.
    let base_url = base_url.replace("127.0.0.1", "localhost");
    let mut run = node(project);
    run.args(["tests/run.mjs", "--base-url", &base_url, "--shots"]).arg(project.workshop().join(shots));
    process::run(run.args(tests))
}

fn npm(project: &Project, arguments: &[&str]) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.current_dir(project.root().join("web")).args(arguments).env("npm_config_fund", "false");
    process::run(&mut npm)
}

fn node(project: &Project) -> Command {
    let mut node = Command::new("node");
    node.current_dir(project.root().join("web"));
    node
}

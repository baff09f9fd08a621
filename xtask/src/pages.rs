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
    let web = project.root().join("web");
    let npm = |arguments: &[&str]| {
        process::run(Command::new("npm").current_dir(&web).args(arguments).env("npm_config_fund", "false"))
    };
    npm(&["ci", "--silent", "--no-audit"])?;
    npm(&["run", "--silent", "check"])?;
    // What is vendored is what its checksums say.
    process::run(Command::new("node").current_dir(&web).args(["vendor.mjs", "--check"]))?;
    let test = |base_url: &str| {
        let shots = project.workshop().join("pages");
        let mut tests = Command::new("node");
        tests.current_dir(&web).args(["tests/run.mjs", "--base-url", base_url, "--shots"]).arg(shots);
        tests.args(filter.into_iter().flat_map(|filter| ["--only", filter]));
        process::run(&mut tests)
    };
    if let Some(base_url) = base_url {
        return test(base_url);
    }
    // A message's tries take seconds: one of the tests follows it to its end, and back.
    let arguments = [&e2e::AMPLE[..], &["--time-lapse", "500"]].concat();
    // The name that the shop tells: to a browser another name of this machine is another site.
    e2e::with_shop(project, &arguments, |base_url| test(&base_url.replace("127.0.0.1", "localhost")))
}

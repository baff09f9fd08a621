//! The steps of the CI run, in their order.
//!
//! The build step builds everything that later steps use, tests included.

use std::process::Command;

use anyhow::Result;

use super::Turn::{Beside, Here};
use super::{Step, dependencies};
use crate::cargo::{self, cargo};
use crate::emulator::{self, Emulator};
use crate::http;
use crate::process;
use crate::project::Project;
use crate::python::Environment;
use crate::{acceptance, adding, contract, documents, e2e, pages, sam_local, simulate};

/// In order: what is quick, or guards what is slow, comes first.
pub(super) const STEPS: &[Step] = &[
    Step { name: "formatting", turn: Here, run: formatting },
    Step { name: "licences", turn: Here, run: dependencies::licences },
    Step { name: "one TLS stack, one hyper", turn: Here, run: dependencies::no_duplicates },
    Step { name: "template: sam validate", turn: Here, run: sam_validate },
    Step { name: "template: cfn-lint", turn: Here, run: cfn_lint },
    Step { name: "template, expanded: cfn-lint, checkov", turn: Here, run: expanded_template },
    Step { name: "scripts", turn: Here, run: scripts },
    Step { name: "workflows: actionlint", turn: Here, run: workflows },
    Step { name: "lints", turn: Here, run: lints },
    Step { name: "documentation", turn: Here, run: documentation },
    Step { name: "build", turn: Here, run: build },
    Step { name: "cargo run: first order", turn: Here, run: first_order },
    // They look at a clock: nothing else runs yet.
    Step { name: "pages: types, speed", turn: Here, run: pages::speed },
    // Its end-to-end suite waits by the clock: what runs beside has to give way to it.
    Step { name: "cargo test --workspace", turn: Here, run: test },
    Step { name: "adding: a service, a route, a consumer", turn: Beside, run: adding::check },
    Step { name: "simulation: 1,000 fresh seeds", turn: Beside, run: simulation },
    Step { name: "simulation: mutants", turn: Beside, run: mutants },
    Step { name: "cargo run: end to end", turn: Here, run: end_to_end },
    Step { name: "pages: journeys in headless Chromium", turn: Here, run: pages::journeys },
    Step { name: "contract: 10,000 requests", turn: Here, run: contract::contract },
    Step { name: "documents: commands against cargo run", turn: Here, run: documents::shop },
    Step { name: "emulator: LocalStack starts", turn: Here, run: emulator::localstack::check },
    Step { name: "emulator, cargo lambda watch, sam local", turn: Here, run: emulator },
];

/// From here on the processors have time to spare: tests and servers wait for each other.
pub(super) const BEGINS_TO_WAIT: &str = "cargo test --workspace";

fn formatting(project: &Project) -> Result<()> {
    process::run(cargo(project).args(["fmt", "--all", "--check"]))
}

fn lints(project: &Project) -> Result<()> {
    process::run(cargo(project).args(["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
}

fn documentation(project: &Project) -> Result<()> {
    let mut command = cargo(project);
    // With examples named, cargo asks the features of tests as well: those that the lints were checked with.
    command.args(["doc", "--workspace", "--no-deps", "--lib", "--bins", "--examples"]);
    process::run(command.env("RUSTDOCFLAGS", "--deny warnings"))
}

fn build(project: &Project) -> Result<()> {
    cargo::build(project, &[]).map(drop)
}

/// The README's command, with more hostile events than one waits for at a desk.
fn test(project: &Project) -> Result<()> {
    process::run(cargo(project).args(["test", "--workspace"]).env("HOSTILE_EVENTS", "100000"))
}

fn sam_validate(project: &Project) -> Result<()> {
    let mut sam = Environment::sam(project)?.command("sam");
    process::run(sam.current_dir(project.root()).args(["validate", "--lint", "--region", emulator::REGION]))
}

fn cfn_lint(project: &Project) -> Result<()> {
    let mut lint = Environment::sam(project)?.command("cfn-lint");
    process::run(lint.current_dir(project.root()).arg("template.yaml"))
}

/// The template as CloudFormation gets it: with the roles, permissions and mappings that SAM makes.
fn expanded_template(project: &Project) -> Result<()> {
    let expanded = project.workshop().join("expanded-template.json");
    let sam = Environment::sam(project)?;
    let mut expand = sam.command("python");
    expand.args(["localstack/expand_template.py", "template.yaml"]).arg(&expanded);
    process::run(expand.current_dir(project.root()))?;
    process::run(sam.command("cfn-lint").current_dir(project.root()).arg(&expanded))?;
    let mut checkov = Environment::checkov(project)?.command("checkov");
    checkov.args(["--config-file", ".checkov.yaml", "--framework", "cloudformation", "--skip-download"]);
    checkov.args(["--file", "template.yaml", "--file"]).arg(&expanded);
    process::run(checkov.current_dir(project.root()))
}

/// The scripts that speak to CloudFormation and to emulators.
fn scripts(project: &Project) -> Result<()> {
    let mut python = Environment::sam(project)?.command("python");
    let tests = ["-m", "unittest", "discover", "localstack", "-p", "tests.py"];
    process::run(python.current_dir(project.root()).args(tests))
}

/// What GitHub runs, and nothing here does.
fn workflows(project: &Project) -> Result<()> {
    let folder = project.root().join(".github/lint");
    process::run(Command::new("npm").current_dir(&folder).args([
        "ci",
        "--silent",
        "--no-audit",
        "--no-fund",
    ]))?;
    process::run(Command::new("node").current_dir(&folder).arg("lint.mjs"))
}

fn first_order(project: &Project) -> Result<()> {
    e2e::with_shop(project, &[], |base_url| acceptance::first_order(project, base_url))
}

fn end_to_end(project: &Project) -> Result<()> {
    e2e::e2e(project, None)
}

/// Each run of CI adds to what has been tried; the seeds are printed, and a failure is replayed by its seed.
fn simulation(project: &Project) -> Result<()> {
    simulate::simulate(project, &[])
}

/// The same seeds every time: this is about the invariants, not about the shop.
fn mutants(project: &Project) -> Result<()> {
    simulate::simulate(project, &["--mutants", "--seeds", "0..200"].map(str::to_owned))
}

/// One deployment for all that needs one.
fn emulator(project: &Project) -> Result<()> {
    let emulator = Emulator::new(project, http::free_port()?);
    emulator::with_emulator(project, &emulator, |base_url| {
        emulator::checks(project, &emulator, base_url)?;
        sam_local::check(project, &emulator, None)?;
        // Last: it ends with the cleaning up.
        documents::emulator(project, &emulator, base_url)
    })
}

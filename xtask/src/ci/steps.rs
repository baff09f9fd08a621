//! The steps of the CI run, in their order.
//!
//! The build step builds everything that later steps use, tests included.

use std::process::Command;

use anyhow::Result;

use super::{Run, Step, dependencies};
use crate::cargo::{self, cargo};
use crate::emulator::{self, Emulator};
use crate::http;
use crate::process;
use crate::project::Project;
use crate::python::Environment;
use crate::{acceptance, adding, contract, documents, e2e, pages, sam_local, simulate};

/// In order: what is quick, or guards what is slow, comes first.
pub(super) const STEPS: &[Step] = &[
    Step { name: "formatting", run: Run::Here(formatting) },
    Step { name: "licences", run: Run::Here(dependencies::licences) },
    Step { name: "one TLS stack, one hyper", run: Run::Here(dependencies::no_duplicates) },
    Step { name: "template: sam validate", run: Run::Here(sam_validate) },
    Step { name: "template: cfn-lint", run: Run::Here(cfn_lint) },
    Step { name: "scripts", run: Run::Here(scripts) },
    Step { name: "workflows: actionlint", run: Run::Here(workflows) },
    Step { name: "lints", run: Run::Here(lints) },
    Step { name: "documentation", run: Run::Here(documentation) },
    Step { name: "build", run: Run::Here(build) },
    Step { name: "cargo test --workspace", run: Run::Here(test) },
    Step { name: "adding: a service, a route, a consumer", run: Run::Here(adding::check) },
    Step { name: "cargo run: first order", run: Run::Here(first_order) },
    Step { name: "cargo run: end to end", run: Run::Here(end_to_end) },
    Step { name: "pages: types, headless Chromium", run: Run::Here(pages) },
    Step { name: "contract: 10,000 requests", run: Run::Here(contract::contract) },
    Step { name: "documents: commands against cargo run", run: Run::Here(documents::shop) },
    Step { name: "emulator: LocalStack starts", run: Run::Here(emulator::localstack::check) },
    Step { name: "emulator, cargo lambda watch, sam local", run: Run::Here(emulator) },
    // Last: until then they run beside the others.
    Step { name: "simulation: 1,000 fresh seeds", run: Run::Beside(simulation) },
    Step { name: "simulation: mutants", run: Run::Beside(mutants) },
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

fn pages(project: &Project) -> Result<()> {
    pages::pages(project, None, None)
}

/// Each run of CI adds to what has been tried; the seeds are printed, and a failure is replayed by its seed.
fn simulation(project: &Project) -> Command {
    simulate::command(project, &[])
}

/// The same seeds every time: this is about the invariants, not about the shop.
fn mutants(project: &Project) -> Command {
    simulate::command(project, &["--mutants", "--seeds", "0..200"].map(str::to_owned))
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

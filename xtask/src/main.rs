//! `cargo xtask`: the project's own commands, the same for people and CI (docs/testing.md).
//!
//! A command installs what it needs below `.emulator/`, uses free ports of the loopback, and stops what it
//! started; only `emulator up` leaves servers running. It must never reach a real AWS account, but for `admin
//! --stack` and `exports --stack`, which are asked to.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these commands talk to a person, or to CI's log"
)]

mod acceptance;
mod adding;
mod admin;
mod bench;
mod cargo;
mod ci;
mod conformance;
mod contract;
mod deploy;
mod deployable;
mod docker;
mod documents;
mod e2e;
mod emulator;
mod exports;
mod forward;
mod http;
mod import;
mod new;
mod pages;
mod process;
mod project;
mod python;
mod sam_local;
mod simulate;
mod sizes;
mod sync;
mod template;
mod vendor;
mod watch;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::emulator::Emulator;
use crate::project::Project;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own commands", version)]
enum Command {
    /// Run the end-to-end suite, against a `cargo run` of its own or the given shop
    E2e {
        /// The shop's base URL: scheme, host and port
        #[arg(long)]
        base_url: Option<String>,
    },
    /// Make the first administrator: in the data of `cargo run`, or in a deployed stack
    Admin(admin::Admin),
    /// Import a file of products into a running shop
    Import(import::Import),
    /// Print a deployed stack's names for a shell: eval "$(cargo xtask exports)"
    Exports(exports::Exports),
    /// The stack in a LocalStack-compatible emulator on this machine
    #[command(subcommand)]
    Emulator(EmulatorCommand),
    /// Hold the embedded cloud, and an emulator, to the behaviour of AWS that the shop relies on
    Conformance {
        /// Where an emulator answers; only the embedded cloud is checked without
        #[arg(long)]
        endpoint: Option<String>,
        /// Whose known differences it is held to: ministack (the default) or localstack; with other, all are shown and
        /// none fails
        #[arg(long, requires = "endpoint")]
        emulator: Option<String>,
    },
    /// Ask a `cargo run` thousands of things that the API's document has, and some that it does not have
    Contract,
    /// Check the pages' types, and test the pages in headless Chromium (needs Node and Chromium)
    Pages {
        /// Only the tests whose names have this
        filter: Option<String>,
        /// A shop that runs in the demo mode; one of its own without
        #[arg(long)]
        base_url: Option<String>,
    },
    /// Run `sam local invoke` of every function with its fixture (needs Docker)
    SamLocal {
        /// Only this function, such as create-order
        #[arg(long)]
        function: Option<String>,
        #[command(flatten)]
        port: Port,
    },
    /// Run the commands of the documents as they are written, against a `cargo run` and an emulator of their own
    Documents {
        /// Only those against this
        #[arg(long, value_enum)]
        only: Option<documents::Against>,
    },
    /// Place an order through `cargo lambda watch` on an emulator's tables, and see it settled there
    WatchCheck {
        #[command(flatten)]
        port: Port,
    },
    /// Run the measurements, against their baselines
    Bench {
        /// Passed on
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Write the skeleton of a service, a route or a consumer (docs/adding.md)
    #[command(subcommand)]
    New(new::New),
    /// Write what follows from the registry of services and template.yaml: binaries, tables, the API's document
    Sync {
        /// Write nothing, and fail if something differs
        #[arg(long)]
        check: bool,
    },
    /// Run the fault simulation: seeds, replays, mutants (`-- --help` tells the arguments)
    Simulate {
        /// Passed on
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build, check and deploy the shop, and ask whether it answers: to your AWS account, or into an emulator
    Deploy(deploy::Deploy),
    /// Delete a deployed stack, with its data and all that it would leave behind
    Destroy(deploy::Destroy),
    /// Refuse functions in target/lambda that were not built for deployment
    Deployable {
        /// The template's parameter Architecture
        #[arg(long, value_enum, default_value = "arm64")]
        architecture: deployable::Architecture,
    },
    /// Build the functions for deployment and print their sizes
    Sizes(sizes::Sizes),
    /// Make the page of the API's documents anew, of Swagger UI's release
    Vendor,
    /// Run everything, as .ci/run does
    Ci {
        /// Only the steps whose name contains this
        #[arg(long, default_value = "")]
        only: String,
        /// Only the steps that run beside others
        #[arg(long, hide = true, conflicts_with = "only")]
        beside: bool,
    },
}

#[derive(Debug, Subcommand)]
enum EmulatorCommand {
    /// Start the emulator, build and deploy the stack into it, and start the gateway
    Up {
        #[command(flatten)]
        port: Port,
        /// Which emulator
        #[arg(long, value_enum, default_value = "ministack")]
        target: Target,
    },
    /// Stop what `up` started
    Down {
        #[command(flatten)]
        port: Port,
    },
    /// Run the conformance checks, the end-to-end suite and the check of `cargo lambda watch` there
    E2e {
        #[command(flatten)]
        port: Port,
    },
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Target {
    /// The whole shop; needs no Docker
    Ministack,
    /// Everything but the routes; needs Python 3.13, and Docker for the functions
    Localstack,
}

#[derive(Clone, Copy, Debug, clap::Args)]
struct Port {
    /// The emulator's port
    #[arg(long, default_value_t = emulator::PORT)]
    port: u16,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain of causes; a backtrace of this command helps nobody.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let command = Command::parse();
    let project = Project::find()?;
    process::stop_servers_on_interrupt()?;
    let emulator = |port: Port| Emulator::new(&project, port.port);
    match command {
        Command::Admin(admin) => admin::admin(&project, &admin),
        Command::Import(wanted) => import::import(&wanted),
        Command::Exports(wanted) => exports::exports(&project, &wanted),
        Command::E2e { base_url } => e2e::e2e(&project, base_url.as_deref()),
        Command::Emulator(EmulatorCommand::Up { port, target: Target::Localstack }) => {
            emulator::localstack::up(&project, &emulator(port))
        }
        Command::Emulator(EmulatorCommand::Up { port, target: Target::Ministack }) => {
            let emulator = emulator(port);
            let base_url = emulator::up(&project, &emulator)?;
            println!("AWS services  {}\nthe shop      {base_url}", emulator.endpoint());
            Ok(())
        }
        Command::Emulator(EmulatorCommand::Down { port }) => emulator::down(&emulator(port)),
        Command::Emulator(EmulatorCommand::E2e { port }) => emulator::e2e(&project, &emulator(port)),
        Command::Conformance { endpoint, emulator } => {
            conformance::conformance(&project, endpoint.as_deref(), emulator.as_deref())
        }
        Command::SamLocal { function, port } => {
            let emulator = emulator(port);
            emulator::with_emulator(&project, &emulator, |_| {
                sam_local::check(&project, &emulator, function.as_deref())
            })
        }
        Command::WatchCheck { port } => {
            let emulator = emulator(port);
            emulator::with_emulator(&project, &emulator, |_| watch::check(&project, &emulator))
        }
        Command::Documents { only } => documents::documents(&project, only),
        Command::Bench { arguments } => bench::bench(&project, &arguments),
        Command::New(wanted) => new::new(&project, &wanted),
        Command::Sync { check } => sync::sync(&project, check),
        Command::Simulate { arguments } => simulate::simulate(&project, &arguments),
        Command::Deploy(wanted) => deploy::deploy(&project, &wanted),
        Command::Destroy(wanted) => deploy::destroy(&project, &wanted),
        Command::Deployable { architecture } => deployable::deployable(&project, architecture),
        Command::Contract => contract::contract(&project),
        Command::Pages { filter, base_url } => pages::pages(&project, filter.as_deref(), base_url.as_deref()),
        Command::Sizes(wanted) => sizes::sizes(&project, &wanted),
        Command::Vendor => vendor::vendor(&project),
        Command::Ci { only, beside } => ci::ci(&project.with_tests(), &only, beside),
    }
}

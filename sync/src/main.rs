//! `cargo xtask sync` runs this: it is a binary of its own because it needs every service, and the project's other
//! commands do not.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it talks to a person, or to CI's log")]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::Parser;

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask sync",
    about = "Write what follows from the registry of services and template.yaml"
)]
struct Arguments {
    /// Write nothing, and fail if something differs
    #[arg(long)]
    check: bool,
    /// The checkout
    #[arg(long, default_value = ".")]
    root: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let output = sync::output(&arguments.root)?;
    if arguments.check {
        let differences = output.differences()?;
        for (path, difference) in &differences {
            println!("{path}: {difference:?}");
        }
        ensure!(differences.is_empty(), "{} files differ: run cargo xtask sync", differences.len());
        return Ok(());
    }
    for path in output.write()? {
        println!("{path}");
    }
    Ok(())
}

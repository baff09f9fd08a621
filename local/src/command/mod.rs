//! The `shop` command: its arguments, and what each mode starts.

mod admin;
mod arguments;
mod banner;
mod data_dir;
mod emulator;
mod location;
mod output;
mod shop;
mod stop;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use arguments::{Arguments, Mode};

/// Reads the command line and runs until the end. What keeps it from running is said in one line.
pub(crate) async fn run() -> ExitCode {
    match start(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn start(arguments: Arguments) -> Result<()> {
    output::start_log(&arguments.log)?;
    match arguments.mode {
        None => shop::run(arguments.shop).await,
        Some(Mode::Gateway(settings)) => emulator::run(settings).await,
        Some(Mode::Admin(settings)) => admin::run(settings).await,
    }
}

//! The `shop` command: its arguments, and what each mode starts.

mod arguments;
mod data_dir;
mod emulator;
mod output;
mod shop;
mod stop;
mod welcome;

use anyhow::Result;
use clap::Parser;

use arguments::{Arguments, Mode};

/// Reads the command line and runs until the end.
pub(crate) async fn run() -> Result<()> {
    let arguments = Arguments::parse();
    output::start_log(&arguments.log)?;
    match arguments.mode {
        None => shop::run(arguments.shop).await,
        Some(Mode::FrontDoor(settings)) => emulator::run(settings).await,
    }
}

//! The `shop` binary: what `cargo run` starts.

mod command;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    command::run().await
}

//! The `shop` binary: what `cargo run` starts.

mod command;

use anyhow::Result;

#[tokio::main]
async fn main() -> Result<()> {
    command::run().await
}

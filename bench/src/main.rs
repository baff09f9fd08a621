//! `cargo xtask bench`: what an order costs, and how fast the shop on one machine settles it.
//!
//! Counts are exact, and a count that misses its target fails the run. Times depend on the machine: they
//! are shown beside their target and the baseline, and fail nothing.

mod client;
mod consumers;
mod counts;
mod dead_letters;
mod journal;
mod report;
mod shop;
mod sizes;
mod speed;
mod starts;
mod tokens;
mod verification;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use report::Report;
use shop::Shop;
use speed::Load;

/// Measures the shop and holds the figures against their targets and the baseline.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Arguments {
    /// Write the figures as the new baseline (bench/baseline.json)
    #[arg(long)]
    save: bool,
    /// A tenth of the orders: a look, not a baseline
    #[arg(long, conflicts_with = "save")]
    quick: bool,
    /// Only what is counted: calls and units, the same on every machine
    #[arg(long, conflicts_with = "save")]
    counts: bool,
    /// Only how late the journal is and what it costs, at more than a hundred events a second
    #[arg(long, conflicts_with_all = ["save", "counts"])]
    journal: bool,
    /// Only how long it takes to group 10,000 dead letters, and to send them again
    #[arg(long, conflicts_with_all = ["save", "counts", "journal"])]
    dead_letters: bool,
    /// Only how many orders the nightly verifications come through in a week
    #[arg(long, conflicts_with_all = ["save", "counts", "journal", "dead_letters"])]
    verification: bool,
    /// Only how soon functions answer for the first time, beside a hello world
    #[arg(long, conflicts_with_all = ["save", "counts", "journal", "dead_letters", "verification"])]
    starts: bool,
    /// Count instructions as well, with valgrind
    #[arg(long, requires = "starts")]
    instructions: bool,
    /// Measure the functions of this folder beside those that are built, in the same run
    #[arg(long, value_name = "PATH", requires = "starts")]
    before: Option<PathBuf>,
    /// Measure this `shop` binary instead of building one
    #[arg(long, value_name = "PATH")]
    shop: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace")?;
    let mut report = Report::new(root)?;

    if arguments.journal {
        journal::measure(root, &mut report).await?;
        return report.finish();
    }
    if arguments.starts {
        starts::measure(root, arguments.before, arguments.instructions, &mut report).await?;
        return report.finish();
    }
    if arguments.dead_letters {
        dead_letters::measure(root, &mut report).await?;
        return report.finish();
    }
    if arguments.verification {
        verification::measure(root, &mut report).await?;
        return report.finish();
    }
    counts::measure(root, &mut report).await?;
    consumers::measure(root, &mut report).await?;
    if arguments.counts {
        return report.finish();
    }
    journal::measure(root, &mut report).await?;
    dead_letters::measure(root, &mut report).await?;
    verification::measure(root, &mut report).await?;
    tokens::measure(root, &mut report).await?;
    sizes::measure(root, &mut report)?;

    let binary = match arguments.shop {
        Some(path) => path,
        None => shop::build(root)?,
    };
    let load = if arguments.quick { Load::QUICK } else { Load::FULL };
    let folder = tempfile::tempdir().context("a temporary folder")?;
    let data = folder.path().to_string_lossy().into_owned();
    let shop = Shop::start(&binary, root, &["--data", &data])?;
    speed::measure(&shop, load, "file", &mut report).await?;
    drop(shop);
    let shop = Shop::start(&binary, root, &["--memory"])?;
    speed::measure(&shop, load, "memory", &mut report).await?;
    drop(shop);

    if arguments.save {
        report.save()?;
    }
    report.finish()
}

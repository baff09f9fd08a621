//! Runs the checks against the embedded cloud, and against an emulator where one is named:
//! `cargo run -p conformance -- --endpoint URL`.

use std::io::{Write, stdout};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Parser;
use conformance::{Report, Target, known, report};
use shop_local::cloud::simulated_runtime;

/// The behaviour of DynamoDB, SNS and SQS that the shop relies on.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where an emulator answers; its differences are held to those that are known of MiniStack.
    #[arg(long)]
    endpoint: Option<String>,
}

fn embedded() -> Result<Report> {
    simulated_runtime()?.block_on(async {
        let target = Target::embedded().await?;
        Ok(Report::of(&target, known::EMBEDDED).await)
    })
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    // In a thread of its own: a simulation seeds the generator from which the SDK draws its tokens, and an
    // emulator must not be sent the same ones again.
    let embedded = std::thread::spawn(embedded).join();
    let embedded = embedded.map_err(|_| anyhow!("the checks of the embedded cloud panicked"))??;
    let mut reports = vec![("embedded cloud", embedded)];
    if let Some(url) = &arguments.endpoint {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let emulator = runtime.block_on(async {
            let target = Target::endpoint(url).await?;
            let report = Report::of(&target, known::MINISTACK).await;
            target.remove().await?;
            anyhow::Ok(report)
        })?;
        reports.push(("emulator", emulator));
    }
    let shown: Vec<_> = reports.iter().map(|(name, report)| (*name, report)).collect();
    let mut out = stdout().lock();
    writeln!(out, "{}\n", report::table(&shown))?;
    let mut code = ExitCode::SUCCESS;
    for (name, report) in &reports {
        let (conform, differ) = report.counts();
        let problems = report.problems();
        writeln!(out, "{name}: {conform} conform, {differ} differ, {} not as known", problems.len())?;
        for problem in problems {
            writeln!(out, "- {problem}")?;
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

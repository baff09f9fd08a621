//! Runs the checks against the embedded cloud, and against an emulator where one is named:
//! `cargo run -p conformance -- --endpoint URL`.

use std::io::{Write, stdout};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::{Parser, ValueEnum};
use conformance::{Report, Target, known, report};
use shop_local::cloud::simulated_runtime;

/// The behaviour of DynamoDB, SNS and SQS that the shop relies on.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where an emulator answers.
    #[arg(long)]
    endpoint: Option<String>,
    /// Whose known differences it is held to; of one that is not named here, all are shown and none fails.
    #[arg(long, value_enum, default_value_t = Emulator::Ministack)]
    emulator: Emulator,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Emulator {
    Ministack,
    Localstack,
    Other,
}

fn embedded() -> Result<Report> {
    simulated_runtime()?.block_on(async {
        let target = Target::embedded().await?;
        Ok(Report::of(&target, known::EMBEDDED).await)
    })
}

fn emulator(url: &str, emulator: Emulator) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let target = Target::endpoint(url).await?;
        let known = match emulator {
            Emulator::Ministack => known::MINISTACK,
            Emulator::Localstack => known::LOCALSTACK,
            Emulator::Other => &[],
        };
        let report = Report::of(&target, known).await;
        target.remove().await?;
        Ok(report)
    })
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    // In a thread of its own: a simulation seeds the generator from which the SDK draws its tokens, and an
    // emulator must not be sent the same ones again.
    let embedded = std::thread::spawn(embedded).join();
    let embedded = embedded.map_err(|_| anyhow!("the checks of the embedded cloud panicked"))??;
    let mut reports = vec![("embedded cloud", embedded)];
    let mut failed = None;
    if let Some(url) = &arguments.endpoint {
        match emulator(url, arguments.emulator) {
            Ok(report) => reports.push(("emulator", report)),
            // What is known of the embedded cloud is shown all the same.
            Err(error) => failed = Some(error),
        }
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
            let is_measured = *name == "emulator" && arguments.emulator == Emulator::Other;
            if !is_measured {
                code = ExitCode::FAILURE;
            }
        }
    }
    if let Some(error) = failed {
        writeln!(out, "emulator: not checked, what the checks need cannot be created there: {error:#}")?;
        code = ExitCode::FAILURE;
    }
    Ok(code)
}

//! Runs scenarios one after another and reports them as `cargo test` does.
//!
//! One after another, because each may load the shop with hundreds of calls of its own, and because the
//! statistics of the one demo identity are shared.

use std::io::Write;
use std::time::Instant;

use anyhow::Result;

use crate::scenarios::{ALL, Scenario};
use crate::shop::{Ignored, Shop};

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Scenarios that held.
    pub passed: usize,
    /// The names of those that did not.
    pub failed: Vec<&'static str>,
    /// Scenarios that could not run here.
    pub ignored: usize,
    /// Scenarios that the filter left out.
    pub filtered_out: usize,
}

impl Summary {
    /// Whether nothing failed.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.failed.is_empty()
    }
}

/// Runs every scenario whose name contains `filter`, and writes a line for each to `out`.
///
/// # Errors
/// When `out` cannot be written. A failed scenario is no error: it is in the summary.
pub async fn run(shop: &Shop, filter: &str, out: &mut dyn Write) -> Result<Summary> {
    let (chosen, rest): (Vec<&Scenario>, Vec<&Scenario>) =
        ALL.iter().partition(|scenario| scenario.name.contains(filter));
    writeln!(out, "\nrunning {} scenarios", chosen.len())?;
    let started = Instant::now();
    let mut summary = Summary { filtered_out: rest.len(), ..Summary::default() };
    let mut failures = Vec::new();
    for scenario in chosen {
        let begun = Instant::now();
        let result = (scenario.run)(shop).await;
        let took = begun.elapsed().as_millis();
        let ignored = result.as_ref().err().and_then(|error| error.downcast_ref::<Ignored>());
        let outcome = match (&result, ignored) {
            (Ok(()), _) => {
                summary.passed += 1;
                format!("ok ({took} ms)")
            }
            (Err(_), Some(why)) => {
                summary.ignored += 1;
                format!("ignored, {why}")
            }
            (Err(error), None) => {
                summary.failed.push(scenario.name);
                failures.push(format!("---- {} ----\n{error:#}\n", scenario.name));
                format!("FAILED ({took} ms)")
            }
        };
        writeln!(out, "test {} ... {outcome}", scenario.name)?;
        out.flush()?;
    }
    if !failures.is_empty() {
        writeln!(out, "\nfailures:\n\n{}", failures.join("\n"))?;
    }
    writeln!(
        out,
        "\ntest result: {}. {} passed; {} failed; {} ignored; 0 measured; {} filtered out; finished in {:.2?}\n",
        if summary.is_ok() { "ok" } else { "FAILED" },
        summary.passed,
        summary.failed.len(),
        summary.ignored,
        summary.filtered_out,
        started.elapsed()
    )?;
    Ok(summary)
}

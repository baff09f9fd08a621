//! `cargo xtask contract`: thousands of requests that Schemathesis makes of the API's document, right ones and wrong
//! ones, against a `cargo run`. Each answer must be one that the document has, and no wrong request may be accepted.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::e2e;
use crate::process;
use crate::project::Project;
use crate::python::Environment;

/// Of each operation, requests that are meant to be right, and as many of both kinds: with some fifty operations as many
/// in all as [`MIN_REQUESTS`], and a quarter more.
const EXAMPLES: [(&str, u32); 2] = [("positive", 150), ("all", 150)];
/// Fewer requests in all would say little.
const MIN_REQUESTS: u32 = 10_000;
/// Of the answers of each operation, so many in a hundred must be successes: no failure among refusals alone says
/// nothing of what is answered.
const MIN_SUCCESSES: u32 = 25;
/// Operations about what nobody can bring about by requests: a message is tried for an hour before it is a dead letter,
/// and a redrive of none is done at once. The services' own tests have both.
const ABOUT_DEAD_LETTERS: [&str; 2] = ["get-dead-letter", "update-redrive"];

/// Runs it; the answers are counted by operation and printed.
///
/// # Errors
/// When an answer is not in the document, a wrong request was accepted, or too little was tried.
pub(crate) fn contract(project: &Project) -> Result<()> {
    let schemathesis = Environment::schemathesis(project)?;
    let folder = project.root().join("tests/contract/schemathesis");
    let answers = project.workshop().join("schemathesis-answers");
    match fs::remove_file(&answers) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).context("the old answers"),
        _ => {}
    }
    e2e::with_administrator(project, |base_url, identity| {
        for (mode, examples) in EXAMPLES {
            let mut run = schemathesis.command("st");
            run.current_dir(&folder)
                .args(["run", &format!("{base_url}/openapi.json"), "--phases", "fuzzing", "--workers", "2"])
                .args(["--mode", mode, "--max-examples", &examples.to_string(), "--continue-on-failure"])
                // What is right may be refused for what is stored. Other methods are the business of $default, whose
                // HEAD and OPTIONS the document does not have.
                .args(["--exclude-checks", "positive_data_acceptance,unsupported_method"])
                .env("SCHEMATHESIS_HOOKS", folder.join("hooks.py"))
                .env("SHOP_URL", base_url)
                .env("SHOP_ANSWERS", &answers)
                .envs(identity.iter().map(|(name, value)| (name, value)));
            process::run(&mut run)?;
        }
        Ok(())
    })?;
    judge(&answers)
}

/// How often an operation was asked, and how often it answered with a success.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    asked: u32,
    succeeded: u32,
}

fn judge(answers: &Path) -> Result<()> {
    let text = fs::read_to_string(answers).with_context(|| answers.display().to_string())?;
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for line in text.lines() {
        let (operation, status): (String, u16) =
            serde_json::from_str(line).context("a count of an answer")?;
        let count = counts.entry(operation).or_default();
        count.asked += 1;
        // That the caller has it is what was asked for.
        count.succeeded += u32::from(matches!(status, 200..=299 | 304));
    }
    let share = |count: &Count| count.succeeded * 100 / count.asked.max(1);
    for (operation, count) in &counts {
        println!("{operation:24}{:6} answers, {:3} % of them successes", count.asked, share(count));
    }
    let asked: u32 = counts.values().map(|count| count.asked).sum();
    println!("{asked} answers in all");
    ensure!(asked >= MIN_REQUESTS, "{asked} requests are fewer than {MIN_REQUESTS}");
    let is_hollow = |(operation, count): &(&String, &Count)| {
        share(count) < MIN_SUCCESSES && !ABOUT_DEAD_LETTERS.contains(&operation.as_str())
    };
    let hollow: Vec<_> = counts.iter().filter(is_hollow).collect();
    ensure!(hollow.is_empty(), "less than {MIN_SUCCESSES} % of the answers are successes: {hollow:?}");
    Ok(())
}

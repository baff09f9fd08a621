//! Runs the checks, holds what they saw to the known differences, and shows it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use futures::StreamExt;

use crate::checks::{ALL, Check};
use crate::known::{Difference, EMBEDDED, MINISTACK};
use crate::target::Target;

/// How many checks run at once. They share no item and no queue.
const AT_ONCE: usize = 8;

/// What came of one check.
#[derive(Debug)]
pub struct Outcome {
    /// The check.
    pub check: &'static Check,
    /// What was seen instead, where it does not hold.
    pub difference: Option<String>,
}

/// What came of all checks at one target.
#[derive(Debug)]
pub struct Report {
    outcomes: Vec<Outcome>,
    known: &'static [Difference],
}

impl Report {
    /// Runs every check.
    pub async fn of(target: &Target, known: &'static [Difference]) -> Self {
        let run = |check: &'static Check| async move {
            let difference = (check.run)(target).await.err().map(|error| format!("{error:#}"));
            Outcome { check, difference }
        };
        let outcomes = futures::stream::iter(ALL.iter().map(run)).buffered(AT_ONCE).collect().await;
        Self { outcomes, known }
    }

    /// A report from outcomes, for tests of the report itself.
    #[must_use]
    pub fn from_outcomes(outcomes: Vec<Outcome>, known: &'static [Difference]) -> Self {
        Self { outcomes, known }
    }

    /// What is wrong: differences that are not known, and known ones that are not seen.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut open: BTreeMap<&str, &Difference> =
            self.known.iter().map(|known| (known.check, known)).collect();
        let mut problems = Vec::new();
        for Outcome { check, difference } in &self.outcomes {
            match (difference, open.remove(check.name)) {
                (None, None) => {}
                (Some(seen), Some(known)) if seen.contains(known.seen) => {}
                (Some(seen), Some(known)) => problems.push(format!(
                    "{}: differs otherwise than known: {seen}\n  known is: {}",
                    check.name, known.seen
                )),
                (Some(seen), None) => problems.push(format!(
                    "{}: differs: {seen}\n  {}\n  {}",
                    check.name, check.rule, check.decided_by
                )),
                (None, Some(_)) => problems.push(format!("{}: conforms, and is known to differ", check.name)),
            }
        }
        problems.extend(open.into_keys().map(|name| format!("{name}: is known to differ, and is no check")));
        problems
    }

    /// How many checks hold, and how many do not.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let differ = self.outcomes.iter().filter(|outcome| outcome.difference.is_some()).count();
        (self.outcomes.len() - differ, differ)
    }
}

/// Every check with what each target makes of it, for a terminal.
#[must_use]
pub fn table(reports: &[(&str, &Report)]) -> String {
    let width = ALL.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let mut text = format!("{:width$}", "check");
    for (name, _) in reports {
        _ = write!(text, "  {name:14}");
    }
    for (place, check) in ALL.iter().enumerate() {
        _ = write!(text, "\n{:width$}", check.name);
        for (_, report) in reports {
            let differs = report.outcomes.get(place).is_some_and(|outcome| outcome.difference.is_some());
            _ = write!(text, "  {:14}", if differs { "differs" } else { "conforms" });
        }
    }
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// Every check with its rule and the page that decides it, and every known difference with its reason: the
/// generated part of docs/conformance.md.
#[must_use]
pub fn document() -> String {
    let mut text = String::new();
    let mut group = "";
    for check in ALL {
        let (module, name) = check.name.split_once("::").unwrap_or(("", check.name));
        if module != group {
            group = module;
            _ = write!(text, "\n### {module}\n\n| check | rule | decided by | embedded cloud | MiniStack |\n");
            text.push_str("|---|---|---|---|---|\n");
        }
        let page = check.decided_by.rsplit('/').next().unwrap_or_default().trim_end_matches(".html");
        let verdict = |known: &[Difference]| {
            if known.iter().any(|known| known.check == check.name) { "differs" } else { "conforms" }
        };
        _ = writeln!(
            text,
            "| `{name}` | {} | [{page}]({}) | {} | {} |",
            check.rule,
            check.decided_by,
            verdict(EMBEDDED),
            verdict(MINISTACK)
        );
    }
    text.push_str("\n### Differences\n\n");
    for (name, differences) in [("the embedded cloud", EMBEDDED), ("MiniStack", MINISTACK)] {
        _ = writeln!(text, "Of {name}: {}\n", if differences.is_empty() { "none." } else { "" });
        let mut text_of = String::new();
        for Difference { check, seen, reason } in differences {
            _ = writeln!(text_of, "- `{check}`: {reason} Seen: `{seen}`.");
        }
        if !text_of.is_empty() {
            text.push_str(&text_of);
            text.push('\n');
        }
    }
    let lines: Vec<_> = text.trim().lines().map(str::trim_end).collect();
    lines.join("\n")
}

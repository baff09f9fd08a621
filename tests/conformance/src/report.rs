//! Runs the checks, holds what they saw to the known differences, and shows it.

use std::collections::BTreeMap;

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
    let line = |name: &str, cells: Vec<&str>| {
        let cells: Vec<_> = cells.iter().map(|cell| format!("  {cell:14}")).collect();
        format!("{name:width$}{}", cells.concat()).trim_end().to_owned()
    };
    let mut lines = vec![line("check", reports.iter().map(|(name, _)| *name).collect())];
    for (place, check) in ALL.iter().enumerate() {
        let verdict = |(_, report): &(&str, &Report)| {
            let differs = report.outcomes.get(place).is_some_and(|outcome| outcome.difference.is_some());
            if differs { "differs" } else { "conforms" }
        };
        lines.push(line(check.name, reports.iter().map(verdict).collect()));
    }
    lines.join("\n")
}

/// Every check with its rule and the page that decides it, and every known difference with its reason: the
/// generated part of docs/conformance.md.
#[must_use]
pub fn document() -> String {
    let mut lines = Vec::new();
    let mut group = "";
    for check in ALL {
        let (module, name) = check.name.split_once("::").unwrap_or(("", check.name));
        if module != group {
            group = module;
            lines.push(format!("\n## {module}\n"));
            lines.push("| check | rule | decided by | embedded cloud | MiniStack |".to_owned());
            lines.push("|---|---|---|---|---|".to_owned());
        }
        let (rule, page) = (check.rule, check.decided_by);
        let title = page.rsplit('/').next().unwrap_or_default().trim_end_matches(".html");
        let verdict = |known: &[Difference]| {
            if known.iter().any(|known| known.check == check.name) { "differs" } else { "conforms" }
        };
        let (embedded, ministack) = (verdict(EMBEDDED), verdict(MINISTACK));
        lines.push(format!("| `{name}` | {rule} | [{title}]({page}) | {embedded} | {ministack} |"));
    }
    for (name, differences) in [("the embedded cloud", EMBEDDED), ("MiniStack", MINISTACK)] {
        lines.push(format!("\n## Differences of {name}\n"));
        if differences.is_empty() {
            lines.push("None.".to_owned());
        }
        for Difference { check, seen, reason } in differences {
            lines.push(format!("- `{check}`: {reason} Seen: `{seen}`."));
        }
    }
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every check holds, but for the first, of which `seen` was seen.
    fn report(seen: Option<&str>, known: &'static [Difference]) -> Report {
        let outcome = |(place, check): (usize, &'static Check)| Outcome {
            check,
            difference: seen.filter(|_| place == 0).map(str::to_owned),
        };
        Report { outcomes: ALL.iter().enumerate().map(outcome).collect(), known }
    }

    const FIRST: Difference = Difference { check: ALL[0].name, seen: "a stale item", reason: "" };
    const NO_CHECK: Difference = Difference { check: "writes::nothing", ..FIRST };

    #[test]
    fn only_what_is_known_may_differ_and_it_must() {
        assert!(report(None, &[]).problems().is_empty());
        assert!(report(Some("it was a stale item"), &[FIRST]).problems().is_empty());
        let problem = |report: Report| {
            let problems = report.problems();
            assert_eq!(problems.len(), 1, "{problems:?}");
            problems.concat()
        };
        assert!(problem(report(Some("a stale item"), &[])).contains(": differs: a stale item"));
        assert!(problem(report(Some("no item"), &[FIRST])).contains("differs otherwise than known: no item"));
        assert!(problem(report(None, &[FIRST])).contains("conforms, and is known to differ"));
        assert!(problem(report(None, &[NO_CHECK])).contains("and is no check"));
    }

    #[test]
    fn checks_have_names_of_their_own() {
        let mut names: Vec<_> = ALL.iter().map(|check| check.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn the_table_has_a_line_for_each_check() {
        let report = report(Some("a stale item"), &[]);
        let table = table(&[("here", &report), ("there", &report)]);
        assert_eq!(table.lines().count(), 1 + ALL.len());
        assert!(table.lines().nth(1).is_some_and(|line| line.ends_with("differs         differs")));
        assert_eq!(report.counts(), (ALL.len() - 1, 1));
    }
}

//! What to do about an alarm: each has its section of docs/operations.md, and each alarm that the document names is one.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::template::Template;

/// The document.
pub const DOCUMENT: &str = "docs/operations.md";

/// What alarms have in common that one section is about.
struct Runbook {
    /// The section.
    section: &'static str,
    /// What the alarms look at.
    metrics: &'static [&'static str],
    /// How their logical ids begin, where the metric alone does not tell.
    begins: &'static str,
}

const fn runbook(section: &'static str, metrics: &'static [&'static str]) -> Runbook {
    Runbook { section, metrics, begins: "" }
}

/// The first that an alarm goes with is its own.
const RUNBOOKS: &[Runbook] = &[
    runbook("When the API answers with 5xx", &["5xx"]),
    runbook("When answers are slow", &["Latency"]),
    runbook("When functions are throttled", &["Throttles"]),
    Runbook {
        section: "When the journal is behind",
        metrics: &["ApproximateAgeOfOldestMessage", "FailingMessages"],
        begins: "Journal",
    },
    runbook("When a queue is late", &["ApproximateAgeOfOldestMessage"]),
    runbook("When events leave late", &["IteratorAge"]),
    runbook("When the topic cannot deliver", &["NumberOfNotificationsFailed"]),
    runbook("When messages keep failing", &["FailingMessages", "MalformedMessages"]),
    runbook("When dead letters are parked", &["ParkedDeadLetters"]),
    runbook("When a message is in a dead-letter queue", &["ApproximateNumberOfMessagesVisible"]),
    Runbook { section: "When a function fails", metrics: &["Errors"], begins: "Function" },
    runbook("When a scheduled function fails or does not run", &["Errors"]),
    runbook("When orders are stalled", &["StalledOrders"]),
    runbook("When a verification finds drift", &["Drift"]),
    runbook("When verifications have no time for all", &["IncompleteVerifications"]),
    runbook("When somebody becomes an administrator", &["RoleChanges"]),
    runbook("When passwords are guessed at", &["RefusedAttempts"]),
    runbook("Mails", &["Reputation.BounceRate", "Reputation.ComplaintRate"]),
];

/// The section about an alarm.
fn section(id: &str, alarm: &Value) -> Option<&'static str> {
    let metric = alarm["MetricName"].as_str().unwrap_or_default();
    let own = RUNBOOKS.iter().find(|book| book.metrics.contains(&metric) && id.starts_with(book.begins));
    own.map(|book| book.section)
}

/// The alarms of a section, by their logical ids.
fn alarms<'a>(template: &'a Template, of: &str) -> Vec<&'a str> {
    let all = template.of_type("AWS::CloudWatch::Alarm");
    all.filter(|(id, alarm)| section(id, alarm) == Some(of)).map(|(id, _)| id).collect()
}

/// The document's table of what to read when an alarm goes off.
#[must_use]
pub fn table(template: &Template) -> String {
    let mut text = "| alarms | read |\n|---|---|\n".to_owned();
    for Runbook { section, .. } in RUNBOOKS {
        let of_it = alarms(template, section);
        if !of_it.is_empty() {
            // To a String it cannot fail.
            let _ = writeln!(text, "| `{}` | [{section}](#{}) |", of_it.join("`, `"), anchor(section));
        }
    }
    text
}

/// What a heading is linked by.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || " -".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// What is wrong between the template's alarms and the document.
#[must_use]
pub fn check(template: &Template, document: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let all: BTreeSet<&str> = template.of_type("AWS::CloudWatch::Alarm").map(|(id, _)| id).collect();
    for (id, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
        if section(id, alarm).is_none() {
            wrong.push(format!(
                "{id}: it has no runbook: write a section into {DOCUMENT}, name it in tests/template/src/runbooks.rs, \
                 and run cargo xtask sync"
            ));
        } else if !document.contains(&format!("`{id}`")) {
            wrong.push(format!("{id}: {DOCUMENT} does not name it: run cargo xtask sync"));
        }
    }
    for Runbook { section, .. } in RUNBOOKS {
        let heading = format!("\n### {section}\n\n");
        let body = document.split_once(&heading).map_or("", |(_, rest)| rest);
        if body.is_empty() || body.trim_start().starts_with('#') {
            wrong.push(format!("{DOCUMENT}: there is no section \"{section}\", or it is empty"));
        }
        if alarms(template, section).is_empty() {
            wrong.push(format!("\"{section}\" is about alarms that are not there"));
        }
    }
    let named = document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.ends_with("Alarm") && name.chars().all(char::is_alphanumeric));
    wrong.extend(
        named
            .filter(|name| !all.contains(name))
            .map(|name| format!("{DOCUMENT} names {name}, which is no alarm")),
    );
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broken::{changed, good};

    /// A document with every section, and with the alarms of a template.
    fn document(template: &Template) -> String {
        let mut text = table(template);
        for Runbook { section, .. } in RUNBOOKS {
            let _ = writeln!(text, "\n### {section}\n\nLook at it.");
        }
        text
    }

    /// What is wrong of the good template but that it has not every alarm.
    fn found(template: &Template, document: &str) -> Vec<String> {
        let found = check(template, document).into_iter();
        found.filter(|line| !line.contains("is about alarms that are not there")).collect()
    }

    #[test]
    fn an_alarm_without_a_runbook_and_a_runbook_without_an_alarm_are_found() {
        let whole = document(&good());
        assert_eq!(found(&good(), &whole), [""; 0]);
        let other = changed("MetricName: IteratorAge", "MetricName: Other");
        assert!(found(&other, &whole)[0].starts_with("AgeAlarm: it has no runbook"));
        let new = changed("  AgeAlarm:", "  OtherAgeAlarm:");
        assert_eq!(
            found(&new, &whole),
            [
                "OtherAgeAlarm: docs/operations.md does not name it: run cargo xtask sync",
                "docs/operations.md names AgeAlarm, which is no alarm"
            ]
        );
        let missing = whole.replace("### When events leave late\n", "### When\n");
        assert!(found(&good(), &missing)[0].contains("no section \"When events leave late\""));
        let empty =
            whole.replace("### When events leave late\n\nLook at it.\n", "### When events leave late\n\n");
        assert!(found(&good(), &empty)[0].contains("or it is empty"));
        let unused = check(&other, &whole);
        assert!(unused.contains(&"\"When events leave late\" is about alarms that are not there".to_owned()));
    }

    #[test]
    fn the_first_section_that_an_alarm_goes_with_is_its_own() {
        let journal = changed("  QueueAgeAlarm:", "  JournalQueueAgeAlarm:");
        assert_eq!(alarms(&journal, "When the journal is behind"), ["JournalQueueAgeAlarm"]);
        assert_eq!(alarms(&journal, "When a queue is late"), [""; 0]);
        assert_eq!(alarms(&good(), "When a queue is late"), ["QueueAgeAlarm"]);
        assert!(
            table(&good()).contains("| `QueueAgeAlarm` | [When a queue is late](#when-a-queue-is-late) |")
        );
    }

    #[test]
    fn a_heading_is_linked_as_it_is_read() {
        assert_eq!(anchor("When the API answers with 5xx"), "when-the-api-answers-with-5xx");
        assert_eq!(
            anchor("When a message is in a dead-letter queue"),
            "when-a-message-is-in-a-dead-letter-queue"
        );
    }
}

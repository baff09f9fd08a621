//! The commands of the documents: each one is tried, or it is said why it cannot be.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::project;

/// Where it is said of each command how it is tried.
pub const LIST: &str = "docs/commands.yaml";

/// The ways, each with the member that goes with it.
const WAYS: [(&str, Option<&str>); 5] = [
    // `cargo xtask documents` runs it against a shop, or a stack in an emulator.
    ("shop", None),
    ("emulator", None),
    // A step of `cargo xtask ci` runs it.
    ("step", Some("step")),
    // `cargo xtask documents` runs what is named, which goes as far as can be gone here.
    ("instead", Some("run")),
    // Not at all.
    ("never", Some("reason")),
];

/// What the commands at the head of a table's line begin with.
const PROGRAMS: [&str; 4] = ["aws ", "cargo ", "docker ", "sam "];

/// The commands in the shell blocks of a document, and at the head of a table's lines. One that goes on in the next
/// line is one; a comment is none.
#[must_use]
pub fn of_document(markdown: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let (mut in_shell, mut begun) = (false, String::new());
    for line in markdown.lines() {
        if let Some(command) = line.strip_prefix("| `").and_then(|line| line.split('`').next()) {
            commands
                .extend(PROGRAMS.iter().any(|name| command.starts_with(name)).then(|| command.to_owned()));
        }
        if let Some(language) = line.trim_start().strip_prefix("```") {
            in_shell = !in_shell && ["sh", "bash", "console"].contains(&language);
            continue;
        }
        let line = line.split_once(" # ").map_or(line, |(command, _)| command).trim();
        if !in_shell || line.is_empty() || line.starts_with("# ") {
            continue;
        }
        if !begun.is_empty() {
            begun.push(' ');
        }
        begun.push_str(line.trim_end_matches('\\').trim_end());
        let goes_on = line.ends_with('\\') || line.ends_with('|') || line.ends_with("; do");
        if !goes_on {
            commands.push(std::mem::take(&mut begun));
        }
    }
    commands
}

/// The commands of all documents.
///
/// # Errors
/// A document cannot be read.
pub fn documented() -> Result<BTreeSet<String>> {
    let mut commands = BTreeSet::new();
    let mut folders = vec![project::root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // What is built or installed has documents of others.
            if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                commands.extend(of_document(&std::fs::read_to_string(&path)?));
            }
        }
    }
    Ok(commands)
}

/// The list, entry by entry.
///
/// # Errors
/// It cannot be read.
pub fn list() -> Result<Vec<Value>> {
    serde_yaml_ng::from_str(&project::text(LIST)?).with_context(|| format!("{LIST} is no list"))
}

/// What is wrong with the list, for these commands and the steps of the CI run.
#[must_use]
pub fn check(documented: &BTreeSet<String>, list: &[Value], steps: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut listed = BTreeSet::new();
    for entry in list {
        let command = entry["command"].as_str().unwrap_or_default();
        if !listed.insert(command.to_owned()) {
            wrong.push(format!("{command}: it is listed twice"));
        }
        let way = WAYS.iter().find(|(way, _)| entry["tried"] == *way);
        match way {
            None => wrong.push(format!("{command}: it is not said how it is tried")),
            Some((way, Some(member))) if entry[*member].as_str().is_none_or(str::is_empty) => {
                wrong.push(format!("{command}: {way} without {member}"));
            }
            Some(_) => {}
        }
        if let Some(step) = entry["step"].as_str()
            && !steps.contains(&format!("name: \"{step}\""))
        {
            wrong.push(format!("{command}: there is no step {step}"));
        }
    }
    for command in documented.difference(&listed) {
        wrong.push(format!("{command}: it is in a document, and not in {LIST}"));
    }
    for command in listed.difference(documented) {
        wrong.push(format!("{command}: it is in {LIST}, and in no document"));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn commands_are_found_as_they_are_written() {
        let markdown = "\
```sh
# a comment
cargo run          # the shop
curl -X POST http://localhost \\
  -d '{\"a\": 1}'

echo x |
  cat
for a in 1 2; do
  echo $a; done
```
```json
{}
```
    cargo no
| `cargo xtask x` | a command |
| `remedy` | none |
";
        let expected = [
            "cargo run",
            "curl -X POST http://localhost -d '{\"a\": 1}'",
            "echo x | cat",
            "for a in 1 2; do echo $a; done",
            "cargo xtask x",
        ];
        assert_eq!(of_document(markdown), expected);
    }

    #[test]
    fn a_command_that_nobody_tries_is_found() {
        let documented = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let steps = "Step { name: \"test\", run: test }";
        let good = [
            json!({"command": "a", "tried": "shop"}),
            json!({"command": "b", "tried": "step", "step": "test"}),
        ];
        assert_eq!(check(&documented, &good, steps), [""; 0]);
        let finds = |second: Value, finding: &str| {
            let found = check(&documented, &[good[0].clone(), second], steps);
            assert!(found.iter().any(|line| line.contains(finding)), "{found:?}");
        };
        finds(json!({"command": "a", "tried": "shop"}), "listed twice");
        finds(json!({"command": "a", "tried": "shop"}), "b: it is in a document");
        finds(json!({"command": "c", "tried": "shop"}), "in no document");
        finds(json!({"command": "b"}), "not said how");
        finds(json!({"command": "b", "tried": "never"}), "never without reason");
        finds(json!({"command": "b", "tried": "step", "step": "tests"}), "no step tests");
    }
}

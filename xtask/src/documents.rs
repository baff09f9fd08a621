//! `cargo xtask documents`: the commands of the documents, run as they are written. docs/commands.yaml says which
//! run where; tests/template holds it to the documents.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use crate::emulator::{self, Emulator};
use crate::http;
use crate::process;
use crate::project::Project;
use crate::python::Environment;

/// Before the commands. They are those of the documents; that a failure counts, and where the AWS CLI finds an
/// emulator, is added here: its first version knows no endpoint for queues but AWS's own.
const PRELUDE: &str = r#"set -euo pipefail
curl() { command curl --fail-with-body --silent --show-error "$@" >/dev/null; }
aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@" ; }
"#;
/// What a command of the documents writes.
const REPORT: &str = "report.json";

#[derive(Debug, Deserialize)]
struct Entry {
    command: String,
    tried: String,
    run: Option<String>,
}

/// What commands are run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Against {
    /// A `cargo run`; with what is run instead of others
    Shop,
    /// A stack in an emulator
    Emulator,
}

/// All of it or a part, with an emulator of its own: the cleaning up at the end is tried as well.
///
/// # Errors
/// When a command fails.
pub(crate) fn documents(project: &Project, only: Option<Against>) -> Result<()> {
    if only != Some(Against::Emulator) {
        shop(project)?;
    }
    if only == Some(Against::Shop) {
        return Ok(());
    }
    let own = Emulator::new(project, http::free_port()?);
    emulator::with_emulator(project, &own, |base_url| emulator(project, &own, base_url))
}

/// The commands against a `cargo run`, and what is run instead of others.
///
/// # Errors
/// When one fails.
pub(crate) fn shop(project: &Project) -> Result<()> {
    crate::e2e::with_shop(project, &[], |base_url| {
        let known = [("http://localhost:8000", base_url.to_owned()), ("ord_...", order(base_url)?)];
        let mut commands = commands(project, "shop", &known)?;
        let here = |command: String| command.replace("http://localhost:8000", base_url);
        commands.extend(commands_instead(project)?.into_iter().map(here));
        run(project, Command::new("bash"), &commands)
    })
}

/// The commands with a stack in an emulator. The stack is gone afterwards.
///
/// # Errors
/// When one fails.
pub(crate) fn emulator(project: &Project, emulator: &Emulator, base_url: &str) -> Result<()> {
    let known = [
        ("http://127.0.0.1:4566", emulator.endpoint()),
        ("shop-prod", emulator::STACK.to_owned()),
        ("shop-dev", emulator::STACK.to_owned()),
        // What was built for the emulator is of this checkout.
        ("deploy --env dev", format!("deploy --env local --no-build --port {}", emulator.port())),
        ("destroy --env dev", format!("destroy --env local --port {}", emulator.port())),
        ("ord_...", order(base_url)?),
    ];
    let mut bash = Command::new("bash");
    emulator.point(&mut bash);
    let commands = commands(project, "emulator", &known)?;
    let ran = run(project, bash, &commands);
    match fs::remove_file(project.root().join(REPORT)) {
        Err(error) if error.kind() != ErrorKind::NotFound => ran.and(Err(error).context(REPORT)),
        _ => ran,
    }
}

fn order(base_url: &str) -> Result<String> {
    let order = json!({"items": [{"product_id": "prod-1", "quantity": 1}]});
    let order = http::post(&format!("{base_url}/orders"), &order)?;
    Ok(order["id"].as_str().context("an order without an id")?.to_owned())
}

fn entries(project: &Project) -> Result<Vec<Entry>> {
    let path = project.root().join("docs/commands.yaml");
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_yaml_ng::from_slice(&text).with_context(|| path.display().to_string())
}

/// The commands of a kind, with what stands in them for what runs here.
fn commands(project: &Project, tried: &str, known: &[(&str, String)]) -> Result<Vec<String>> {
    let entries = entries(project)?.into_iter().filter(|entry| entry.tried == tried);
    Ok(entries
        .map(|entry| {
            known.iter().fold(entry.command, |command, (written, here)| command.replace(written, here))
        })
        .collect())
}

fn commands_instead(project: &Project) -> Result<Vec<String>> {
    Ok(entries(project)?.into_iter().filter_map(|entry| entry.run).collect())
}

/// Runs commands in one shell, one after the other: some set what others use.
fn run(project: &Project, mut bash: Command, commands: &[String]) -> Result<()> {
    let mut script = PRELUDE.to_owned();
    for command in commands {
        let said = quoted(&format!("$ {command}"));
        script.extend(["printf '%s\\n' ", &said, "\n", command, "\n"]);
    }
    let (sam, aws) = (Environment::sam(project)?, Environment::aws(project)?);
    // The folders of both, and then the caller's.
    let path = [sam.bin(), aws.bin()].into_iter().map(ToOwned::to_owned);
    let inherited = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(path.chain(env::split_paths(&inherited))).context("the search path")?;
    bash.current_dir(project.root()).env("PATH", path).env("SAM_CLI_TELEMETRY", "0").env("AWS_PAGER", "");
    let file = project.workshop().join("documents.sh");
    fs::create_dir_all(project.workshop())?;
    fs::write(&file, script).with_context(|| format!("cannot write {}", file.display()))?;
    process::run(bash.arg(file).stdin(Stdio::null()))
}

/// A text as one word of the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_word() {
        let text = r#"it's "a" $text"#;
        let said =
            process::output(Command::new("sh").args(["-c", &format!("printf %s {}", quoted(text))])).unwrap();
        assert_eq!(said, text);
    }

    #[test]
    fn commands_name_what_runs_here() {
        let project = Project::find().unwrap();
        let known =
            [("http://localhost:8000", "http://127.0.0.1:1".to_owned()), ("ord_...", "ord_1".to_owned())];
        let commands = commands(&project, "shop", &known).unwrap();
        assert!(
            commands.iter().any(|command| command == "curl http://127.0.0.1:1/orders/ord_1"),
            "{commands:?}"
        );
        assert!(!commands_instead(&project).unwrap().is_empty());
    }
}

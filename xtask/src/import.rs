//! `cargo xtask import`: takes a file of products into a shop, and says line by line what was wrong with it.
//!
//! It is a client of the API like any other: it asks for an address, puts the file there, starts the import, and looks how
//! far it is. It calls by curl: a deployed shop has TLS, and the other commands' client has none.

use std::fmt::Write as _;
use std::fs;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(300);
/// Between two lines where nobody looks at a bar.
const LINE_EVERY: Duration = Duration::from_secs(10);
const BAR: u64 = 40;

/// What to import, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The file: CSV with a header, or a JSON object on each line
    file: PathBuf,
    /// The shop's base URL: scheme, host and port
    #[arg(long, value_name = "URL")]
    base_url: String,
    /// How the file is written; by its name without this
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Log in as this administrator, with the password from standard input. Without it the shop must know by itself who
    /// asks, as the demo of `cargo run` does
    #[arg(long, value_name = "ADDRESS", requires = "password_stdin")]
    email: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "email")]
    password_stdin: bool,
    /// Read an access token from standard input. It is good for minutes: for a long import log in instead
    #[arg(long, conflicts_with = "email")]
    token_stdin: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

impl Format {
    const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    fn of(import: &Import) -> Result<Self> {
        let by_name = match import.file.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => Some(Self::Csv),
            Some("jsonl" | "ndjson") => Some(Self::Jsonl),
            _ => None,
        };
        import.format.or(by_name).context("the file's name does not say how it is written: use --format")
    }
}

/// Imports the file. What was wrong with lines is printed.
///
/// # Errors
/// A call fails, the file cannot be read to its end, or lines were refused.
pub(crate) fn import(import: &Import) -> Result<()> {
    let format = Format::of(import)?;
    let size = fs::metadata(&import.file).with_context(|| import.file.display().to_string())?.len();
    let mut client = Client::new(import)?;
    let made = client.call("POST", "/imports", Some(&json!({ "format": format.name() })))?;
    let text = |pointer: &str| {
        let found = made.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        found.with_context(|| format!("no {pointer} in {made}"))
    };
    let (id, url) = (text("/id")?, text("/upload/url")?);
    let most = made.pointer("/upload/max_bytes").and_then(Value::as_u64).unwrap_or(u64::MAX);
    ensure!(size <= most, "the file has {size} bytes, and the shop takes {most}: divide it");
    Curl::new("PUT", &url).upload(&import.file).send()?.expect_success("PUT of the file")?;
    client.call("POST", &format!("/imports/{id}/start"), None)?;

    let mut progress = Progress::new();
    let done = loop {
        let import = client.call("GET", &format!("/imports/{id}"), None)?;
        progress.show(&import)?;
        if matches!(import["status"].as_str(), Some("done" | "failed")) {
            break import;
        }
        sleep(PAUSE);
    };
    progress.end()?;
    client.print_refusals(&id)?;
    let (read, accepted, refused) = counts(&done);
    println!("{accepted} of {read} lines are in the catalogue");
    if let Some(failure) = done["failure"].as_object() {
        let column =
            failure["column"].as_str().map(|column| format!(", column {column}")).unwrap_or_default();
        let detail = failure["detail"].as_str().unwrap_or_default();
        bail!("the file could not be read on from line {}{column}: {detail}", failure["line"]);
    }
    ensure!(refused == 0, "{refused} of {read} lines were refused");
    Ok(())
}

/// How many lines were read, accepted and refused.
fn counts(import: &Value) -> (u64, u64, u64) {
    let of = |name: &str| import["lines"][name].as_u64().unwrap_or(0);
    (of("read"), of("accepted"), of("refused"))
}

/// A call by curl. What it is goes by standard input: an argument could be read by everybody on this machine.
struct Curl(String);

/// An answer: its status and its body.
struct Answer(u16, String);

impl Curl {
    fn new(method: &str, url: &str) -> Self {
        Self("silent\nshow-error\nwrite-out = \"\\n%{http_code}\"\n".to_owned())
            .option("request", method)
            .option("url", url)
    }

    fn option(mut self, name: &str, value: &str) -> Self {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"");
        // Writing to a string cannot fail.
        let _: std::fmt::Result = writeln!(self.0, "{name} = \"{value}\"");
        self
    }

    fn header(self, name: &str, value: &str) -> Self {
        self.option("header", &format!("{name}: {value}"))
    }

    fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").option("data-binary", &body.to_string())
    }

    fn upload(self, file: &Path) -> Self {
        self.option("upload-file", &file.to_string_lossy())
    }

    fn send(self) -> Result<Answer> {
        let mut curl = Command::new("curl");
        curl.args(["--config", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut curl = curl.spawn().context("curl cannot be started")?;
        curl.stdin.take().context("curl's input")?.write_all(self.0.as_bytes())?;
        let output = curl.wait_with_output()?;
        ensure!(output.status.success(), "curl: {}", output.status);
        let text = String::from_utf8(output.stdout).context("an answer that is no text")?;
        let (body, status) = text.rsplit_once('\n').context("curl tells no status")?;
        Ok(Answer(status.parse()?, body.to_owned()))
    }
}

impl Answer {
    /// The JSON of a success; null where it has none.
    fn expect_success(self, call: &str) -> Result<Value> {
        let Self(status, body) = self;
        ensure!((200..300).contains(&status), "{call}: {status}: {body}");
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&body).with_context(|| format!("{call}: not JSON: {body}"))
    }
}

struct Client {
    base_url: String,
    log_in: Option<(String, String)>,
    token: Option<String>,
}

impl Client {
    fn new(import: &Import) -> Result<Self> {
        let from_stdin = || -> Result<String> {
            let mut line = String::new();
            stdin().read_line(&mut line).context("standard input")?;
            Ok(line.trim_end_matches(['\r', '\n']).to_owned())
        };
        let log_in = import.email.clone().map(|email| anyhow::Ok((email, from_stdin()?))).transpose()?;
        let token = if import.token_stdin { Some(from_stdin()?) } else { None };
        let base_url = import.base_url.trim_end_matches('/').to_owned();
        Ok(Self { base_url, log_in, token })
    }

    /// Calls the API; with another token where the one that there was has ended.
    fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        if self.token.is_none() && self.log_in.is_some() {
            self.log_in()?;
        }
        let mut answer = self.send(method, path, body)?;
        if answer.0 == 401 && self.log_in.is_some() {
            self.log_in()?;
            answer = self.send(method, path, body)?;
        }
        answer.expect_success(&format!("{method} {path}"))
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let mut call = Curl::new(method, &format!("{}{path}", self.base_url));
        if let Some(token) = &self.token {
            call = call.header("authorization", &format!("Bearer {token}"));
        }
        if let Some(body) = body {
            call = call.json(body);
        }
        call.send().with_context(|| format!("{method} {path}"))
    }

    fn log_in(&mut self) -> Result<()> {
        let Some((email, password)) = &self.log_in else { return Ok(()) };
        let body = json!({ "email": email, "password": password });
        let session = self.send("POST", "/sessions", Some(&body))?.expect_success("POST /sessions")?;
        let token = session["access_token"].as_str().context("no access token")?.to_owned();
        self.token = Some(token);
        Ok(())
    }

    fn print_refusals(&mut self, id: &str) -> Result<()> {
        let mut path = format!("/imports/{id}/refusals?limit=100");
        loop {
            let page = self.call("GET", &path, None)?;
            for line in page["data"].as_array().into_iter().flatten() {
                for error in line["errors"].as_array().into_iter().flatten() {
                    let text = |name: &str| error[name].as_str().unwrap_or_default();
                    let column = text("column");
                    let column = if column.is_empty() { String::new() } else { format!("{column}: ") };
                    println!("line {}: {column}{} ({})", line["line"], text("detail"), text("code"));
                }
            }
            let Some(cursor) = page["next_cursor"].as_str() else { return Ok(()) };
            path = format!("/imports/{id}/refusals?limit=100&cursor={cursor}");
        }
    }
}

/// How far the import is: a bar on a terminal, a line now and then elsewhere.
struct Progress {
    is_terminal: bool,
    told: Instant,
}

impl Progress {
    fn new() -> Self {
        Self { is_terminal: stdout().is_terminal(), told: Instant::now() }
    }

    fn show(&mut self, import: &Value) -> Result<()> {
        let (read, accepted, refused) = counts(import);
        if self.is_terminal {
            print!(
                "\r{} {} of {read} lines, {refused} refused",
                bar(accepted + refused, read),
                accepted + refused
            );
            stdout().flush()?;
        } else if self.told.elapsed() >= LINE_EVERY {
            self.told = Instant::now();
            println!("{} of {read} lines, {refused} refused", accepted + refused);
        }
        Ok(())
    }

    fn end(&self) -> Result<()> {
        if self.is_terminal {
            println!();
        }
        Ok(stdout().flush()?)
    }
}

fn bar(done: u64, all: u64) -> String {
    let filled = (done * BAR).checked_div(all).unwrap_or(0).min(BAR);
    let repeat = |text: &str, times: u64| text.repeat(usize::try_from(times).unwrap_or(0));
    format!("[{}{}]", repeat("#", filled), repeat(".", BAR - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_what_is_done() {
        assert_eq!(bar(0, 0), format!("[{}]", ".".repeat(40)));
        assert_eq!(bar(1, 2), format!("[{}{}]", "#".repeat(20), ".".repeat(20)));
        assert_eq!(bar(7, 7), format!("[{}]", "#".repeat(40)));
    }

    #[test]
    fn a_file_is_written_as_its_name_says_or_as_it_is_said() {
        let import = |file: &str, format| Import {
            file: file.into(),
            base_url: String::new(),
            format,
            email: None,
            password_stdin: false,
            token_stdin: false,
        };
        assert_eq!(Format::of(&import("a/b.csv", None)).unwrap(), Format::Csv);
        assert_eq!(Format::of(&import("b.jsonl", None)).unwrap(), Format::Jsonl);
        assert_eq!(Format::of(&import("b.csv", Some(Format::Jsonl))).unwrap(), Format::Jsonl);
        assert!(Format::of(&import("b.txt", None)).is_err());
    }
}

//! The `shop` binary as a child process, and requests to it.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail it by a panic")]
#![expect(dead_code, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Far more than a start, or the settling of some hundred orders, takes on a busy machine. A message whose consumer could
/// not write is hidden for more than a minute, and may meet that twice.
const PATIENCE: Duration = Duration::from_mins(6);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running shop. It is killed when the value goes.
pub(crate) struct Shop {
    child: Child,
    port: u16,
    said: Mutex<mpsc::Receiver<String>>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// An answer, its body read as JSON (null where it is none).
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Runs the shop to its end: for starts that are to fail.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).stderr(Stdio::piped()).output().unwrap()
}

/// Sends a signal by its name (`KILL`, `TERM`).
#[cfg(unix)]
pub(crate) fn signal(process: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Refuses a process every write beyond so many bytes of a file; none allows all again. It stands for a full disk,
/// which takes a privilege to make.
#[cfg(target_os = "linux")]
pub(crate) fn limit_files(process: u32, bytes: Option<u64>) {
    let process = rustix::process::Pid::from_raw(process.try_into().unwrap());
    let limit = rustix::process::Rlimit { current: bytes, maximum: None };
    rustix::process::prlimit(process, rustix::process::Resource::Fsize, limit).unwrap();
}

impl Shop {
    /// Starts the shop on a free port and waits until it says that it is open.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_by(command(&[&["--port", "0"], arguments].concat()))
    }

    /// Starts it with files of a limit that can be lowered while it runs ([`limit_files`]): a write beyond it is
    /// refused, as it is by a full disk.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_with_limited_files(arguments: &[&str]) -> Self {
        let shop = env!("CARGO_BIN_EXE_shop");
        let mut shell = Command::new("sh");
        // Whoever ignores the signal is answered with an error instead; what is ignored stays so in the shop.
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" --port 0 \"$@\"", shop]).args(arguments);
        shell.stdin(Stdio::null()).stdout(Stdio::piped());
        Self::start_by(shell)
    }

    fn start_by(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (opened, port) = mpsc::channel();
        let (sayer, said) = mpsc::channel();
        // The pipe is read to its end, or a full one would block the shop.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(rest) = line.split("http://localhost:").nth(1) {
                    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                    opened.send(digits.parse().unwrap()).ok();
                }
                // A test that has ended listens no more.
                sayer.send(line).ok();
            }
        });
        let port = port.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the shop did not open"));
        Self {
            child,
            port,
            said: Mutex::new(said),
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// What follows these words in what it says, to the end of the line.
    pub(crate) fn said(&self, words: &str) -> String {
        let rest = |line: String| line.split_once(words).map(|(_, rest)| rest.to_owned());
        let until = Instant::now() + PATIENCE;
        loop {
            let line =
                self.said.lock().unwrap().recv_timeout(until.saturating_duration_since(Instant::now()));
            if let Some(rest) = rest(line.unwrap_or_else(|_| panic!("the shop did not say: {words}"))) {
                return rest;
            }
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait(mut self) -> bool {
        self.child.wait().unwrap().success()
    }

    /// Sends a request; `None` when the connection broke before the answer.
    pub(crate) async fn try_send(&self, method: Method, path: &str, body: &Value) -> Option<Answer> {
        self.try_send_with(method, path, body, &[]).await
    }

    /// As [`Shop::try_send`], with headers.
    pub(crate) async fn try_send_with(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Option<Answer> {
        let mut request =
            Request::builder().method(method).uri(format!("http://localhost:{}{path}", self.port));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request = request.header("content-type", "application/json").body(Full::new(body)).unwrap();
        let (parts, body) = self.client.request(request).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Some(Answer { status: parts.status, headers: parts.headers, body })
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.try_send(method, path, body).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &Value::Null).await
    }

    /// Every item of a list, page by page.
    pub(crate) async fn all(&self, list: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let page = self.get(&format!("{list}{next}")).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            items.extend(page.body["data"].as_array().unwrap().iter().cloned());
            match page.body["next_cursor"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return items,
            }
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Asks again until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

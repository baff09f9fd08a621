//! The `shop` binary of the release profile, as a child process.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

const START_PATIENCE: Duration = Duration::from_mins(1);

/// Linux shows processor time in hundredths of a second, on every machine.
const MILLIS_PER_TICK: u64 = 10;

/// A running shop. It is killed when the value goes.
#[derive(Debug)]
pub(crate) struct Shop {
    child: Child,
    port: u16,
    /// From the process's start to its first answer's being possible.
    pub(crate) start: Duration,
}

/// Builds the binary in the release profile.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args(["build", "--release", "--bin", "shop"])
        .status()
        .context("cargo")?;
    ensure!(status.success(), "the shop cannot be built");
    Ok(release_folder(root).join("shop"))
}

/// Where cargo puts what it builds in the release profile.
pub(crate) fn release_folder(root: &Path) -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("release")
}

impl Shop {
    /// Starts the shop on a free port and waits until it is open.
    pub(crate) fn start(binary: &Path, root: &Path, arguments: &[&str]) -> Result<Self> {
        let begin = Instant::now();
        let mut child = Command::new(binary)
            .current_dir(root)
            .args(["--port", "0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{}", binary.display()))?;
        let lines = BufReader::new(child.stdout.take().context("standard output")?).lines();
        let (opened, port) = mpsc::channel();
        // The pipe is read to its end, or a full one would block the shop.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let port = line.split("http://localhost:").nth(1).map(|rest| {
                    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u16>()
                });
                if let Some(Ok(port)) = port {
                    // Only the first address counts: for the others nobody waits.
                    opened.send(port).ok();
                }
            }
        });
        let port = port.recv_timeout(START_PATIENCE).context("the shop did not open")?;
        Ok(Self { child, port, start: begin.elapsed() })
    }

    /// The base URL.
    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The memory that the process holds, in megabytes; none where the system does not tell (`/proc`).
    pub(crate) fn resident_megabytes(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes / 1000)
    }

    /// The processor time that the process has used, in milliseconds; none where the system does not tell.
    pub(crate) fn processor_millis(&self) -> Option<u64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // The name, in parentheses, may hold spaces. Behind it user and system time are fields 12 and 13.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        Some((ticks()? + ticks()?) * MILLIS_PER_TICK)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // It may have ended already: then there is nothing to kill.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

//! What a person at the terminal sees: the log on standard error, and what is served on standard output.

use std::io::{self, Write};

use anyhow::{Context, Result};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use super::arguments::{Log, LogForm};

/// Starts the log.
pub(super) fn start_log(settings: &Log) -> Result<()> {
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match settings.log_format {
        LogForm::Text => lines.compact().with_ansi(false).boxed(),
        LogForm::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    registry().with(lines.with_filter(settings.log.clone())).try_init().context("the log cannot be started")
}

/// Writes to standard output. A reader that went away (`shop | head`) is no failure of the shop.
pub(super) fn say(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("standard output"),
        _ => Ok(()),
    }
}

/// Says on standard error why the shop does not run: with every cause, and no trace of the program's own.
pub(super) fn complain(error: &anyhow::Error) {
    // Where even this cannot be written, the exit code is what is left.
    writeln!(io::stderr(), "error: {error:#}").ok();
}

//! What a person at the terminal sees: the log on standard error, and what is served on standard output.

use std::io::{self, Write};

use anyhow::{Context, Result};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use super::arguments::{Log, LogForm};

pub(super) fn start_log(settings: &Log) -> Result<()> {
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match settings.log_format {
        LogForm::Text => lines.compact().with_ansi(false).boxed(),
        LogForm::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    let filter = settings.log.clone().and(clamp());
    registry().with(lines.with_filter(filter)).try_init().context("the log cannot be started")
}

/// What is logged at most, whatever is asked for. Only this workspace's own code is held to log no password, token
/// or address; an SDK logs whole requests from DEBUG on.
fn clamp() -> Targets {
    let own = services::SERVICES.iter().map(|service| service.name).chain(["shop"]);
    let own = own.map(|target| (target, LevelFilter::TRACE));
    Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(own)
        // It looks for the connection of a failed call, and here there are none.
        .with_target("aws_smithy_runtime::client::http::connection_poisoning", LevelFilter::OFF)
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

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn only_the_shop_s_own_code_logs_in_detail() {
        let asked: Targets = "trace,aws_sdk_dynamodb=trace".parse().unwrap();
        let logs = |target: &str, level: Level| {
            asked.would_enable(target, &level) && clamp().would_enable(target, &level)
        };
        for target in ["orders::create_order", "shop_local::cloud", "shop", "users::table"] {
            assert!(logs(target, Level::TRACE), "{target}");
        }
        for target in
            ["aws_sdk_dynamodb::operation", "aws_smithy_runtime::client", "hyper::proto", "dynoxide"]
        {
            assert!(logs(target, Level::INFO) && !logs(target, Level::DEBUG), "{target}");
        }
        assert!(!logs("aws_smithy_runtime::client::http::connection_poisoning", Level::ERROR));
    }
}

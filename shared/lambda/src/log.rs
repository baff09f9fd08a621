//! The log: one JSON object a line, as CloudWatch and the Lambda console read it.
//!
//! What may be logged: ids, counts, codes, durations. What must not: bodies, tokens, e-mail addresses,
//! names, and errors of AWS calls with their inputs. Errors are logged through [`Chain`].

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::Location;

use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// The crates whose log is ours, and follows the level that is asked for.
// sync: services
#[rustfmt::skip]
const OURS: &[&str] = &["api", "orders", "products", "users", "emails", "notifications", "cache", "analytics", "redrives", "search", "monitor", "shop_"];
// /sync

/// Starts the log at the level of `AWS_LAMBDA_LOG_LEVEL` (Lambda's own setting; INFO where it is not set
/// or not a level), and has it tell of panics. A second call changes nothing.
pub fn init() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|text| text.parse().ok());
    let subscriber = subscriber(level.unwrap_or(Level::INFO), std::io::stdout);
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        tracing::debug!("the log had been started before");
        return;
    }
    std::panic::set_hook(Box::new(|panic| tell_panic(panic.location(), panic.payload())));
}

/// A panic as a line of the log, an error with its place. The standard hook's text would be no JSON, and Lambda takes such
/// lines for INFO. The code that panics must put no data of a customer into it.
fn tell_panic(place: Option<&Location<'_>>, payload: &(dyn Any + Send)) {
    let place = place.map(ToString::to_string);
    tracing::error!(panic.place = place, panic.text = panic_text(payload), "the code panicked");
}

/// What a panic says, where it is a text.
#[must_use]
pub fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// The log at a level. It is that of our own crates: what is below them writes whole requests to its finer
/// levels, passwords and addresses included, and is never asked for more than INFO.
pub fn subscriber<W>(level: Level, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let others = LevelFilter::from_level(level.min(Level::INFO));
    let levels = Targets::new().with_default(others).with_targets(OURS.iter().map(|name| (*name, level)));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(writer);
    tracing_subscriber::registry().with(levels).with(lines)
}

/// An error with all its causes in one line.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a>(pub &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::panic::catch_unwind;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_an_error_of_the_log_with_its_text_and_place() {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = subscriber(Level::INFO, move || writer.clone());
        tracing::subscriber::with_default(log, || {
            let index = "7".parse::<usize>().unwrap();
            for payload in [
                catch_unwind(|| [0; 3][index]).unwrap_err(),
                catch_unwind(|| std::panic::panic_any("a text")).unwrap_err(),
                catch_unwind(|| std::panic::panic_any(7)).unwrap_err(),
            ] {
                tell_panic(Some(Location::caller()), payload.as_ref());
            }
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let found: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let texts: Vec<_> = found.iter().map(|line| &line["panic.text"]).collect();
        assert_eq!(texts, ["index out of bounds: the len is 3 but the index is 7", "a text", "no message"]);
        for line in found {
            assert_eq!(line["level"], "ERROR");
            assert!(line["panic.place"].as_str().unwrap().contains("log.rs:"), "{line}");
        }
    }
}

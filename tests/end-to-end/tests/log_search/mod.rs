//! Searches the log while the whole suite runs, at every level of our own code: no line may hold a password, a
//! token or an e-mail address of the suite's people.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Result, ensure};
use end_to_end::PASSWORD;
use shop_lambda::log::subscriber;
use tracing_subscriber::fmt::MakeWriter;

/// What must not be there: the suite's password and what a password becomes, the beginnings of access and refresh
/// tokens, and the domain of its addresses.
const FORBIDDEN: &[&str] = &[PASSWORD, "$argon2", "eyJ", "rt1.", "@example.com"];
/// So many lines are kept of those that hold something of it.
const MAX_KEPT: usize = 5;

/// The log of this process, which all of its tests share.
#[derive(Clone, Default)]
pub(crate) struct LogSearch(Arc<Mutex<Found>>);

#[derive(Default)]
struct Found {
    lines: u64,
    bad: Vec<String>,
}

/// Starts the search; again, it is the one that is under way.
pub(crate) fn start() -> Result<LogSearch> {
    static SEARCH: OnceLock<LogSearch> = OnceLock::new();
    let mut started = Ok(());
    let search = SEARCH.get_or_init(|| {
        let search = LogSearch::default();
        started = tracing::subscriber::set_global_default(subscriber(tracing::Level::TRACE, search.clone()));
        search
    });
    started?;
    Ok(search.clone())
}

impl LogSearch {
    /// Whether there were lines, and all were clean.
    pub(crate) fn is_clean(&self) -> Result<()> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(found.lines > 100, "only {} lines were logged", found.lines);
        ensure!(found.bad.is_empty(), "the log tells what it must not: {:#?}", found.bad);
        Ok(())
    }
}

impl Write for LogSearch {
    /// Each call is one line.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.lines += 1;
        if FORBIDDEN.iter().any(|text| line.contains(text)) && found.bad.len() < MAX_KEPT {
            found.bad.push(line.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogSearch {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

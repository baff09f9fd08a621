//! DynamoDB, played by dynoxide in this process: the tables of a template, their items and their streams.
//!
//! dynoxide knows what each operation means; this module gives it requests as the SDK sends them, counts
//! what they cost, and hands the stream records to their readers. One lock guards the storage: an
//! operation takes a fraction of a millisecond and never waits while it holds the lock.

mod capacity;
mod request;
mod schema;
mod stream;
mod tokens;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynoxide::storage::Storage;
use tokio::sync::Notify;

pub(super) use request::Request;
pub(super) use stream::Record;

use super::clock::{Clock, StreamClock};
use super::observer::{Access, Units};
use super::{AwsError, CloudError};
use crate::template::{Event, Template};
use tokens::Tokens;

/// What an operation answered, and what it cost.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    pub(super) units: Vec<(String, Units)>,
}

/// All tables.
pub(super) struct DynamoDb {
    inner: Mutex<Inner>,
    clock: Clock,
    /// Who reads a table's stream, by the table's physical name.
    readers: BTreeMap<String, Readers>,
}

struct Inner {
    storage: Storage,
    tokens: Tokens,
    /// How many mappings still have to handle a record, where a stream has more than one.
    unhandled: BTreeMap<i64, usize>,
}

#[derive(Default)]
struct Readers {
    hash_key: String,
    view: String,
    wake: Vec<Arc<Notify>>,
}

impl DynamoDb {
    /// Opens the storage (in memory without a folder) and creates the tables that are missing.
    pub(super) fn open(
        folder: Option<&Path>,
        template: &Template,
        clock: &Clock,
    ) -> Result<Self, CloudError> {
        let storage = match folder {
            None => Storage::memory(),
            Some(folder) => Storage::new(&folder.join("dynamodb.sqlite").to_string_lossy()),
        };
        let storage = storage
            .map_err(|error| CloudError::state("dynamodb.sqlite", error))?
            .with_clock(Arc::new(StreamClock::new(clock.clone())));
        let mut readers: BTreeMap<String, Readers> = BTreeMap::new();
        for event in template.functions.values().flat_map(|function| function.events.values()) {
            let Event::Stream(event) = event else { continue };
            let Some(table) = template.tables.get(&event.table) else { continue };
            let readers = readers.entry(table.name.clone()).or_default();
            readers.hash_key.clone_from(&table.key.hash);
            readers.view = table.stream.clone().unwrap_or_default();
            readers.wake.push(Arc::new(Notify::new()));
        }
        schema::prepare(&storage, template, |table| readers.contains_key(table))?;
        let inner = Inner { storage, tokens: Tokens::default(), unhandled: BTreeMap::new() };
        Ok(Self { inner: Mutex::new(inner), clock: clock.clone(), readers })
    }

    /// Runs one operation.
    pub(super) fn call(&self, request: Request) -> Result<Answer, AwsError> {
        let written = if request.writes() { request.tables() } else { Vec::new() };
        let answer = self.run(request)?;
        for table in written {
            self.wake(&table);
        }
        Ok(answer)
    }

    fn run(&self, request: Request) -> Result<Answer, AwsError> {
        let mut inner = self.lock();
        let Some((token, digest)) = request.token() else { return request.execute(&inner.storage) };
        let now = self.clock.now();
        if let Some(body) = inner.tokens.replay(&token, digest, now)? {
            return Ok(Answer { body, units: Vec::new() });
        }
        let answer = request.execute(&inner.storage)?;
        inner.tokens.remember(token, digest, now, answer.body.clone());
        Ok(answer)
    }

    /// What a call costs that failed: a condition is checked by reading the item it would write.
    pub(super) fn cost_of_failure(error: &AwsError, accesses: &[Access]) -> Vec<(String, Units)> {
        capacity::of_failure(error, accesses)
    }

    /// Deletes the items whose time to live has passed.
    pub(super) fn expire_items(&self) -> Result<(), AwsError> {
        let swept = request::now(dynoxide::ttl::sweep_expired_items(&self.lock().storage))?;
        if swept > 0 {
            self.readers.keys().for_each(|table| self.wake(table));
        }
        Ok(())
    }

    /// Takes what the log of the database file still holds into the file itself.
    pub(super) fn checkpoint(&self) -> Result<(), CloudError> {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let done = self.lock().storage.conn().query_row(checkpoint, [], |_| Ok(()));
        done.map_err(|error| CloudError::state("dynamodb.sqlite", error))
    }

    fn wake(&self, table: &str) {
        for reader in self.readers.get(table).iter().flat_map(|readers| &readers.wake) {
            reader.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

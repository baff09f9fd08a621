//! DynamoDB, played by dynoxide in this process: the tables of a template, their items and their streams.
//!
//! dynoxide knows what each operation means; this module gives it requests as the SDK sends them, counts
//! what they cost, and hands the stream records to their readers. One lock guards the storage: an
//! operation takes a fraction of a millisecond and never waits while it holds the lock.

mod capacity;
mod expression;
mod partial;
mod request;
mod schema;
mod stale_replica;
mod stream;
mod strict;
mod tokens;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use dynoxide::storage::Storage;
use dynoxide::types::{AttributeValue, Item};
use tokio::sync::Notify;

pub(super) use request::Request;
pub(super) use stream::Record;

use super::clock::{Clock, StreamClock};
use super::observer::{Access, Units, Written};
use super::{AwsError, CloudError};
use crate::template::{Event, Template};
use stale_replica::StaleReplica;
use tokens::Tokens;

/// What the records of a table show that is watched without a stream of its own.
const IMAGES: &str = "NEW_AND_OLD_IMAGES";

/// What an operation answered, and what it cost.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    pub(super) units: Vec<(String, Units)>,
}

pub(super) struct DynamoDb {
    inner: Mutex<Inner>,
    clock: Clock,
    /// Who reads a table's stream, by the table's physical name.
    readers: BTreeMap<String, Readers>,
    /// The name of each table's partition key, by the table's physical name.
    partition_keys: BTreeMap<String, String>,
}

struct Inner {
    storage: Storage,
    tokens: Tokens,
    /// How many mappings still have to handle a record, where a stream has more than one.
    unhandled: BTreeMap<i64, usize>,
    /// The position up to which each stream's records have been reported to the observers.
    reported: BTreeMap<String, i64>,
    /// The tables as they were, where reads may be stale.
    replica: Option<StaleReplica>,
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
        with_replica: bool,
        watched: &[&str],
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
        for table in watched.iter().filter_map(|id| template.tables.get(*id)) {
            let readers = readers.entry(table.name.clone()).or_default();
            readers.hash_key.clone_from(&table.key.hash);
            IMAGES.clone_into(&mut readers.view);
        }
        let view = |table: &str| readers.get(table).map(|readers| readers.view.as_str());
        schema::prepare(&storage, template, view)?;
        let replica = with_replica.then(|| StaleReplica::open(template, clock)).transpose()?;
        let (tokens, unhandled, reported) = (Tokens::default(), BTreeMap::new(), BTreeMap::new());
        let inner = Inner { storage, tokens, unhandled, reported, replica };
        let tables = template.tables.values();
        let partition_keys = tables.map(|table| (table.name.clone(), table.key.hash.clone())).collect();
        Ok(Self { inner: Mutex::new(inner), clock: clock.clone(), readers, partition_keys })
    }

    /// The partition keys that a request names, for each of its accesses. One that is no text stands as an empty text,
    /// which only a grant for every key lets through.
    pub(super) fn leading_keys(&self, request: &Request) -> Vec<Vec<String>> {
        let keys = |(access, items): (Access, Vec<&Item>)| {
            let Some(name) = self.partition_keys.get(&access.resource) else { return Vec::new() };
            let values = items.into_iter().filter_map(|item| item.get(name));
            values
                .map(|value| match value {
                    AttributeValue::S(text) => text.clone(),
                    _ => String::new(),
                })
                .collect()
        };
        request.touched().into_iter().map(keys).collect()
    }

    /// Runs one operation. `body` is what the request was read from.
    pub(super) fn call(&self, request: Request, operation: &str, body: &Bytes) -> Result<Answer, AwsError> {
        let written = if request.writes() { request.tables() } else { Vec::new() };
        let answer = self.run(request, operation, body)?;
        for table in written {
            self.wake(&table);
        }
        Ok(answer)
    }

    fn run(&self, request: Request, operation: &str, body: &Bytes) -> Result<Answer, AwsError> {
        let mut inner = self.lock();
        let now = self.clock.now();
        let token = request.token();
        if let Some((token, digest)) = &token
            && let Some(body) = inner.tokens.replay(token, *digest, now)?
        {
            return Ok(Answer { body, units: Vec::new() });
        }
        let writes = request.writes();
        let answer = request.execute(&inner.storage)?;
        if let Some((token, digest)) = token {
            inner.tokens.remember(token, digest, now, answer.body.clone());
        }
        if let Some(replica) = inner.replica.as_mut().filter(|_| writes) {
            replica.follow(now, operation.to_owned(), body.clone());
        }
        Ok(answer)
    }

    /// Runs a read on the tables as they were so long ago; never older than it was read before.
    pub(super) fn read_stale(&self, request: Request, age: Duration) -> Result<Answer, AwsError> {
        let mut inner = self.lock();
        let Inner { storage, replica, .. } = &mut *inner;
        let until = self.clock.now().saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        match replica {
            Some(replica) => replica.read(request, until),
            None => request.execute(storage),
        }
    }

    /// Reports what was written to tables since the last report, if anything was.
    pub(super) fn unreported(&self, tables: &[String], report: impl Fn(&[Written<'_>])) {
        let mut records: Vec<(&str, Record)> = Vec::new();
        for table in tables {
            let after = self.lock().reported.get(table).copied().unwrap_or(0);
            // A failure is logged where it happens, and what is not reported now is reported the next time.
            let new = self.read_stream(table, after, usize::MAX >> 1).unwrap_or_default();
            if let Some(last) = new.last() {
                self.lock().reported.insert(table.clone(), last.position);
            }
            // What only the observers see is seen now.
            if self.stream_readers(table).is_empty() && self.complete(table, &new).is_err() {
                tracing::error!(table.name = %table, "records that were reported could not be dropped");
            }
            records.extend(new.into_iter().map(|record| (table.as_str(), record)));
        }
        if !records.is_empty() {
            let written: Vec<Written<'_>> =
                records.iter().map(|(table, record)| Written { table, record: &record.json }).collect();
            report(&written);
        }
    }

    /// The tables whose stream is read.
    pub(super) fn streamed_tables(&self) -> Vec<String> {
        self.readers.keys().cloned().collect()
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

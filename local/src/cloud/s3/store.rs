//! Where objects are kept: a database in memory, or a file beside the tables' one.
//!
//! A body is kept in chunks, so that a range of a large object is read without the rest.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::cloud::CloudError;

/// The file of the objects, in the folder that keeps the state.
const FILE: &str = "objects.sqlite";
/// How many bytes a chunk has.
const CHUNK: usize = 256 * 1024;
const SCHEMA: &str = "PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS objects (
        bucket TEXT NOT NULL, key TEXT NOT NULL, blob INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        content_type TEXT, disposition TEXT, modified INTEGER NOT NULL, PRIMARY KEY (bucket, key));
    CREATE TABLE IF NOT EXISTS uploads (
        id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, content_type TEXT, disposition TEXT);
    CREATE TABLE IF NOT EXISTS parts (
        upload TEXT NOT NULL, number INTEGER NOT NULL, blob INTEGER NOT NULL, size INTEGER NOT NULL,
        etag TEXT NOT NULL, PRIMARY KEY (upload, number));
    CREATE TABLE IF NOT EXISTS chunks (
        blob INTEGER NOT NULL, start INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (blob, start));
    CREATE TABLE IF NOT EXISTS counter (value INTEGER NOT NULL);
    INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);";

/// What is told of an object besides its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) content_type: Option<String>,
    pub(super) disposition: Option<String>,
}

/// An object without its body.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) key: String,
    pub(super) size: u64,
    pub(super) etag: String,
    pub(super) labels: Labels,
    /// Milliseconds since the epoch.
    pub(super) modified: i64,
    blob: i64,
}

/// A part of an upload.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) number: i32,
    pub(super) size: u64,
    pub(super) etag: String,
    blob: i64,
}

#[derive(Debug)]
pub(super) struct Store(Mutex<Connection>);

impl Store {
    pub(super) fn open(folder: Option<&Path>) -> Result<Self, CloudError> {
        let failed = |error| CloudError::state(FILE, error);
        let connection = match folder {
            None => Connection::open_in_memory(),
            Some(folder) => Connection::open(folder.join(FILE)),
        };
        let connection = connection.map_err(failed)?;
        connection.execute_batch(SCHEMA).map_err(failed)?;
        match crate::cloud::sqs::damage(&connection).map_err(failed)? {
            None => Ok(Self(Mutex::new(connection))),
            Some(damage) => Err(CloudError::state(FILE, damage)),
        }
    }

    /// Takes what the log of the file still holds into the file itself.
    pub(super) fn checkpoint(&self) -> rusqlite::Result<()> {
        self.lock().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    pub(super) fn head(&self, bucket: &str, key: &str) -> rusqlite::Result<Option<Head>> {
        head(&self.lock(), bucket, key)
    }

    /// The bytes of an object from `start`, as many as there are up to `length`.
    pub(super) fn read(&self, object: &Head, start: u64, length: u64) -> rusqlite::Result<Vec<u8>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT start, body FROM chunks WHERE blob = ?1 AND start >= ?2 AND start < ?3 ORDER BY start",
        )?;
        let (from, to) = (integer(start), integer(start.saturating_add(length)));
        // A chunk that begins before the range may reach into it.
        let before: Option<i64> = connection.query_row(
            "SELECT MAX(start) FROM chunks WHERE blob = ?1 AND start <= ?2",
            params![object.blob, from],
            |row| row.get(0),
        )?;
        let mut rows = statement.query(params![object.blob, before.unwrap_or(from), to])?;
        let mut body = Vec::with_capacity(usize::try_from(length.min(object.size)).unwrap_or(0));
        while let Some(row) = rows.next()? {
            let (at, chunk): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let skipped = usize::try_from(from - at).unwrap_or(0).min(chunk.len());
            let end = usize::try_from(to - at).unwrap_or(0).min(chunk.len());
            body.extend_from_slice(chunk.get(skipped..end).unwrap_or_default());
        }
        Ok(body)
    }

    /// Puts an object in the place of what is there, where `may` says so of that; whether it did, and its `ETag`.
    pub(super) fn put(
        &self,
        (bucket, key): (&str, &str),
        body: &[u8],
        labels: &Labels,
        now: i64,
        may: impl FnOnce(Option<&Head>) -> bool,
    ) -> rusqlite::Result<Option<String>> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let before = head(&transaction, bucket, key)?;
        if !may(before.as_ref()) {
            return Ok(None);
        }
        let number = next(&transaction)?;
        write(&transaction, number, body)?;
        let etag = etag_of(number);
        let size = integer(u64::try_from(body.len()).unwrap_or(u64::MAX));
        place(&transaction, (bucket, key), number, (size, &etag), labels, now, before.as_ref())?;
        transaction.commit()?;
        Ok(Some(etag))
    }

    pub(super) fn delete(&self, bucket: &str, key: &str) -> rusqlite::Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        if let Some(object) = head(&transaction, bucket, key)? {
            drop_blob(&transaction, object.blob)?;
            transaction
                .execute("DELETE FROM objects WHERE bucket = ?1 AND key = ?2", params![bucket, key])?;
        }
        transaction.commit()
    }

    /// The objects whose keys begin with a prefix and come after a key, in their order.
    pub(super) fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> rusqlite::Result<Vec<Head>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT key, blob, size, etag, content_type, disposition, modified FROM objects
             WHERE bucket = ?1 AND key > ?2 AND substr(key, 1, length(?3)) = ?3 ORDER BY key LIMIT ?4",
        )?;
        let rows = statement.query_map(params![bucket, after, prefix, limit], read_head)?;
        rows.collect()
    }

    /// Begins an upload in parts; its id.
    pub(super) fn begin(&self, bucket: &str, key: &str, labels: &Labels) -> rusqlite::Result<String> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let id = format!("upload-{:016}", next(&transaction)?);
        transaction.execute(
            "INSERT INTO uploads (id, bucket, key, content_type, disposition) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, bucket, key, labels.content_type, labels.disposition],
        )?;
        transaction.commit()?;
        Ok(id)
    }

    /// What an upload's object is to be called; none if there is no such upload of that key.
    pub(super) fn upload(&self, id: &str, bucket: &str, key: &str) -> rusqlite::Result<Option<Labels>> {
        let query =
            "SELECT content_type, disposition FROM uploads WHERE id = ?1 AND bucket = ?2 AND key = ?3";
        let labels =
            |row: &rusqlite::Row<'_>| Ok(Labels { content_type: row.get(0)?, disposition: row.get(1)? });
        self.lock().query_row(query, params![id, bucket, key], labels).optional()
    }

    /// Puts a part of an upload, in the place of one with the same number; its `ETag`.
    pub(super) fn put_part(&self, upload: &str, number: i32, body: &[u8]) -> rusqlite::Result<String> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let before: Option<i64> = transaction
            .query_row(
                "SELECT blob FROM parts WHERE upload = ?1 AND number = ?2",
                params![upload, number],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(blob) = before {
            drop_blob(&transaction, blob)?;
        }
        let blob = next(&transaction)?;
        write(&transaction, blob, body)?;
        let etag = etag_of(blob);
        transaction.execute(
            "INSERT OR REPLACE INTO parts (upload, number, blob, size, etag) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![upload, number, blob, integer(u64::try_from(body.len()).unwrap_or(u64::MAX)), etag],
        )?;
        transaction.commit()?;
        Ok(etag)
    }

    /// The parts of an upload, in their order.
    pub(super) fn parts(&self, upload: &str) -> rusqlite::Result<Vec<Part>> {
        let connection = self.lock();
        let mut statement = connection
            .prepare_cached("SELECT number, size, etag, blob FROM parts WHERE upload = ?1 ORDER BY number")?;
        let part = |row: &rusqlite::Row<'_>| {
            let size: i64 = row.get(1)?;
            Ok(Part { number: row.get(0)?, size: unsigned(size), etag: row.get(2)?, blob: row.get(3)? })
        };
        let rows = statement.query_map([upload], part)?;
        rows.collect()
    }

    /// Makes an object of parts of an upload, and ends the upload; its `ETag`.
    pub(super) fn complete(
        &self,
        upload: &str,
        (bucket, key): (&str, &str),
        parts: &[Part],
        labels: &Labels,
        now: i64,
    ) -> rusqlite::Result<String> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let before = head(&transaction, bucket, key)?;
        let blob = next(&transaction)?;
        let mut size = 0_i64;
        for part in parts {
            transaction.execute(
                "UPDATE chunks SET blob = ?1, start = start + ?2 WHERE blob = ?3",
                params![blob, size, part.blob],
            )?;
            size += integer(part.size);
        }
        let etag = format!("{}-{}", etag_of(blob), parts.len());
        place(&transaction, (bucket, key), blob, (size, &etag), labels, now, before.as_ref())?;
        end(&transaction, upload)?;
        transaction.commit()?;
        Ok(etag)
    }

    /// Ends an upload, and drops what it has.
    pub(super) fn abort(&self, upload: &str) -> rusqlite::Result<()> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        end(&transaction, upload)?;
        transaction.commit()
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn head(connection: &Connection, bucket: &str, key: &str) -> rusqlite::Result<Option<Head>> {
    connection
        .prepare_cached(
            "SELECT key, blob, size, etag, content_type, disposition, modified FROM objects
             WHERE bucket = ?1 AND key = ?2",
        )?
        .query_row(params![bucket, key], read_head)
        .optional()
}

fn read_head(row: &rusqlite::Row<'_>) -> rusqlite::Result<Head> {
    let size: i64 = row.get(2)?;
    Ok(Head {
        key: row.get(0)?,
        blob: row.get(1)?,
        size: unsigned(size),
        etag: row.get(3)?,
        labels: Labels { content_type: row.get(4)?, disposition: row.get(5)? },
        modified: row.get(6)?,
    })
}

/// A number that was never used before. `ETag`s are made of it: a hash of the body would do as well, and a random one
/// would make a run of a seed differ from the next.
fn next(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    transaction.query_row("UPDATE counter SET value = value + 1 RETURNING value", [], |row| row.get(0))
}

fn etag_of(number: i64) -> String {
    format!("{number:032x}")
}

fn write(transaction: &Transaction<'_>, blob: i64, body: &[u8]) -> rusqlite::Result<()> {
    let mut insert =
        transaction.prepare_cached("INSERT INTO chunks (blob, start, body) VALUES (?1, ?2, ?3)")?;
    let mut start = 0_i64;
    for chunk in body.chunks(CHUNK) {
        insert.execute(params![blob, start, chunk])?;
        start += integer(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
    }
    Ok(())
}

fn place(
    transaction: &Transaction<'_>,
    (bucket, key): (&str, &str),
    blob: i64,
    (size, etag): (i64, &str),
    labels: &Labels,
    now: i64,
    before: Option<&Head>,
) -> rusqlite::Result<()> {
    if let Some(before) = before {
        drop_blob(transaction, before.blob)?;
    }
    transaction.execute(
        "INSERT OR REPLACE INTO objects (bucket, key, blob, size, etag, content_type, disposition, modified)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![bucket, key, blob, size, etag, labels.content_type, labels.disposition, now],
    )?;
    Ok(())
}

fn end(transaction: &Transaction<'_>, upload: &str) -> rusqlite::Result<()> {
    transaction
        .execute("DELETE FROM chunks WHERE blob IN (SELECT blob FROM parts WHERE upload = ?1)", [upload])?;
    transaction.execute("DELETE FROM parts WHERE upload = ?1", [upload])?;
    transaction.execute("DELETE FROM uploads WHERE id = ?1", [upload])?;
    Ok(())
}

fn drop_blob(transaction: &Transaction<'_>, blob: i64) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM chunks WHERE blob = ?1", [blob]).map(drop)
}

fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

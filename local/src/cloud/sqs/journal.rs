//! The file that keeps what queues and secrets hold, so that the end of the process loses nothing.

use std::path::Path;

use rusqlite::{Connection, Row, params};

use super::message::Message;

/// What is written survives the end of the process at any moment; only a power cut may cost the last
/// moments.
const SCHEMA: &str = "PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE IF NOT EXISTS messages (
        key INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
        attributes TEXT NOT NULL, sent INTEGER NOT NULL, first_received INTEGER,
        receives INTEGER NOT NULL, visible INTEGER NOT NULL, dead_letter_source TEXT);
    CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL, created INTEGER NOT NULL);";

/// One change to be written.
#[derive(Debug)]
pub(super) enum Change<'a> {
    /// A new message, or a message that moves to another queue.
    Put(&'a str, &'a Message),
    /// A message was received, or is hidden for another time.
    Update(&'a Message),
    Delete(i64),
}

#[derive(Debug)]
pub(in crate::cloud) struct Journal {
    connection: Connection,
}

impl Journal {
    pub(in crate::cloud) fn open(folder: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(folder.join("queues.sqlite"))?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection })
    }

    /// What is wrong with the pages of the file, if anything is.
    pub(in crate::cloud) fn damage(&self) -> rusqlite::Result<Option<String>> {
        damage(&self.connection)
    }

    /// Writes changes: all of them, or none.
    pub(super) fn write(&mut self, changes: &[Change<'_>]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for change in changes {
            match change {
                Change::Put(queue, message) => transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO messages (key, queue, id, body, attributes, sent,
                             first_received, receives, visible, dead_letter_source)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                    )?
                    .execute(params![
                        message.key,
                        queue,
                        message.id,
                        &*message.body,
                        attributes_text(message)?,
                        message.sent,
                        message.first_received,
                        message.receives,
                        message.visible,
                        message.dead_letter_source,
                    ])?,
                Change::Update(message) => transaction
                    .prepare_cached(
                        "UPDATE messages SET first_received = ?2, receives = ?3, visible = ?4 WHERE key = ?1",
                    )?
                    .execute(params![
                        message.key,
                        message.first_received,
                        message.receives,
                        message.visible
                    ])?,
                Change::Delete(key) => {
                    transaction.prepare_cached("DELETE FROM messages WHERE key = ?1")?.execute([key])?
                }
            };
        }
        transaction.commit()
    }

    /// Every message with the name of its queue, in the order of their keys.
    pub(super) fn messages(&self) -> rusqlite::Result<Vec<(String, Message)>> {
        let mut statement = self.connection.prepare(
            "SELECT queue, key, id, body, attributes, sent, first_received, receives, visible,
                    dead_letter_source FROM messages ORDER BY key",
        )?;
        let rows = statement.query_map([], message)?;
        rows.collect()
    }

    /// The values of secrets by name, each with the time of its creation.
    pub(in crate::cloud) fn secrets(&self) -> rusqlite::Result<Vec<(String, String, i64)>> {
        let mut statement = self.connection.prepare("SELECT name, value, created FROM secrets")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    }

    pub(in crate::cloud) fn put_secret(&self, name: &str, value: &str, created: i64) -> rusqlite::Result<()> {
        let insert = "INSERT INTO secrets (name, value, created) VALUES (?1, ?2, ?3)";
        self.connection.execute(insert, params![name, value, created]).map(drop)
    }

    /// Takes what the log of the file still holds into the file itself.
    pub(super) fn checkpoint(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }
}

/// What is wrong with the pages of a database, if anything is. A damaged page would show itself by and by, as
/// failures of whatever reads it.
pub(in crate::cloud) fn damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(Some(found).filter(|found| found != "ok"))
}

fn attributes_text(message: &Message) -> rusqlite::Result<String> {
    serde_json::to_string(&*message.attributes)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn message(row: &Row<'_>) -> rusqlite::Result<(String, Message)> {
    let attributes: String = row.get(4)?;
    let attributes = serde_json::from_str(&attributes).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, Box::new(error))
    })?;
    let body: String = row.get(3)?;
    let message = Message {
        key: row.get(1)?,
        id: row.get(2)?,
        body: body.into(),
        attributes: std::sync::Arc::new(attributes),
        sent: row.get(5)?,
        first_received: row.get(6)?,
        receives: row.get(7)?,
        visible: row.get(8)?,
        dead_letter_source: row.get(9)?,
        received: None,
        receipt: None,
    };
    Ok((row.get(0)?, message))
}

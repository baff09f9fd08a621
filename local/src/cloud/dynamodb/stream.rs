//! Table streams: reading records in their order, and dropping those that every reader has handled.
//!
//! A record stays in the storage until its readers are done with it, so what is there after a crash is what
//! is still to be done: the remaining records are the checkpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Row, params};
use serde_json::value::RawValue;
use tokio::sync::Notify;

use super::{DynamoDb, Readers};
use crate::cloud::AwsError;
use crate::template::{REGION, stream_arn};

/// What dynoxide adds to a stored number to make it look like DynamoDB's, which have 21 digits.
const NUMBER_OFFSET: u128 = 100_000_000_000_000_000_000;

/// One change of one item.
#[derive(Debug)]
pub(in crate::cloud) struct Record {
    row: i64,
    /// The position in the stream: microseconds since the epoch, and no two the same.
    pub(in crate::cloud) position: i64,
    /// The sequence number that functions see.
    pub(in crate::cloud) number: String,
    /// The partition key: the order of records with the same one is kept.
    pub(in crate::cloud) partition: String,
    /// The record as Lambda delivers it.
    pub(in crate::cloud) json: String,
}

impl Record {
    /// When the item changed, in milliseconds since the epoch.
    pub(in crate::cloud) fn time(&self) -> i64 {
        self.position / 1000
    }
}

impl DynamoDb {
    /// What wakes the readers of a table's stream, one for each mapping.
    pub(in crate::cloud) fn stream_readers(&self, table: &str) -> &[Arc<Notify>] {
        self.readers.get(table).map(|readers| readers.wake.as_slice()).unwrap_or_default()
    }

    /// The next records of a table's stream after a position, oldest first.
    pub(in crate::cloud) fn read_stream(
        &self,
        table: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Record>, AwsError> {
        let Some(readers) = self.readers.get(table) else { return Ok(Vec::new()) };
        let inner = self.lock();
        let read = || {
            let mut statement = inner.storage.conn().prepare_cached(
                "SELECT id, event_name, keys_json, new_image, old_image,
                        CAST(sequence_number AS INTEGER), created_at
                 FROM _stream_records
                 WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) > ?2
                 ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?3",
            )?;
            let rows =
                statement.query_map(params![table, after, limit], |row| record(row, table, readers))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| AwsError::internal(&error))
    }

    /// Says that one reader has handled these records. They are dropped when the last one has.
    pub(in crate::cloud) fn complete(&self, table: &str, records: &[Record]) -> Result<(), AwsError> {
        let readers = self.stream_readers(table).len();
        let mut inner = self.lock();
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            if readers > 1 {
                let left = inner.unhandled.entry(record.row).or_insert(readers);
                *left = left.saturating_sub(1);
                if *left > 0 {
                    continue;
                }
                inner.unhandled.remove(&record.row);
            }
            rows.push(record.row);
        }
        let rows = serde_json::to_string(&rows).map_err(|error| AwsError::internal(&error))?;
        let delete = "DELETE FROM _stream_records WHERE id IN (SELECT value FROM json_each(?1))";
        let connection = inner.storage.conn();
        let deleted = connection.prepare_cached(delete).and_then(|mut delete| delete.execute([rows]));
        deleted.map(drop).map_err(|error| AwsError::internal(&error))
    }

    /// Whether every record of every stream has been handled.
    pub(in crate::cloud) fn streams_are_drained(&self) -> Result<bool, AwsError> {
        let inner = self.lock();
        let any = "SELECT EXISTS (SELECT 1 FROM _stream_records)";
        let any =
            inner.storage.conn().prepare_cached(any).and_then(|mut any| any.query_row([], |row| row.get(0)));
        any.map(|any: bool| !any).map_err(|error| AwsError::internal(&error))
    }
}

fn record(row: &Row<'_>, table: &str, readers: &Readers) -> rusqlite::Result<Record> {
    let (id, position): (i64, i64) = (row.get(0)?, row.get(5)?);
    let text = |column: usize| row.get_ref(column).and_then(|value| Ok(value.as_str_or_null()?));
    let (keys, new, old) = (text(2)?.unwrap_or("{}"), text(3)?, text(4)?);
    let (event, created): (String, i64) = (row.get(1)?, row.get(6)?);
    let number = (NUMBER_OFFSET + u128::try_from(position).unwrap_or(0)).to_string();
    let size = keys.len() + new.map_or(0, str::len) + old.map_or(0, str::len);
    let image = |name: &str, image: Option<&str>| match image {
        Some(image) => format!("\"{name}\":{image},"),
        None => String::new(),
    };
    let (new, old) = (image("NewImage", new), image("OldImage", old));
    let (view, arn) = (&readers.view, stream_arn(table));
    let json = format!(
        "{{\"eventID\":\"{position:032x}\",\"eventName\":\"{event}\",\"eventVersion\":\"1.1\",\
         \"eventSource\":\"aws:dynamodb\",\"awsRegion\":\"{REGION}\",\"dynamodb\":{{\
         \"ApproximateCreationDateTime\":{created},\"Keys\":{keys},{new}{old}\
         \"SequenceNumber\":\"{number}\",\"SizeBytes\":{size},\"StreamViewType\":\"{view}\"}},\
         \"eventSourceARN\":\"{arn}\"}}"
    );
    let partition = partition(keys, &readers.hash_key);
    Ok(Record { row: id, position, number, partition, json })
}

/// The value of the partition key, as its JSON text.
fn partition(keys: &str, hash_key: &str) -> String {
    let keys: BTreeMap<&str, &RawValue> = serde_json::from_str(keys).unwrap_or_default();
    keys.get(hash_key).map(|value| value.get().to_owned()).unwrap_or_default()
}

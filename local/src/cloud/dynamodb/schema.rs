//! Creates the template's tables, and refuses a folder whose tables are others.

use dynoxide::actions::create_table;
use dynoxide::storage::Storage;
use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use super::request;
use crate::cloud::CloudError;
use crate::template::{Key, Table, Template};

/// Settings of the database. What is written survives the end of the process at any moment; only a power
/// cut may cost the last moments.
const SETTINGS: &str = "PRAGMA synchronous = NORMAL;
    PRAGMA cache_size = -32000;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE IF NOT EXISTS shop_tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS shop_stream_order
        ON _stream_records (table_name, CAST(sequence_number AS INTEGER));";

/// The storage prepares many statements over and over; the default keeps 16.
const PREPARED_STATEMENTS: usize = 512;

pub(super) fn prepare(
    storage: &Storage,
    template: &Template,
    has_reader: impl Fn(&str) -> bool,
) -> Result<(), CloudError> {
    let failed = |error: rusqlite::Error| CloudError::state("dynamodb.sqlite", error);
    let connection = storage.conn();
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    connection.execute_batch(SETTINGS).map_err(failed)?;
    for table in template.tables.values() {
        let definition = definition(table);
        let text = definition.to_string();
        let known: Option<String> = connection
            .query_row("SELECT definition FROM shop_tables WHERE name = ?1", [&table.name], |row| row.get(0))
            .optional()
            .map_err(failed)?;
        match known {
            Some(known) if known == text => {}
            Some(_) => {
                let problem = format!("the table {} has another definition there", table.name);
                return Err(CloudError::state("dynamodb.sqlite", problem));
            }
            None => {
                let invalid = |error: serde_json::Error| CloudError::state(&table.name, error);
                let create: create_table::CreateTableRequest =
                    serde_json::from_value(definition).map_err(invalid)?;
                request::now(create_table::execute(storage, create))
                    .map_err(|error| CloudError::state(&table.name, error.message))?;
                let insert = "INSERT INTO shop_tables (name, definition) VALUES (?1, ?2)";
                connection.execute(insert, [&table.name, &text]).map_err(failed)?;
            }
        }
        // A stream that nobody reads would only grow.
        let streamed = match &table.stream {
            Some(view) if has_reader(&table.name) => storage.enable_stream(&table.name, view, "local"),
            _ => storage.disable_stream(&table.name),
        };
        streamed
            .and_then(|()| match &table.time_to_live {
                Some(attribute) => storage.update_ttl_config(&table.name, Some(attribute), true),
                None => storage.update_ttl_config(&table.name, None, false),
            })
            .map_err(|error| CloudError::state(&table.name, error))?;
    }
    Ok(())
}

fn definition(table: &Table) -> Value {
    let attributes: Vec<Value> = table
        .attributes
        .iter()
        .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}))
        .collect();
    let indexes: Vec<Value> = table
        .indexes
        .iter()
        .map(|index| {
            let mut projection = json!({"ProjectionType": index.projection});
            if !index.included.is_empty() {
                projection["NonKeyAttributes"] = json!(index.included);
            }
            json!({"IndexName": index.name, "KeySchema": key_schema(&index.key), "Projection": projection})
        })
        .collect();
    let mut definition = json!({
        "TableName": table.name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": key_schema(&table.key),
    });
    if !indexes.is_empty() {
        definition["GlobalSecondaryIndexes"] = json!(indexes);
    }
    definition
}

fn key_schema(key: &Key) -> Vec<Value> {
    let hash = json!({"AttributeName": key.hash, "KeyType": "HASH"});
    let range = key.range.iter().map(|range| json!({"AttributeName": range, "KeyType": "RANGE"}));
    std::iter::once(hash).chain(range).collect()
}

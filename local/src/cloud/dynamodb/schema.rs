//! Creates the template's tables, and refuses a folder whose tables are others.

use dynoxide::actions::create_table;
use dynoxide::storage::Storage;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::request;
use crate::cloud::CloudError;
use crate::cloud::sqs::damage;
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

/// A write that leaves an item as it is writes no stream record, and wakes nobody. dynoxide would write one.
const UNCHANGED: &str = "CREATE TEMP TRIGGER shop_unchanged BEFORE INSERT ON main._stream_records
    WHEN NEW.event_name = 'MODIFY' AND shop_same_item(NEW.old_image, NEW.new_image)
    BEGIN SELECT RAISE(IGNORE); END;";

/// The storage prepares many statements over and over; the default keeps 16.
const PREPARED_STATEMENTS: usize = 512;

pub(super) fn prepare<'view>(
    storage: &Storage,
    template: &Template,
    view: impl Fn(&str) -> Option<&'view str>,
) -> Result<(), CloudError> {
    let failed = |error: rusqlite::Error| CloudError::state("dynamodb.sqlite", error);
    let connection = storage.conn();
    connection.set_prepared_statement_cache_capacity(PREPARED_STATEMENTS);
    if let Some(damage) = damage(connection).map_err(failed)? {
        return Err(CloudError::state("dynamodb.sqlite", damage));
    }
    connection.execute_batch(SETTINGS).map_err(failed)?;
    drop_records_without_a_change(connection).map_err(failed)?;
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
        let streamed = match view(&table.name) {
            Some(view) => storage.enable_stream(&table.name, view, "local"),
            None => storage.disable_stream(&table.name),
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

fn drop_records_without_a_change(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("shop_same_item", 2, flags, same_item)?;
    connection.execute_batch(UNCHANGED)
}

/// Whether two images are the same item. Their members come in any order, so only their lengths tell quickly.
fn same_item(context: &Context<'_>) -> rusqlite::Result<bool> {
    let image = |index: usize| Ok::<_, rusqlite::Error>(context.get_raw(index).as_str_or_null()?);
    let (Some(old), Some(new)) = (image(0)?, image(1)?) else { return Ok(false) };
    let item = |image: &str| -> rusqlite::Result<Value> {
        serde_json::from_str(image).map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
    };
    Ok(old == new || (old.len() == new.len() && item(old)? == item(new)?))
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

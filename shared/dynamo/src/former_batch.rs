//! Many items by their keys, in as few calls as may be. What DynamoDB leaves unprocessed, which it does when it
//! throttles, is asked for again, after a pause that grows.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::AsyncSleep;
use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, WriteRequest};

use crate::{Item, StoreError};

/// Most keys of one `BatchGetItem` (DynamoDB's API reference).
const MAX_GET_KEYS: usize = 100;
/// Most deletions of one `BatchWriteItem` (DynamoDB's API reference).
const MAX_DELETIONS: usize = 25;
/// Before the next tries. A caller waits, so they are few and short: the SDK's own retries come on top where a whole
/// call is throttled.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
];

/// The items that are there of what is wanted of some tables (100 keys in all, at most), by table and in any order.
///
/// # Errors
/// DynamoDB failed, or kept throttling.
pub async fn batch_get(
    client: &Client,
    wanted: impl IntoIterator<Item = (String, KeysAndAttributes)>,
) -> Result<HashMap<String, Vec<Item>>, StoreError> {
    const OPERATION: &str = "BatchGetItem";
    let mut found: HashMap<String, Vec<Item>> = HashMap::new();
    let mut wanted: HashMap<_, _> = wanted.into_iter().collect();
    let mut pauses = Pauses::new(client, OPERATION);
    loop {
        let answer = client.batch_get_item().set_request_items(Some(wanted)).send().await;
        let answer = answer.map_err(StoreError::call(OPERATION))?;
        for (table, items) in answer.responses.unwrap_or_default() {
            found.entry(table).or_default().extend(items);
        }
        wanted = answer.unprocessed_keys.unwrap_or_default();
        if wanted.is_empty() {
            return Ok(found);
        }
        pauses.next().await?;
    }
}

/// The items that are there of these keys of a table, as they are now, in any order.
///
/// # Errors
/// DynamoDB failed, or kept throttling.
pub async fn batch_get_items(client: &Client, table: &str, keys: Vec<Item>) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::with_capacity(keys.len());
    for keys in keys.chunks(MAX_GET_KEYS) {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.to_vec())).consistent_read(true).build();
        let wanted = wanted.map_err(StoreError::call("BatchGetItem"))?;
        let found = batch_get(client, [(table.to_owned(), wanted)]).await?;
        items.extend(found.into_values().flatten());
    }
    Ok(items)
}

/// Deletes the items with these keys of a table, in no order and not all at once.
///
/// # Errors
/// DynamoDB failed, or kept throttling; some of them may be deleted.
pub async fn batch_delete(client: &Client, table: &str, keys: &[Item]) -> Result<(), StoreError> {
    const OPERATION: &str = "BatchWriteItem";
    let deletion = |key: &Item| {
        let deletion = DeleteRequest::builder().set_key(Some(key.clone())).build();
        let deletion = deletion.map_err(StoreError::call(OPERATION))?;
        Ok(WriteRequest::builder().delete_request(deletion).build())
    };
    for keys in keys.chunks(MAX_DELETIONS) {
        let deletions = keys.iter().map(deletion).collect::<Result<Vec<_>, StoreError>>()?;
        let mut wanted = HashMap::from([(table.to_owned(), deletions)]);
        let mut pauses = Pauses::new(client, OPERATION);
        loop {
            let answer = client.batch_write_item().set_request_items(Some(wanted)).send().await;
            wanted = answer.map_err(StoreError::call(OPERATION))?.unprocessed_items.unwrap_or_default();
            if wanted.is_empty() {
                break;
            }
            pauses.next().await?;
        }
    }
    Ok(())
}

/// The pauses that are left of one call.
struct Pauses<'a> {
    client: &'a Client,
    operation: &'static str,
    left: std::slice::Iter<'static, Duration>,
}

impl<'a> Pauses<'a> {
    fn new(client: &'a Client, operation: &'static str) -> Self {
        Self { client, operation, left: PAUSES.iter() }
    }

    async fn next(&mut self) -> Result<(), StoreError> {
        let unprocessed = StoreError::Unprocessed { operation: self.operation };
        let pause = self.left.next().ok_or(unprocessed)?;
        if let Some(sleep) = self.client.config().sleep_impl() {
            sleep.sleep(*pause).await;
        }
        Ok(())
    }
}

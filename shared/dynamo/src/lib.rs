//! What every store needs of DynamoDB: [`Table`], items as Rust types, one encoding of values, failed conditions as
//! values, and errors that may be logged. It knows no table and no key; those are in each service's `store`.
//!
//! Two things are tried again, in the one way of [`shop_lambda::Backoff`]: what DynamoDB refuses because others are at
//! work (a conflict, or a throttled table, within a transaction), and keys of a batch that it leaves unprocessed. A
//! call that is throttled as a whole the SDK tries again by itself, on the same timer. Either ends as an error with a
//! [`shop_lambda::Contention`] behind it, which HTTP answers as a 503 with `Retry-After`.

mod attribute;
mod batch;
mod checkpoint;
mod error;
mod expression;
mod foreign;
mod pages;
mod progress;
mod query;
mod table;
#[cfg(test)]
mod tests;
mod transaction;
mod write;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use attribute::{Attribute, string, value};
pub use batch::{Batch, GETS_AT_ONCE, MAX_WRITES, Wanted};
pub use checkpoint::Checkpoint;
pub use error::{CallError, StoreError};
pub use expression::Condition;
pub use foreign::{ForeignItem, ForeignPages, ForeignTable};
pub use pages::ScanPages;
pub use progress::Progress;
pub use query::{After, Found, List, Page, Query};
pub use table::{New, Read, Record, Table, Tries, Updated};
pub use transaction::{MAX_TRANSACTION_ITEMS, Refused, Transacted, Transaction};
pub use write::{Check, Delete, Put, Update, Write};

/// An item as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// Reads an item as `T`.
///
/// # Errors
/// [`StoreError::Corrupt`] with the name of what it should have been.
pub fn read<T: DeserializeOwned>(kind: &'static str, item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|source| StoreError::Corrupt { kind, source: source.into() })
}

/// Reads one attribute of an item.
///
/// # Errors
/// [`StoreError::Corrupt`] with the name of what the item should have been.
pub fn read_attribute<T: DeserializeOwned>(
    kind: &'static str,
    item: &Item,
    name: &'static str,
) -> Result<T, StoreError> {
    let corrupt = |source| StoreError::Corrupt { kind, source };
    let value = item.get(name).ok_or_else(|| corrupt(format!("there is no {name}").into()))?;
    serde_dynamo::from_attribute_value(value.clone()).map_err(|source| corrupt(source.into()))
}

/// Reads an item as `T`, or says which one it is: the values of these key attributes, for whoever looks into it.
///
/// # Errors
/// The key, where the item is not what it should have been.
pub fn read_or_key<T: DeserializeOwned>(keys: &[&str], item: Item) -> Result<T, String> {
    let key: Vec<String> = keys.iter().filter_map(|name| item.get(*name)?.as_s().ok().cloned()).collect();
    serde_dynamo::from_item(item).map_err(|_| key.join(" "))
}

/// Writes `value` as an item. Absent options become absent attributes, which keeps an index sparse: mark
/// them `#[serde(skip_serializing_if = "Option::is_none")]`.
///
/// # Errors
/// [`StoreError::Corrupt`] when `value` is not a map of attributes.
pub fn write<T: Serialize>(kind: &'static str, value: &T) -> Result<Item, StoreError> {
    serde_dynamo::to_item(value).map_err(|source| StoreError::Corrupt { kind, source: source.into() })
}

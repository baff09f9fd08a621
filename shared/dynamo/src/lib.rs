//! What every store needs of DynamoDB: items as Rust types, failed conditions as values, errors that may
//! be logged. It knows no table and no key; those are in each service's `store.rs`.

mod assignment;
mod batch;
mod error;
mod foreign;
mod pages;
#[cfg(test)]
mod tests;
mod transaction;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use assignment::Assignment;
pub use batch::{batch_delete, batch_get, batch_get_items};
pub use error::{CallError, ConditionalWrite, StoreError, condition_failed};
pub use foreign::{Foreign, ForeignPages, ForeignTable};
pub use pages::ScanPages;
pub use transaction::{Cancelled, MAX_TRANSACTION_ITEMS, Reason, TransactionOutcome, outcome, transact};

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

/// Writes `value` as one attribute.
///
/// # Errors
/// [`StoreError::Corrupt`] when `value` cannot be an attribute.
pub fn value<T: Serialize>(kind: &'static str, value: &T) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value)
        .map_err(|source| StoreError::Corrupt { kind, source: source.into() })
}

/// A string attribute.
#[must_use]
pub fn string(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
#[must_use]
pub fn number(value: impl Into<i64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

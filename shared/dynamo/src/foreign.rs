//! Another service's table, for reading: some attributes of each of its items. It cannot write.

use std::collections::HashMap;
use std::marker::PhantomData;

use aws_sdk_dynamodb::Client;
use serde::de::DeserializeOwned;

use crate::{ScanPages, StoreError, read, read_or_key, string};

/// What is read of an item of another service's table.
pub trait Foreign: DeserializeOwned {
    /// What an item is, for errors.
    const KIND: &'static str;
    /// The table's partition key, a text. There is no sort key.
    const KEY: &'static str;
    /// The attributes that are read, the key among them.
    const ATTRIBUTES: &'static [&'static str];
}

/// Another service's table, as far as `T` shows it.
#[derive(Clone, Debug)]
pub struct ForeignTable<T> {
    client: Client,
    table: String,
    shows: PhantomData<fn() -> T>,
}

/// All items, page by page.
#[derive(Debug)]
pub struct ForeignPages<T> {
    pages: ScanPages,
    shows: PhantomData<fn() -> T>,
}

impl<T: Foreign> ForeignTable<T> {
    /// The table of this name.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), shows: PhantomData }
    }

    /// All items.
    #[must_use]
    pub fn pages(&self) -> ForeignPages<T> {
        let (projection, names) = projection::<T>();
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        let scan = scan.projection_expression(projection).set_expression_attribute_names(Some(names));
        ForeignPages { pages: ScanPages::of(scan), shows: PhantomData }
    }

    /// An item as it is now.
    ///
    /// # Errors
    /// DynamoDB failed, or the item cannot be read.
    pub async fn get(&self, key: &str) -> Result<Option<T>, StoreError> {
        let (projection, names) = projection::<T>();
        let get = self.client.get_item().table_name(&self.table).key(T::KEY, string(key));
        let get = get.consistent_read(true).projection_expression(projection);
        let get = get.set_expression_attribute_names(Some(names));
        let answer = get.send().await.map_err(StoreError::call("GetItem"))?;
        answer.item.map(|item| read(T::KIND, item)).transpose()
    }
}

impl<T: Foreign + PartialEq> ForeignTable<T> {
    /// Whether an item is still what was read of it. One that is gone, or cannot be read any more, is not.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn is_still(&self, key: &str, seen: &T) -> Result<bool, StoreError> {
        let now = StoreError::if_readable(self.get(key).await)?.flatten();
        Ok(now.as_ref() == Some(seen))
    }
}

impl<T: Foreign> ForeignPages<T> {
    /// The next page; none behind the last. An item that cannot be read is told by its key.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn next(&mut self) -> Result<Option<Vec<Result<T, String>>>, StoreError> {
        let Some(items) = self.pages.next().await? else { return Ok(None) };
        Ok(Some(items.into_iter().map(|item| read_or_key(&[T::KEY], item)).collect()))
    }
}

/// The projection, and the names behind its placeholders: DynamoDB reserves more words than anybody knows.
fn projection<T: Foreign>() -> (String, HashMap<String, String>) {
    let placeholders: Vec<_> = T::ATTRIBUTES.iter().map(|name| format!("#{name}")).collect();
    let projection = placeholders.join(", ");
    let names = T::ATTRIBUTES.iter().map(|name| (*name).to_owned());
    (projection, placeholders.into_iter().zip(names).collect())
}

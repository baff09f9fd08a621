//! Another service's table, for reading: some attributes of each of its items. It cannot write.

use std::collections::HashMap;
use std::marker::PhantomData;

use aws_sdk_dynamodb::Client;

use crate::expression::{Placeholders, projection};
use crate::{Record, ScanPages, StoreError, read, read_or_key, string};

/// What is read of an item of another service's table.
pub trait Foreign: Record {
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

    /// `Scan`: all items.
    #[must_use]
    pub fn pages(&self) -> ForeignPages<T> {
        let (projection, names) = projected::<T>();
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        let scan = scan.set_projection_expression(projection).set_expression_attribute_names(names);
        ForeignPages { pages: ScanPages::of(scan), shows: PhantomData }
    }

    /// `GetItem`: an item as it is now.
    ///
    /// # Errors
    /// The call failed, or the item cannot be read.
    pub async fn get(&self, key: &str) -> Result<Option<T>, StoreError> {
        let (projection, names) = projected::<T>();
        let get = self.client.get_item().table_name(&self.table).key(T::KEY, string(key));
        let get = get.consistent_read(true).set_projection_expression(projection);
        let get = get.set_expression_attribute_names(names);
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

/// The projection, and the names behind its placeholders.
fn projected<T: Foreign>() -> (Option<String>, Option<HashMap<String, String>>) {
    let projection = projection(T::ATTRIBUTES);
    let mut placeholders = Placeholders::default();
    placeholders.read(projection.as_deref().unwrap_or_default(), &[]);
    (projection, placeholders.names())
}

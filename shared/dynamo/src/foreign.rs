//! Another service's table, for reading: some attributes of each of its items. It cannot write.

use std::marker::PhantomData;

use aws_sdk_dynamodb::Client;
use shop_lambda::{Environment, StartError};

use crate::{Item, Read, Record, ScanPages, StoreError, Table, read_or_key, string};

/// What is read of an item of another service's table.
pub trait ForeignItem: Record {
    /// The table's partition key, a text. There is no sort key.
    const KEY: &'static str;
    /// The attributes that are read, the key among them.
    fn attributes() -> Vec<&'static str>;
}

/// Another service's table, as far as `T` shows it.
#[derive(Clone, Debug)]
pub struct ForeignTable<T> {
    table: Table,
    shows: PhantomData<fn() -> T>,
}

/// All items, page by page.
#[derive(Debug)]
pub struct ForeignPages<T> {
    pages: ScanPages,
    shows: PhantomData<fn() -> T>,
}

impl<T: ForeignItem> ForeignTable<T> {
    /// The table that a variable names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, client: Client, variable: &str) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, variable, T::KEY)?, shows: PhantomData })
    }

    /// `Scan`: all items.
    #[must_use]
    pub fn pages(&self) -> ForeignPages<T> {
        ForeignPages { pages: self.table.scan_only(&T::attributes()), shows: PhantomData }
    }

    /// `GetItem`: an item as it is now.
    ///
    /// # Errors
    /// The call failed, or the item cannot be read.
    pub async fn get(&self, key: &str) -> Result<Option<T>, StoreError> {
        let key = Item::from([(T::KEY.to_owned(), string(key))]);
        self.table.get_only(key, &T::attributes(), Read::Consistent).await
    }
}

impl<T: ForeignItem + PartialEq> ForeignTable<T> {
    /// Whether an item is still what was read of it. One that is gone, or cannot be read any more, is not.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn is_still(&self, key: &str, seen: &T) -> Result<bool, StoreError> {
        let now = StoreError::if_readable(self.get(key).await)?.flatten();
        Ok(now.as_ref() == Some(seen))
    }
}

impl<T: ForeignItem> ForeignPages<T> {
    /// The same from behind a key on, which [`ForeignPages::position`] has said; from the beginning, without one.
    #[must_use]
    pub fn behind(self, key: Option<&str>) -> Self {
        let start = key.map(|key| Item::from([(T::KEY.to_owned(), string(key))]));
        Self { pages: self.pages.behind(start), ..self }
    }

    /// The key behind which the next page begins; none before the first and behind the last.
    #[must_use]
    pub fn position(&self) -> Option<&str> {
        self.pages.position()?.get(T::KEY)?.as_s().ok().map(String::as_str)
    }

    /// The next page; none behind the last. An item that cannot be read is reported by its key.
    ///
    /// # Errors
    /// DynamoDB failed.
    pub async fn next(&mut self) -> Result<Option<Vec<Result<T, String>>>, StoreError> {
        let Some(items) = self.pages.next().await? else { return Ok(None) };
        Ok(Some(items.into_iter().map(|item| read_or_key(&[T::KEY], item)).collect()))
    }
}

//! Where a look at a whole table goes on that had not the time for all of it: an item that says how far it is.
//!
//! It is written beside what is looked at, after each step. A run that dies, or whose time is over, leaves it behind, and
//! the next run goes on there; one that comes to the end takes it away, and the next begins anew.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Item, Read, Record, StoreError, Table, value};

/// The one item of a kind of look.
#[derive(Debug)]
pub struct Checkpoint {
    table: Table,
    key: Item,
    /// Whether there is a position, as far as this run knows.
    stands: AtomicBool,
}

#[derive(Deserialize)]
#[serde(bound = "P: DeserializeOwned")]
struct Stored<P> {
    #[serde(default = "none")]
    position: Option<P>,
}

fn none<P>() -> Option<P> {
    None
}

impl<P: DeserializeOwned> Record for Stored<P> {
    const KIND: &'static str = "checkpoint";
}

impl Checkpoint {
    /// The checkpoint at a key of a table, which holds nothing else.
    #[must_use]
    pub fn new(table: &Table, key: Item) -> Self {
        Self { table: table.clone(), key, stands: AtomicBool::new(false) }
    }

    /// `GetItem`: where to go on; none where the last run came to the end, or left what this version cannot read.
    ///
    /// # Errors
    /// The call failed.
    pub async fn position<P: DeserializeOwned>(&self) -> Result<Option<P>, StoreError> {
        let stored = self.table.get::<Stored<P>>(self.key.clone(), Read::Consistent).await;
        let stored = StoreError::if_readable(stored)?;
        // To begin anew is never wrong.
        let position = stored.as_ref().and_then(|stored| stored.as_ref()?.position.as_ref()).is_some();
        self.stands.store(position || stored.is_none(), Ordering::Relaxed);
        Ok(stored.flatten().and_then(|stored| stored.position))
    }

    /// `PutItem`: goes on here if this run ends now.
    ///
    /// # Errors
    /// The call failed; the one before may still stand.
    pub async fn reach<P: Serialize + Sync>(&self, position: &P) -> Result<(), StoreError> {
        let mut item = self.key.clone();
        item.insert("position".to_owned(), value("checkpoint", position)?);
        self.stands.store(true, Ordering::Relaxed);
        self.table.replace(item).await
    }

    /// `PutItem`: all was looked at. Nothing is written where nothing says otherwise.
    ///
    /// # Errors
    /// The call failed; the one before may still stand.
    pub async fn finish(&self) -> Result<(), StoreError> {
        if self.stands.load(Ordering::Relaxed) {
            self.table.replace(self.key.clone()).await?;
        }
        Ok(())
    }
}

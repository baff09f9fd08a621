//! The table of redrives. An item is a redrive; its key is the id.

use aws_sdk_dynamodb::Client;
use shop_dynamo::{Item, New, Read, Record, StoreError, Table, string, write};
use shop_lambda::{Environment, StartError};
use shop_types::RedriveId;

use crate::redrive::Redrive;

#[derive(Clone, Debug)]
pub(crate) struct Store {
    table: Table,
}

impl Store {
    /// The store in the table that `REDRIVES_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "REDRIVES_TABLE", "id")? })
    }

    /// Stores a new one; what is there under its fresh id is our own first try, whose answer was lost.
    ///
    /// # Errors
    /// The call failed; it may or may not be stored.
    pub(crate) async fn create(&self, new: Redrive) -> Result<Redrive, StoreError> {
        match self.table.put_new(write(Redrive::KIND, &new)?).await? {
            New::Stored => Ok(new),
            New::Exists(stored) => Ok(stored),
        }
    }

    pub(crate) async fn find(&self, id: &RedriveId) -> Result<Option<Redrive>, StoreError> {
        let key = Item::from([("id".to_owned(), string(id.as_str()))]);
        self.table.get(key, Read::Consistent).await
    }
}

//! Exports in the table of imports: an item each, `pk` = export id, `sk` = `export`.

use aws_sdk_dynamodb::Client;
use shop_dynamo::{Condition, Item, Read, Record, StoreError, Table, Updated, string, value, write};
use shop_lambda::{Environment, StartError};
use shop_types::ExportId;

use super::export::Export;

impl Record for Export {
    const KIND: &'static str = "export";
}

#[derive(Clone, Debug)]
pub(crate) struct Exports {
    table: Table,
}

impl Exports {
    /// The store in the table that `IMPORTS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "IMPORTS_TABLE", "pk")? })
    }

    /// Stores an export. Its id is fresh, so that there is nothing in its place.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be stored.
    pub(crate) async fn create(&self, export: &Export) -> Result<(), StoreError> {
        let mut item = write(Export::KIND, export)?;
        item.insert("sk".to_owned(), string("export"));
        self.table.replace(item).await
    }

    pub(crate) async fn find(&self, id: &ExportId) -> Result<Option<Export>, StoreError> {
        self.table.get(key(id), Read::Consistent).await
    }

    /// Notes what was written; whether nobody wrote on meanwhile.
    ///
    /// # Errors
    /// See [`StoreError`]; whether it is noted is not known then.
    pub(crate) async fn write_on(&self, before: &Export, after: &Export) -> Result<bool, StoreError> {
        let update = self
            .table
            .update(key(&before.id))
            .set("status", value(Export::KIND, &after.status)?)
            .set("written", value(Export::KIND, &after.written)?)
            .set("version", after.version)
            .set("updated_at", after.updated_at)
            .only_if(Condition::equals("version", before.version));
        match self.table.update_if::<Export>(update).await? {
            Updated::Done => Ok(true),
            // This very write took effect, and its answer was lost; or somebody else's did.
            Updated::Changed(stored) => {
                Ok(stored.version == after.version && stored.written == after.written)
            }
            Updated::Absent => Err(StoreError::Contended { kind: Export::KIND }),
        }
    }
}

fn key(id: &ExportId) -> Item {
    Item::from([("pk".to_owned(), string(id.as_str())), ("sk".to_owned(), string("export"))])
}

//! The table of imports.
//!
//! | item | `pk` | `sk` |
//! |---|---|---|
//! | import | import id | `import` |
//! | part that is done | import id | `part#<number>` |
//!
//! A part's item is written with the import's totals: that is what counts a part once, however often it is delivered.

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use shop_dynamo::{Condition, Item, Read, Record, StoreError, Table, Updated, string, value, write};
use shop_lambda::{Environment, StartError};
use shop_types::{ImportId, Timestamp};

use super::bucket::Upload;
use super::import::{Failure, Import, Place, Stage};

impl Record for Import {
    const KIND: &'static str = "import";
}

/// A part that is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DonePart {
    pub(crate) number: u32,
    pub(crate) accepted: u32,
    pub(crate) refused: u32,
    /// Where the refused lines are kept, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refusals: Option<String>,
    /// As the import's.
    pub(crate) expires_at: i64,
}

impl Record for DonePart {
    const KIND: &'static str = "part of an import";
}

#[derive(Clone, Debug)]
pub(crate) struct Imports {
    table: Table,
}

impl Imports {
    /// The store in the table that `IMPORTS_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "IMPORTS_TABLE", "pk")? })
    }

    /// Stores an import. Its id is fresh, so that there is nothing in its place.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be stored.
    pub(crate) async fn create(&self, import: &Import) -> Result<(), StoreError> {
        let mut item = write(Import::KIND, import)?;
        item.insert("sk".to_owned(), string("import"));
        self.table.replace(item).await
    }

    pub(crate) async fn find(&self, id: &ImportId) -> Result<Option<Import>, StoreError> {
        self.table.get(key(id), Read::Consistent).await
    }

    /// Notes the file that is to be read; the import as it is then. Only the first start counts.
    ///
    /// # Errors
    /// See [`StoreError`]; whether it is noted is not known then, and the same call tells.
    pub(crate) async fn begin(
        &self,
        import: &Import,
        upload: &Upload,
        now: Timestamp,
    ) -> Result<Import, StoreError> {
        let begun = Import {
            stage: Stage::Reading,
            size: upload.size,
            etag: Some(upload.etag.clone()),
            started_at: Some(now),
            updated_at: now.max(import.updated_at),
            ..import.clone()
        };
        let update = self
            .table
            .update(key(&import.id))
            .set("stage", value(Import::KIND, &begun.stage)?)
            .set("size", begun.size)
            .set("etag", &upload.etag)
            .set("started_at", now)
            .set("updated_at", begun.updated_at);
        let is_waiting = Condition::equals("stage", value(Import::KIND, &Stage::Waiting)?);
        match self.table.update_if(update.only_if(is_waiting)).await? {
            Updated::Done => Ok(begun),
            Updated::Changed(stored) => Ok(stored),
            Updated::Absent => Err(StoreError::Contended { kind: Import::KIND }),
        }
    }

    /// Notes how far a file was read, what its columns are, and why it cannot be read further, if so; the import as it is
    /// then. It is another than `after` where another message read it on meanwhile.
    ///
    /// # Errors
    /// See [`StoreError`]; whether it is noted is not known then.
    pub(crate) async fn read_on(&self, before: &Import, after: Import) -> Result<Import, StoreError> {
        let update = self
            .table
            .update(key(&before.id))
            .set("stage", value(Import::KIND, &after.stage)?)
            .set("place", value(Import::KIND, &after.place)?)
            .set("reads", before.reads + 1)
            .set("columns", value(Import::KIND, &after.columns)?)
            .set("updated_at", after.updated_at);
        let update = match &after.failure {
            Some(failure) => update.set("failure", value(Import::KIND, failure)?),
            None => update,
        };
        let is_as_read = Condition::equals("stage", value(Import::KIND, &Stage::Reading)?)
            .and(Condition::equals("reads", before.reads));
        match self.table.update_if::<Import>(update.only_if(is_as_read)).await? {
            Updated::Done => Ok(after),
            // Or this very write took effect, and its answer was lost.
            Updated::Changed(stored) => Ok(stored),
            Updated::Absent => Err(StoreError::Contended { kind: Import::KIND }),
        }
    }

    /// Notes that the file of a part is not there any more, however far it was read.
    ///
    /// # Errors
    /// See [`StoreError`]; whether it is noted is not known then.
    pub(crate) async fn break_off(
        &self,
        import: &Import,
        failure: &Failure,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let update = self
            .table
            .update(key(&import.id))
            .set("stage", value(Import::KIND, &Stage::Failed)?)
            .set("failure", value(Import::KIND, failure)?)
            .set("updated_at", now.max(import.updated_at))
            .only_if(Condition::exists("pk"));
        self.table.update_if::<Import>(update).await.map(drop)
    }

    /// Whether a part was counted.
    pub(crate) async fn is_done(&self, id: &ImportId, number: u32) -> Result<bool, StoreError> {
        let part: Option<DonePart> = self.table.get(part_key(id, number), Read::Consistent).await?;
        Ok(part.is_some())
    }

    /// Counts a part, unless it was counted.
    ///
    /// # Errors
    /// See [`StoreError`]; whether it is counted is not known then, and the same call tells.
    pub(crate) async fn count(
        &self,
        id: &ImportId,
        part: &DonePart,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut item = write(DonePart::KIND, part)?;
        item.extend(part_key(id, part.number));
        let totals = self
            .table
            .update(key(id))
            .add("parts_done", 1)
            .add("accepted", i64::from(part.accepted))
            .add("refused", i64::from(part.refused))
            .set("updated_at", now)
            .only_if(Condition::exists("pk"));
        let transaction = self.table.transaction().write(self.table.put(item).if_new()).write(totals);
        // Where it is refused the part was counted; or the import is gone, and with it what there was to count.
        transaction.send().await.map(drop)
    }

    /// Parts that are done, from a number on, in the order of their numbers.
    pub(crate) async fn done_parts(
        &self,
        id: &ImportId,
        from: u32,
        limit: i32,
    ) -> Result<Vec<DonePart>, StoreError> {
        let parts = Condition::of("pk = :pk AND sk BETWEEN :first AND :last")
            .with("pk", id.as_str())
            .with("first", part_name(from))
            .with("last", part_name(u32::MAX));
        self.table.query(parts, Read::Consistent).limit(limit).page().await?.read()
    }
}

impl Place {
    /// Whether nothing was read yet, not even the header.
    pub(crate) const fn is_start(&self) -> bool {
        self.line == 0
    }
}

fn key(id: &ImportId) -> Item {
    key_of(id, string("import"))
}

fn part_key(id: &ImportId, number: u32) -> Item {
    key_of(id, string(part_name(number)))
}

fn key_of(id: &ImportId, sk: aws_sdk_dynamodb::types::AttributeValue) -> Item {
    Item::from([("pk".to_owned(), string(id.as_str())), ("sk".to_owned(), sk)])
}

fn part_name(number: u32) -> String {
    format!("part#{number:010}")
}

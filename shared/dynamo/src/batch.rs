//! Many items by their keys, in as few calls as may be. What DynamoDB leaves unprocessed, which it does when it
//! throttles, is asked for again, after a pause that grows.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::expression::projection;
use crate::{Item, Read, Record, StoreError, Table, read};

/// Most keys of one `BatchGetItem` (DynamoDB's API reference).
const MAX_GET_KEYS: usize = 100;
/// How many calls ask for the items of many keys at once. More would take from shoppers what a table can be read (12,000 units a
/// second of a new one, <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html>).
pub const GETS_AT_ONCE: usize = 3;
/// Most writes of one `BatchWriteItem` (DynamoDB's API reference).
pub const MAX_WRITES: usize = 25;
const BATCH_WRITE: &str = "BatchWriteItem";

/// What a batch asks of one table.
#[derive(Clone, Debug)]
pub struct Wanted {
    table: String,
    keys: Vec<Item>,
    consistency: Read,
    attributes: Vec<&'static str>,
}

/// What a batch has found, by table and in any order.
#[derive(Debug, Default)]
pub struct Batch(HashMap<String, Vec<Item>>);

impl Wanted {
    pub(crate) fn new(table: &str, keys: Vec<Item>, consistency: Read) -> Self {
        Self { table: table.to_owned(), keys, consistency, attributes: Vec::new() }
    }

    /// These attributes only.
    #[must_use]
    pub fn only(self, attributes: &[&'static str]) -> Self {
        Self { attributes: attributes.to_vec(), ..self }
    }

    fn into_request(self) -> Result<(String, KeysAndAttributes), StoreError> {
        let (projection, names) = projection(&self.attributes);
        let wanted = KeysAndAttributes::builder()
            .set_keys(Some(self.keys))
            .consistent_read(self.consistency.is_consistent())
            .set_projection_expression(projection)
            .set_expression_attribute_names(names);
        Ok((self.table, wanted.build().map_err(StoreError::call("BatchGetItem"))?))
    }
}

impl Batch {
    /// The items of a table.
    #[must_use]
    pub fn items_of(&mut self, table: &Table) -> Vec<Item> {
        self.0.remove(table.name()).unwrap_or_default()
    }

    /// The one item that was asked of a table, if it is there.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn one_of<T: Record>(&mut self, table: &Table) -> Result<Option<T>, StoreError> {
        self.items_of(table).into_iter().next().map(|item| read(T::KIND, item)).transpose()
    }
}

impl Table {
    /// `BatchGetItem`: what is there of what is wanted of some tables, each named once: 100 keys in all, at most.
    ///
    /// # Errors
    /// The call failed, or DynamoDB kept leaving keys unprocessed.
    pub async fn batch_get(&self, wanted: impl IntoIterator<Item = Wanted>) -> Result<Batch, StoreError> {
        const OPERATION: &str = "BatchGetItem";
        let mut found = Batch::default();
        let wanted = wanted.into_iter().map(Wanted::into_request);
        let mut wanted = wanted.collect::<Result<HashMap<_, _>, _>>()?;
        let mut pauses = self.backoff.tries();
        loop {
            let answer = self.client.batch_get_item().set_request_items(Some(wanted)).send().await;
            let answer = answer.map_err(StoreError::call(OPERATION))?;
            for (table, items) in answer.responses.unwrap_or_default() {
                found.0.entry(table).or_default().extend(items);
            }
            wanted = answer.unprocessed_keys.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(found);
            }
            pauses.pause().await.map_err(|_| StoreError::Unprocessed { operation: OPERATION })?;
        }
    }

    /// `BatchGetItem`, as often as it takes: the items that are there of any number of keys, as they are now and in
    /// any order.
    ///
    /// # Errors
    /// As [`Table::batch_get`].
    pub async fn get_all(&self, keys: &[Item]) -> Result<Vec<Item>, StoreError> {
        let wanted: Vec<_> =
            keys.chunks(MAX_GET_KEYS).map(|keys| self.wanted(keys.to_vec(), Read::Consistent)).collect();
        let calls = wanted.into_iter().map(|wanted| self.batch_get([wanted]));
        let found = stream::iter(calls).buffered(GETS_AT_ONCE).map_ok(|mut batch| batch.items_of(self));
        let found: Vec<_> = found.try_collect().await?;
        Ok(found.concat())
    }

    /// `BatchWriteItem`, as often as it takes: deletes the items of these keys, in no order and not all at once.
    ///
    /// # Errors
    /// The call failed, or DynamoDB kept leaving keys unprocessed; some of the items may be deleted.
    pub async fn remove_all(&self, keys: &[Item]) -> Result<(), StoreError> {
        let deletion = |key: &Item| {
            let deletion = DeleteRequest::builder().set_key(Some(key.clone())).build();
            let deletion = deletion.map_err(StoreError::call(BATCH_WRITE))?;
            Ok(WriteRequest::builder().delete_request(deletion).build())
        };
        for keys in keys.chunks(MAX_WRITES) {
            self.batch_write(keys.iter().map(deletion).collect::<Result<_, StoreError>>()?).await?;
        }
        Ok(())
    }

    /// `BatchWriteItem`, as often as it takes: stores up to 25 items, each in the place of what there is, in no order and
    /// not all at once.
    ///
    /// # Errors
    /// The call failed, or DynamoDB kept leaving items unprocessed; some of them may be stored.
    pub async fn replace_some(&self, items: Vec<Item>) -> Result<(), StoreError> {
        let put = |item: Item| {
            let put = PutRequest::builder().set_item(Some(item)).build();
            Ok(WriteRequest::builder().put_request(put.map_err(StoreError::call(BATCH_WRITE))?).build())
        };
        self.batch_write(items.into_iter().map(put).collect::<Result<_, StoreError>>()?).await
    }

    async fn batch_write(&self, writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        let mut wanted = HashMap::from([(self.name().to_owned(), writes)]);
        let mut pauses = self.backoff.tries();
        loop {
            let answer = self.client.batch_write_item().set_request_items(Some(wanted)).send().await;
            wanted = answer.map_err(StoreError::call(BATCH_WRITE))?.unprocessed_items.unwrap_or_default();
            if wanted.is_empty() {
                return Ok(());
            }
            pauses.pause().await.map_err(|_| StoreError::Unprocessed { operation: BATCH_WRITE })?;
        }
    }
}

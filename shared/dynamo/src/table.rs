//! A table, one method for each API operation: what a function calls is what it must be granted. What an item is, its
//! key and its conditions are each service's own (docs/decisions/0034).

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use serde::de::DeserializeOwned;
use shop_lambda::{Backoff, Environment, Random, StartError, Tries as Pauses};

use crate::error::{ConditionalWrite, condition_failed};
use crate::expression::{Placeholders, projection};
use crate::{
    Check, Condition, Delete, Item, Put, Query, ScanPages, StoreError, Transaction, Update, Wanted, Write,
    read,
};

/// What an item is read as.
pub trait Record: DeserializeOwned {
    /// What an item is called in errors.
    const KIND: &'static str;
}

/// What a read sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Every write before it, at the whole price.
    Consistent,
    /// The item as it was a moment ago, at half the price.
    Eventual,
}

impl Read {
    pub(crate) const fn is_consistent(self) -> bool {
        matches!(self, Self::Consistent)
    }
}

/// What came of putting a new item.
#[derive(Debug)]
pub enum New<T> {
    /// It is stored now.
    Stored,
    /// There is an item with this key.
    Exists(T),
}

/// What came of an update on a condition.
#[derive(Debug)]
pub enum Updated<T> {
    /// It is stored.
    Done,
    /// The condition does not hold for the item that is there.
    Changed(T),
    /// There is no such item.
    Absent,
}

/// A table of a name.
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) client: Client,
    name: String,
    /// The attribute that is its partition key.
    key: &'static str,
    pub(crate) backoff: Backoff,
    pub(crate) random: Random,
}

/// The tries of what is read, decided and written anew where somebody else was faster.
#[derive(Debug)]
pub struct Tries {
    kind: &'static str,
    pauses: Pauses,
}

impl Tries {
    /// Waits before the next try.
    ///
    /// # Errors
    /// [`StoreError::Contended`] where there is no further one.
    pub async fn pause(&mut self) -> Result<(), StoreError> {
        self.pauses.pause().await.map_err(|_| StoreError::Contended { kind: self.kind })
    }
}

impl Table {
    /// The table of a name, and the attribute that is its partition key.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>, key: &'static str, random: Random) -> Self {
        let backoff = Backoff::new(client.config().sleep_impl(), random.clone());
        Self { client, name: name.into(), key, backoff, random }
    }

    /// The table that a variable names, and the attribute that is its partition key.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(
        environment: &Environment,
        client: Client,
        variable: &str,
        key: &'static str,
    ) -> Result<Self, StartError> {
        Ok(Self::new(client, environment.required(variable)?, key, environment.random()))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tries of a change of some kind of item that is read, decided and written anew.
    #[must_use]
    pub fn tries(&self, kind: &'static str) -> Tries {
        Tries { kind, pauses: self.backoff.tries() }
    }

    /// `GetItem`: the item of a key.
    ///
    /// # Errors
    /// The call failed, or the item cannot be read.
    pub async fn get<T: Record>(&self, key: Item, consistency: Read) -> Result<Option<T>, StoreError> {
        self.get_only(key, &[], consistency).await
    }

    /// `GetItem`: these attributes of the item of a key.
    ///
    /// # Errors
    /// The call failed, or the item cannot be read.
    pub async fn get_only<T: Record>(
        &self,
        key: Item,
        attributes: &[&str],
        consistency: Read,
    ) -> Result<Option<T>, StoreError> {
        let (projection, names) = projection(attributes);
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key));
        let get = get.set_projection_expression(projection).set_expression_attribute_names(names);
        let answer = get.consistent_read(consistency.is_consistent()).send().await;
        let answer = answer.map_err(StoreError::call("GetItem"))?;
        answer.item.map(|item| read(T::KIND, item)).transpose()
    }

    /// `PutItem`: stores an item in the place of what there is.
    ///
    /// # Errors
    /// The call failed; the item may or may not be stored.
    pub async fn replace(&self, item: Item) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.map(drop).map_err(StoreError::call("PutItem"))
    }

    /// `PutItem`: stores an item where there is none with its key.
    ///
    /// # Errors
    /// The call failed, and the item may or may not be stored; or the one that is there cannot be read.
    pub async fn put_new<T: Record>(&self, item: Item) -> Result<New<T>, StoreError> {
        let condition = Condition::absent(self.key);
        let placeholders = Placeholders::of([&condition]);
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression(condition.text())
            .set_expression_attribute_names(placeholders.names())
            .return_values_on_condition_check_failure(AllOld);
        match self.beyond_conflicts(|| put.clone().send()).await? {
            WriteOutcome::Done => Ok(New::Stored),
            WriteOutcome::Refused(Some(stored)) => Ok(New::Exists(read(T::KIND, stored)?)),
            // Somebody deleted it before it was read.
            WriteOutcome::Refused(None) => Err(StoreError::Contended { kind: T::KIND }),
        }
    }

    /// `UpdateItem`: changes an item, if the update's condition holds.
    ///
    /// # Errors
    /// The call failed, and the change may or may not be stored; or the item that is there cannot be read.
    pub async fn update_if<T: Record>(&self, update: Update) -> Result<Updated<T>, StoreError> {
        let placeholders = update.placeholders();
        let condition = update.condition.as_ref().map(|condition| condition.text().to_owned());
        let request = self
            .client
            .update_item()
            .table_name(&self.name)
            .update_expression(update.expression())
            .set_condition_expression(condition)
            .set_key(Some(update.key))
            .set_expression_attribute_names(placeholders.names())
            .set_expression_attribute_values(placeholders.values())
            .return_values_on_condition_check_failure(AllOld);
        match self.beyond_conflicts(|| request.clone().send()).await? {
            WriteOutcome::Done => Ok(Updated::Done),
            WriteOutcome::Refused(Some(stored)) => Ok(Updated::Changed(read(T::KIND, stored)?)),
            WriteOutcome::Refused(None) => Ok(Updated::Absent),
        }
    }

    /// `DeleteItem`: deletes the item of a key. Nothing happens where there is none.
    ///
    /// # Errors
    /// The call failed; the item may or may not be deleted.
    pub async fn remove(&self, key: Item) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(key));
        delete.send().await.map(drop).map_err(StoreError::call("DeleteItem"))
    }

    /// `Query` of the table itself.
    #[must_use]
    pub fn query(&self, condition: Condition, consistency: Read) -> Query {
        Query::new(self, None, condition, consistency)
    }

    /// `Query` of one of its indexes, which follow the table within moments.
    #[must_use]
    pub fn query_index(&self, index: &str, condition: Condition) -> Query {
        Query::new(self, Some(index), condition, Read::Eventual)
    }

    /// `Scan`, page by page, of what meets a filter; consistent. Only for what looks after a whole table.
    #[must_use]
    pub fn scan(&self, filter: &Condition) -> ScanPages {
        let placeholders = Placeholders::of([filter]);
        let scan = self.client.scan().table_name(&self.name).consistent_read(true);
        ScanPages::of(
            scan.filter_expression(filter.text())
                .set_expression_attribute_names(placeholders.names())
                .set_expression_attribute_values(placeholders.values()),
        )
    }

    /// `Scan`, page by page, of these attributes of everything.
    pub(crate) fn scan_only(&self, attributes: &[&str]) -> ScanPages {
        let (projection, names) = projection(attributes);
        let scan = self.client.scan().table_name(&self.name).consistent_read(true);
        ScanPages::of(scan.set_projection_expression(projection).set_expression_attribute_names(names))
    }

    /// What a batch asks of this table.
    #[must_use]
    pub fn wanted(&self, keys: Vec<Item>, consistency: Read) -> Wanted {
        Wanted::new(&self.name, keys, consistency)
    }

    /// `TransactWriteItems`: writes that take effect together or not at all. They may be other tables' too.
    pub fn transaction(&self) -> Transaction {
        Transaction::new(self)
    }

    /// A put, for a transaction.
    #[must_use]
    pub fn put(&self, item: Item) -> Put {
        Put::new(&self.name, self.key, item)
    }

    /// An update, alone ([`Table::update_if`]) or for a transaction.
    #[must_use]
    pub fn update(&self, key: Item) -> Update {
        Update::new(&self.name, key)
    }

    /// A deletion, for a transaction.
    #[must_use]
    pub fn delete(&self, key: Item) -> Delete {
        Delete::new(&self.name, key)
    }

    /// A check, for a transaction.
    #[must_use]
    pub fn check(&self, key: Item, condition: Condition) -> Write {
        Write::Check(Check { table: self.name.clone(), key, condition })
    }

    /// Makes a write of one item, and again where a transaction was at work on the item: that write did nothing.
    async fn beyond_conflicts<F, A, E, R>(&self, write: impl Fn() -> F) -> Result<WriteOutcome, StoreError>
    where
        F: Future<Output = Result<A, SdkError<E, R>>>,
        E: ConditionalWrite,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let mut pauses = self.backoff.tries();
        loop {
            let Err(error) = write().await else { return Ok(WriteOutcome::Done) };
            if error.code() != Some("TransactionConflictException") || pauses.pause().await.is_err() {
                return condition_failed(error).map(WriteOutcome::Refused);
            }
        }
    }
}

/// What came of a write of one item.
enum WriteOutcome {
    Done,
    Refused(Option<Item>),
}

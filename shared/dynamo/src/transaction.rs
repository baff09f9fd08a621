//! Transactions, and how they end: done, or refused by a condition that a store can act on.

use std::fmt;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput};
use aws_sdk_dynamodb::types::TransactWriteItem;

use crate::error::is_throttling;
use crate::{Item, Record, StoreError, Table, Write, read};

/// Most items of one transaction (DynamoDB's API reference, `TransactWriteItems`).
pub const MAX_TRANSACTION_ITEMS: usize = 100;
const OPERATION: &str = "TransactWriteItems";

/// Writes of some items, of one table or of several, that take effect together or not at all.
#[derive(Clone, Debug)]
#[must_use = "nothing is written before it is sent"]
pub struct Transaction {
    table: Table,
    writes: Vec<Write>,
}

/// How a transaction ended.
#[derive(Debug)]
pub enum Transacted {
    /// Every write took effect.
    Done,
    /// No write took effect, since conditions failed.
    Refused(Refused),
}

impl Transacted {
    /// Whether the writes took effect.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

/// Whose conditions failed.
#[derive(Debug)]
pub struct Refused(Vec<Reason>);

/// Why one write of a transaction was in the way.
#[derive(Debug, Clone, PartialEq)]
enum Reason {
    /// It was not.
    None,
    /// Its condition failed; the stored item, if it asked for it and there is one.
    ConditionFailed(Option<Item>),
    /// Another writer was at work on its item, or DynamoDB throttles its table: the SDK tries neither again.
    Conflict,
}

impl Refused {
    /// Whether the condition of a write failed, by its place in the transaction.
    #[must_use]
    pub fn failed(&self, write: usize) -> bool {
        matches!(self.0.get(write), Some(Reason::ConditionFailed(_)))
    }

    /// The stored item that a write's condition failed for, where the write asked for it and there is one.
    ///
    /// # Errors
    /// The item cannot be read.
    pub fn stored<T: Record>(&mut self, write: usize) -> Result<Option<T>, StoreError> {
        match self.0.get_mut(write) {
            Some(Reason::ConditionFailed(item)) => item.take().map(|item| read(T::KIND, item)).transpose(),
            _ => Ok(None),
        }
    }
}

impl Transaction {
    pub(crate) fn new(table: &Table) -> Self {
        Self { table: table.clone(), writes: Vec::new() }
    }

    /// The same with one more write.
    pub fn write(mut self, write: impl Into<Write>) -> Self {
        self.writes.push(write.into());
        self
    }

    /// The same with more writes.
    pub fn writes(mut self, writes: impl IntoIterator<Item = Write>) -> Self {
        self.writes.extend(writes);
        self
    }

    /// Carries it out, and again where it only met other writers or was throttled.
    ///
    /// # Errors
    /// [`StoreError::Contended`] where it met others at every try; nothing is written then, unless an earlier try of
    /// the same call is still being carried out. Any other failure of the call; whether the writes took effect is not
    /// known then.
    pub async fn send(self) -> Result<Transacted, StoreError> {
        let Self { table, writes } = self;
        let items = writes.into_iter().map(Write::into_item).collect::<Result<Vec<_>, _>>();
        let items: Vec<TransactWriteItem> = items.map_err(StoreError::call(OPERATION))?;
        let mut pauses = table.backoff.tries();
        loop {
            // A token, so that a try of the SDK's own whose answer was lost takes effect once; a new one each time,
            // since a cancelled transaction is settled, and this is another one.
            let token = table.random.unique();
            let request = table.client.transact_write_items().set_transact_items(Some(items.clone()));
            match outcome(request.client_request_token(token).send().await)? {
                Outcome::Done => return Ok(Transacted::Done),
                // A condition that failed beside a conflict decides: it would fail again.
                Outcome::Cancelled(reasons)
                    if reasons.iter().any(|reason| matches!(reason, Reason::ConditionFailed(_))) =>
                {
                    return Ok(Transacted::Refused(Refused(reasons)));
                }
                Outcome::Cancelled(_) => {
                    pauses.pause().await.map_err(|_| StoreError::Contended { kind: "transaction" })?;
                }
                // Our own earlier try is still being carried out, so how it ends is not known.
                Outcome::InProgress => return Err(StoreError::Contended { kind: "transaction" }),
            }
        }
    }
}

/// The answer of one call.
#[derive(Debug)]
enum Outcome {
    Done,
    /// One reason for each write, in their order.
    Cancelled(Vec<Reason>),
    InProgress,
}

/// Reads the answer of `TransactWriteItems`.
///
/// # Errors
/// The call failed, or was cancelled for a reason that is neither a condition nor a conflict:
/// [`StoreError::Corrupt`] where an item is not what the write takes it for.
fn outcome<R>(
    answer: Result<TransactWriteItemsOutput, SdkError<TransactWriteItemsError, R>>,
) -> Result<Outcome, StoreError>
where
    R: fmt::Debug + Send + Sync + 'static,
{
    let error = match answer {
        Ok(_) => return Ok(Outcome::Done),
        Err(SdkError::ServiceError(service)) => service.into_err(),
        Err(other) => return Err(StoreError::call(OPERATION)(other)),
    };
    match &error {
        TransactWriteItemsError::TransactionInProgressException(_) => Ok(Outcome::InProgress),
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let codes = || cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
            // A number that is none, say: it is this item's, and another transaction may go through.
            if codes().any(|code| code == "ValidationError") {
                return Err(StoreError::Corrupt { kind: "transaction", source: error.into() });
            }
            let reasons = cancelled.cancellation_reasons().iter().map(|reason| match reason.code() {
                None | Some("None") => Some(Reason::None),
                Some("ConditionalCheckFailed") => Some(Reason::ConditionFailed(reason.item().cloned())),
                Some("TransactionConflict") => Some(Reason::Conflict),
                Some(code) if is_throttling(code) => Some(Reason::Conflict),
                Some(_) => None,
            });
            match reasons.collect::<Option<Vec<_>>>() {
                // Cancelled by something: where nothing is named, it is no conflict either.
                Some(reasons) if reasons.iter().any(|reason| *reason != Reason::None) => {
                    Ok(Outcome::Cancelled(reasons))
                }
                _ => Err(StoreError::call(OPERATION)(error)),
            }
        }
        _ => Err(StoreError::call(OPERATION)(error)),
    }
}

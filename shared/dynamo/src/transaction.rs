//! How a transaction ended: done, or cancelled for reasons that a store can act on.

use std::fmt;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput};

use crate::{Item, StoreError};

/// Most items of one transaction (DynamoDB's API reference, `TransactWriteItems`).
pub const MAX_TRANSACTION_ITEMS: usize = 100;

/// How a `TransactWriteItems` call ended.
#[derive(Debug)]
pub enum TransactionOutcome {
    /// Every write took effect.
    Done,
    /// No write took effect: conditions failed, or another writer was at work on the same items.
    Cancelled(Cancelled),
    /// The client request token was used before, for another request.
    TokenReused,
}

/// What DynamoDB says of each write of a cancelled transaction, in the order of the request.
#[derive(Debug)]
pub struct Cancelled {
    /// One for each write; empty where DynamoDB gave none.
    pub reasons: Vec<Reason>,
}

/// Why one write of a transaction was in the way.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// This write was not in the way.
    None,
    /// Its condition failed; the stored item, if it asked for it and there is one.
    ConditionFailed(Option<Item>),
    /// Another writer was at work on its item.
    Conflict,
}

impl Cancelled {
    /// Whether the writes only met other writers, so that the same request may simply be tried again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        !self.reasons.iter().any(|reason| matches!(reason, Reason::ConditionFailed(_)))
    }
}

/// Reads the answer of `TransactWriteItems`.
///
/// # Errors
/// The call failed, or was cancelled for a reason that is neither a condition nor a conflict (throttling,
/// a validation error).
pub fn outcome<R>(
    answer: Result<TransactWriteItemsOutput, SdkError<TransactWriteItemsError, R>>,
) -> Result<TransactionOutcome, StoreError>
where
    R: fmt::Debug + Send + Sync + 'static,
{
    const OPERATION: &str = "TransactWriteItems";
    let error = match answer {
        Ok(_) => return Ok(TransactionOutcome::Done),
        Err(SdkError::ServiceError(service)) => service.into_err(),
        Err(other) => return Err(StoreError::call(OPERATION)(other)),
    };
    match &error {
        TransactWriteItemsError::IdempotentParameterMismatchException(_) => {
            Ok(TransactionOutcome::TokenReused)
        }
        // The same token is being carried out at this moment: a try of our own that we gave up waiting for.
        TransactWriteItemsError::TransactionInProgressException(_) => {
            Ok(TransactionOutcome::Cancelled(Cancelled { reasons: Vec::new() }))
        }
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let reasons = cancelled.cancellation_reasons().iter().map(|reason| match reason.code() {
                None | Some("None") => Some(Reason::None),
                Some("ConditionalCheckFailed") => Some(Reason::ConditionFailed(reason.item().cloned())),
                Some("TransactionConflict") => Some(Reason::Conflict),
                Some(_) => None,
            });
            match reasons.collect::<Option<Vec<_>>>() {
                Some(reasons) => Ok(TransactionOutcome::Cancelled(Cancelled { reasons })),
                None => Err(StoreError::call(OPERATION)(error)),
            }
        }
        _ => Err(StoreError::call(OPERATION)(error)),
    }
}

//! Transactions, and how they end: done, or cancelled for reasons that a store can act on.

use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::AsyncSleep;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsError, TransactWriteItemsOutput};

use aws_sdk_dynamodb::types::TransactWriteItem;
use shop_lambda::Random;

use crate::error::is_throttling;
use crate::{Item, StoreError};

/// The longest pauses before the next tries of a transaction that met another, which takes about 10 ms. Each is
/// drawn between its half and its whole, so that those who met once do not meet again.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(80),
    Duration::from_millis(160),
];

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
    /// Another writer was at work on its item, or DynamoDB throttles its table: the SDK tries neither again.
    Conflict,
}

impl Cancelled {
    /// Whether the writes only met other writers, so that the same request may simply be tried again.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        !self.reasons.iter().any(|reason| matches!(reason, Reason::ConditionFailed(_)))
    }
}

/// Carries out a transaction, with a few more tries where it meets other writers or is throttled. A conflict at
/// the last try is an outcome, too: its caller may read anew, or give up.
///
/// # Errors
/// The call failed; whether the writes took effect is not known then.
pub async fn transact(
    client: &Client,
    random: &Random,
    items: Vec<TransactWriteItem>,
) -> Result<TransactionOutcome, StoreError> {
    let mut pauses = PAUSES.iter();
    loop {
        // A token, so that a try of the SDK's own whose answer was lost takes effect once; a new one each time,
        // since a cancelled transaction is settled, and this is another one.
        let token = hexadecimal(random.bytes::<16>());
        let request = client.transact_write_items().set_transact_items(Some(items.clone()));
        match (outcome(request.client_request_token(token).send().await)?, pauses.next()) {
            (TransactionOutcome::Cancelled(cancelled), _) if cancelled.reasons.is_empty() => {
                // Our own earlier try is still being carried out, so how it ends is not known.
                return Err(StoreError::Contended { kind: "transaction" });
            }
            (TransactionOutcome::Cancelled(cancelled), Some(pause)) if cancelled.is_conflict() => {
                let [drawn] = random.bytes::<1>();
                let pause = *pause / 2 + *pause / 2 * u32::from(drawn) / u32::from(u8::MAX);
                if let Some(sleep) = client.config().sleep_impl() {
                    sleep.sleep(pause).await;
                }
            }
            (ended, _) => return Ok(ended),
        }
    }
}

fn hexadecimal(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// Reads the answer of `TransactWriteItems`.
///
/// # Errors
/// The call failed, or was cancelled for a reason that is neither a condition nor a conflict (a validation error,
/// say).
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
                Some(code) if is_throttling(code) => Some(Reason::Conflict),
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

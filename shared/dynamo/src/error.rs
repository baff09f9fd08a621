//! Failures of the store. Never "not found": a missing item is a value, and a failed call is an error.

use std::error::Error;
use std::fmt;

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use shop_lambda::{Contention, Internal};

use crate::Item;

/// A DynamoDB call or an item that failed. Its text and its sources name operations and kinds, never data.
#[derive(Debug)]
pub enum StoreError {
    /// The call failed, after the SDK's own tries.
    Call {
        /// The API operation.
        operation: &'static str,
        /// What the SDK says; behind a [`Contention`], where it was throttled.
        source: Box<dyn Error + Send + Sync>,
    },
    /// An item is not what its key says it is.
    Corrupt {
        /// What the item should have been.
        kind: &'static str,
        /// The first attribute that does not fit.
        source: Box<dyn Error + Send + Sync>,
    },
    /// DynamoDB kept leaving keys of a batch unprocessed: it throttles.
    Unprocessed {
        /// The API operation.
        operation: &'static str,
    },
    /// Others kept winning the same write.
    Contended {
        /// What was written.
        kind: &'static str,
    },
}

/// What stands behind the errors that have no other cause than others.
static WRITERS: Contention = Contention::of_writers();

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { operation, .. } => write!(f, "DynamoDB {operation} failed"),
            Self::Corrupt { kind, .. } => write!(f, "the item of a {kind} cannot be read or written"),
            Self::Unprocessed { operation } => write!(f, "DynamoDB {operation} left keys unprocessed"),
            Self::Contended { kind } => write!(f, "the write of a {kind} met a conflict at every try"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Call { source, .. } | Self::Corrupt { source, .. } => Some(&**source),
            Self::Unprocessed { .. } | Self::Contended { .. } => Some(&WRITERS),
        }
    }
}

impl Internal for StoreError {}

impl StoreError {
    /// Wraps a failed call: `.map_err(StoreError::call("GetItem"))`.
    pub fn call<E: CallError>(operation: &'static str) -> impl FnOnce(E) -> Self {
        move |error| {
            let source: Box<dyn Error + Send + Sync> = if error.is_throttled() {
                Box::new(Contention::of_throttled(error))
            } else {
                Box::new(error)
            };
            Self::Call { operation, source }
        }
    }

    /// What was read; none where it was there and could not be. For who looks after a table and must not stop at
    /// one item: whoever asks must say elsewhere that there is such an item.
    ///
    /// # Errors
    /// Any other failure.
    pub fn if_readable<T>(read: Result<T, Self>) -> Result<Option<T>, Self> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(Self::Corrupt { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What DynamoDB and its SDK say of a call that failed.
pub trait CallError: Error + Send + Sync + Sized + 'static {
    /// Whether nothing is wrong but that there was too much at once, at every try that the SDK made.
    fn is_throttled(&self) -> bool;
}

/// The codes that DynamoDB has for it (its developer guide, "Error handling"), and that it gives as the reason of
/// a cancelled transaction.
pub(crate) fn is_throttling(code: &str) -> bool {
    const CODES: &[&str] = &[
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflictException",
        "TransactionInProgressException",
    ];
    CODES.contains(&code)
}

impl<E, R> CallError for SdkError<E, R>
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    fn is_throttled(&self) -> bool {
        self.code().is_some_and(is_throttling)
    }
}

impl CallError for BuildError {
    fn is_throttled(&self) -> bool {
        false
    }
}

macro_rules! operation_error {
    ($($error:ident),*) => {
        $(impl CallError for $error {
            fn is_throttled(&self) -> bool {
                self.code().is_some_and(is_throttling)
            }
        })*
    };
}
operation_error!(PutItemError, UpdateItemError, TransactWriteItemsError);

/// The errors of single writes that can carry a failed condition.
pub(crate) trait ConditionalWrite: CallError + ProvideErrorMetadata {
    /// The API operation.
    const OPERATION: &'static str;

    /// The stored item, where it was the condition that failed; the error itself where it was not.
    ///
    /// # Errors
    /// Every other error of the operation.
    fn into_stored_item(self) -> Result<Option<Item>, Self>;
}

macro_rules! conditional_write {
    ($error:ident, $operation:literal) => {
        impl ConditionalWrite for $error {
            const OPERATION: &'static str = $operation;

            fn into_stored_item(self) -> Result<Option<Item>, Self> {
                match self {
                    Self::ConditionalCheckFailedException(failed) => Ok(failed.item),
                    other => Err(other),
                }
            }
        }
    };
}
conditional_write!(PutItemError, "PutItem");
conditional_write!(UpdateItemError, "UpdateItem");

/// Tells a failed condition from a failed call: `Ok` is the item that is stored (with
/// `ReturnValuesOnConditionCheckFailure=ALL_OLD`), or `None` when there is none.
///
/// # Errors
/// Any other failure of the call.
pub(crate) fn condition_failed<E: ConditionalWrite, R>(
    error: SdkError<E, R>,
) -> Result<Option<Item>, StoreError>
where
    R: fmt::Debug + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            service.into_err().into_stored_item().map_err(StoreError::call(E::OPERATION))
        }
        other => Err(StoreError::call(E::OPERATION)(other)),
    }
}

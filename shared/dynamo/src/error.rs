//! Failures of the store. Never "not found": a missing item is a value, and a failed call is an error.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

use crate::Item;

/// A DynamoDB call or an item that failed. Its text and its sources name operations and kinds, never data.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The call failed, after the SDK's own tries.
    #[error("DynamoDB {operation} failed")]
    Call {
        /// The API operation.
        operation: &'static str,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An item is not what its key says it is.
    #[error("the item of a {kind} cannot be read or written")]
    Corrupt {
        /// What the item should have been.
        kind: &'static str,
        /// The first attribute that does not fit.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// DynamoDB kept leaving keys of a batch unprocessed: it throttles.
    #[error("DynamoDB {operation} left keys unprocessed")]
    Unprocessed {
        /// The API operation.
        operation: &'static str,
    },
    /// Others kept winning the same write.
    #[error("the write of a {kind} met a conflict at every try")]
    Contended {
        /// What was written.
        kind: &'static str,
    },
}

impl StoreError {
    /// Wraps a failed call: `.map_err(StoreError::call("GetItem"))`.
    pub fn call<E>(operation: &'static str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |source| Self::Call { operation, source: Box::new(source) }
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

/// The errors of single writes that can carry a failed condition.
pub trait ConditionalWrite: std::error::Error + Send + Sync + Sized + 'static {
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
pub fn condition_failed<E: ConditionalWrite, R>(error: SdkError<E, R>) -> Result<Option<Item>, StoreError>
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            service.into_err().into_stored_item().map_err(StoreError::call(E::OPERATION))
        }
        other => Err(StoreError::call(E::OPERATION)(other)),
    }
}

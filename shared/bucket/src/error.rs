//! Why S3 did not do what it was asked.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::presigning::PresigningConfigError;
use aws_sdk_s3::primitives::ByteStreamError;
use shop_lambda::Internal;

/// Why S3 did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// It refused a call, or did not answer.
    #[error("S3 did not answer {operation}")]
    Call {
        /// The API operation, as `PutObject`.
        operation: &'static str,
        /// The SDK's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The SDK does not sign an address for so long.
    #[error("an address cannot be signed")]
    Unsigned(#[from] PresigningConfigError),
    /// Not all of an object came.
    #[error("an object broke off")]
    BrokenOff(#[from] ByteStreamError),
    /// An object is no JSON, or not that of what should be there.
    #[error("an object is not what was written")]
    Unreadable(#[from] serde_json::Error),
}

impl Internal for BucketError {}

impl BucketError {
    /// What a failed call is.
    pub fn of<E>(operation: &'static str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |error| Self::Call { operation, source: error.into() }
    }
}

/// The HTTP status of an answer of S3, where there was one.
#[must_use]
pub fn status<E>(error: &SdkError<E>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// What S3 calls an error, where it answered with one.
#[must_use]
pub fn code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// Whether there is no object under a key.
#[must_use]
pub fn is_absent(error: &SdkError<GetObjectError>) -> bool {
    code(error) == Some("NoSuchKey")
}

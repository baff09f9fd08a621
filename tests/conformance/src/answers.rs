//! What a call answered: taken, or refused with a code.

use anyhow::{Result, anyhow, bail, ensure};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The answer of a call that must be taken.
pub(crate) fn taken<T, E, R>(answer: Result<T, SdkError<E, R>>) -> Result<T>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    answer.map_err(|error| anyhow!("refused: {}", description(&error)))
}

/// Holds that a call was refused with a code. The codes of SQS have a prefix in one of its protocols.
pub(crate) fn refused<T, E, R>(answer: Result<T, SdkError<E, R>>, code: &str) -> Result<()>
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    match answer {
        Ok(_) => bail!("taken, not refused with {code}"),
        Err(error) => {
            ensure!(bare_code(&error) == Some(code), "refused, not with {code}: {}", description(&error));
            Ok(())
        }
    }
}

fn bare_code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.code().and_then(|code| code.rsplit(['.', '#']).next())
}

fn description<E, R>(error: &SdkError<E, R>) -> String
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    match error.code() {
        Some(code) => format!("{code}: {}", error.message().unwrap_or("no message")),
        None => DisplayErrorContext(error).to_string(),
    }
}

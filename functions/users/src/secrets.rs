//! The secrets of the stack that this service reads.
//!
//! Only what must may read a secret: template.yaml grants it function by function. A secret is read while a
//! function starts, and is never logged.

use aws_sdk_secretsmanager::Client as Secrets;
use shop_auth::IssueError;
use shop_lambda::{Environment, Internal, StartError};
use zeroize::Zeroizing;

use crate::credentials::blind_index::BlindIndex;

/// A secret cannot be read or used. Its text holds none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretError {
    #[error("the secret cannot be read")]
    Call(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the secret is not text")]
    NotText,
    /// No key can be made of it, or the key cannot be published.
    #[error("no key can be made of the secret")]
    Issue(#[from] IssueError),
}

impl Internal for SecretError {}

pub(crate) async fn read(client: &Secrets, id: &str) -> Result<Zeroizing<String>, SecretError> {
    let answer = client.get_secret_value().secret_id(id).send().await;
    let answer = answer.map_err(|error| SecretError::Call(Box::new(error)))?;
    answer.secret_string.map(Zeroizing::new).ok_or(SecretError::NotText)
}

/// Where the lookup secret lies. Made of variables alone, so that a missing one is named before any call.
#[derive(Debug)]
pub(crate) struct BlindIndexSource {
    client: Secrets,
    id: String,
}

impl BlindIndexSource {
    /// The secret that `LOOKUP_SECRET_ARN` names.
    pub(crate) fn of(environment: &Environment) -> Result<Self, StartError> {
        let id = environment.required("LOOKUP_SECRET_ARN")?.to_owned();
        Ok(Self { client: Secrets::new(environment.sdk_config()), id })
    }

    /// Reads the secret and derives the keys.
    pub(crate) async fn read(self) -> Result<BlindIndex, StartError> {
        let unavailable = |source: Box<dyn std::error::Error + Send + Sync>| StartError::Unavailable {
            what: "the lookup secret",
            source,
        };
        let secret = read(&self.client, &self.id).await.map_err(|error| unavailable(error.into()))?;
        BlindIndex::from_secret(&secret).map_err(|error| unavailable(error.into()))
    }
}

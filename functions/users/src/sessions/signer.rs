//! The signer: what tokens are issued with, which follows the signing secret when that is rotated.

use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_secretsmanager::Client as Secrets;
use shop_auth::{IssueError, RefreshKey, SIGNING_KEY_MAX_AGE_SECONDS, TokenIssuer};
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Environment, StartError};
use shop_types::Timestamp;

use crate::secrets::{SecretError, read};

/// A signing secret that was rotated is noticed after this.
const REREAD_MILLIS: i64 = 5 * 60 * 1000;
/// Where the secret cannot be read anew, the one that was read is good for this long.
const MAX_MILLIS: i64 = SIGNING_KEY_MAX_AGE_SECONDS * 1000;

/// Where the signing secret lies, and what the tokens that it signs say.
#[derive(Debug)]
pub(crate) struct SignerSource {
    client: Secrets,
    dynamodb: aws_sdk_dynamodb::Client,
    id: String,
    keys_table: String,
    issuer: String,
    audience: String,
    clock: Clock,
}

impl SignerSource {
    /// The secret that `TOKEN_SECRET_ARN` names.
    pub(crate) fn of(
        environment: &Environment,
        dynamodb: aws_sdk_dynamodb::Client,
    ) -> Result<Self, StartError> {
        let required = |name| environment.required(name).map(str::to_owned);
        Ok(Self {
            client: Secrets::new(environment.sdk_config()),
            dynamodb,
            id: required("TOKEN_SECRET_ARN")?,
            keys_table: required("KEYS_TABLE")?,
            issuer: required("TOKEN_ISSUER")?,
            audience: required("TOKEN_AUDIENCE")?,
            clock: environment.clock(),
        })
    }

    /// Reads the secret and publishes the key that is derived from it.
    pub(crate) async fn start(self) -> Result<Signer, StartError> {
        let keys = self
            .keys()
            .await
            .map_err(|error| StartError::Unavailable { what: "the signing secret", source: error.into() })?;
        let read_at = self.clock.now();
        Ok(Signer { source: self, current: RwLock::new((Arc::new(keys), read_at)) })
    }

    async fn keys(&self) -> Result<SigningKeys, SecretError> {
        let secret = read(&self.client, &self.id).await?;
        let access = TokenIssuer::from_secret(&secret, &self.issuer, &self.audience)?;
        let refresh = RefreshKey::from_secret(&secret).ok_or(IssueError::Key)?;
        // Before anything is signed with it, so that no token comes before its key.
        access.publish(&self.dynamodb, &self.keys_table).await?;
        Ok(SigningKeys { access, refresh })
    }
}

/// What tokens are issued with: all of it derives from the signing secret.
#[derive(Debug)]
pub(crate) struct SigningKeys {
    pub(crate) access: TokenIssuer,
    pub(crate) refresh: RefreshKey,
}

/// The keys that tokens are issued with, which follow the signing secret when that is rotated.
#[derive(Debug)]
pub(crate) struct Signer {
    source: SignerSource,
    current: RwLock<(Arc<SigningKeys>, Timestamp)>,
}

impl Signer {
    /// The keys of now. Every five minutes it costs a look at the secret.
    ///
    /// # Errors
    /// The secret could not be read for a quarter of an hour.
    pub(crate) async fn keys(&self) -> Result<Arc<SigningKeys>, SecretError> {
        let (keys, read_at) = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.source.clock.now();
        let age = now.as_millis() - read_at.as_millis();
        if age < REREAD_MILLIS {
            return Ok(keys);
        }
        match self.source.keys().await {
            Ok(new) => {
                if new.access.kid() != keys.access.kid() {
                    tracing::info!(key.id = new.access.kid(), "the signing key was rotated");
                }
                let new = Arc::new(new);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = (Arc::clone(&new), now);
                Ok(new)
            }
            Err(error) if age < MAX_MILLIS => {
                tracing::warn!(error = %Chain(&error), "the signing secret could not be read anew");
                Ok(keys)
            }
            Err(error) => Err(error),
        }
    }
}

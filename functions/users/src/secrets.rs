//! The secrets of the stack that this service reads, and the signer that follows one of them.
//!
//! Only what must may read a secret: template.yaml grants it function by function. A secret is read while a
//! function starts, and is never logged.

use std::sync::{Arc, PoisonError, RwLock};

use aws_sdk_secretsmanager::Client as Secrets;
use shop_auth::{IssueError, RefreshKey, SIGNING_KEY_MAX_AGE_SECONDS, TokenIssuer};
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Environment, Internal, StartError};
use shop_types::Timestamp;
use zeroize::Zeroizing;

use crate::blind_index::BlindIndex;

/// A signing secret that was rotated is noticed after this.
const REREAD_MILLIS: i64 = 5 * 60 * 1000;
/// Where the secret cannot be read anew, the one that was read is good for this long.
const MAX_MILLIS: i64 = SIGNING_KEY_MAX_AGE_SECONDS * 1000;

/// A secret cannot be read or used. Its text holds none.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The call failed.
    #[error("the secret cannot be read")]
    Call(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The secret is not text.
    #[error("the secret is not text")]
    NotText,
    /// No key can be made of it, or the key cannot be published.
    #[error("no key can be made of the secret")]
    Issue(#[from] IssueError),
}

impl Internal for SecretError {}

async fn read(client: &Secrets, id: &str) -> Result<Zeroizing<String>, SecretError> {
    let answer = client.get_secret_value().secret_id(id).send().await;
    let answer = answer.map_err(|error| SecretError::Call(Box::new(error)))?;
    answer.secret_string.map(Zeroizing::new).ok_or(SecretError::NotText)
}

/// Where the lookup secret lies. Made of variables alone, so that a missing one is named before any call.
#[derive(Debug)]
pub struct BlindIndexSource {
    client: Secrets,
    id: String,
}

impl BlindIndexSource {
    /// The secret that `LOOKUP_SECRET_ARN` names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn of(environment: &Environment) -> Result<Self, StartError> {
        let id = environment.required("LOOKUP_SECRET_ARN")?.to_owned();
        Ok(Self { client: Secrets::new(environment.sdk_config()), id })
    }

    /// Reads the secret and derives the keys.
    ///
    /// # Errors
    /// The secret cannot be read or used.
    pub async fn read(self) -> Result<BlindIndex, StartError> {
        let unavailable = |source: Box<dyn std::error::Error + Send + Sync>| StartError::Unavailable {
            what: "the lookup secret",
            source,
        };
        let secret = read(&self.client, &self.id).await.map_err(|error| unavailable(error.into()))?;
        BlindIndex::from_secret(&secret).map_err(|error| unavailable(error.into()))
    }
}

/// Where the signing secret lies, and what the tokens that it signs say.
#[derive(Debug)]
pub struct SignerSource {
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
    ///
    /// # Errors
    /// A missing variable, by its name.
    pub fn of(environment: &Environment, dynamodb: aws_sdk_dynamodb::Client) -> Result<Self, StartError> {
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
    ///
    /// # Errors
    /// The secret cannot be read or used, or the key table cannot be written.
    pub async fn start(self) -> Result<Signer, StartError> {
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
pub struct SigningKeys {
    /// Issues access tokens.
    pub access: TokenIssuer,
    /// Issues refresh tokens.
    pub refresh: RefreshKey,
}

/// The keys that tokens are issued with, which follow the signing secret when that is rotated.
#[derive(Debug)]
pub struct Signer {
    source: SignerSource,
    current: RwLock<(Arc<SigningKeys>, Timestamp)>,
}

impl Signer {
    /// The keys of now. Every five minutes it costs a look at the secret.
    ///
    /// # Errors
    /// The secret could not be read for a quarter of an hour.
    pub async fn keys(&self) -> Result<Arc<SigningKeys>, SecretError> {
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aws_sdk_dynamodb::Client;
    use aws_smithy_async::test_util::ManualTimeSource;
    use shop_auth::{Grant, KeyTable, RETIREMENT_SECONDS, Role, Verifier};
    use shop_types::UserId;

    use super::*;
    use crate::testing::{KEYS_TABLE, Table};

    /// A signer and a verifier of one stack, whose clock moves by hand.
    struct Stage {
        table: Table,
        time: ManualTimeSource,
        environment: Environment,
        signer: Signer,
        verifier: Verifier,
    }

    impl Stage {
        async fn new() -> Self {
            let table = Table::new();
            table.set_secret(&"a".repeat(64));
            let time = ManualTimeSource::new(UNIX_EPOCH + Duration::from_hours(500_000));
            let environment = table.environment_at(time.clone());
            let client = Client::new(environment.sdk_config());
            let signer = SignerSource::of(&environment, client.clone()).unwrap().start().await.unwrap();
            let verifier = Verifier::start(&environment, &client).await.unwrap();
            Self { table, time, environment, signer, verifier }
        }

        async fn token(&self) -> String {
            let user = UserId::fresh(Timestamp::from_millis(1), [1; 10]);
            let now = self.environment.clock().now();
            let grant = Grant { user: &user, role: Role::Customer, epoch: 1, session: None };
            self.signer.keys().await.unwrap().access.issue(&grant, [1; 16], now).unwrap()
        }

        async fn keys(&self) -> usize {
            let keys =
                KeyTable::new(Client::new(self.environment.sdk_config()), KEYS_TABLE).jwks().await.unwrap();
            serde_json::to_value(keys).unwrap()["keys"].as_array().unwrap().len()
        }
    }

    #[tokio::test]
    async fn a_rotated_secret_signs_within_minutes_and_the_old_key_s_tokens_end_by_themselves() {
        let stage = Stage::new().await;
        let old = stage.token().await;
        stage.table.set_secret(&"b".repeat(64));
        stage.time.advance(Duration::from_mins(4));
        assert_eq!(
            stage.signer.keys().await.unwrap().access.kid(),
            stage.signer.keys().await.unwrap().access.kid()
        );
        assert_eq!(stage.keys().await, 1, "it is looked at every five minutes");
        stage.time.advance(Duration::from_mins(1));
        let new = stage.token().await;
        assert_eq!(stage.keys().await, 2);
        // Both are good, the new one at once, by a verifier that had read the table before.
        for token in [&old, &new] {
            stage.verifier.verify(token).await.unwrap();
        }
        let last_of_old = stage.environment.clock().now().as_secs() + RETIREMENT_SECONDS;
        stage.time.advance(Duration::from_secs(RETIREMENT_SECONDS.unsigned_abs()));
        assert_eq!(stage.environment.clock().now().as_secs(), last_of_old);
        assert_eq!(stage.keys().await, 1, "the old key is shown to nobody any more");
        stage.verifier.verify(&stage.token().await).await.unwrap();
    }

    #[tokio::test]
    async fn a_secret_that_is_put_back_is_the_active_one_again() {
        let stage = Stage::new().await;
        for secret in ["b", "a"] {
            stage.table.set_secret(&secret.repeat(64));
            stage.time.advance(Duration::from_mins(5));
            stage.verifier.verify(&stage.token().await).await.unwrap();
        }
        stage.time.advance(Duration::from_hours(1));
        stage.verifier.verify(&stage.token().await).await.unwrap();
        assert_eq!(stage.keys().await, 1);
    }

    #[tokio::test]
    async fn where_the_secret_cannot_be_read_anew_the_old_one_is_good_for_a_while() {
        let stage = Stage::new().await;
        let fail = || stage.table.before_next("GetSecretValue", |_, _| Some((500, "{}".to_owned())));
        stage.time.advance(Duration::from_mins(14));
        fail();
        stage.verifier.verify(&stage.token().await).await.unwrap();
        stage.time.advance(Duration::from_mins(1));
        fail();
        assert!(stage.signer.keys().await.is_err());
        assert!(stage.signer.keys().await.is_ok(), "it recovers by itself");
    }

    #[tokio::test]
    async fn a_key_table_that_is_lost_is_not_asked_for_at_every_request() {
        let stage = Stage::new().await;
        stage.time.advance(Duration::from_mins(16));
        let token = stage.token().await;
        stage.table.before_each("GetItem", |_, _| Some((500, "{}".to_owned())));
        let asked = || stage.table.operations().iter().filter(|operation| *operation == "GetItem").count();
        let before = asked();
        for _ in 0..10 {
            stage.verifier.verify(&token).await.unwrap();
        }
        assert_eq!(asked() - before, 1, "what was read is old, and is still good");
        stage.time.advance(Duration::from_mins(15));
        let token = stage.token().await;
        for _ in 0..10 {
            stage.verifier.verify(&token).await.unwrap();
        }
        assert_eq!(asked() - before, 2);
    }

    #[tokio::test]
    async fn a_short_secret_does_not_start() {
        let table = Table::new();
        table.set_secret("short");
        let environment = table.environment();
        let client = Client::new(environment.sdk_config());
        let started = SignerSource::of(&environment, client).unwrap().start().await;
        assert!(matches!(started, Err(StartError::Unavailable { .. })));
    }
}

//! The demo identity: the token that a request without one is given.
//!
//! It is minted from the stack's own signing secret, so that every function checks a real token. Only the
//! local front door does this; no deployed function knows of it. The secret and the tokens are never logged.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_types::SdkConfig;
use http::HeaderValue;
use shop_auth::{ACCESS_TOKEN_LIFETIME_SECONDS, IssueError, Role, TokenIssuer};
use shop_lambda::{Clock, Environment, Random};
use shop_types::{Timestamp, UserId};

use crate::template::Template;

/// The logical id of the signing secret.
const TOKEN_SECRET: &str = "TokenSecret";
/// Whom the demo mode acts as, for people.
pub const DEMO_EMAIL: &str = "demo@example.com";
/// The same, for the functions: the key under which the demo data registers the account. Its id follows from the
/// key, so that a restart finds account and orders again.
pub(crate) const DEMO_KEY: &str = "the-account-of-the-local-demo";
/// A token is replaced this long before it expires: a request that carries it may take half a minute.
const RENEW_BEFORE_SECONDS: i64 = 120;

/// Where a stack keeps what tokens are made of.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// Name or ARN of the signing secret.
    pub secret_id: String,
    /// The table of the public keys.
    pub keys_table: String,
    /// The issuer that the functions expect.
    pub issuer: String,
    /// The audience that the functions expect.
    pub audience: String,
}

impl TokenSettings {
    /// As the template's functions have them: those of the first that checks tokens. None where the template
    /// has no `TokenSecret`, or no function checks tokens.
    #[must_use]
    pub fn from_template(template: &Template) -> Option<Self> {
        let secret_id = template.secrets.get(TOKEN_SECRET)?.name.clone();
        template.functions.values().find_map(|function| {
            let variable = |name| function.environment.get(name).cloned();
            Some(Self {
                secret_id: secret_id.clone(),
                keys_table: variable("KEYS_TABLE")?,
                issuer: variable("TOKEN_ISSUER")?,
                audience: variable("TOKEN_AUDIENCE")?,
            })
        })
    }
}

/// The demo identity cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The secret cannot be read.
    #[error("the signing secret cannot be read")]
    Secret(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The secret is not text.
    #[error("the signing secret is not text")]
    NotText,
    /// No key or token can be made of it.
    #[error("no token can be made")]
    Issue(#[from] IssueError),
    /// The token does not fit into a header.
    #[error("the demo identity is malformed")]
    Malformed,
}

/// Mints the demo administrator's tokens, and keeps each until shortly before it expires.
#[derive(Debug)]
pub struct DemoIdentity {
    issuer: TokenIssuer,
    user: UserId,
    clock: Clock,
    current: Mutex<Option<Minted>>,
}

#[derive(Debug)]
struct Minted {
    header: HeaderValue,
    at: Timestamp,
}

impl DemoIdentity {
    /// Reads the stack's signing secret and publishes the key's public half.
    ///
    /// # Errors
    /// When the secret cannot be read or used, or the key table cannot be written.
    pub async fn start(sdk: &SdkConfig, settings: &TokenSettings) -> Result<Self, IdentityError> {
        let secret = aws_sdk_secretsmanager::Client::new(sdk)
            .get_secret_value()
            .secret_id(&settings.secret_id)
            .send()
            .await
            .map_err(|error| IdentityError::Secret(Box::new(error)))?;
        let secret = secret.secret_string().ok_or(IdentityError::NotText)?;
        let issuer = TokenIssuer::from_secret(secret, &settings.issuer, &settings.audience)?;
        issuer.publish(&aws_sdk_dynamodb::Client::new(sdk), &settings.keys_table).await?;
        let clock = Environment::new(BTreeMap::new(), sdk.clone(), Random::system()).clock();
        Ok(Self::new(issuer, clock))
    }

    fn new(issuer: TokenIssuer, clock: Clock) -> Self {
        Self { issuer, user: UserId::derived("guest", DEMO_KEY), clock, current: Mutex::new(None) }
    }

    /// The value of the `Authorization` header.
    ///
    /// # Errors
    /// When no token can be signed.
    pub fn authorization(&self) -> Result<HeaderValue, IdentityError> {
        let now = self.clock.now();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(minted) = &*current
            && minted.is_good(now)
        {
            return Ok(minted.header.clone());
        }
        let token = self.issuer.mint(&self.user, Role::Admin, now)?;
        let mut header =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| IdentityError::Malformed)?;
        header.set_sensitive(true);
        *current = Some(Minted { header: header.clone(), at: now });
        Ok(header)
    }
}

impl Minted {
    /// A clock that was set back would make the token one of the future: that is not good either.
    fn is_good(&self, now: Timestamp) -> bool {
        let age = now.as_secs() - self.at.as_secs();
        (0..ACCESS_TOKEN_LIFETIME_SECONDS - RENEW_BEFORE_SECONDS).contains(&age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_async::test_util::ManualTimeSource;
    use aws_smithy_async::time::SharedTimeSource;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_token_is_kept_until_shortly_before_it_expires() {
        let time = ManualTimeSource::new(UNIX_EPOCH + Duration::from_hours(500_000));
        let sdk = SdkConfig::builder().time_source(SharedTimeSource::new(time.clone())).build();
        let clock = Environment::new(BTreeMap::new(), sdk, Random::system()).clock();
        let issuer = TokenIssuer::from_secret(&"s".repeat(64), "issuer", "audience").unwrap();
        let identity = DemoIdentity::new(issuer, clock);

        let first = identity.authorization().unwrap();
        assert!(first.is_sensitive());
        time.advance(Duration::from_secs(779));
        assert_eq!(identity.authorization().unwrap(), first);
        time.advance(Duration::from_secs(1));
        let second = identity.authorization().unwrap();
        assert_ne!(second, first);
    }
}

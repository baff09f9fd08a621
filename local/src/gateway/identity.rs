//! The demo identity: the token that a request without one is given.
//!
//! It is made with the stack's own signing secret, for an account of the stack's own, so that every function checks
//! a real token and asks a real account. Only the
//! local gateway does this; no deployed function knows of it. The secret and the tokens are never logged.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use aws_types::SdkConfig;
use http::HeaderValue;
use shop_auth::{
    ADMIN_TOKEN_LIFETIME_SECONDS, AccountReadError, AccountReader, Grant, IssueError, Role, Standing,
    TokenIssuer,
};
use shop_lambda::{Clock, Environment, Random};
use shop_types::{Timestamp, UserId};

use crate::template::Template;

/// The logical id of the signing secret.
const TOKEN_SECRET: &str = "TokenSecret";
/// Whom the demo mode acts as, for people.
pub const DEMO_EMAIL: &str = "demo@example.com";
/// A token is replaced this long before it expires: a request that carries it may take half a minute.
const RENEW_BEFORE_SECONDS: i64 = 120;

/// Where a stack keeps what tokens are made of.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// Name or ARN of the signing secret.
    pub secret_id: String,
    /// The table of the public keys.
    pub keys_table: String,
    /// The table of the accounts; none for a shop without.
    pub users_table: Option<String>,
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
        let mut functions = template.functions.values();
        let users_table = functions.find_map(|function| function.environment.get("USERS_TABLE").cloned());
        template.functions.values().find_map(|function| {
            let variable = |name| function.environment.get(name).cloned();
            Some(Self {
                secret_id: secret_id.clone(),
                keys_table: variable("KEYS_TABLE")?,
                users_table: users_table.clone(),
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
    /// The demo administrator's account cannot be read.
    #[error("the demo administrator's account cannot be read")]
    Account(#[from] AccountReadError),
    /// The token does not fit into a header.
    #[error("the demo identity is malformed")]
    Malformed,
}

/// Issues the demo administrator's tokens, and keeps each until shortly before it expires.
#[derive(Debug)]
pub struct DemoIdentity {
    issuer: TokenIssuer,
    accounts: Option<AccountReader>,
    user: OnceLock<UserId>,
    clock: Clock,
    random: Random,
    current: Mutex<Option<Issued>>,
}

#[derive(Debug)]
struct Issued {
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
        let dynamodb = aws_sdk_dynamodb::Client::new(sdk);
        issuer.publish(&dynamodb, &settings.keys_table).await?;
        let accounts = settings.users_table.as_ref();
        let accounts =
            accounts.map(|table| AccountReader::without_sessions(dynamodb, table, Random::system()));
        let clock = Environment::new(BTreeMap::new(), sdk.clone(), Random::system()).clock();
        Ok(Self::new(issuer, accounts, clock))
    }

    fn new(issuer: TokenIssuer, accounts: Option<AccountReader>, clock: Clock) -> Self {
        let (user, current) = (OnceLock::new(), Mutex::new(None));
        Self { issuer, accounts, user, clock, random: Random::system(), current }
    }

    /// Says whose account the demo administrator's is.
    pub(crate) fn act_as(&self, user: UserId) {
        self.user.get_or_init(|| user);
    }

    /// The value of the `Authorization` header, as the account is now; none where it is no more: then a request
    /// without a token is a guest's. A shop without accounts takes any administrator's token.
    ///
    /// # Errors
    /// When the account cannot be read or no token can be signed.
    pub async fn authorization(&self) -> Result<Option<HeaderValue>, IdentityError> {
        let now = self.clock.now();
        if let Some(issued) = &*self.lock()
            && issued.is_good(now)
        {
            return Ok(Some(issued.header.clone()));
        }
        let stand_in = UserId::derived("local", "demo");
        let user = self.user.get().unwrap_or(&stand_in);
        let standing = match &self.accounts {
            Some(accounts) => accounts.standing(user, None).await?,
            None => Some(Standing { role: Role::Admin, epoch: 0 }),
        };
        let Some(Standing { role, epoch }) = standing else { return Ok(None) };
        let grant = Grant { user, role, epoch, session: None };
        let token = self.issuer.issue(&grant, self.random.bytes(), now)?;
        let mut header =
            HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| IdentityError::Malformed)?;
        header.set_sensitive(true);
        *self.lock() = Some(Issued { header: header.clone(), at: now });
        Ok(Some(header))
    }

    /// Drops the token that is kept: it was refused, since the account has changed.
    pub(crate) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Issued>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Issued {
    /// A clock that was set back would make the token one of the future: that is not good either.
    fn is_good(&self, now: Timestamp) -> bool {
        let age = now.as_secs() - self.at.as_secs();
        (0..ADMIN_TOKEN_LIFETIME_SECONDS - RENEW_BEFORE_SECONDS).contains(&age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_async::test_util::ManualTimeSource;
    use aws_smithy_async::time::SharedTimeSource;
    use std::time::{Duration, UNIX_EPOCH};

    #[tokio::test]
    async fn a_token_is_kept_until_shortly_before_it_expires() {
        let time = ManualTimeSource::new(UNIX_EPOCH + Duration::from_hours(500_000));
        let sdk = SdkConfig::builder().time_source(SharedTimeSource::new(time.clone())).build();
        let clock = Environment::new(BTreeMap::new(), sdk, Random::system()).clock();
        let issuer = TokenIssuer::from_secret(&"s".repeat(64), "issuer", "audience").unwrap();
        let identity = DemoIdentity::new(issuer, None, clock);

        let first = identity.authorization().await.unwrap().unwrap();
        assert!(first.is_sensitive());
        time.advance(Duration::from_secs(179));
        assert_eq!(identity.authorization().await.unwrap().unwrap(), first);
        time.advance(Duration::from_secs(1));
        let second = identity.authorization().await.unwrap().unwrap();
        assert_ne!(second, first);
        identity.forget();
        assert_ne!(identity.authorization().await.unwrap().unwrap(), second);
    }
}

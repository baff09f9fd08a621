//! Checking access tokens, in process, with the keys of the key table.
//!
//! RFC 8725: the algorithm comes from here and not from the token, the type is explicit, issuer and audience
//! must be this shop's, and a token's own key or key address is never looked at. Tokens are never logged.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use aws_sdk_dynamodb::Client;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Environment, StartError};
use shop_types::Timestamp;

use crate::claims::{Claims, TOKEN_TYPE, token_lifetime_seconds};
use crate::keys::{KeyTable, KeyTableError};
use crate::{Principal, ServiceSecret, SessionId};

/// A token of this shop has about 350 bytes.
const MAX_TOKEN_LENGTH: usize = 1024;
/// Clocks of AWS services agree within a second; this is for those of the session functions.
const LEEWAY_SECONDS: i64 = 5;
/// An unknown key id makes the table be read again, so that a new key is known at once; but not more often than
/// so many times in this long: tokens cost nothing to make up, and reads do.
const LOOKUP_INTERVAL_MILLIS: i64 = 10_000;
const MAX_LOOKUPS: u32 = 5;
/// What was read is read anew after this: a key that was withdrawn is then accepted nowhere, whatever tokens
/// come. Between two reads, a check makes no call.
const REREAD_INTERVAL_MILLIS: i64 = 15 * 60 * 1000;

/// The token proves nothing: it is malformed, forged, expired or meant for another service. Which of these
/// is nobody's business but the log's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access token is not valid: {0}")]
pub struct InvalidToken(&'static str);

/// Why a token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The caller's fault: 401.
    #[error(transparent)]
    Invalid(#[from] InvalidToken),
    /// The keys could not be read: 500, or 503 where the table is throttled, since the token may well be good.
    #[error("the key table cannot be read")]
    Keys(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Who sent a token, and in which session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who.
    pub principal: Principal,
    /// The session that the token was issued in, if it was in one.
    pub session: Option<SessionId>,
    /// The account's session epoch when the token was issued; none for a guest.
    pub epoch: Option<u64>,
}

#[derive(Default)]
struct Keys {
    by_id: BTreeMap<String, AcceptedKey>,
    /// When the table was asked last, whatever it answered.
    asked_at: Option<Timestamp>,
    /// How often unknown keys were looked up since when.
    lookups: u32,
    lookups_since: Timestamp,
}

#[derive(Clone)]
struct AcceptedKey {
    key: DecodingKey,
    retire_at: Option<i64>,
}

/// Verifies access tokens.
pub struct Verifier {
    table: KeyTable,
    /// What is read along with the keys.
    secret: Option<ServiceSecret>,
    issuer: String,
    audience: String,
    clock: Clock,
    keys: RwLock<Keys>,
}

impl Verifier {
    /// Reads the keys, which also opens the connection to DynamoDB while the function starts and Lambda
    /// gives it a full processor.
    ///
    /// # Errors
    /// A missing variable, by its name (`KEYS_TABLE`, `TOKEN_ISSUER`, `TOKEN_AUDIENCE`). A key table that
    /// cannot be read now is read again when the first token comes.
    pub async fn start(environment: &Environment, client: &Client) -> Result<Self, StartError> {
        Self::start_with(environment, client, None).await
    }

    /// The variables that it starts by.
    pub const VARIABLES: [&'static str; 3] = ["KEYS_TABLE", "TOKEN_ISSUER", "TOKEN_AUDIENCE"];

    /// The same, and a service's secret is read in the same call.
    ///
    /// # Errors
    /// As [`Verifier::start`].
    pub async fn start_with(
        environment: &Environment,
        client: &Client,
        secret: Option<ServiceSecret>,
    ) -> Result<Self, StartError> {
        let verifier = Self {
            table: KeyTable::new(client.clone(), environment.required("KEYS_TABLE")?, environment.random()),
            secret,
            issuer: environment.required("TOKEN_ISSUER")?.to_owned(),
            audience: environment.required("TOKEN_AUDIENCE")?.to_owned(),
            clock: environment.clock(),
            keys: RwLock::default(),
        };
        if let Err(error) = verifier.refresh(environment.clock().now()).await {
            tracing::warn!(error = %Chain(&error), "the signing keys could not be read at the start");
        }
        Ok(verifier)
    }

    /// The principal of the request that carries this token.
    ///
    /// # Errors
    /// [`VerifyError::Invalid`] for any token that is not a valid one of this shop's.
    pub async fn verify(&self, token: &str) -> Result<Principal, VerifyError> {
        Ok(self.verify_session(token).await?.principal)
    }

    /// The principal of the request that carries this token, and the session.
    ///
    /// # Errors
    /// [`VerifyError::Invalid`] for any token that is not a valid one of this shop's.
    pub async fn verify_session(&self, token: &str) -> Result<Verified, VerifyError> {
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(InvalidToken("oversized").into());
        }
        let header = decode_header(token).map_err(|_| InvalidToken("malformed"))?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TOKEN_TYPE) {
            return Err(InvalidToken("another kind of token").into());
        }
        // RFC 7515 section 4.1.11: what has to be understood and is not makes the token invalid.
        if header.crit.is_some() {
            return Err(InvalidToken("an extension that is not known here").into());
        }
        let kid = header.kid.ok_or(InvalidToken("no key id"))?;
        let now = self.clock.now();
        if self.is_due(now)
            && let Err(error) = self.refresh(now).await
        {
            tracing::warn!(error = %Chain(&error), "the signing keys could not be read anew");
        }
        let key = match self.key(&kid, now) {
            Some(key) => key,
            None if self.may_look_up(now) => {
                self.refresh(now).await.map_err(|error| VerifyError::Keys(Box::new(error)))?;
                self.key(&kid, now).ok_or(InvalidToken("unknown key"))?
            }
            None => return Err(InvalidToken("unknown key").into()),
        };
        let claims = decode::<Claims>(token, &key, &signature_only())
            .map_err(|_| InvalidToken("bad signature or claims"))?;
        Ok(self.verified(claims.claims, now)?)
    }

    fn verified(&self, claims: Claims, now: Timestamp) -> Result<Verified, InvalidToken> {
        let now = now.as_secs();
        if claims.iss != self.issuer || claims.aud != self.audience {
            return Err(InvalidToken("another issuer or audience"));
        }
        if now >= claims.exp.saturating_add(LEEWAY_SECONDS) {
            return Err(InvalidToken("expired"));
        }
        if claims.nbf > now.saturating_add(LEEWAY_SECONDS) || claims.iat > now.saturating_add(LEEWAY_SECONDS)
        {
            return Err(InvalidToken("not yet valid"));
        }
        if claims.exp.saturating_sub(claims.iat) > token_lifetime_seconds(claims.role) {
            return Err(InvalidToken("valid for too long"));
        }
        let principal = Principal::User { id: claims.sub, role: claims.role };
        Ok(Verified { principal, session: claims.sid, epoch: Some(claims.epoch) })
    }

    fn key(&self, kid: &str, now: Timestamp) -> Option<DecodingKey> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let found = keys.by_id.get(kid)?;
        found.retire_at.is_none_or(|at| now.as_secs() < at).then(|| found.key.clone())
    }

    /// Whether what was read is old, or nothing was.
    fn is_due(&self, now: Timestamp) -> bool {
        let asked_at = self.keys.read().unwrap_or_else(PoisonError::into_inner).asked_at;
        asked_at.is_none_or(|asked_at| now.as_millis() - asked_at.as_millis() >= REREAD_INTERVAL_MILLIS)
    }

    /// Whether an unknown key may be looked up; it counts as one lookup if so. Where no key is known at all,
    /// the first is still to be published, and it always may.
    fn may_look_up(&self, now: Timestamp) -> bool {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if now.as_millis() - keys.lookups_since.as_millis() >= LOOKUP_INTERVAL_MILLIS {
            (keys.lookups, keys.lookups_since) = (0, now);
        }
        let may = keys.lookups < MAX_LOOKUPS || keys.by_id.is_empty();
        keys.lookups += u32::from(may);
        may
    }

    async fn refresh(&self, now: Timestamp) -> Result<(), KeyTableError> {
        // First, so that a table that cannot be read is not asked at every request.
        self.keys.write().unwrap_or_else(PoisonError::into_inner).asked_at = Some(now);
        let published = match &self.secret {
            Some(secret) => {
                let mut batch = self.table.read_with(secret.wanted()).await?;
                secret.found(&mut batch)?;
                self.table.found(&mut batch)?
            }
            None => self.table.read().await?,
        };
        let by_id: Result<BTreeMap<_, _>, _> = published
            .into_iter()
            .map(|(kid, published)| {
                let key = DecodingKey::from_ed_components(&BASE64URL_NOPAD.encode(&published.key.0))?;
                Ok((kid, AcceptedKey { key, retire_at: published.retire_at }))
            })
            .collect::<Result<_, jsonwebtoken::errors::Error>>();
        let by_id = by_id.map_err(|_| KeyTableError::Malformed)?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.by_id = by_id;
        Ok(())
    }
}

/// The library checks the signature; the claims are checked above, by the environment's clock.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

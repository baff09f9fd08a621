//! Issuing access tokens from the stack's signing secret.
//!
//! Only what may read the secret can build a [`TokenIssuer`]; no function that serves data does.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_sdk_dynamodb::Client;
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use shop_lambda::{Internal, Random};
use shop_types::{Timestamp, UserId};

use crate::claims::{CLIENT_ID, Claims, TOKEN_TYPE, token_lifetime_seconds};
use crate::keys::{KeyTable, PublicKey};
use crate::{Role, SessionId};

/// Tells this key from any other that may be derived from the same secret (RFC 5869 section 3.2).
const DERIVATION: &[u8] = b"shop access token ed25519 v1";
/// A shorter secret is a mistake in the template, not a secret.
const MIN_SECRET_LENGTH: usize = 32;

/// Why a token or its key could not be made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The secret is too short to derive a key from.
    #[error("the signing secret has fewer than {MIN_SECRET_LENGTH} bytes")]
    WeakSecret,
    /// The cryptographic library refused.
    #[error("the signing key cannot be used")]
    Key,
    /// The public key could not be published.
    #[error("the public key cannot be published")]
    Publish(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Internal for IssueError {}

/// Whom a token is for, as the account is when it is issued.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The user.
    pub user: &'a UserId,
    /// The account's role.
    pub role: Role,
    /// The account's session epoch.
    pub epoch: u64,
    /// The session; none where there is none, as in the local demo mode.
    pub session: Option<&'a SessionId>,
}

/// Issues access tokens with the key that derives from a secret.
pub struct TokenIssuer {
    issuer: String,
    audience: String,
    kid: String,
    public: PublicKey,
    key: EncodingKey,
}

impl TokenIssuer {
    /// Derives the signing key from the secret (HKDF-SHA256, RFC 5869).
    ///
    /// # Errors
    /// [`IssueError::WeakSecret`] for a secret of fewer than 32 bytes.
    pub fn from_secret(
        secret: &str,
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self, IssueError> {
        if secret.len() < MIN_SECRET_LENGTH {
            return Err(IssueError::WeakSecret);
        }
        let mut seed = [0_u8; 32];
        Salt::new(HKDF_SHA256, &[])
            .extract(secret.as_bytes())
            .expand(&[DERIVATION], HKDF_SHA256)
            .and_then(|key| key.fill(&mut seed))
            .map_err(|_| IssueError::Key)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| IssueError::Key)?;
        let public = <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| IssueError::Key)?;
        let private = pair.to_pkcs8().map_err(|_| IssueError::Key)?;
        Ok(Self {
            issuer: issuer.into(),
            audience: audience.into(),
            // The id names the key, and nothing else: a path or an address in it could not be followed.
            kid: BASE64URL_NOPAD.encode(&digest(&SHA256, &public).as_ref()[..9]),
            public: PublicKey(public),
            key: EncodingKey::from_ed_der(private.as_ref()),
        })
    }

    /// Makes this key the one that is signed with: puts its public half into the key table, where every
    /// function finds it, and sets the time after which the others are no longer accepted
    /// ([`crate::RETIREMENT_SECONDS`]). Harmless when repeated.
    ///
    /// # Errors
    /// [`IssueError::Publish`] when the table cannot be written.
    pub async fn publish(&self, client: &Client, keys_table: &str) -> Result<(), IssueError> {
        KeyTable::new(client.clone(), keys_table, Random::system())
            .activate(&self.kid, &self.public)
            .await
            .map_err(|source| IssueError::Publish(Box::new(source)))
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key's id and its public half.
    #[cfg(test)]
    pub(crate) fn public_key(&self) -> (String, [u8; 32]) {
        (self.kid.clone(), self.public.0)
    }

    /// The private key and its id.
    #[cfg(test)]
    pub(crate) fn signing_key(&self) -> (EncodingKey, String) {
        (self.key.clone(), self.kid.clone())
    }

    /// An access token, valid from `now` for [`token_lifetime_seconds`]. `id` is random, and becomes its `jti`.
    ///
    /// # Errors
    /// [`IssueError::Key`] when the library cannot sign.
    pub fn issue(&self, grant: &Grant<'_>, id: [u8; 16], now: Timestamp) -> Result<String, IssueError> {
        let now = now.as_secs();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: grant.user.clone(),
            client_id: CLIENT_ID.to_owned(),
            jti: BASE64URL_NOPAD.encode(&id),
            role: grant.role,
            epoch: grant.epoch,
            sid: grant.session.cloned(),
            iat: now,
            nbf: now,
            exp: now + token_lifetime_seconds(grant.role),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(self.kid.clone());
        encode(&header, &claims, &self.key).map_err(|_| IssueError::Key)
    }
}

impl std::fmt::Debug for TokenIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenIssuer").field("kid", &self.kid).finish_non_exhaustive()
    }
}

//! Sessions: their ids, and the refresh tokens that keep them going.
//!
//! A refresh token names its user and its session, so that one call finds both, and carries 160 random bits and a
//! MAC that tells what was issued from what was made up. Only its hash is ever stored. It is no JWT: it can pass
//! nowhere for an access token.
//!
//! The token after it follows from it by a key ([`RefreshKey`]), so that two who present one token at once are given
//! the same next one. Nobody else can take that step, and nobody can take it back.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use shop_types::UserId;

/// How long a refresh token is good: whoever stays away longer logs in again.
pub const REFRESH_LIFETIME_SECONDS: i64 = 14 * 24 * 3600;
/// What the sort keys of all sessions of a user begin with.
pub const SESSION_KEY_PREFIX: &str = "session#";
/// Tells a refresh token from other texts, and this form of it from later ones.
const PREFIX: &str = "rt1";
/// Characters of a session's 128 bits in base 64.
const ID_LENGTH: usize = 22;
/// Of the 32 bytes of a token: what is random, and what is the beginning of its MAC.
const SEED_BYTES: usize = 20;
const MAC_BYTES: usize = 12;
/// Tells this key from any other that is derived from the same secret (RFC 5869 section 3.2).
const DERIVATION: &[u8] = b"shop refresh token chain v1";

/// The text is no session's id, or no refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a refresh token")]
pub struct ParseTokenError;

/// A session's id: 128 random bits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionId(String);

impl SessionId {
    /// A fresh id.
    #[must_use]
    pub fn fresh(random: [u8; 16]) -> Self {
        Self(BASE64URL_NOPAD.encode(&random))
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Under which sort key the session lies in the sessions table; its partition is its user's.
    #[must_use]
    pub fn sort_key(&self) -> String {
        format!("{SESSION_KEY_PREFIX}{}", self.0)
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

impl TryFrom<String> for SessionId {
    type Error = ParseTokenError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if is_base64(&text, ID_LENGTH) { Ok(Self(text)) } else { Err(ParseTokenError) }
    }
}

/// What refresh tokens are issued with. It derives from the secret that the signing key derives from.
#[derive(Clone)]
pub struct RefreshKey(Key);

impl RefreshKey {
    /// Derives the key from the secret; none where the cryptographic library refuses, which it does for no secret.
    #[must_use]
    pub fn from_secret(secret: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let pseudorandom = Salt::new(HKDF_SHA256, &[]).extract(secret.as_bytes());
        let derived = pseudorandom.expand(&[DERIVATION], HKDF_SHA256).and_then(|key| key.fill(&mut bytes));
        derived.ok().map(|()| Self(Key::new(HMAC_SHA256, &bytes)))
    }

    fn mac(&self, purpose: &str, token: &str, seed: &[u8]) -> [u8; 32] {
        let tag = sign(&self.0, &message(purpose, token, seed));
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        bytes
    }
}

/// Shows nothing.
impl fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshKey(..)")
    }
}

/// What is signed: `token` has no zero byte.
fn message(purpose: &str, token: &str, seed: &[u8]) -> Vec<u8> {
    [purpose.as_bytes(), b"\0", token.as_bytes(), b"\0", seed].concat()
}

/// A refresh token. Whoever has it is its user's session, so nothing shows it but [`RefreshToken::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    user: UserId,
    session: SessionId,
    secret: [u8; SEED_BYTES + MAC_BYTES],
}

impl RefreshToken {
    /// The first token of a session.
    #[must_use]
    pub fn first(user: UserId, session: SessionId, random: [u8; SEED_BYTES], key: &RefreshKey) -> Self {
        let mut token = Self { user, session, secret: [0; SEED_BYTES + MAC_BYTES] };
        let mac = key.mac("issued", &token.place(), &random);
        token.secret[..SEED_BYTES].copy_from_slice(&random);
        token.secret[SEED_BYTES..].copy_from_slice(&mac[..MAC_BYTES]);
        token
    }

    /// The token after this one: the same each time.
    #[must_use]
    pub fn next(&self, key: &RefreshKey) -> Self {
        let next = key.mac("next", &self.place(), self.seed());
        let mut seed = [0; SEED_BYTES];
        seed.copy_from_slice(&next[..SEED_BYTES]);
        Self::first(self.user.clone(), self.session.clone(), seed, key)
    }

    /// Whether this shop issued it, with this key, as any token of the session.
    #[must_use]
    pub fn is_issued(&self, key: &RefreshKey) -> bool {
        let mac = key.mac("issued", &self.place(), self.seed());
        aws_lc_rs::constant_time::verify_slices_are_equal(&self.secret[SEED_BYTES..], &mac[..MAC_BYTES])
            .is_ok()
    }

    fn seed(&self) -> &[u8] {
        &self.secret[..SEED_BYTES]
    }

    fn place(&self) -> String {
        format!("{}.{}", self.user, self.session.as_str())
    }

    /// Whose it says it is.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The session that it says it belongs to.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The token's text, for its owner alone.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}.{}.{}", self.place(), BASE64URL_NOPAD.encode(&self.secret))
    }

    /// What is stored of it. 160 random bits need no salt and no slow hash: they cannot be guessed.
    #[must_use]
    pub fn hash(&self) -> String {
        BASE64URL_NOPAD.encode(digest(&SHA256, self.reveal().as_bytes()).as_ref())
    }
}

impl FromStr for RefreshToken {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.splitn(5, '.').collect();
        let [PREFIX, user, session, secret] = parts[..] else { return Err(ParseTokenError) };
        // One token has one text: the last character of another one has bits that are not the token's.
        let secret = BASE64URL_NOPAD.decode(secret.as_bytes()).map_err(|_| ParseTokenError)?;
        Ok(Self {
            user: user.parse().map_err(|_| ParseTokenError)?,
            session: session.to_owned().try_into()?,
            secret: secret.try_into().map_err(|_| ParseTokenError)?,
        })
    }
}

fn is_base64(text: &str, length: usize) -> bool {
    text.len() == length
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken").field("session", &self.session).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use shop_types::Timestamp;

    use super::*;

    fn key() -> RefreshKey {
        RefreshKey::from_secret("a secret that is known to tests only").unwrap()
    }

    fn token() -> RefreshToken {
        let user = UserId::fresh(Timestamp::from_millis(1), [1; 10]);
        RefreshToken::first(user, SessionId::fresh([2; 16]), [0xff; SEED_BYTES], &key())
    }

    #[test]
    fn a_token_reads_back_and_its_hash_tells_it_from_others() {
        let text = token().reveal();
        assert_eq!(text.parse(), Ok(token()));
        assert_eq!(token().hash().len(), 43);
        assert_ne!(token().next(&key()).hash(), token().hash());
        assert!(!text.contains(&token().hash()));
    }

    #[test]
    fn the_token_after_it_is_the_same_each_time_and_takes_the_key() {
        let next = token().next(&key());
        assert_eq!(next, token().next(&key()));
        assert_eq!((next.user(), next.session()), (token().user(), token().session()));
        let other = RefreshKey::from_secret("another secret").unwrap();
        assert_ne!(next, token().next(&other));
        assert!(next.is_issued(&key()) && token().is_issued(&key()) && !next.is_issued(&other));
    }

    #[test]
    fn a_token_that_was_made_up_was_not_issued() {
        let issued = token();
        for at in [0, SEED_BYTES - 1, SEED_BYTES, SEED_BYTES + MAC_BYTES - 1] {
            let mut forged = issued.clone();
            forged.secret[at] ^= 1;
            assert!(!forged.is_issued(&key()), "{at}");
        }
        let moved = RefreshToken { session: SessionId::fresh([3; 16]), ..issued.clone() };
        let given = RefreshToken { user: UserId::fresh(Timestamp::from_millis(1), [2; 10]), ..issued };
        assert!(!moved.is_issued(&key()) && !given.is_issued(&key()));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let good = token().reveal();
        for bad in [
            String::new(),
            "rt1".into(),
            "rt1...".into(),
            good.replace("rt1", "rt2"),
            good.replace("usr_", "ord_"),
            good[..good.len() - 1].to_owned(),
            format!("{good}x"),
            format!("{good}."),
            format!(" {good}"),
            good.replace('_', "+"),
            "x".repeat(100_000),
        ] {
            assert_eq!(bad.parse::<RefreshToken>(), Err(ParseTokenError), "{bad}");
        }
    }

    #[test]
    fn nothing_shows_the_secret() {
        assert!(!format!("{:?} {:?}", token(), key()).contains("____"), "{:?}", token());
    }
}

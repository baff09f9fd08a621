//! Sessions: their ids, and the refresh tokens that keep them going.
//!
//! A refresh token names its user and its session, so that one call finds both, and carries 256 random bits.
//! Only its hash is ever stored. It is no JWT: it can pass nowhere for an access token.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use shop_types::UserId;

/// Tells a refresh token from other texts, and this form of it from later ones.
const PREFIX: &str = "rt1";
/// Characters of a session's 128 bits, and of a token's 256, in base 64.
const ID_LENGTH: usize = 22;
const SECRET_LENGTH: usize = 43;

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

/// A refresh token. Whoever has it is its user's session, so nothing shows it but [`RefreshToken::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    user: UserId,
    session: SessionId,
    secret: String,
}

impl RefreshToken {
    /// A fresh token of a session.
    #[must_use]
    pub fn fresh(user: UserId, session: SessionId, random: [u8; 32]) -> Self {
        Self { user, session, secret: BASE64URL_NOPAD.encode(&random) }
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
        format!("{PREFIX}.{}.{}.{}", self.user, self.session.as_str(), self.secret)
    }

    /// What is stored of it. 256 random bits need no salt and no slow hash: they cannot be guessed.
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
        if !is_base64(secret, SECRET_LENGTH) {
            return Err(ParseTokenError);
        }
        Ok(Self {
            user: user.parse().map_err(|_| ParseTokenError)?,
            session: session.to_owned().try_into()?,
            secret: secret.to_owned(),
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

    fn token() -> RefreshToken {
        let user = UserId::fresh(Timestamp::from_millis(1), [1; 10]);
        RefreshToken::fresh(user, SessionId::fresh([2; 16]), [0xff; 32])
    }

    #[test]
    fn a_token_reads_back_and_its_hash_tells_it_from_others() {
        let text = token().reveal();
        assert_eq!(text.parse(), Ok(token()));
        assert_eq!(token().hash().len(), 43);
        let other = RefreshToken::fresh(token().user().clone(), token().session().clone(), [0xfe; 32]);
        assert_ne!(other.hash(), token().hash());
        assert!(!text.contains(&token().hash()));
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
        assert!(!format!("{:?}", token()).contains("____"), "{:?}", token());
    }
}

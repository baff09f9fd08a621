//! Tokens that are mailed: whoever has one reads the mail of an account's address. Pure: no AWS, no clock.
//!
//! A token names its account and when it ends, and has a MAC (HMAC-SHA256, RFC 2104) of that and of what it is bound
//! to: the address that it confirms, or the account's session epoch and the request that asked for it. It is stored
//! nowhere, not even as a hash. What it is bound to changes where it is used or another takes its place, and then it
//! proves nothing any more.
//!
//! Its key derives (RFC 5869) from a secret of its own: the users service checks tokens by it, the e-mail service makes
//! them (docs/decisions/0044).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use data_encoding::BASE64URL_NOPAD;
use shop_types::{EmailAddress, Timestamp, UserId};

/// How long a token that sets a password is good for, from the request on: an hour, since it is as good as a password.
pub const RESET_LIFETIME_SECONDS: i64 = 3600;
/// How long a token that confirms an address is good for: mail is not read every day.
pub const CONFIRMATION_LIFETIME_SECONDS: i64 = 7 * 24 * 3600;
/// A token has fewer characters.
pub const MAIL_TOKEN_MAX_LENGTH: usize = 200;

/// What a token is for, and what it is bound to.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// It confirms this address of the account.
    ConfirmEmail(&'a EmailAddress),
    /// It sets another password of the account.
    ResetPassword {
        /// The session epoch of the account: another password ends it.
        epoch: u64,
        /// The request that asked for it: another takes its place.
        request: i64,
    },
}

impl Purpose<'_> {
    /// Tells tokens of one purpose from those of others, and this form of them from later ones.
    const fn prefix(self) -> &'static str {
        match self {
            Self::ConfirmEmail(_) => "ce1",
            Self::ResetPassword { .. } => "rp1",
        }
    }

    const fn lifetime(self) -> i64 {
        match self {
            Self::ConfirmEmail(_) => CONFIRMATION_LIFETIME_SECONDS,
            Self::ResetPassword { .. } => RESET_LIFETIME_SECONDS,
        }
    }

    fn bound_to(self) -> String {
        match self {
            Self::ConfirmEmail(address) => address.normalized(),
            Self::ResetPassword { epoch, request } => format!("{epoch}.{request}"),
        }
    }
}

/// A text is no token that was ever mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of a mail")]
pub struct ParseMailTokenError;

/// A token, which may or may not be genuine: see [`MailTokenKey::proves`].
#[derive(Clone, PartialEq, Eq)]
pub struct MailToken {
    prefix: String,
    user: UserId,
    expires_at: i64,
    mac: Vec<u8>,
}

impl MailToken {
    /// Whose account it is about.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// Whether it was mailed too long ago.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        now.as_secs() >= self.expires_at
    }

    /// Its text, for the mail alone.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{}.{}", self.claim(), BASE64URL_NOPAD.encode(&self.mac))
    }

    fn claim(&self) -> String {
        format!("{}.{}.{}", self.prefix, self.user, self.expires_at)
    }

    /// What the MAC is of. No claim has a slash, so no two pairs are one text.
    fn signed(&self, purpose: Purpose<'_>) -> String {
        format!("{}/{}", self.claim(), purpose.bound_to())
    }
}

impl FromStr for MailToken {
    type Err = ParseMailTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.splitn(5, '.').collect();
        let [prefix, user, expires_at, mac] = parts[..] else { return Err(ParseMailTokenError) };
        let token = Self {
            prefix: prefix.to_owned(),
            user: user.parse().map_err(|_| ParseMailTokenError)?,
            expires_at: expires_at.parse().map_err(|_| ParseMailTokenError)?,
            mac: BASE64URL_NOPAD.decode(mac.as_bytes()).map_err(|_| ParseMailTokenError)?,
        };
        // One token has one text: `+1` and `01` are no times.
        if token.reveal() == text { Ok(token) } else { Err(ParseMailTokenError) }
    }
}

/// Shows no MAC.
impl fmt::Debug for MailToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailToken({})", self.claim())
    }
}

/// The key cannot be derived. It can, from 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no key can be derived from the secret")]
pub struct NoMailTokenKey;

/// What makes and checks the tokens.
pub struct MailTokenKey(hmac::Key);

impl MailTokenKey {
    /// Derives the key from the secret that both services read.
    ///
    /// # Errors
    /// [`NoMailTokenKey`], which 32 bytes never lead to.
    pub fn from_secret(secret: &[u8; 32]) -> Result<Self, NoMailTokenKey> {
        let mut bytes = [0; 32];
        let info: [&[u8]; 1] = [b"shop mail token v1"];
        let pseudorandom = Salt::new(HKDF_SHA256, &[]).extract(secret);
        let derived = pseudorandom.expand(&info, HKDF_SHA256).and_then(|key| key.fill(&mut bytes));
        derived.map_err(|_| NoMailTokenKey)?;
        Ok(Self(hmac::Key::new(HMAC_SHA256, &bytes)))
    }

    /// The token of an account that was asked for at a time. The same for the same, so that a mail that is sent again
    /// says the same.
    #[must_use]
    pub fn issue(&self, user: UserId, purpose: Purpose<'_>, asked_at: Timestamp) -> MailToken {
        let expires_at = asked_at.as_secs() + purpose.lifetime();
        let mut token = MailToken { prefix: purpose.prefix().to_owned(), user, expires_at, mac: Vec::new() };
        token.mac = hmac::sign(&self.0, token.signed(purpose).as_bytes()).as_ref().to_vec();
        token
    }

    /// Whether this shop mailed the token for this purpose, and it has not expired.
    #[must_use]
    pub fn proves(&self, token: &MailToken, purpose: Purpose<'_>, now: Timestamp) -> bool {
        token.prefix == purpose.prefix()
            && !token.has_expired(now)
            && hmac::verify(&self.0, token.signed(purpose).as_bytes(), &token.mac).is_ok()
    }
}

impl fmt::Debug for MailTokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailTokenKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_millis(1_795_446_000_000);

    fn key() -> MailTokenKey {
        MailTokenKey::from_secret(&[7; 32]).unwrap()
    }

    fn user(number: u8) -> UserId {
        UserId::fresh(AT, [number; 10])
    }

    fn address(text: &str) -> EmailAddress {
        text.parse().unwrap()
    }

    fn later(seconds: i64) -> Timestamp {
        Timestamp::from_millis(AT.as_millis() + seconds * 1000)
    }

    #[test]
    fn a_token_proves_what_it_was_mailed_for_and_nothing_else() {
        let (ada, bea) = (address("ada@example.com"), address("bea@example.com"));
        let (confirm, reset) =
            (Purpose::ConfirmEmail(&ada), Purpose::ResetPassword { epoch: 3, request: 17 });
        for (purpose, others) in [
            (confirm, [reset, Purpose::ConfirmEmail(&bea)]),
            (
                reset,
                [
                    Purpose::ResetPassword { epoch: 4, request: 17 },
                    Purpose::ResetPassword { epoch: 3, request: 18 },
                ],
            ),
        ] {
            let token = key().issue(user(1), purpose, AT);
            let text = token.reveal();
            assert!(text.len() < MAIL_TOKEN_MAX_LENGTH, "{text}");
            let read: MailToken = text.parse().unwrap();
            assert_eq!(read, token);
            assert!(key().proves(&read, purpose, AT));
            for other in others {
                assert!(!key().proves(&read, other, AT), "{other:?}");
            }
            assert!(!MailTokenKey::from_secret(&[8; 32]).unwrap().proves(&read, purpose, AT));
            assert_eq!(key().issue(user(1), purpose, AT), token, "the same mail again says the same");
            assert_ne!(key().issue(user(2), purpose, AT), token);
        }
        assert!(key().proves(
            &key().issue(user(1), Purpose::ConfirmEmail(&address("ADA@example.com")), AT),
            confirm,
            AT
        ));
    }

    #[test]
    fn a_token_ends() {
        let address = address("ada@example.com");
        for (purpose, lifetime) in [
            (Purpose::ConfirmEmail(&address), CONFIRMATION_LIFETIME_SECONDS),
            (Purpose::ResetPassword { epoch: 1, request: 1 }, RESET_LIFETIME_SECONDS),
        ] {
            let token = key().issue(user(1), purpose, AT);
            assert!(key().proves(&token, purpose, later(lifetime - 1)));
            assert!(!key().proves(&token, purpose, later(lifetime)));
        }
    }

    #[test]
    fn no_other_text_is_a_token() {
        let token = key().issue(user(1), Purpose::ResetPassword { epoch: 1, request: 1 }, AT);
        let text = token.reveal();
        let (claim, mac) = text.rsplit_once('.').unwrap();
        for other in [
            String::new(),
            claim.to_owned(),
            format!("{text}."),
            format!("{text}="),
            format!("{claim}.{mac}.x"),
            text.replace(".17", ".+17"),
            text.replace("usr_", "prd_"),
            format!("{claim}.!"),
        ] {
            assert!(other.parse::<MailToken>().is_err() || other == text, "{other}");
        }
        // What is another claim has another MAC.
        let longer = format!("rp1.{}.{}.{mac}", user(1), token.expires_at + 1).parse().unwrap();
        assert!(!key().proves(&longer, Purpose::ResetPassword { epoch: 1, request: 1 }, AT));
        assert!(!format!("{token:?}").contains(mac));
    }
}

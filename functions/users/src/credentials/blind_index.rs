//! Keyed hashes of what is looked up or compared and must not be read: e-mail addresses, network addresses, and
//! requests; and the MACs of device tokens.
//!
//! There are few enough addresses of both kinds that a plain hash could be turned back by trying them all; HMAC-SHA256 with a
//! key from a secret (RFC 2104, RFC 5869) cannot, by whoever has only the table. The secret is one of its own:
//! the signing secret is rotated, and these keys must stay (docs/decisions/0012).

use std::net::IpAddr;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use shop_types::{EmailAddress, UserId};

use crate::credentials::device::DeviceToken;

/// A shorter secret is a mistake in the template, not a secret.
const MIN_SECRET_LENGTH: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lookup secret has fewer than {MIN_SECRET_LENGTH} bytes")]
pub(crate) struct WeakSecret;

/// What an e-mail address is looked up by: the same for two spellings of one address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LoginKey(String);

impl LoginKey {
    /// The key's text.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The blind index: keyed hashes, by which items are found without what they are found by.
pub(crate) struct BlindIndex(Box<Keys>);

/// One for each kind, so that none tells anything of another. Each takes some kilobytes.
struct Keys {
    logins: Key,
    attempts_by_account: Key,
    attempts_by_address: Key,
    attempts_by_pair: Key,
    devices: Key,
    requests: Key,
    salts: Key,
}

impl BlindIndex {
    /// Derives the keys from the secret.
    ///
    /// # Errors
    /// [`WeakSecret`] for a secret of fewer than 32 bytes.
    pub(crate) fn from_secret(secret: &str) -> Result<Self, WeakSecret> {
        if secret.len() < MIN_SECRET_LENGTH {
            return Err(WeakSecret);
        }
        let pseudorandom = Salt::new(HKDF_SHA256, &[]).extract(secret.as_bytes());
        let key = |label: &[u8]| {
            let mut bytes = [0; 32];
            let label = [label];
            let expanded = pseudorandom.expand(&label, HKDF_SHA256).and_then(|key| key.fill(&mut bytes));
            // It fails only for lengths that HKDF-SHA256 cannot make, and it can make 32 bytes.
            expanded.map(|()| Key::new(HMAC_SHA256, &bytes)).map_err(|_| WeakSecret)
        };
        Ok(Self(Box::new(Keys {
            logins: key(b"shop login lookup v1")?,
            attempts_by_account: key(b"shop attempts by account v1")?,
            attempts_by_address: key(b"shop attempts by address v1")?,
            attempts_by_pair: key(b"shop attempts by address and account v1")?,
            devices: key(b"shop device token v1")?,
            requests: key(b"shop registration request v1")?,
            salts: key(b"shop registration salt v1")?,
        })))
    }

    /// Under which the login of an address lies.
    #[must_use]
    pub(crate) fn login(&self, email: &EmailAddress) -> LoginKey {
        LoginKey(hash(&self.0.logins, email.normalized().as_bytes()))
    }

    /// By which the attempts on an account are counted.
    #[must_use]
    pub(crate) fn attempts_on(&self, email: &EmailAddress) -> String {
        hash(&self.0.attempts_by_account, email.normalized().as_bytes())
    }

    /// By which the attempts from a network address are counted. An IPv6 network of 64 bits counts as one:
    /// whoever has one address of it has them all.
    #[must_use]
    pub(crate) fn attempts_from(&self, address: IpAddr) -> String {
        hash(&self.0.attempts_by_address, &network(address))
    }

    /// By which the attempts from a network address on an account are counted.
    #[must_use]
    pub(crate) fn attempts_of(&self, address: IpAddr, email: &EmailAddress) -> String {
        let mut pair = network(address);
        // A host name has no slash, and a network's length is one of two: no two pairs are one text.
        pair.push(b'/');
        pair.extend(email.normalized().as_bytes());
        hash(&self.0.attempts_by_pair, &pair)
    }

    /// The token of a device that has logged in.
    #[must_use]
    pub(crate) fn device(&self, user: UserId, epoch: u64, nonce: [u8; 16]) -> DeviceToken {
        DeviceToken::new(user, epoch, nonce, |claim| {
            sign(&self.0.devices, claim.as_bytes()).as_ref().to_vec()
        })
    }

    /// Whether this shop gave out a device token.
    #[must_use]
    pub(crate) fn is_genuine(&self, token: &DeviceToken) -> bool {
        verify(&self.0.devices, token.claim().as_bytes(), token.mac()).is_ok()
    }

    /// What tells one registration under an idempotency key from another one.
    #[must_use]
    pub(crate) fn request(&self, parts: &[&str]) -> String {
        let mut request = Vec::new();
        for part in parts {
            // Each with its length before it: no two lists are one text.
            request.extend(part.len().to_be_bytes());
            request.extend(part.as_bytes());
        }
        hash(&self.0.requests, &request)
    }

    /// The salt of the password that an account is registered with under an idempotency key: the same for the same
    /// account, so that a repeated registration has the same hash, and known to nobody before.
    #[must_use]
    pub(crate) fn salt(&self, user: &UserId) -> [u8; 16] {
        let mut salt = [0; 16];
        salt.copy_from_slice(&sign(&self.0.salts, user.as_str().as_bytes()).as_ref()[..16]);
        salt
    }
}

fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets()[..8].to_vec(),
    }
}

fn hash(key: &Key, what: &[u8]) -> String {
    BASE64URL_NOPAD.encode(sign(key, what).as_ref())
}

impl std::fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlindIndex")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn blind_index() -> BlindIndex {
        BlindIndex::from_secret("a lookup secret that is known to tests only").unwrap()
    }

    fn email(text: &str) -> EmailAddress {
        text.parse().unwrap()
    }

    #[test]
    fn two_spellings_of_an_address_are_one() {
        let key = blind_index().login(&email("ada@example.com"));
        assert_eq!(key, blind_index().login(&email(" Ada@EXAMPLE.com ")));
        assert_ne!(key, blind_index().login(&email("ada@example.org")));
        assert_eq!(key.as_str().len(), 43);
    }

    #[test]
    fn kinds_and_secrets_have_keys_of_their_own() {
        let ada = email("ada@example.com");
        assert_ne!(blind_index().login(&ada).as_str(), blind_index().attempts_on(&ada));
        let other = BlindIndex::from_secret(&"x".repeat(32)).unwrap();
        assert_ne!(other.login(&ada), blind_index().login(&ada));
        assert_eq!(BlindIndex::from_secret("short").unwrap_err(), WeakSecret);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let from = |address: &str| blind_index().attempts_from(address.parse().unwrap());
        assert_eq!(from("2001:db8:1:2::1"), from("2001:db8:1:2:ffff::9"));
        assert_ne!(from("2001:db8:1:2::1"), from("2001:db8:1:3::1"));
        assert_ne!(from("203.0.113.7"), from("203.0.113.8"));
        assert_eq!(from("::ffff:203.0.113.7"), from("203.0.113.7"));
        let pair = |address: &str, account: &str| {
            blind_index().attempts_of(address.parse().unwrap(), &email(account))
        };
        assert_eq!(pair("2001:db8:1:2::1", "ada@example.com"), pair("2001:db8:1:2::9", "ADA@example.com"));
        assert_ne!(pair("203.0.113.7", "ada@example.com"), pair("203.0.113.7", "eve@example.com"));
        assert_ne!(pair("203.0.113.7", "ada@example.com"), pair("203.0.113.8", "ada@example.com"));
    }

    #[test]
    fn requests_differ_where_a_part_does() {
        let request = |parts: &[&str]| blind_index().request(parts);
        assert_eq!(request(&["a", "b"]), request(&["a", "b"]));
        for other in [&["a", "c"][..], &["ab", ""], &["", "ab"], &["a"], &["a", "b", ""]] {
            assert_ne!(request(&["a", "b"]), request(other), "{other:?}");
        }
    }
}

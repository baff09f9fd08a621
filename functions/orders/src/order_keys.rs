//! What is derived from the service's secret: the ids of orders that were placed under an idempotency key, the
//! tokens of guests' orders, and the names under which network addresses are counted.
//!
//! A guest has no account, so a guest's order belongs to whoever holds its token (docs/decisions/0020). Each
//! kind has a key of its own (RFC 5869), so that none tells anything of another.

use std::net::IpAddr;
use std::sync::OnceLock;

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use data_encoding::BASE64URL_NOPAD;
use shop_auth::{KeyTableError, ServiceSecret};
use shop_http::Start;
use shop_lambda::{Internal, StartError};
use shop_types::OrderId;

#[derive(Debug, thiserror::Error)]
pub(crate) enum OrderKeysError {
    #[error("the orders' secret cannot be had")]
    Secret(#[from] KeyTableError),
    #[error("the keys of orders cannot be derived")]
    Derive,
}

impl Internal for OrderKeysError {}

/// The service's secret. The keys are derived from it once in each environment: that takes as long as three hashes of an
/// order each.
pub(crate) struct OrderSecret {
    secret: ServiceSecret,
    keys: OnceLock<OrderKeys>,
}

impl OrderSecret {
    pub(crate) fn start(start: &mut Start) -> Result<Self, StartError> {
        Ok(Self { secret: start.service_secret("ORDER_KEYS_TABLE")?, keys: OnceLock::new() })
    }

    /// The keys; none where the secret was never made.
    pub(crate) async fn keys(&self) -> Result<Option<&OrderKeys>, OrderKeysError> {
        match self.secret.get().await? {
            Some(secret) => self.derived(&secret).map(Some),
            None => Ok(None),
        }
    }

    /// The keys, of a secret that is made now if it was never made.
    pub(crate) async fn keys_or_made(&self) -> Result<&OrderKeys, OrderKeysError> {
        self.derived(&self.secret.get_or_make().await?)
    }

    fn derived(&self, secret: &[u8; 32]) -> Result<&OrderKeys, OrderKeysError> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys);
        }
        let keys = OrderKeys::from_secret(secret)?;
        Ok(self.keys.get_or_init(|| keys))
    }
}

pub(crate) struct OrderKeys {
    ids: [u8; 32],
    tokens: Key,
    addresses: Key,
}

impl OrderKeys {
    /// Derives the keys from the service's secret.
    fn from_secret(secret: &[u8; 32]) -> Result<Self, OrderKeysError> {
        let pseudorandom = Salt::new(HKDF_SHA256, &[]).extract(secret);
        let derived = |label: &[u8]| {
            let mut bytes = [0; 32];
            let label = [label];
            let expanded = pseudorandom.expand(&label, HKDF_SHA256).and_then(|key| key.fill(&mut bytes));
            expanded.map(|()| bytes).map_err(|_| OrderKeysError::Derive)
        };
        Ok(Self {
            ids: derived(b"shop order ids v1")?,
            tokens: Key::new(HMAC_SHA256, &derived(b"shop order tokens v1")?),
            addresses: Key::new(HMAC_SHA256, &derived(b"shop orders by address v1")?),
        })
    }

    /// The id of the one order that a principal can place under an idempotency key.
    #[must_use]
    pub(crate) fn id(&self, scope: &str, idempotency_key: &str) -> OrderId {
        OrderId::derived(&self.ids, scope, idempotency_key)
    }

    /// The token of a guest's order. Only the answer to whoever placed it may show it.
    #[must_use]
    pub(crate) fn token(&self, order: &OrderId) -> String {
        BASE64URL_NOPAD.encode(sign(&self.tokens, order.as_str().as_bytes()).as_ref())
    }

    /// Whether a text is the token of a guest's order, in a time that does not tell how much of it is right.
    #[must_use]
    pub(crate) fn is_token(&self, order: &OrderId, text: &str) -> bool {
        let tag = BASE64URL_NOPAD.decode(text.as_bytes());
        tag.is_ok_and(|tag| verify(&self.tokens, order.as_str().as_bytes(), &tag).is_ok())
    }

    /// The name under which the orders from a network address are counted. An IPv6 network of 64 bits counts as
    /// one: whoever has one address of it has them all.
    #[must_use]
    pub(crate) fn address(&self, address: IpAddr) -> String {
        let tag = match address.to_canonical() {
            IpAddr::V4(address) => sign(&self.addresses, &address.octets()),
            IpAddr::V6(address) => sign(&self.addresses, &address.octets()[..8]),
        };
        BASE64URL_NOPAD.encode(tag.as_ref())
    }
}

impl std::fmt::Debug for OrderKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrderKeys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: u8) -> OrderKeys {
        OrderKeys::from_secret(&[secret; 32]).unwrap()
    }

    fn order(key: &str) -> OrderId {
        keys(1).id("guest", key)
    }

    #[test]
    fn an_id_is_the_same_at_every_try_and_nobody_else_can_tell_it() {
        let id = order("a-key");
        assert_eq!(id, keys(1).id("guest", "a-key"));
        for other in
            [keys(1).id("usr_1", "a-key"), keys(1).id("guest", "b-key"), keys(2).id("guest", "a-key")]
        {
            assert_ne!(id, other);
        }
        // What could be computed before there was a secret, and what a secret of nothing gives.
        for secret in [&b""[..], b"guest", &[0; 32], &[1; 32]] {
            assert_ne!(id, OrderId::derived(secret, "guest", "a-key"));
        }
    }

    #[test]
    fn a_token_opens_its_own_order_and_no_other() {
        let (id, token) = (order("a"), keys(1).token(&order("a")));
        assert!(keys(1).is_token(&id, &token));
        assert_eq!(token.len(), 43);
        assert!(!keys(1).is_token(&order("b"), &token));
        assert!(!keys(2).is_token(&id, &token));
        let mut changed = token.clone().into_bytes();
        changed[0] = if changed[0] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        let twice = format!("{token},{token}");
        let padded = format!("{token}=");
        for bad in ["", "x", "ä", &changed, &token[..42], &twice, &padded, id.as_str()] {
            assert!(!keys(1).is_token(&id, bad), "{bad}");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let of = |address: &str| keys(1).address(address.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("203.0.113.7"), of("203.0.113.8"));
        assert_eq!(of("::ffff:203.0.113.7"), of("203.0.113.7"));
        assert_ne!(of("203.0.113.7"), keys(2).address("203.0.113.7".parse().unwrap()));
    }
}

//! Ids: a prefix that says the kind, and 128 bits that sort by time (`ord_`, `prd_`, `usr_`).

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use data_encoding::{Encoding, Specification};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Crockford's base 32 in lower case: no letter that reads as a digit, and it sorts as its bytes.
const ALPHABET: &str = "0123456789abcdefghjkmnpqrstvwxyz";

#[expect(clippy::expect_used, reason = "a constant alphabet, tested below")]
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str(ALPHABET);
    specification.encoding().expect("a valid alphabet")
});

/// Characters of 128 bits in base 32.
const BODY_LENGTH: usize = 26;
/// Long enough for a shop's own article numbers, short enough for a key.
const MAX_PRODUCT_ID_LENGTH: usize = 64;

/// The text is not an id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct ParseIdError;

fn sortable(prefix: &str, now: Timestamp, random: [u8; 10]) -> String {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&now.as_millis().to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&random);
    with_prefix(prefix, &bytes)
}

fn with_prefix(prefix: &str, bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(prefix.len() + BODY_LENGTH);
    text.push_str(prefix);
    BASE32.encode_append(bytes, &mut text);
    text
}

/// The hash of a scope and a key.
fn derived(prefix: &str, kind: &str, scope: &str, key: &str) -> String {
    let hash = digest(&SHA256, derivation(kind, scope, key).as_bytes());
    with_prefix(prefix, &first_half(hash.as_ref()))
}

/// What an id is derived from; `kind` keeps ids of different kinds from telling each other.
fn derivation(kind: &str, scope: &str, key: &str) -> String {
    format!("{kind}:{}:{scope}:{key}", scope.len())
}

/// The first 128 bits of a hash of 256.
fn first_half(hash: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes
}

fn has_shape(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(is_body)
}

fn is_body(body: &str) -> bool {
    body.len() == BODY_LENGTH && body.bytes().all(|byte| ALPHABET.as_bytes().contains(&byte))
}

/// Whether the text has the shape of an id that this system makes, whatever of: no name, address or token has it. The
/// ids that a shop chooses for its products need not have it.
#[must_use]
pub fn is_made_id(text: &str) -> bool {
    text.split_once('_').is_some_and(|(kind, body)| {
        !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase()) && is_body(body)
    })
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The id's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseIdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                if Self::is_valid(&text) { Ok(Self(text)) } else { Err(ParseIdError) }
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.to_owned().try_into()
            }
        }
    };
}

id! {
    /// An order's id: `ord_` and 26 characters. It cannot be guessed: 80 bits are random, or all 128 are a keyed
    /// hash of the principal and the idempotency key.
    OrderId
}

impl OrderId {
    /// A fresh id, which sorts by its time.
    #[must_use]
    pub fn fresh(now: Timestamp, random: [u8; 10]) -> Self {
        Self(sortable("ord_", now, random))
    }

    /// The id of the one order that a principal can place under an idempotency key.
    ///
    /// It is the same at every try, so that one conditional write is both the order and the record of its
    /// key. `scope` names the principal; the length before it keeps ("a", "bc") and ("ab", "c") apart. Without
    /// the secret nobody can tell the id from the key, however little thought the key was given.
    #[must_use]
    pub fn derived(secret: &[u8], scope: &str, idempotency_key: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let tag = hmac::sign(&key, derivation("order", scope, idempotency_key).as_bytes());
        Self(with_prefix("ord_", &first_half(tag.as_ref())))
    }

    fn is_valid(text: &str) -> bool {
        has_shape(text, "ord_")
    }
}

id! {
    /// A user's id: `usr_` and 26 characters.
    UserId
}

impl UserId {
    /// A fresh id, which sorts by its time.
    #[must_use]
    pub fn fresh(now: Timestamp, random: [u8; 10]) -> Self {
        Self(sortable("usr_", now, random))
    }

    /// The id of the one account that can be registered under an idempotency key.
    #[must_use]
    pub fn derived(scope: &str, idempotency_key: &str) -> Self {
        Self(derived("usr_", "user", scope, idempotency_key))
    }

    fn is_valid(text: &str) -> bool {
        has_shape(text, "usr_")
    }
}

id! {
    /// A product's id: the shop's own (`prod-123`), or `prd_` and 26 characters. One to 64 letters, digits,
    /// `-`, `_` and `.`, the first a letter or digit.
    ProductId
}

impl ProductId {
    /// A fresh id, which sorts by its time.
    #[must_use]
    pub fn fresh(now: Timestamp, random: [u8; 10]) -> Self {
        Self(sortable("prd_", now, random))
    }

    /// The id of the one product that a principal can create under an idempotency key; see
    /// [`OrderId::derived`].
    #[must_use]
    pub fn derived(scope: &str, idempotency_key: &str) -> Self {
        Self(derived("prd_", "product", scope, idempotency_key))
    }

    /// Whether it could be an order's or a user's. A product whose id is chosen has no such id: they share events, and what
    /// follows from these.
    #[must_use]
    pub fn could_be_of_another_kind(&self) -> bool {
        OrderId::is_valid(&self.0) || UserId::is_valid(&self.0)
    }

    fn is_valid(text: &str) -> bool {
        let mut bytes = text.bytes();
        text.len() <= MAX_PRODUCT_ID_LENGTH
            && bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    }
}

id! {
    /// An email's id: `email_` and 26 characters. It follows from what the mail is about and whom, so that there is one
    /// for each.
    EmailId
}

impl EmailId {
    /// The id of the mail of a template about a thing, by the thing's id.
    #[must_use]
    pub fn derived(template: &str, subject: &str) -> Self {
        Self(derived("email_", "email", template, subject))
    }

    fn is_valid(text: &str) -> bool {
        has_shape(text, "email_")
    }
}

id! {
    /// An alert's id: `alr_` and 26 characters.
    AlertId
}

impl AlertId {
    /// The id of the alert of a kind that a version of a thing raises: the same, whoever works it out.
    #[must_use]
    pub fn derived(kind: &str, of: &str, version: u64) -> Self {
        Self(derived("alr_", "alert", kind, &format!("{of}:{version}")))
    }

    fn is_valid(text: &str) -> bool {
        has_shape(text, "alr_")
    }
}

id! {
    /// The id of an export of the catalogue: `exp_` and 26 characters.
    ExportId
}

impl ExportId {
    /// A fresh id, which sorts by its time.
    #[must_use]
    pub fn fresh(now: Timestamp, random: [u8; 10]) -> Self {
        Self(sortable("exp_", now, random))
    }

    fn is_valid(text: &str) -> bool {
        has_shape(text, "exp_")
    }
}

id! {
    /// The id of an import of products: `imp_` and 26 characters.
    ImportId
}

impl ImportId {
    /// A fresh id, which sorts by its time.
    #[must_use]
    pub fn fresh(now: Timestamp, random: [u8; 10]) -> Self {
        Self(sortable("imp_", now, random))
    }

    fn is_valid(text: &str) -> bool {
        has_shape(text, "imp_")
    }
}

id! {
    /// The id of a redrive or a discard: `redrive_` and 26 characters.
    RedriveId
}

impl RedriveId {
    /// The id of the one redrive that a principal can ask for under an idempotency key.
    #[must_use]
    pub fn derived(scope: &str, idempotency_key: &str) -> Self {
        Self(derived("redrive_", "redrive", scope, idempotency_key))
    }

    /// A fresh id, which sorts by its time.
    #[must_use]
    pub fn fresh(now: Timestamp, random: [u8; 10]) -> Self {
        Self(sortable("redrive_", now, random))
    }

    fn is_valid(text: &str) -> bool {
        has_shape(text, "redrive_")
    }
}

id! {
    /// The id of a dead letter: `letter_` and 26 characters.
    DeadLetterId
}

impl DeadLetterId {
    /// The id of a message in the dead-letter queue of a consumer, by what tells the message from others: the same
    /// however often it comes back.
    #[must_use]
    pub fn derived(consumer: &str, message: &str) -> Self {
        Self(derived("letter_", "dead-letter", consumer, message))
    }

    fn is_valid(text: &str) -> bool {
        has_shape(text, "letter_")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_say_their_kind_and_read_back() {
        let id = OrderId::fresh(Timestamp::from_millis(1), [7; 10]);
        assert_eq!(id.as_str().len(), 30);
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        assert_eq!(id.as_str().parse::<UserId>(), Err(ParseIdError));
        assert_eq!("prod-123".parse::<ProductId>().unwrap().as_str(), "prod-123");
        for bad in ["", "-a", "a/b", "a b", "ä", "a\n", &"a".repeat(65)] {
            assert_eq!(bad.parse::<ProductId>(), Err(ParseIdError), "{bad:?}");
        }
    }

    #[test]
    fn a_derived_id_depends_on_scope_and_key_and_where_one_ends() {
        let derived = |scope, key| OrderId::derived(b"secret", scope, key);
        let id = derived("usr_a", "bc");
        assert_eq!(id, derived("usr_a", "bc"));
        assert_ne!(id, derived("usr_a", "bd"));
        assert_ne!(id, derived("usr_ab", "c"));
        assert_ne!(derived("a:b", "c"), derived("a", "b:c"));
        assert_ne!(id, OrderId::derived(b"another secret", "usr_a", "bc"));
        assert!(OrderId::is_valid(id.as_str()));
        let product = ProductId::derived("usr_a", "bc");
        assert!(ProductId::is_valid(product.as_str()));
        assert_ne!(product.as_str()[4..], id.as_str()[4..]);
    }

    proptest! {
        #[test]
        fn fresh_ids_sort_by_time(a in 0_i64..1 << 47, b in 0_i64..1 << 47, x: [u8; 10], y: [u8; 10]) {
            prop_assume!(a < b);
            prop_assert!(OrderId::fresh(Timestamp::from_millis(a), x) < OrderId::fresh(Timestamp::from_millis(b), y));
        }
    }
}

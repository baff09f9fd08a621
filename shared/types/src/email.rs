//! E-mail addresses: which ones the shop takes, and when two of them are one.
//!
//! Addresses are ASCII: a dot-atom before the `@` (RFC 5322 section 3.2.3) and a host name behind it, an
//! internationalised one in its ASCII form (`xn--...`). So lower-casing is exact, no two spellings of Unicode
//! meet or miss each other, and no letter looks like another's (docs/decisions/0012). An address is personal
//! data: it has no `Display`, and its `Debug` shows nothing of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// RFC 5321 section 4.5.3.1.3: what fits between the angle brackets of a path.
const MAX_LENGTH: usize = 254;
/// RFC 5321 section 4.5.3.1.1.
const MAX_LOCAL_LENGTH: usize = 64;
/// RFC 1035 section 2.3.4.
const MAX_LABEL_LENGTH: usize = 63;

/// The text is no e-mail address that the shop takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address")]
pub struct ParseEmailError;

/// An e-mail address as its owner writes it, without the white space around it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address as it was written. It must not be logged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of one address have in common: its lower case. RFC 5321 lets a host tell `A@b` from
    /// `a@b`; none that people use does, and two accounts that differ by that alone would be one's mistake.
    #[must_use]
    pub fn normalized(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    fn is_valid(text: &str) -> bool {
        let Some((local, domain)) = text.rsplit_once('@') else { return false };
        text.len() <= MAX_LENGTH && is_local_part(local) && is_host_name(domain)
    }
}

fn is_local_part(local: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    local.len() <= MAX_LOCAL_LENGTH && local.split('.').all(is_atom)
}

/// At least two labels, the last of them no number: an address literal or a name without a domain reaches nobody.
fn is_host_name(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MAX_LABEL_LENGTH).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let top = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.') && domain.split('.').all(is_label) && !top.bytes().all(|byte| byte.is_ascii_digit())
}

impl FromStr for EmailAddress {
    type Err = ParseEmailError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if Self::is_valid(text) { Ok(Self(text.to_owned())) } else { Err(ParseEmailError) }
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = ParseEmailError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> Self {
        address.0
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_that_people_have_are_taken() {
        let long = format!("{}@{}.example", "l".repeat(64), "d".repeat(63));
        for text in [
            "ada@example.com",
            "Ada.Lovelace+shop@mail.example.co.uk",
            "o'brien@xn--mnchen-3ya.example",
            "a@b.c",
            "1@2.3a",
            &long,
        ] {
            assert_eq!(text.parse::<EmailAddress>().unwrap().as_str(), text);
        }
        assert_eq!(" ada@example.com\n".parse::<EmailAddress>().unwrap().as_str(), "ada@example.com");
    }

    #[test]
    fn other_texts_are_not() {
        let long = format!("{}@example.com", "l".repeat(65));
        let longer = format!("a@{}.com", vec!["d".repeat(60); 5].join("."));
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@@example.com",
            "a b@example.com",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "\"ada\"@example.com",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "ada@-example.com",
            "ada@example-.com",
            "ada@example..com",
            "ada@example.com.",
            "ada@exa_mple.com",
            "ada@münchen.example",
            "ädä@example.com",
            "ada@example.com\u{0}",
            "ada@example.com, bob@example.com",
            "<ada@example.com>",
            "ada@example.com\r\nBcc: bob@example.com",
            &long,
            &longer,
        ] {
            assert_eq!(text.parse::<EmailAddress>(), Err(ParseEmailError), "{text}");
        }
    }

    #[test]
    fn case_tells_no_two_addresses_apart_and_nothing_shows_one() {
        let address: EmailAddress = "Ada@Example.COM".parse().unwrap();
        assert_eq!(address.normalized(), "ada@example.com");
        assert_eq!(format!("{address:?}"), "EmailAddress(..)");
    }

    proptest! {
        #[test]
        fn what_is_taken_is_short_ascii_and_reads_back(text in "\\PC{0,20}@\\PC{0,20}\\.[a-z]{1,3}") {
            if let Ok(address) = text.parse::<EmailAddress>() {
                prop_assert!(address.as_str().is_ascii() && address.as_str().len() <= MAX_LENGTH);
                prop_assert!(!address.as_str().contains(char::is_whitespace));
                prop_assert_eq!(address.normalized().parse::<EmailAddress>().unwrap().normalized(), address.normalized());
            }
        }
    }
}

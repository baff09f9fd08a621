//! What a text of a kind looks like, for the contract of the API.

use crate::{Currency, EmailAddress, OrderId, ProductId, Timestamp, UserId};

/// A kind of text, as a regular expression tells it (ECMA 262, as JSON Schema has them). Every text that parses
/// matches it; not every text that matches must parse.
pub trait TextForm {
    /// The regular expression, from `^` to `$`.
    const PATTERN: &'static str;
    /// A text that parses.
    const EXAMPLE: &'static str;
}

impl TextForm for OrderId {
    const PATTERN: &'static str = "^ord_[0-9a-hjkmnp-tv-z]{26}$";
    const EXAMPLE: &'static str = "ord_06h1cbvvf75d8rnr6nyt4k3dxr";
}

impl TextForm for UserId {
    const PATTERN: &'static str = "^usr_[0-9a-hjkmnp-tv-z]{26}$";
    const EXAMPLE: &'static str = "usr_06h1cbvvf75d8rnr6nyt4k3dxr";
}

impl TextForm for ProductId {
    const PATTERN: &'static str = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$";
    const EXAMPLE: &'static str = "prod-1";
}

impl TextForm for Currency {
    const PATTERN: &'static str = "^[A-Z]{3}$";
    const EXAMPLE: &'static str = "USD";
}

impl TextForm for Timestamp {
    const PATTERN: &'static str =
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})$";
    const EXAMPLE: &'static str = "2026-11-26T12:00:00.000Z";
}

impl TextForm for EmailAddress {
    const PATTERN: &'static str = "^[ \\t\\r\\n\\f]*[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63})+[ \\t\\r\\n\\f]*$";
    const EXAMPLE: &'static str = "ada@example.com";
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn parses<T: TextForm + FromStr>() -> bool {
        T::EXAMPLE.parse::<T>().is_ok()
    }

    #[test]
    fn examples_are_texts_of_their_kind() {
        assert!(parses::<OrderId>() && parses::<UserId>() && parses::<ProductId>());
        assert!(parses::<Currency>() && parses::<EmailAddress>());
    }
}

//! Names in the spellings of the places where they stand.

use anyhow::{Result, ensure};

/// A name of one word or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name(Vec<String>);

impl Name {
    /// Reads `verb-noun`: words in small letters.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn parse(kebab: &str) -> Result<Self> {
        let words: Vec<_> = kebab.split('-').map(str::to_owned).collect();
        let is_word = |word: &String| {
            word.starts_with(|first: char| first.is_ascii_lowercase())
                && word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
        };
        ensure!(words.iter().all(is_word), "{kebab} is no name: small letters, with hyphens between words");
        Ok(Self(words))
    }

    /// `get-wishlist`.
    pub(super) fn kebab(&self) -> String {
        self.0.join("-")
    }

    /// `get_wishlist`.
    pub(super) fn snake(&self) -> String {
        self.0.join("_")
    }

    /// `GET_WISHLIST`.
    pub(super) fn upper(&self) -> String {
        self.snake().to_ascii_uppercase()
    }

    /// `get wishlist`.
    pub(super) fn words(&self) -> String {
        self.0.join(" ")
    }

    /// Without its verb: `wishlist`.
    pub(super) fn noun(&self) -> Self {
        Self(if self.0.len() > 1 { self.0[1..].to_vec() } else { self.0.clone() })
    }

    /// `GetWishlist`.
    pub(super) fn camel(&self) -> String {
        self.0.iter().map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_its_spellings() {
        let name = Name::parse("get-gift-card2").unwrap();
        assert_eq!(name.kebab(), "get-gift-card2");
        assert_eq!(name.snake(), "get_gift_card2");
        assert_eq!(name.upper(), "GET_GIFT_CARD2");
        assert_eq!(name.words(), "get gift card2");
        assert_eq!(name.camel(), "GetGiftCard2");
        assert_eq!(name.noun().kebab(), "gift-card2");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "-", "a-", "A", "a_b", "1a", "ä", "a b"] {
            assert!(Name::parse(text).is_err(), "{text}");
        }
    }
}

//! Words: how a text is taken apart, in the index and in what is asked for. Pure.

use std::ops::Range;

use tantivy::tokenizer::{AsciiFoldingFilter, LowerCaser, SimpleTokenizer, TextAnalyzer, TokenStream};

/// By what name the index knows it.
pub(super) const ANALYZER: &str = "words";
/// Shorter words are taken as they are: one letter makes another word of them.
const LEAST_TYPED_WRONG: usize = 4;
/// Shorter ones begin too many words.
const LEAST_PREFIX: usize = 2;
/// What is typed so far may have an error in it from so many letters on.
const LEAST_PREFIX_TYPED_WRONG: usize = 5;

/// Runs of letters and digits, in lower case and without accents; also long ones, as which words come that are written
/// without spaces. A name or description is far shorter than what tantivy takes for a word (65,530 bytes).
pub(super) fn analyzer() -> TextAnalyzer {
    TextAnalyzer::builder(SimpleTokenizer::default()).filter(LowerCaser).filter(AsciiFoldingFilter).build()
}

/// The words of a text, each with its place in it.
pub(super) fn words(text: &str) -> Vec<(String, Range<usize>)> {
    let mut analyzer = analyzer();
    let mut stream = analyzer.token_stream(text);
    let mut words = Vec::new();
    while stream.advance() {
        let token = stream.token();
        words.push((token.text.clone(), token.offset_from..token.offset_to));
    }
    words
}

/// A word that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub(super) text: String,
    /// Whether it may be the beginning of a word: the last one is still being typed.
    pub(super) is_last: bool,
}

impl Wanted {
    /// What is looked for with a text: its first words.
    #[must_use]
    pub fn of(text: &str, most: usize) -> Vec<Self> {
        let mut wanted: Vec<_> =
            words(text).into_iter().map(|(text, _)| Self { text, is_last: false }).collect();
        wanted.truncate(most);
        if let Some(last) = wanted.last_mut() {
            last.is_last = true;
        }
        wanted
    }

    fn letters(&self) -> usize {
        self.text.chars().count()
    }

    /// Whether one letter may be wrong. A number with another digit is another number.
    pub(super) fn may_be_wrong(&self) -> bool {
        self.letters() >= LEAST_TYPED_WRONG && !self.text.contains(|c: char| c.is_ascii_digit())
    }

    pub(super) fn may_be_prefix(&self) -> bool {
        self.is_last && self.letters() >= LEAST_PREFIX
    }

    pub(super) fn may_be_wrong_prefix(&self) -> bool {
        self.is_last && self.may_be_wrong() && self.letters() >= LEAST_PREFIX_TYPED_WRONG
    }

    /// Whether a word is what is looked for: as the index would find it.
    fn is(&self, word: &str) -> bool {
        word == self.text
            || self.may_be_prefix() && word.starts_with(&self.text)
            || self.may_be_wrong() && is_near(&self.text, word)
            || self.may_be_wrong_prefix() && begins_near(&self.text, word)
    }
}

/// Whether two words are at most one letter apart: one more, one less, another one, or two that changed places.
fn is_near(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    is_one_apart(&one, &other)
}

fn is_one_apart(one: &[char], other: &[char]) -> bool {
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[same..], &other[same..]);
    match (one, other) {
        ([] | [_], []) | ([], [_]) => true,
        ([], _) | (_, []) => false,
        ([a, one @ ..], [b, other @ ..]) => {
            let swapped = matches!((one, other), ([c, rest @ ..], [d, of_other @ ..])
                if a == d && b == c && rest == of_other);
            swapped || one == other || one == [&[*b], other].concat() || [&[*a], one].concat() == other
        }
    }
}

fn begins_near(beginning: &str, word: &str) -> bool {
    let (beginning, word): (Vec<char>, Vec<char>) = (beginning.chars().collect(), word.chars().collect());
    let lengths = beginning.len().saturating_sub(1)..=beginning.len() + 1;
    lengths.filter_map(|length| word.get(..length)).any(|word| is_one_apart(&beginning, word))
}

/// A piece of a text, and whether it is what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// As it stands in the text.
    pub text: String,
    /// Whether it was looked for.
    pub hit: bool,
}

/// A text in pieces: together they are the text.
#[must_use]
pub fn pieces(text: &str, wanted: &[Wanted]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut push = |text: &str, hit| {
        if !text.is_empty() {
            pieces.push(Piece { text: text.to_owned(), hit });
        }
    };
    let mut end = 0;
    for (word, place) in words(text) {
        if wanted.iter().any(|wanted| wanted.is(&word)) {
            push(&text[end..place.start], false);
            push(&text[place.clone()], true);
            end = place.end;
        }
    }
    push(&text[end..], false);
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|(word, _)| word).collect()
    }

    #[test]
    fn words_are_folded() {
        assert_eq!(texts("Crème-brûlée (2 x 150 g)"), ["creme", "brulee", "2", "x", "150", "g"]);
        assert_eq!(texts("T-Shirt ÄÖÜ"), ["t", "shirt", "aou"]);
        // A name that is written without spaces is one word, and is found by its beginning.
        assert_eq!(texts(&"あ".repeat(200)), ["あ".repeat(200)]);
        assert_eq!(texts("!? -"), Vec::<String>::new());
    }

    #[test]
    fn one_letter_apart_is_near() {
        for word in ["kettle", "ketle", "kettlle", "kettke", "kettel", "ekttle", "kettl", "kettles"] {
            assert!(is_near("kettle", word), "{word}");
        }
        for word in ["ketl", "kettleer", "lettke", "bottle", ""] {
            assert!(!is_near("kettle", word), "{word}");
        }
    }

    #[test]
    fn what_is_looked_for_is_marked_in_the_text() {
        let marked = |text: &str, query: &str| -> String {
            let pieces = pieces(text, &Wanted::of(query, 8));
            let mark =
                |piece: &Piece| if piece.hit { format!("[{}]", piece.text) } else { piece.text.clone() };
            pieces.iter().map(mark).collect()
        };
        assert_eq!(marked("Blue Kettle, 2 l", "ketle blue"), "[Blue] [Kettle], 2 l");
        assert_eq!(marked("Blue Kettle", "ket"), "Blue [Kettle]", "the last word may be a beginning");
        assert_eq!(marked("Blue Kettle", "ket blue"), "[Blue] Kettle");
        assert_eq!(marked("Blue Kettle", "kwttl"), "Blue [Kettle]");
        assert_eq!(marked("<b>Crème</b> 1234", "creme"), "<b>[Crème]</b> 1234");
        assert_eq!(marked("Model 1234", "1235"), "Model 1234", "another number");
    }

    proptest! {
        #[test]
        fn pieces_make_the_text(text in "\\PC{0,40}", query in "\\PC{0,20}") {
            let pieces = pieces(&text, &Wanted::of(&query, 8));
            prop_assert_eq!(pieces.into_iter().map(|piece| piece.text).collect::<String>(), text);
        }
    }
}

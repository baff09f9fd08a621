//! Texts that people write: what may be in one, and one form for each (docs/decisions/0032).
//!
//! The rules follow RFC 8264's free-form class with two differences: characters of later Unicode versions are
//! taken (its tables end at Unicode 6.3, before most emoji), and the invisible characters that emoji and some
//! scripts need are taken where they join what can be seen.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A line break, in a text of one line.
    #[error("a line break")]
    LineBreak,
    /// A control character, one that only directs how others are shown, or one that stands for nothing.
    #[error("a character that cannot be seen")]
    Invisible,
}

/// A text of one line, in normalisation form C (Unicode Standard Annex 15).
///
/// # Errors
/// A line break, or a character that cannot be seen.
pub fn line(text: &str) -> Result<String, TextError> {
    let text: String = text.nfc().collect();
    if text.chars().any(is_line_break) {
        return Err(TextError::LineBreak);
    }
    check(&text)?;
    Ok(text)
}

/// A text of any number of lines, in normalisation form C. Every kind of line break becomes `\n`; tabs stay.
///
/// # Errors
/// A character that cannot be seen.
pub fn paragraphs(text: &str) -> Result<String, TextError> {
    let text = text.replace("\r\n", "\n");
    let text: String = text.nfc().map(|c| if is_line_break(c) { '\n' } else { c }).collect();
    text.split(['\n', '\t']).try_for_each(check)?;
    Ok(text)
}

/// What a text is to who compares by looks: letters of another width or style are plain ones (normalisation form KC).
/// Never store it: it loses what was written.
#[must_use]
pub fn compatible(text: &str) -> String {
    text.nfkc().collect()
}

/// Whether there is nothing to be seen in a text.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    !text.chars().any(is_visible)
}

/// UAX 14's mandatory breaks: LF, VT, FF, CR, NEL, LINE SEPARATOR, PARAGRAPH SEPARATOR.
fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\u{B}' | '\u{C}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn check(text: &str) -> Result<(), TextError> {
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let is_joined = |next: Option<&char>| {
            // A joiner stands between two, a variation selector behind one, of what can be seen.
            before.is_some_and(|before: char| is_visible(before) || is_mark(before) || is_selector(before))
                && (is_selector(c) || next.is_some_and(|next| is_visible(*next)))
        };
        let is_allowed = match c.general_category() {
            GeneralCategory::Format => is_joiner(c) && is_joined(characters.peek()),
            GeneralCategory::Control
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator => false,
            _ if is_selector(c) => is_joined(None),
            _ => !is_default_ignorable(c) && !is_noncharacter(c),
        };
        if !is_allowed {
            return Err(TextError::Invisible);
        }
        before = Some(c);
    }
    Ok(())
}

fn is_visible(c: char) -> bool {
    // BRAILLE PATTERN BLANK is a symbol without a dot.
    let is_shown = !c.is_whitespace() && !is_default_ignorable(c) && !is_noncharacter(c) && c != '\u{2800}';
    is_shown
        && !is_mark(c)
        && !matches!(c.general_category(), GeneralCategory::Control | GeneralCategory::Format)
}

fn is_mark(c: char) -> bool {
    matches!(c.general_category(), GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark)
}

/// ZERO WIDTH NON-JOINER and ZERO WIDTH JOINER.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// Variation selectors, Mongolian ones included.
fn is_selector(c: char) -> bool {
    matches!(c, '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{FDD0}'..='\u{FDEF}') || u32::from(c) & 0xFFFE == 0xFFFE
}

/// `Default_Ignorable_Code_Point` of Unicode's DerivedCoreProperties.txt, a set that later versions keep: ranges
/// that are not assigned yet are in it.
fn is_default_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_taken() {
        for text in [
            "Ada Lovelace",
            "Żółć & Sons™",
            "Łódź – 100 %",
            "日本語のカップ",
            "קפה",
            "می\u{200C}خواهم",
            "क्\u{200D}ष",
            "crab \u{1F980} mug",
            "\u{2764}\u{FE0F} mug",
            "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
            "\u{1F3F3}\u{FE0F}\u{200D}\u{1F308}",
            "葛\u{E0100}",
        ] {
            assert_eq!(line(text).as_deref(), Ok(text), "{text:?}");
            assert_eq!(paragraphs(text).as_deref(), Ok(text), "{text:?}");
            assert!(!is_blank(text), "{text:?}");
        }
        assert_eq!(line("Zoe\u{308}").as_deref(), Ok("Zo\u{EB}"));
    }

    #[test]
    fn what_cannot_be_seen_is_refused() {
        for c in [
            '\0',
            '\u{8}',
            '\u{1B}',
            '\u{7F}',
            '\u{9F}',
            '\u{AD}',
            '\u{34F}',
            '\u{61C}',
            '\u{115F}',
            '\u{180E}',
            '\u{200B}',
            '\u{200D}',
            '\u{200E}',
            '\u{202E}',
            '\u{2066}',
            '\u{2069}',
            '\u{206F}',
            '\u{3164}',
            '\u{FE0F}',
            '\u{FEFF}',
            '\u{FFA0}',
            '\u{FFF9}',
            '\u{FFFF}',
            '\u{FDD0}',
            '\u{E000}',
            '\u{E0041}',
        ] {
            for text in [format!("{c}"), format!("a {c} b"), format!("{c}ab"), format!(" {c}")] {
                assert_eq!(line(&text), Err(TextError::Invisible), "{text:?}");
                assert_eq!(paragraphs(&text), Err(TextError::Invisible), "{text:?}");
            }
        }
        // A joiner that joins nothing, at the end.
        assert_eq!(line("a\u{200D}"), Err(TextError::Invisible));
        assert_eq!(line("a\tb"), Err(TextError::Invisible));
    }

    #[test]
    fn a_line_is_one_and_paragraphs_have_one_kind_of_break() {
        for c in ['\n', '\r', '\u{B}', '\u{C}', '\u{85}', '\u{2028}', '\u{2029}'] {
            let text = format!("a{c}b");
            assert_eq!(line(&text), Err(TextError::LineBreak), "{c:?}");
            assert_eq!(paragraphs(&text).as_deref(), Ok("a\nb"), "{c:?}");
        }
        assert_eq!(paragraphs("a\r\nb\n\r\n\tc").as_deref(), Ok("a\nb\n\n\tc"));
    }

    #[test]
    fn nothing_that_is_invisible_as_a_whole_is_a_text() {
        for text in [
            "",
            " ",
            "\t\n",
            "\u{A0}\u{3000}",
            "\u{2800}",
            "\u{200B}",
            "\u{301}",
            "\u{3164}",
            "\u{FE0F}",
            "\u{2060} ",
        ] {
            assert!(is_blank(text), "{text:?}");
        }
        assert!(!is_blank(" . "));
    }
}

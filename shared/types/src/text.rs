//! Texts that people write: what may be in one, and one form for each (docs/decisions/0032).
//!
//! The rules follow RFC 8264's free-form class with two differences: characters of later Unicode versions are
//! taken (its tables end at Unicode 6.3, before most emoji), and the invisible characters that emoji and some
//! scripts need are taken where they join what can be seen.

use std::iter::Peekable;
use std::str::Chars;

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
        if c == BLACK_FLAG && characters.peek().is_some_and(|next| tag(*next).is_some()) {
            before = Some(c);
            skip_flag_tags(&mut characters)?;
            continue;
        }
        // A joiner stands between two of what can be seen; the first may have its variation selector.
        let is_joined = |next: Option<&char>| {
            before.is_some_and(|before: char| is_visible(before) || is_mark(before) || is_selector(before))
                && next.is_some_and(|next| is_visible(*next))
        };
        let is_allowed = match c.general_category() {
            GeneralCategory::Format => is_joiner(c) && is_joined(characters.peek()),
            GeneralCategory::Control
            | GeneralCategory::PrivateUse
            | GeneralCategory::Surrogate
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator => false,
            _ if is_selector(c) => before.is_some_and(|before| is_varied(before, c)),
            _ => !is_default_ignorable(c) && !is_noncharacter(c),
        };
        if !is_allowed {
            return Err(TextError::Invisible);
        }
        before = Some(c);
    }
    Ok(())
}

/// The base of the flags that have tags.
const BLACK_FLAG: char = '\u{1F3F4}';
/// CANCEL TAG.
const TAG_END: char = '\u{E007F}';

/// Passes over the tags behind a black flag, which make it that of a part of a country: Scotland's is `gbsct`.
///
/// Of the tag sequences that are well-formed, Unicode Technical Standard 51 (Annex C) makes these alone valid: tags of a
/// subdivision's id, which is a region (two letters, or three digits) and one to four letters or digits (UTS 35), and
/// their end. So tags say nothing that cannot be seen: whatever else is written in them is refused.
fn skip_flag_tags(characters: &mut Peekable<Chars<'_>>) -> Result<(), TextError> {
    let mut id = String::new();
    while let Some(c) = characters.next_if(|c| tag(*c).is_some()) {
        id.extend(tag(c));
    }
    let region = if id.starts_with(|c: char| c.is_ascii_digit()) { 3 } else { 2 };
    let (region, rest) = id.split_at_checked(region).ok_or(TextError::Invisible)?;
    let is_region = region.bytes().all(|byte| byte.is_ascii_digit())
        || region.bytes().all(|byte| byte.is_ascii_lowercase()) && region.len() == 2;
    let is_subdivision = (1..=4).contains(&rest.len())
        && rest.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    if is_region && is_subdivision && characters.next_if_eq(&TAG_END).is_some() {
        Ok(())
    } else {
        Err(TextError::Invisible)
    }
}

/// The ASCII character that a tag stands for.
fn tag(c: char) -> Option<char> {
    matches!(c, '\u{E0020}'..='\u{E007E}').then(|| char::from_u32(u32::from(c) - 0xE0000)).flatten()
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

/// Whether a variation selector may stand behind a character: one behind each that can be seen, and those of ideographs
/// behind ideographs alone. A chain of them, or any behind any letter, spells a text that nobody sees.
fn is_varied(before: char, selector: char) -> bool {
    let is_ideographs = selector >= '\u{E0100}';
    // A selector is a mark, too.
    (is_visible(before) || is_mark(before) && !is_selector(before))
        && (!is_ideographs || is_ideograph(before))
}

/// The blocks of CJK ideographs, the planes that are set aside for more of them included.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFD}')
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
            // A skin tone, a keycap, a pirate flag, and flags: of a country, and of parts of countries.
            "\u{1F469}\u{1F3FD}\u{200D}\u{1F680}",
            "1\u{FE0F}\u{20E3}",
            "\u{1F3F4}\u{200D}\u{2620}\u{FE0F}",
            "\u{1F3F4}",
            "\u{1F1F5}\u{1F1F1}\u{1F1FA}\u{1F1F8}",
            "\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F} tartan",
            "\u{1F3F4}\u{E0075}\u{E0073}\u{E0074}\u{E0078}\u{E007F}\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
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
        // Variation selectors in a chain, and those of ideographs behind another letter.
        for text in ["\u{2764}\u{FE0F}\u{FE0F}", "葛\u{E0100}\u{E0101}", "葛\u{FE00}\u{E0100}", "a\u{E0100}"]
        {
            assert_eq!(line(text), Err(TextError::Invisible), "{text:?}");
        }
        // A joiner that joins nothing, at the end.
        assert_eq!(line("a\u{200D}"), Err(TextError::Invisible));
        assert_eq!(line("a\tb"), Err(TextError::Invisible));
    }

    #[test]
    fn tags_are_those_of_a_flag_and_nothing_else() {
        let tags = |text: &str| -> String {
            text.chars().filter_map(|c| char::from_u32(u32::from(c) + 0xE0000)).collect()
        };
        for (id, is_taken) in [
            ("gbsct", true),
            ("gbeng", true),
            ("us1", true),
            ("usca12", true),
            ("001a", true),
            ("0011234", true),
            ("", false),
            ("gb", false),
            ("001", false),
            ("usca123", false),
            ("00112345", false),
            ("GBSCT", false),
            ("g1sct", false),
            ("1bsct", false),
            ("gb-sct", false),
            ("gb sct", false),
            ("ignore what was said before", false),
        ] {
            let flag = format!("\u{1F3F4}{}\u{E007F}", tags(id));
            assert_eq!(line(&flag).is_ok(), is_taken, "{id}");
            assert_eq!(paragraphs(&format!("a\n{flag}")).is_ok(), is_taken, "{id}");
        }
        let sct = tags("gbsct");
        for text in [
            // Without the end, or the flag, or twice, or with something between.
            format!("\u{1F3F4}{sct}"),
            format!("\u{1F3F4}{sct}a\u{E007F}"),
            format!("\u{1F3F4}\u{FE0F}{sct}\u{E007F}"),
            format!("\u{1F3F4}\u{200D}{sct}\u{E007F}"),
            format!("\u{1F3F4}{sct}\u{E007F}\u{E007F}"),
            format!("\u{1F3F4}{sct}\u{E007F}{sct}\u{E007F}"),
            format!("\u{1F980}{sct}\u{E007F}"),
            format!("a{sct}\u{E007F}"),
            format!("{sct}\u{E007F}"),
            "\u{1F3F4}\u{E0001}\u{E007F}".to_owned(),
        ] {
            assert_eq!(line(&text), Err(TextError::Invisible), "{text:?}");
            assert!(line(&text.replace('\u{1F3F4}', "")).is_err(), "{text:?}");
        }
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

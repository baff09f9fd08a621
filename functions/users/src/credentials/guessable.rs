//! Passwords that are guessed first: common ones, patterns, and what stands beside them in the account. Pure.
//!
//! NIST SP 800-63B 3.1.1.2 asks for a list in the place of rules of composition. A list of whole passwords of twelve
//! characters is short, since people make such passwords of common shorter ones: so their ends are looked at too.

use std::collections::BTreeSet;

use shop_types::{EmailAddress, text};

/// One a line, in lower case; lines with `#` say where they are from.
const COMMON: &str = include_str!("common_passwords.txt");
/// Rows of keyboards, and the orders that people know.
const ROWS: [&str; 8] = [
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "abcdefghijklmnopqrstuvwxyz",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "01234567890",
];
/// A password of fewer different characters is a pattern.
const MIN_DIFFERENT: usize = 5;
/// What is left beside the account's own words must have as many characters to be a password of its own.
const MIN_OWN: usize = 6;

/// Whether a password is among the first that are guessed, whoever's it is.
#[must_use]
pub(crate) fn is_common(password: &str) -> bool {
    let lower = text::compatible(password).to_lowercase();
    let squeezed: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let is_core = |text: &str| {
        let core = text.trim_matches(|c: char| !c.is_alphabetic());
        core.chars().count() >= 4 && is_listed(unit(core))
    };
    is_listed(&lower)
        || lower.chars().collect::<BTreeSet<_>>().len() < MIN_DIFFERENT
        || is_listed(unit(&squeezed))
        || unit(&lower).chars().count() <= 4
        || is_walk(&squeezed)
        || is_core(&lower)
        || is_core(&squeezed)
        || is_core(&plain(&squeezed))
}

/// Whether a password is little more than what the account says for all to see: address, name or shop.
#[must_use]
pub(crate) fn resembles(password: &str, email: &EmailAddress, name: &str) -> bool {
    let squeeze = |text: &str| -> String {
        text::compatible(text).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let own = squeeze(password);
    let address = email.normalized();
    let (local, domain) = address.split_once('@').unwrap_or((&address, ""));
    [address.as_str(), local, domain, name]
        .map(squeeze)
        .into_iter()
        .filter(|word| word.chars().count() >= 4)
        .any(|word| own.contains(&word) && own.replace(&word, "").chars().count() < MIN_OWN)
}

fn is_listed(text: &str) -> bool {
    COMMON.lines().any(|line| line == text)
}

/// The shortest text that this one repeats, which may be cut off at the end; itself where it repeats none.
fn unit(text: &str) -> &str {
    let ends = text.char_indices().map(|(at, _)| at).skip(1);
    // A text repeats its beginning where it goes on, that much later, as it began.
    ends.filter(|end| end * 2 <= text.len())
        .find(|&end| text.as_bytes().starts_with(&text.as_bytes()[end..]))
        .map_or(text, |end| &text[..end])
}

/// Whether it goes along rows, in steps of the same kind, for all of its length: `qwertyuiop123456`.
fn is_walk(text: &str) -> bool {
    const MIN_RUN: usize = 4;
    let chars: Vec<char> = text.chars().collect();
    let mut rest = &chars[..];
    while rest.len() >= MIN_RUN {
        let run = (MIN_RUN..=rest.len()).rev().find(|&length| is_run(&rest[..length]));
        match run {
            Some(length) => rest = &rest[length..],
            None => return false,
        }
    }
    !chars.is_empty() && rest.len() < chars.len()
}

fn is_run(run: &[char]) -> bool {
    let forward: String = run.iter().collect();
    let backward: String = run.iter().rev().collect();
    let is_same = run.windows(2).all(|pair| pair[0] == pair[1]);
    is_same || ROWS.iter().any(|row| row.contains(&forward) || row.contains(&backward))
}

/// Without the usual replacements of letters.
fn plain(text: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' => 'i',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guessed_first_is_common() {
        for text in [
            "password1234",
            "ｐａｓｓｗｏｒｄ１２３４",
            "𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝𝟏𝟐𝟑𝟒",
            "Password2026!",
            "passwordpassword",
            "P4ssw0rd1234",
            "qwertyuiop12",
            "qwerty123456",
            "1qaz2wsx3edc",
            "aaaaaaaaaaaa",
            "abababababab",
            "abcabcabcabcab",
            "abcdefghijkl",
            "zyxwvutsrqpo",
            "123456789012",
            "098765432109",
            "1234-5678-9012",
            "leavemealone",
            "iloveyou!!!!",
            "!!monkey!!2024",
            "monkeymonkey1",
            "            a",
            "ääääääääääää",
        ] {
            assert!(is_common(text), "{text}");
        }
    }

    #[test]
    fn what_people_and_managers_make_up_is_not() {
        for text in [
            "correct horse battery staple",
            "another password",
            "mother of pearl 7",
            "tr0ub4dor&3 and more",
            "Xk7-mQ2p-Rv9s-Lw4t",
            "3f9c1b7e5d2a8064",
            "ein ganz anderes Wort",
            "пароль от моего дома",
            "我的密码是一个很长的句子啊",
            "😀😇😎😕😜😣😪😱😸😿😆😍",
        ] {
            assert!(!is_common(text), "{text}");
        }
    }

    #[test]
    fn the_account_s_own_words_are_no_password() {
        let email: EmailAddress = "Ada.Lovelace@engines.example".parse().unwrap();
        for text in [
            "ada.lovelace@engines.example",
            "ADA.LOVELACE@ENGINES.EXAMPLE!",
            "ada.lovelace",
            "AdaLovelace1815",
            "augusta ada king",
            "engines.example",
        ] {
            assert!(resembles(text, &email, "Augusta Ada King"), "{text}");
        }
        for text in ["ada likes trees and rivers", "correct horse battery staple"] {
            assert!(!resembles(text, &email, "Augusta Ada King"), "{text}");
        }
        // A short name is in many words.
        assert!(!resembles("canada in winter", &email, "Ada"));
    }

    #[test]
    fn the_list_is_in_lower_case_and_says_where_it_is_from() {
        let (notes, words): (Vec<_>, Vec<_>) = COMMON.lines().partition(|line| line.starts_with("# "));
        assert!(notes.iter().any(|line| line.contains("licence")) && words.len() > 10_000);
        assert!(words.iter().all(|word| *word == word.to_lowercase() && word.len() >= 4));
        assert!(words.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

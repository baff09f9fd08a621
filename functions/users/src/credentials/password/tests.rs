//! Passwords, their hashes, and what an environment can hold.

use std::collections::BTreeMap;

use aws_types::SdkConfig;
use shop_http::Input;
use shop_lambda::Random;

use super::*;

pub(crate) fn password(text: &str) -> Password {
    Password(Zeroizing::new(text.to_owned()))
}

fn hasher(kib: u32) -> Hasher {
    Hasher::with_memory(kib).unwrap()
}

#[test]
fn the_right_password_is_told_from_a_wrong_one_and_from_none() {
    let hasher = hasher(MIN_MEMORY_KIB);
    let hash = hasher.hash(&password("correct horse battery"), [7; 16]).unwrap();
    assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
    let check = |text: &str, hash| hasher.verify(&password(text), hash).unwrap();
    assert_eq!(check("correct horse battery", Some(&hash)), PasswordCheck::Right);
    assert_eq!(check("correct horse batterY", Some(&hash)), PasswordCheck::Wrong);
    assert_eq!(check("correct horse battery", None), PasswordCheck::Wrong);
    let salted = hasher.hash(&password("correct horse battery"), [8; 16]).unwrap();
    assert_ne!(salted, hash);
    assert!(hasher.verify(&password("x"), Some(&PasswordHash("plain".into()))).is_err());
}

#[test]
fn a_hash_of_less_work_is_weak_and_one_of_more_is_not() {
    let (less, more) = (hasher(MIN_MEMORY_KIB), hasher(MIN_MEMORY_KIB + 1024));
    let word = password("correct horse battery");
    let weak = less.hash(&word, [7; 16]).unwrap();
    assert_eq!(more.verify(&word, Some(&weak)).unwrap(), PasswordCheck::RightAndWeak);
    let strong = more.hash(&word, [7; 16]).unwrap();
    assert_eq!(less.verify(&word, Some(&strong)).unwrap(), PasswordCheck::Right);
}

#[test]
fn less_work_than_owasps_minimum_does_not_start() {
    let start = |value: &str| {
        let variables = BTreeMap::from([(MEMORY.to_owned(), value.to_owned())]);
        Hasher::start(&Environment::new(variables, SdkConfig::builder().build(), Random::system()))
    };
    assert!(start("19456").is_ok() && start("65536").is_ok());
    for value in ["19455", "0", "-1", "many", "262145", "99999999999"] {
        assert!(matches!(start(value), Err(StartError::InvalidVariable { .. })), "{value}");
    }
    assert!(matches!(start(""), Err(StartError::MissingVariable(_))));
}

#[test]
fn a_new_password_has_12_to_128_characters() {
    let read = |text: &str| {
        let body = serde_json::to_string(text).unwrap();
        Input::parse(body.as_bytes()).unwrap().read(Password::read_new).is_ok()
    };
    // Characters of one byte, and of four, that are no pattern.
    let word = |length: usize| {
        "kw7 vq2mz9xb"
            .chars()
            .cycle()
            .take(length)
            .enumerate()
            .map(|(n, c)| if n % 12 == 3 { char::from(b'a' + u8::try_from(n / 12).unwrap()) } else { c })
            .collect::<String>()
    };
    let wide =
        |length: u32| (0..length).map(|n| char::from_u32(0x1F600 + n * 7 % 64).unwrap()).collect::<String>();
    for (text, good) in [
        (word(11), false),
        (word(12), true),
        (word(128), true),
        (word(129), false),
        (wide(11), false),
        (wide(12), true),
        (wide(128), true),
        (wide(129), false),
    ] {
        assert_eq!(read(&text), good, "{text}");
    }
}

fn error_of(text: &str) -> Option<&'static str> {
    let body = serde_json::to_string(text).unwrap();
    let read = Input::parse(body.as_bytes()).unwrap().read(Password::read_new);
    read.err().map(|problem| problem.errors()[0].code.as_str())
}

#[test]
fn a_password_that_cannot_be_seen_or_typed_or_is_guessed_first_is_none() {
    for (text, code) in [
        (" ".repeat(12), "blank"),
        ("\u{200B}".repeat(12), "blank"),
        ("\u{3164} ".repeat(6), "blank"),
        ("\t\n".repeat(6), "blank"),
        (String::new(), "wrong_length"),
        ("   ".to_owned(), "blank"),
        ("a\u{301}".repeat(11), "wrong_length"),
        ("correct horse\tbattery".to_owned(), "control_character"),
        ("correct\u{202E}horse battery".to_owned(), "control_character"),
        ("password1234".to_owned(), "too_common"),
    ] {
        assert_eq!(error_of(&text), Some(code), "{text:?}");
    }
    for text in ["correct horse battery staple", "🤖 ❤\u{FE0F} 👩\u{200D}🚀 are emoji"] {
        assert_eq!(error_of(text), None, "{text}");
    }
}

#[test]
fn two_ways_to_type_a_password_are_one() {
    let hasher = hasher(MIN_MEMORY_KIB);
    let read = |text: &str, read: fn(&Node<'_>) -> Option<Password>| {
        let body = serde_json::to_string(text).unwrap();
        Input::parse(body.as_bytes()).unwrap().read(read).unwrap()
    };
    let hash = hasher.hash(&read("caf\u{E9} cr\u{E8}me et sucre", Password::read_new), [7; 16]).unwrap();
    for same in ["cafe\u{301} cre\u{300}me et sucre", "caf\u{E9}\u{A0}cr\u{E8}me\u{3000}et sucre"] {
        let check = hasher.verify(&read(same, Password::read_known), Some(&hash)).unwrap();
        assert_eq!(check, PasswordCheck::Right, "{same}");
    }
    for other in ["Caf\u{E9} cr\u{E8}me et sucre", "cafe creme et sucre", "x\u{200D}", "x\u{0}"] {
        let check = hasher.verify(&read(other, Password::read_known), Some(&hash)).unwrap();
        assert_eq!(check, PasswordCheck::Wrong, "{other}");
    }
}

#[test]
fn a_wrong_password_takes_the_same_work_whatever_hash_it_meets() {
    let work = |hasher: &Hasher| hasher.params.m_cost() * hasher.params.t_cost();
    let now = hasher(MIN_MEMORY_KIB * 3);
    for before in [MIN_MEMORY_KIB, MIN_MEMORY_KIB * 2, MIN_MEMORY_KIB * 3 - 1] {
        let weak = hasher(before);
        let rest = now.rest_of_work(&weak.params).map(|params| Hasher { params }).unwrap();
        assert!(work(&weak) + work(&rest) >= work(&now), "{before}");
        assert!(work(&weak) + work(&rest) <= work(&now) + PASSES * Params::MIN_M_COST, "{before}");
    }
    assert_eq!(now.rest_of_work(&now.params), None);
    assert_eq!(hasher(MIN_MEMORY_KIB).rest_of_work(&now.params), None);
    let weak = hasher(MIN_MEMORY_KIB).hash(&password("correct horse battery"), [7; 16]).unwrap();
    assert_eq!(now.verify(&password("x"), Some(&weak)).unwrap(), PasswordCheck::Wrong);
}

#[test]
fn nothing_shows_a_password() {
    let word = password("correct horse battery");
    let hash = hasher(MIN_MEMORY_KIB).hash(&word, [7; 16]).unwrap();
    assert_eq!(format!("{word:?} {hash:?}"), "Password(..) PasswordHash(..)");
}

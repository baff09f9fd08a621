//! The text of an error, as it may be kept and shown. A consumer's errors hold no data of a customer anyway
//! ([`crate::consumer::Failure`]); what looks as if it did is left out here, whatever it is.

/// As much as says what went wrong.
const MAX_CHARACTERS: usize = 300;
/// A token has more letters in a row than any word, and so have a hash and a signature.
const MAX_RUN: usize = 32;
/// The ids of this shop's things say nothing of whom they are.
const IDS: [&str; 7] = ["ord_", "usr_", "prd_", "email_", "alr_", "imp_", "exp_"];
/// What stands in the place of what was left out.
const LEFT_OUT: &str = "…";

/// The text without words that could be an address or a token, in one line, and cut to a length.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::new();
    for word in text.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(if is_private(word) { LEFT_OUT } else { word });
        if plain.len() > 4 * MAX_CHARACTERS {
            break;
        }
    }
    if plain.chars().count() > MAX_CHARACTERS {
        plain = plain.chars().take(MAX_CHARACTERS).collect();
        plain.push_str(LEFT_OUT);
    }
    plain
}

fn is_private(word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let is_long =
        |run: &str| run.chars().count() >= MAX_RUN && !IDS.iter().any(|prefix| run.starts_with(prefix));
    word.contains('@') || word.contains("%40") || word.split(|c| !is_part(c)).any(is_long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_an_address_or_a_token_is_left_out() {
        assert_eq!(plain("store_failed: PutItem: slow down"), "store_failed: PutItem: slow down");
        assert_eq!(plain("no mail to <ada@example.com>, refused"), "no mail to … refused");
        assert_eq!(plain("bearer eyJhbGciOiJFZERTQSJ9eyJhbGciOiJFZERTQSJ9.x.y\nat once"), "bearer … at once");
        let id = "ord_01kb0e8qs7zzzzzzzzzzzzzzzz";
        assert_eq!(plain(&format!("order {id}/stall: gone")), format!("order {id}/stall: gone"));
        let long = plain(&"word ".repeat(1000));
        assert_eq!((long.chars().count(), long.ends_with(LEFT_OUT)), (MAX_CHARACTERS + 1, true));
    }
}

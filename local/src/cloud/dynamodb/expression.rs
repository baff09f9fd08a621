//! The words of DynamoDB's expressions, as far as their operands must be told apart. What an expression means is
//! dynoxide's matter, and so is what is no expression at all.

use serde_json::{Map, Value};

/// A path, a placeholder, an operator, a parenthesis, a comma or a word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token {
    text: String,
    /// A word that stands as it is: a keyword may be one.
    plain: bool,
}

impl Token {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Keywords are in any case, and never what a placeholder stands for.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        self.plain && self.text.eq_ignore_ascii_case(keyword)
    }
}

/// The words of an expression. A name's placeholder is replaced by the name.
pub(super) fn tokens(expression: &str, names: Option<&Map<String, Value>>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '<' if rest.starts_with("<=") || rest.starts_with("<>") => 2,
            '>' if rest.starts_with(">=") => 2,
            '<' | '>' | '=' | '(' | ')' | ',' | '+' => 1,
            _ => rest.find(|c: char| c.is_whitespace() || "<>=(),+".contains(c)).unwrap_or(rest.len()),
        };
        let (text, after) = rest.split_at(length.max(first.len_utf8()));
        tokens.push(Token { plain: !text.contains('#'), text: resolved(text, names) });
        rest = after.trim_start();
    }
    tokens
}

fn resolved(path: &str, names: Option<&Map<String, Value>>) -> String {
    if !path.contains('#') {
        return path.to_owned();
    }
    let step = |step: &str| {
        let (name, index) = step.find('[').map_or((step, ""), |at| step.split_at(at));
        let known = names.and_then(|names| names.get(name)?.as_str());
        format!("{}{index}", known.unwrap_or(name))
    };
    path.split('.').map(step).collect::<Vec<_>>().join(".")
}

/// The operand that ends before a place: a word, or a function of words.
pub(super) fn operand_before(tokens: &[Token], place: usize) -> String {
    let Some(last) = place.checked_sub(1).and_then(|last| tokens.get(last)) else { return String::new() };
    if last.text != ")" {
        return last.text.clone();
    }
    let opening = tokens[..place].iter().rposition(|token| token.text == "(").unwrap_or_default();
    // Without a function before it the parenthesis holds a condition, which is no operand.
    match opening.checked_sub(1).and_then(|function| tokens.get(function)) {
        Some(function) if function.text == "size" => joined(&tokens[opening - 1..place]),
        _ => String::new(),
    }
}

/// The operand that begins at a place, and the place behind it.
pub(super) fn operand_after(tokens: &[Token], place: usize) -> (String, usize) {
    let Some(first) = tokens.get(place) else { return (String::new(), place) };
    if first.text == "size" && tokens.get(place + 1).is_some_and(|token| token.text == "(") {
        let length = tokens[place..].iter().position(|token| token.text == ")").map_or(1, |at| at + 1);
        return (joined(&tokens[place..place + length]), place + length);
    }
    (first.text.clone(), place + 1)
}

fn joined(tokens: &[Token]) -> String {
    tokens.iter().map(Token::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_are_told_apart() {
        let names = json!({ "#a": "between", "#b": "b.c" });
        let tokens = tokens("#a.#b[0]<=:v AND size(x)>=:w", names.as_object());
        let words: Vec<_> = tokens.iter().map(Token::as_str).collect();
        assert_eq!(words, ["between.b.c[0]", "<=", ":v", "AND", "size", "(", "x", ")", ">=", ":w"]);
        assert_eq!(operand_before(&tokens, 8), "size(x)");
        assert_eq!(operand_after(&tokens, 4), ("size(x)".to_owned(), 8));
        assert_eq!(operand_after(&tokens, 2), (":v".to_owned(), 3));
        assert!(!tokens[0].is_keyword("BETWEEN") && tokens[3].is_keyword("and"));
        assert_eq!(operand_before(&tokens, 0), "");
    }

    #[test]
    fn anything_is_a_list_of_words() {
        for text in ["", "(", "a = ", "= a", ")) <", "é<ü", "size(", "#x.#y[", "a BETWEEN"] {
            let tokens = tokens(text, None);
            for place in 0..=tokens.len() {
                operand_before(&tokens, place);
                operand_after(&tokens, place);
            }
        }
    }
}

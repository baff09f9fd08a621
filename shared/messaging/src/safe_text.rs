//! JSON that a queue takes.

/// SQS refuses two characters that JSON lets stand as they are (its `SendMessage` reference lists what it
/// takes; the control characters are escaped in JSON anyway). They can only be within strings, where the
/// escape means the same.
pub(crate) fn queue_safe(json: String) -> String {
    if json.contains(['\u{FFFE}', '\u{FFFF}']) {
        json.replace('\u{FFFE}', "\\uFFFE").replace('\u{FFFF}', "\\uFFFF")
    } else {
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_means_the_same() {
        for text in ["mug", "a\u{FFFE}b\u{FFFF}", "\\u{FFFF}", "\n\u{1}😀"] {
            let json = queue_safe(serde_json::to_string(text).unwrap());
            assert!(!json.contains(['\u{FFFE}', '\u{FFFF}']));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}

//! An answer of the shop, with the request that asked for it, and what a scenario may expect of it.
//!
//! Every failure's text holds the request and the reply: a red line of the suite is all that is needed to
//! ask again by hand.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, ensure};
use reqwest::header::HeaderMap;
use serde_json::Value;
use serde_json::value::RawValue;

/// A request or reply body in a message is cut here.
const SHOWN: usize = 600;

/// One answer.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Method, path, headers that the scenario set, and body, for messages.
    pub(crate) request: String,
    /// The status code.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body as it came.
    pub(crate) body: String,
    /// The body as JSON; `null` when there is none.
    pub(crate) json: Value,
}

impl Reply {
    /// An error that says `what` is wrong with this answer.
    pub(crate) fn wrong(&self, what: &str) -> anyhow::Error {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| format!("    {name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        anyhow!(
            "{what}\n  request: {}\n  reply:   {} {}\n{}",
            shorten(&self.request),
            self.status,
            shorten(&self.body),
            headers.join("\n")
        )
    }

    /// This answer, if it has the status.
    pub(crate) fn expect(self, status: u16) -> Result<Self> {
        if self.status == status { Ok(self) } else { Err(self.wrong(&format!("expected status {status}"))) }
    }

    /// The value at a JSON pointer.
    pub(crate) fn at(&self, pointer: &str) -> Result<&Value> {
        self.json.pointer(pointer).ok_or_else(|| self.wrong(&format!("nothing at {pointer:?}")))
    }

    /// The string at a JSON pointer.
    pub(crate) fn string(&self, pointer: &str) -> Result<&str> {
        self.at(pointer)?.as_str().ok_or_else(|| self.wrong(&format!("no string at {pointer:?}")))
    }

    /// The whole number at a JSON pointer.
    pub(crate) fn integer(&self, pointer: &str) -> Result<i64> {
        self.at(pointer)?.as_i64().ok_or_else(|| self.wrong(&format!("no whole number at {pointer:?}")))
    }

    /// The array at a JSON pointer.
    pub(crate) fn array(&self, pointer: &str) -> Result<&[Value]> {
        Ok(self.at(pointer)?.as_array().ok_or_else(|| self.wrong(&format!("no array at {pointer:?}")))?)
    }

    /// The text of the value at a JSON pointer exactly as it was sent: `0.30` stays `0.30`, which a parsed
    /// number would not.
    pub(crate) fn raw(&self, pointer: &str) -> Result<String> {
        raw_at(&self.body, pointer).ok_or_else(|| self.wrong(&format!("nothing at {pointer:?}")))
    }

    /// Checks the value at a JSON pointer.
    pub(crate) fn has(&self, pointer: &str, expected: impl Into<Value>) -> Result<()> {
        let expected = expected.into();
        if *self.at(pointer)? == expected {
            return Ok(());
        }
        Err(self.wrong(&format!("expected {expected} at {pointer:?}")))
    }

    /// Checks a number to the last digit.
    pub(crate) fn has_exactly(&self, pointer: &str, text: &str) -> Result<()> {
        if self.raw(pointer)? == text {
            return Ok(());
        }
        Err(self.wrong(&format!("expected exactly {text} at {pointer:?}")))
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header that must be there.
    pub(crate) fn required_header(&self, name: &str) -> Result<&str> {
        self.header(name).ok_or_else(|| self.wrong(&format!("expected a {name} header")))
    }

    /// Checks a header's value.
    pub(crate) fn has_header(&self, name: &str, expected: &str) -> Result<()> {
        if self.required_header(name)? == expected {
            return Ok(());
        }
        Err(self.wrong(&format!("expected the header {name}: {expected}")))
    }

    /// This answer, if it is a problem of the status with the code.
    pub(crate) fn problem(self, status: u16, code: &str) -> Result<Self> {
        let reply = self.expect(status)?;
        reply.has("/code", code)?;
        Ok(reply)
    }

    /// Checks that a problem names each of the fields, by JSON pointer.
    pub(crate) fn names(&self, pointers: &[&str]) -> Result<()> {
        let named: Vec<&str> =
            self.array("/errors")?.iter().filter_map(|error| error["pointer"].as_str()).collect();
        match pointers.iter().find(|pointer| !named.contains(pointer)) {
            None => Ok(()),
            Some(missing) => Err(self.wrong(&format!("no error names {missing:?}; named are {named:?}"))),
        }
    }
}

/// Checks a condition on two replies or more.
pub(crate) fn ensure_both(holds: bool, what: &str, first: &Reply, second: &Reply) -> Result<()> {
    ensure!(holds, "{what}\n first {}\nsecond {}", first.wrong(""), second.wrong(""));
    Ok(())
}

fn raw_at(text: &str, pointer: &str) -> Option<String> {
    let Some(rest) = pointer.strip_prefix('/') else {
        return pointer.is_empty().then(|| text.trim().to_owned());
    };
    let (step, rest) = rest.find('/').map_or((rest, ""), |end| rest.split_at(end));
    if let Ok(object) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        return raw_at(object.get(step)?.get(), rest);
    }
    let array: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    raw_at(array.get(step.parse::<usize>().ok()?)?.get(), rest)
}

/// The text, or its beginning.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}... ({} bytes)", &text[..end], text.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_values_keep_their_digits() {
        let text = r#"{"a": [{"b": 0.30}, 1], "c": "x"}"#;
        assert_eq!(raw_at(text, "/a/0/b").as_deref(), Some("0.30"));
        assert_eq!(raw_at(text, "/a/1").as_deref(), Some("1"));
        assert_eq!(raw_at(text, "/c").as_deref(), Some("\"x\""));
        assert_eq!(raw_at(text, "/a/2"), None);
        assert_eq!(raw_at(text, "/d"), None);
    }

    #[test]
    fn long_bodies_are_cut_at_a_character() {
        assert_eq!(shorten("short"), "short");
        assert!(shorten(&"ä".repeat(1000)).ends_with("... (2000 bytes)"));
    }
}

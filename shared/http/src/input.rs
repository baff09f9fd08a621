//! A request body, read field by field, so that the answer names every mistake and not only the first.
//!
//! Numbers are read from their own text: an amount of money never passes through a float. A field that is
//! not asked for is a mistake too, and so is one that is given twice.

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::{FieldError, Problem};

/// More mistakes than this help nobody, and an answer must stay smaller than its request.
const MAX_ERRORS: usize = 50;

/// A JSON body under inspection. Its nodes note their mistakes here; [`Input::finish`] tells them.
pub struct Input<'a> {
    root: &'a RawValue,
    errors: RefCell<Vec<FieldError>>,
}

impl<'a> Input<'a> {
    /// Parses a body as JSON.
    ///
    /// # Errors
    /// 400 for a body that is empty, not UTF-8 or not JSON.
    pub fn parse(body: &'a [u8]) -> Result<Self, Problem> {
        if body.is_empty() {
            return Err(Problem::bad_request("empty_body", "The request needs a JSON body."));
        }
        let text = std::str::from_utf8(body)
            .map_err(|_| Problem::bad_request("not_utf8", "The body is not UTF-8 text."))?;
        // The parser's message tells line and column, and nothing of our own.
        let root = serde_json::from_str(text).map_err(|error| {
            Problem::bad_request("malformed_json", format!("The body is not JSON: {error}."))
        })?;
        Ok(Self { root, errors: RefCell::default() })
    }

    /// The whole body.
    pub fn root(&self) -> Node<'_> {
        Node { input: self, pointer: String::new(), raw: self.root }
    }

    /// The value that was read, if there was no mistake.
    ///
    /// # Errors
    /// 422 with every mistake.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        let errors = self.errors.into_inner();
        match value {
            Some(value) if errors.is_empty() => Ok(value),
            _ => Err(Problem::invalid(errors)),
        }
    }

    fn note(&self, pointer: String, code: &'static str, detail: String) {
        let mut errors = self.errors.borrow_mut();
        if errors.len() < MAX_ERRORS {
            errors.push(FieldError { pointer, code, detail });
        }
    }
}

/// A value somewhere in the body. Reading it gives the value, or notes the mistake and gives none.
#[derive(Clone)]
pub struct Node<'i> {
    input: &'i Input<'i>,
    pointer: String,
    raw: &'i RawValue,
}

impl<'i> Node<'i> {
    /// Notes a mistake here.
    pub fn note(&self, code: &'static str, detail: impl Into<String>) {
        self.input.note(self.pointer.clone(), code, detail.into());
    }

    /// Where this is, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Whether the value is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.raw.get() == "null"
    }

    /// An object.
    #[must_use]
    pub fn object(&self) -> Option<Object<'i>> {
        let Ok(Members(members)) = serde_json::from_str(self.raw.get()) else {
            self.note("wrong_type", "This must be an object.");
            return None;
        };
        Some(Object { node: self.clone(), members })
    }

    /// An array with so many elements.
    #[must_use]
    pub fn array(&self, length: RangeInclusive<usize>) -> Option<Vec<Node<'i>>> {
        let Ok(elements) = serde_json::from_str::<Vec<&'i RawValue>>(self.raw.get()) else {
            self.note("wrong_type", "This must be an array.");
            return None;
        };
        if !length.contains(&elements.len()) {
            self.note(
                "wrong_length",
                format!("There must be {} to {} elements.", length.start(), length.end()),
            );
            return None;
        }
        let node =
            |(index, raw)| Node { input: self.input, pointer: format!("{}/{index}", self.pointer), raw };
        Some(elements.into_iter().enumerate().map(node).collect())
    }

    /// A text with so many characters, none of them a control character but line breaks and tabs.
    #[must_use]
    pub fn text(&self, length: RangeInclusive<usize>) -> Option<String> {
        let Ok(text) = serde_json::from_str::<String>(self.raw.get()) else {
            self.note("wrong_type", "This must be a text.");
            return None;
        };
        if !length.contains(&text.chars().count()) {
            self.note(
                "wrong_length",
                format!("There must be {} to {} characters.", length.start(), length.end()),
            );
            return None;
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            self.note("control_character", "There must be no control characters.");
            return None;
        }
        Some(text)
    }

    /// A whole number within bounds.
    #[must_use]
    pub fn integer<T>(&self, bounds: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let text = self.number()?;
        if text.contains(['.', 'e', 'E']) {
            self.note("wrong_type", "This must be a whole number.");
            return None;
        }
        match text.parse() {
            Ok(value) if bounds.contains(&value) => Some(value),
            _ => {
                self.note(
                    "out_of_range",
                    format!("This must be from {} to {}.", bounds.start(), bounds.end()),
                );
                None
            }
        }
    }

    /// The text of a number, as it stands in the body.
    #[must_use]
    pub fn number(&self) -> Option<&'i str> {
        let text = self.raw.get();
        if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Some(text);
        }
        self.note("wrong_type", "This must be a number.");
        None
    }

    /// A text that parses as `T`; `detail` says what it should be.
    #[must_use]
    pub fn parsed<T: FromStr>(&self, code: &'static str, detail: &str) -> Option<T> {
        let text = serde_json::from_str::<String>(self.raw.get());
        let value = text.ok().and_then(|text| text.parse().ok());
        if value.is_none() {
            self.note(code, detail);
        }
        value
    }
}

/// The fields of an object. Ask for each one that may be there, then [`Object::finish`].
pub struct Object<'i> {
    node: Node<'i>,
    members: Vec<(String, &'i RawValue)>,
}

impl<'i> Object<'i> {
    /// A field that must be there, and not be `null`.
    pub fn required(&mut self, name: &str) -> Option<Node<'i>> {
        let field = self.optional(name);
        if field.is_none() {
            self.note(name, "missing", "This field is required.");
        }
        field
    }

    /// A field that may be left out; `null` is the same.
    pub fn optional(&mut self, name: &str) -> Option<Node<'i>> {
        self.nullable(name).filter(|node| !node.is_null())
    }

    /// A field that may be left out, and whose `null` says something else than leaving it out.
    pub fn nullable(&mut self, name: &str) -> Option<Node<'i>> {
        let found = self.members.iter().position(|(member, _)| member == name)?;
        let (_, raw) = self.members.remove(found);
        Some(Node { input: self.node.input, pointer: self.pointer(name), raw })
    }

    /// Notes the fields that nobody asked for, and those that were given twice.
    pub fn finish(self) {
        for (name, _) in &self.members {
            self.note(name, "unexpected", "This field is not known here, or was given before.");
        }
    }

    fn note(&self, name: &str, code: &'static str, detail: &str) {
        self.node.input.note(self.pointer(name), code, detail.to_owned());
    }

    /// RFC 6901: `~` and `/` are escaped. A hostile name is cut: the pointer is part of our answer.
    fn pointer(&self, name: &str) -> String {
        let name: String = name.chars().take(64).collect();
        format!("{}/{}", self.node.pointer, name.replace('~', "~0").replace('/', "~1"))
    }
}

/// An object's members in order, twins included (a map would keep one of them in silence).
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(body: &str, read: impl FnOnce(&Input<'_>)) -> Vec<(String, &'static str)> {
        let input = Input::parse(body.as_bytes()).unwrap();
        read(&input);
        let problem = input.finish(None::<()>).unwrap_err();
        problem.errors().iter().map(|error| (error.pointer.clone(), error.code)).collect()
    }

    #[test]
    fn every_mistake_is_named_at_its_place() {
        let body = r#"{"a": "x", "b": 0, "c": [1, "y"], "c": 1, "d/e~": 1, "f": 1.5, "g": ""}"#;
        let found = mistakes(body, |input| {
            let mut object = input.root().object().unwrap();
            assert_eq!(object.required("a").unwrap().integer(1..=5_u32), None);
            assert_eq!(object.required("b").unwrap().integer(1..=5_u32), None);
            let elements = object.required("c").unwrap().array(1..=2).unwrap();
            let read: Vec<_> = elements.iter().map(|element| element.integer(0..=9_i64)).collect();
            assert_eq!(read, [Some(1), None]);
            assert_eq!(object.required("f").unwrap().integer(1..=5_u32), None);
            assert_eq!(object.required("g").unwrap().text(1..=5), None);
            assert!(object.required("h").is_none());
            object.finish();
        });
        let expected = [
            ("/a", "wrong_type"),
            ("/b", "out_of_range"),
            ("/c/1", "wrong_type"),
            ("/f", "wrong_type"),
            ("/g", "wrong_length"),
            ("/h", "missing"),
            ("/c", "unexpected"),
            ("/d~1e~0", "unexpected"),
        ];
        assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn bodies_that_are_no_json_are_refused() {
        for (body, code) in [
            (&b""[..], "empty_body"),
            (b"\xff", "not_utf8"),
            (b"{", "malformed_json"),
            (b"{} {}", "malformed_json"),
            (b"{\"a\": NaN}", "malformed_json"),
        ] {
            assert_eq!(Input::parse(body).err().map(|problem| problem.code()), Some(code), "{body:?}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(Input::parse(deep.as_bytes()).err().map(|problem| problem.code()), Some("malformed_json"));
    }

    #[test]
    fn numbers_keep_their_text_and_overflow_is_out_of_range() {
        let input = Input::parse(br#"{"a": 29.990, "b": 99999999999999999999}"#).unwrap();
        let mut object = input.root().object().unwrap();
        assert_eq!(object.required("a").unwrap().number(), Some("29.990"));
        assert_eq!(object.required("b").unwrap().integer(0..=i64::MAX), None);
    }
}

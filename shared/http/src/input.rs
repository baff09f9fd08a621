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
use shop_types::text::{self, TextError};

use crate::number::whole_number;
use crate::{Code, FieldCode, FieldError, Problem};

/// More mistakes than this help nobody, and an answer must stay smaller than its request.
const MAX_ERRORS: usize = 50;

/// A JSON body under inspection. Its nodes note their mistakes here; [`Input::read`] tells them.
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
            return Err(Problem::new(Code::EmptyBody, "The request needs a JSON body."));
        }
        let text = std::str::from_utf8(body)
            .map_err(|_| Problem::new(Code::NotUtf8, "The body is not UTF-8 text."))?;
        if text.starts_with('\u{FEFF}') {
            // RFC 8259 section 8.1: a sender must not add one. To skip it would hide the sender's mistake.
            let detail = "The body begins with a byte order mark, which JSON does not have.";
            return Err(Problem::new(Code::ByteOrderMark, detail));
        }
        // The parser's message tells line and column, and nothing of our own.
        let root = serde_json::from_str(text)
            .map_err(|error| Problem::new(Code::MalformedJson, format!("The body is not JSON: {error}.")))?;
        Ok(Self { root, errors: RefCell::default() })
    }

    /// Reads the body.
    ///
    /// # Errors
    /// 422 with every mistake that `read` has met, whatever it returned.
    pub fn read<T>(self, read: impl FnOnce(&Node<'_>) -> Option<T>) -> Result<T, Problem> {
        let value = read(&Node { input: &self, pointer: String::new(), raw: self.root });
        let errors = self.errors.into_inner();
        match value {
            Some(value) if errors.is_empty() => Ok(value),
            _ => Err(Problem::invalid(errors)),
        }
    }

    /// Reads a body that is an object: see [`Node::object`].
    ///
    /// # Errors
    /// 422 with every mistake.
    pub fn read_object<T>(self, read: impl FnOnce(&mut Object<'_>) -> Option<T>) -> Result<T, Problem> {
        self.read(|body| body.object(read))
    }

    fn note(&self, pointer: String, code: FieldCode, detail: String) {
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
    pub fn note(&self, code: FieldCode, detail: impl Into<String>) {
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

    /// An object, of which `read` asks for each field that may be there. Others are mistakes, and so are
    /// twins.
    #[must_use]
    pub fn object<T>(&self, read: impl FnOnce(&mut Object<'i>) -> Option<T>) -> Option<T> {
        let Ok(Members(members)) = serde_json::from_str(self.raw.get()) else {
            if self.raw.get().starts_with('{') {
                self.note(FieldCode::LoneSurrogate, "The name of a field has half of a surrogate pair.");
            } else {
                self.note(FieldCode::WrongType, "This must be an object.");
            }
            return None;
        };
        let mut object = Object { node: self.clone(), members, taken: Vec::new() };
        let value = read(&mut object);
        for (name, _) in &object.members {
            if object.taken.contains(name) {
                object.note_at(name, FieldCode::Repeated, "This field was given before.");
            } else {
                object.note_at(name, FieldCode::Unexpected, "This field is not known here.");
            }
        }
        value
    }

    /// An array with so many elements, each of them read, whatever became of those before.
    #[must_use]
    pub fn array<T>(
        &self,
        length: RangeInclusive<usize>,
        mut read: impl FnMut(&Node<'i>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Ok(elements) = serde_json::from_str::<Vec<&'i RawValue>>(self.raw.get()) else {
            self.note(FieldCode::WrongType, "This must be an array.");
            return None;
        };
        if !length.contains(&elements.len()) {
            self.note(
                FieldCode::WrongLength,
                format!("There must be {} to {} elements.", length.start(), length.end()),
            );
            return None;
        }
        let node =
            |(index, raw)| Node { input: self.input, pointer: format!("{}/{index}", self.pointer), raw };
        let values: Vec<_> = elements.into_iter().enumerate().map(|element| read(&node(element))).collect();
        values.into_iter().collect()
    }

    /// The characters of a text, as they were sent: for what is no text that people read.
    #[must_use]
    pub fn opaque_text(&self, length: RangeInclusive<usize>) -> Option<String> {
        let text = self.string()?;
        self.has_length(&text, length).then_some(text)
    }

    /// A text of any number of lines: see [`text::paragraphs`]. It may be blank.
    #[must_use]
    pub fn text(&self, length: RangeInclusive<usize>) -> Option<String> {
        let text = self.checked(text::paragraphs)?;
        self.has_length(&text, length).then_some(text)
    }

    /// A text of one line with something to read in it: see [`text::line`].
    #[must_use]
    pub fn line(&self, length: RangeInclusive<usize>) -> Option<String> {
        let string = self.string()?;
        if !string.is_empty() && text::is_blank(&string) {
            self.note(FieldCode::Blank, "There is nothing to read in this.");
            return None;
        }
        let text = self.checked(text::line)?;
        self.has_length(&text, length).then_some(text)
    }

    fn string(&self) -> Option<String> {
        let raw = self.raw.get();
        let string = serde_json::from_str::<String>(raw).ok();
        if string.is_none() && raw.starts_with('"') {
            // It is JSON, or the body would have been refused; so only this is left.
            self.note(FieldCode::LoneSurrogate, "This has half of a surrogate pair, which is no character.");
        } else if string.is_none() {
            self.note(FieldCode::WrongType, "This must be a string.");
        }
        string
    }

    fn checked(&self, check: fn(&str) -> Result<String, TextError>) -> Option<String> {
        match check(&self.string()?) {
            Ok(text) => Some(text),
            Err(TextError::LineBreak) => {
                self.note(FieldCode::LineBreak, "This must be one line.");
                None
            }
            Err(TextError::Invisible) => {
                self.note(
                    FieldCode::ControlCharacter,
                    "This has a control character, or one that cannot be seen.",
                );
                None
            }
        }
    }

    fn has_length(&self, text: &str, length: RangeInclusive<usize>) -> bool {
        let is_right = length.contains(&text.chars().count());
        if !is_right {
            self.note(
                FieldCode::WrongLength,
                format!("There must be {} to {} characters.", length.start(), length.end()),
            );
        }
        is_right
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        let value = serde_json::from_str(self.raw.get()).ok();
        if value.is_none() {
            self.note(FieldCode::WrongType, "This must be true or false.");
        }
        value
    }

    /// A whole number within bounds, however it is written: `2`, `2.0` and `20e-1` are one number (RFC 8259
    /// section 6 makes no difference).
    #[must_use]
    pub fn integer<T>(&self, bounds: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let Some(digits) = whole_number(self.number()?) else {
            self.note(FieldCode::WrongType, "This must be a whole number.");
            return None;
        };
        match digits.parse() {
            Ok(value) if bounds.contains(&value) => Some(value),
            _ => {
                self.note(
                    FieldCode::OutOfRange,
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
        self.note(FieldCode::WrongType, "This must be a number.");
        None
    }

    /// A text that parses as `T`; `detail` says what it should be.
    #[must_use]
    pub fn parsed<T: FromStr>(&self, code: FieldCode, detail: &str) -> Option<T> {
        let text = serde_json::from_str::<String>(self.raw.get());
        let value = text.ok().and_then(|text| text.parse().ok());
        if value.is_none() {
            self.note(code, detail);
        }
        value
    }
}

/// The fields of an object.
pub struct Object<'i> {
    node: Node<'i>,
    members: Vec<(String, &'i RawValue)>,
    /// The names that were asked for and found: what is left of them is a repetition.
    taken: Vec<String>,
}

impl<'i> Object<'i> {
    /// Whether a field is there, `null` or not, that was not asked for yet.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(member, _)| member == name)
    }

    /// A field that must be there, and not be `null`; none where it is not, or is mistaken.
    pub fn required<T>(&mut self, name: &str, read: impl FnOnce(&Node<'i>) -> Option<T>) -> Option<T> {
        let field = self.take(name).filter(|node| !node.is_null());
        if field.is_none() {
            self.note_at(name, FieldCode::Missing, "This field is required.");
        }
        read(&field?)
    }

    /// A field that may be left out; `null` is the same. None where it is mistaken.
    pub fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Node<'i>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.take(name).filter(|node| !node.is_null()) {
            Some(node) => read(&node).map(Some),
            None => Some(None),
        }
    }

    /// A field that may be left out, and whose `null` says something else than leaving it out. None where it is
    /// mistaken.
    pub fn nullable<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Node<'i>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.take(name) {
            Some(node) => read(&node).map(Some),
            None => Some(None),
        }
    }

    /// Notes a mistake of the object as a whole.
    pub fn note(&self, code: FieldCode, detail: impl Into<String>) {
        self.node.note(code, detail);
    }

    fn take(&mut self, name: &str) -> Option<Node<'i>> {
        let found = self.members.iter().position(|(member, _)| member == name)?;
        let (name, raw) = self.members.remove(found);
        let pointer = self.pointer(&name);
        self.taken.push(name);
        Some(Node { input: self.node.input, pointer, raw })
    }

    fn note_at(&self, name: &str, code: FieldCode, detail: &str) {
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
mod tests;

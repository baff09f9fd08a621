//! A request body, read field by field, so that the answer names every error and not only the first.
//!
//! Numbers are read from their own text: an amount of money never passes through a float. A field that is
//! not asked for is an error too, and so is one that is given twice.

mod describe;
mod object;

use std::cell::RefCell;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde_json::value::RawValue;
use shop_types::TextForm;
use shop_types::text::{self, TextError};

use crate::number::whole_number;
use crate::{Code, FieldCode, FieldError, Problem};

pub use describe::{Describe, ITEM, Keyword};
pub use object::Object;

use object::Members;

/// More errors than this help nobody, and an answer must stay smaller than its request.
const MAX_ERRORS: usize = 50;

/// A JSON body under inspection. Its nodes record their errors here; [`Input::read`] tells them.
pub struct Input<'a> {
    root: &'a RawValue,
    /// Who takes note of what is asked; none where a body is read.
    probe: Option<&'a dyn Describe>,
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
        Ok(Self { root, probe: None, errors: RefCell::default() })
    }

    /// A probe in the place of a body: what is read of it is described, and is right.
    #[must_use]
    pub fn probe(describe: &'a dyn Describe) -> Self {
        Self { root: RawValue::TRUE, probe: Some(describe), errors: RefCell::default() }
    }

    /// Reads the body.
    ///
    /// # Errors
    /// 422 with every error that `read` has met, whatever it returned.
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
    /// 422 with every error.
    pub fn read_object<T>(self, read: impl FnOnce(&mut Object<'_>) -> Option<T>) -> Result<T, Problem> {
        self.read(|body| body.object(read))
    }

    fn error(&self, pointer: String, code: FieldCode, detail: String) {
        let mut errors = self.errors.borrow_mut();
        if errors.len() < MAX_ERRORS {
            errors.push(FieldError { pointer, code, detail });
        }
    }
}

/// A value somewhere in the body. Reading it gives the value, or records an error and gives none.
#[derive(Clone)]
pub struct Node<'i> {
    input: &'i Input<'i>,
    pointer: String,
    raw: &'i RawValue,
}

impl<'i> Node<'i> {
    /// Records an error here.
    pub fn error(&self, code: FieldCode, detail: impl Into<String>) {
        self.input.error(self.pointer.clone(), code, detail.into());
    }

    /// Says something of this value that its reader asks by a rule of its own. It costs nothing where a body is read.
    pub fn describe(&self, keyword: Keyword<'_>) {
        if let Some(probe) = self.input.probe {
            probe.describe(&self.pointer, keyword);
        }
    }

    /// Whether this is a probe, which has no value.
    fn is_probe(&self) -> bool {
        self.input.probe.is_some()
    }

    /// Where this is, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Whether the value is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.describe(Keyword::Nullable);
        self.has_null()
    }

    fn has_null(&self) -> bool {
        self.raw.get() == "null"
    }

    /// An object, of which `read` asks for each field that may be there. Others are errors, and so are
    /// twins.
    #[must_use]
    pub fn object<T>(&self, read: impl FnOnce(&mut Object<'i>) -> Option<T>) -> Option<T> {
        if self.is_probe() {
            self.describe(Keyword::Type("object"));
            self.describe(Keyword::Closed);
            return read(&mut Object::new(self.clone(), Vec::new()));
        }
        let Ok(Members(members)) = serde_json::from_str(self.raw.get()) else {
            if self.raw.get().starts_with('{') {
                self.error(FieldCode::LoneSurrogate, "The name of a field has half of a surrogate pair.");
            } else {
                self.error(FieldCode::WrongType, "This must be an object.");
            }
            return None;
        };
        let mut object = Object::new(self.clone(), members);
        let value = read(&mut object);
        object.finish();
        value
    }

    /// An array with so many elements, each of them read, whatever became of those before.
    #[must_use]
    pub fn array<T>(
        &self,
        length: RangeInclusive<usize>,
        mut read: impl FnMut(&Node<'i>) -> Option<T>,
    ) -> Option<Vec<T>> {
        if self.is_probe() {
            self.describe(Keyword::Type("array"));
            self.describe(Keyword::Items(*length.start(), *length.end()));
            let item = Node { pointer: format!("{}/{ITEM}", self.pointer), ..self.clone() };
            return Some(Vec::from_iter(read(&item)));
        }
        let Ok(elements) = serde_json::from_str::<Vec<&'i RawValue>>(self.raw.get()) else {
            self.error(FieldCode::WrongType, "This must be an array.");
            return None;
        };
        if !length.contains(&elements.len()) {
            self.error(
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
        self.describe(Keyword::Pattern("\\S"));
        if !string.is_empty() && text::is_blank(&string) {
            self.error(FieldCode::Blank, "There is nothing to read in this.");
            return None;
        }
        let text = self.checked(text::line)?;
        self.has_length(&text, length).then_some(text)
    }

    fn string(&self) -> Option<String> {
        if self.is_probe() {
            self.describe(Keyword::Type("string"));
            return Some("a".to_owned());
        }
        let raw = self.raw.get();
        let string = serde_json::from_str::<String>(raw).ok();
        if string.is_none() && raw.starts_with('"') {
            // It is JSON, or the body would have been refused; so only this is left.
            self.error(FieldCode::LoneSurrogate, "This has half of a surrogate pair, which is no character.");
        } else if string.is_none() {
            self.error(FieldCode::WrongType, "This must be a string.");
        }
        string
    }

    fn checked(&self, check: fn(&str) -> Result<String, TextError>) -> Option<String> {
        match check(&self.string()?) {
            Ok(text) => Some(text),
            Err(TextError::LineBreak) => {
                self.error(FieldCode::LineBreak, "This must be one line.");
                None
            }
            Err(TextError::Invisible) => {
                self.error(
                    FieldCode::ControlCharacter,
                    "This has a control character, or one that cannot be seen.",
                );
                None
            }
        }
    }

    fn has_length(&self, text: &str, length: RangeInclusive<usize>) -> bool {
        if self.is_probe() {
            self.describe(Keyword::Length(*length.start(), *length.end()));
            return true;
        }
        let is_right = length.contains(&text.chars().count());
        if !is_right {
            self.error(
                FieldCode::WrongLength,
                format!("There must be {} to {} characters.", length.start(), length.end()),
            );
        }
        is_right
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        if self.is_probe() {
            self.describe(Keyword::Type("boolean"));
            return Some(true);
        }
        let value = serde_json::from_str(self.raw.get()).ok();
        if value.is_none() {
            self.error(FieldCode::WrongType, "This must be true or false.");
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
        if self.is_probe() {
            self.describe(Keyword::Type("integer"));
            self.describe(Keyword::Range(bounds.start(), bounds.end()));
            return bounds.start().to_string().parse().ok();
        }
        let Some(digits) = whole_number(self.number()?) else {
            self.error(FieldCode::WrongType, "This must be a whole number.");
            return None;
        };
        match digits.parse() {
            Ok(value) if bounds.contains(&value) => Some(value),
            _ => {
                self.error(
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
        if self.is_probe() {
            self.describe(Keyword::Type("number"));
            return Some("1");
        }
        let text = self.raw.get();
        if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Some(text);
        }
        self.error(FieldCode::WrongType, "This must be a number.");
        None
    }

    /// One of a few texts, and the value that it stands for; `detail` names them.
    #[must_use]
    pub fn one_of<T: Copy>(&self, choices: &[(&'static str, T)], code: FieldCode, detail: &str) -> Option<T> {
        let text = self.string()?;
        if self.is_probe() {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            self.describe(Keyword::OneOf(&names));
            return choices.first().map(|(_, value)| *value);
        }
        let choice = choices.iter().find(|(name, _)| *name == text);
        if choice.is_none() {
            self.error(code, detail);
        }
        choice.map(|(_, value)| *value)
    }

    /// A text that parses as `T`; `detail` says what it should be.
    #[must_use]
    pub fn parsed<T: FromStr + TextForm>(&self, code: FieldCode, detail: &str) -> Option<T> {
        if self.is_probe() {
            self.describe(Keyword::Type("string"));
            self.describe(Keyword::Pattern(T::PATTERN));
            return T::EXAMPLE.parse().ok();
        }
        let value = self.string()?.parse().ok();
        if value.is_none() {
            self.error(code, detail);
        }
        value
    }
}

#[cfg(test)]
mod tests;

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

use crate::{FieldError, Problem};

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
            return Err(Problem::bad_request("empty_body", "The request needs a JSON body."));
        }
        let text = std::str::from_utf8(body)
            .map_err(|_| Problem::bad_request("not_utf8", "The body is not UTF-8 text."))?;
        if text.starts_with('\u{FEFF}') {
            // RFC 8259 section 8.1: a sender must not add one. To skip it would hide the sender's mistake.
            let detail = "The body begins with a byte order mark, which JSON does not have.";
            return Err(Problem::bad_request("byte_order_mark", detail));
        }
        // The parser's message tells line and column, and nothing of our own.
        let root = serde_json::from_str(text).map_err(|error| {
            Problem::bad_request("malformed_json", format!("The body is not JSON: {error}."))
        })?;
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

    /// An object, of which `read` asks for each field that may be there. Others are mistakes, and so are
    /// twins.
    #[must_use]
    pub fn object<T>(&self, read: impl FnOnce(&mut Object<'i>) -> Option<T>) -> Option<T> {
        let Ok(Members(members)) = serde_json::from_str(self.raw.get()) else {
            if self.raw.get().starts_with('{') {
                self.note("lone_surrogate", "The name of a field has half of a surrogate pair.");
            } else {
                self.note("wrong_type", "This must be an object.");
            }
            return None;
        };
        let mut object = Object { node: self.clone(), members, taken: Vec::new() };
        let value = read(&mut object);
        for (name, _) in &object.members {
            if object.taken.contains(name) {
                object.note_at(name, "repeated", "This field was given before.");
            } else {
                object.note_at(name, "unexpected", "This field is not known here.");
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
            self.note("blank", "There is nothing to read in this.");
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
            self.note("lone_surrogate", "This has half of a surrogate pair, which is no character.");
        } else if string.is_none() {
            self.note("wrong_type", "This must be a string.");
        }
        string
    }

    fn checked(&self, check: fn(&str) -> Result<String, TextError>) -> Option<String> {
        match check(&self.string()?) {
            Ok(text) => Some(text),
            Err(TextError::LineBreak) => {
                self.note("line_break", "This must be one line.");
                None
            }
            Err(TextError::Invisible) => {
                self.note("control_character", "This has a control character, or one that cannot be seen.");
                None
            }
        }
    }

    fn has_length(&self, text: &str, length: RangeInclusive<usize>) -> bool {
        let is_right = length.contains(&text.chars().count());
        if !is_right {
            self.note(
                "wrong_length",
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
            self.note("wrong_type", "This must be true or false.");
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
            self.note("wrong_type", "This must be a whole number.");
            return None;
        };
        match digits.parse() {
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
            self.note_at(name, "missing", "This field is required.");
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
    pub fn note(&self, code: &'static str, detail: impl Into<String>) {
        self.node.note(code, detail);
    }

    fn take(&mut self, name: &str) -> Option<Node<'i>> {
        let found = self.members.iter().position(|(member, _)| member == name)?;
        let (name, raw) = self.members.remove(found);
        let pointer = self.pointer(&name);
        self.taken.push(name);
        Some(Node { input: self.node.input, pointer, raw })
    }

    fn note_at(&self, name: &str, code: &'static str, detail: &str) {
        self.node.input.note(self.pointer(name), code, detail.to_owned());
    }

    /// RFC 6901: `~` and `/` are escaped. A hostile name is cut: the pointer is part of our answer.
    fn pointer(&self, name: &str) -> String {
        let name: String = name.chars().take(64).collect();
        format!("{}/{}", self.node.pointer, name.replace('~', "~0").replace('/', "~1"))
    }
}

/// Larger exponents give no number that any field takes, and must not make a text of that many zeros.
const MAX_EXPONENT: i32 = 40;

/// The digits of a JSON number that is whole, without its fraction and exponent; none where it is not whole. One
/// that is far out of every range is given as digits that no integer takes.
fn whole_number(number: &str) -> Option<String> {
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", number),
    };
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some("0".to_owned());
    }
    let significant = digits.trim_end_matches('0');
    let zeros = i32::try_from(digits.len() - significant.len()).ok()?;
    let fraction = i32::try_from(fraction.len()).ok()?;
    let is_negative = exponent.starts_with('-');
    let exponent = exponent.trim_start_matches(['+', '-']).trim_start_matches('0');
    let exponent = match exponent {
        "" => 0,
        exponent => exponent.parse().unwrap_or(i32::MAX / 2),
    };
    // How many zeros stand behind the significant digits.
    let zeros = zeros - fraction + if is_negative { -exponent } else { exponent };
    let zeros = usize::try_from(zeros.min(MAX_EXPONENT)).ok()?;
    Some(format!("{sign}{significant}{}", "0".repeat(zeros)))
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

    fn mistakes<T>(
        body: &str,
        read: impl FnOnce(&mut Object<'_>) -> Option<T>,
    ) -> Vec<(String, &'static str)> {
        let problem = Input::parse(body.as_bytes()).unwrap().read_object(read).err().unwrap();
        problem.errors().iter().map(|error| (error.pointer.clone(), error.code)).collect()
    }

    #[test]
    fn every_mistake_is_named_at_its_place() {
        let body = r#"{"a": "x", "b": 0, "c": [1, "y"], "c": 1, "d/e~": 1, "f": 1.5, "g": "", "i": "\u200b ", "j": "a\nb", "k": "\ud800", "l": "a\u202eb"}"#;
        let found = mistakes(body, |object| {
            assert_eq!(object.required("a", |node| node.integer(1..=5_u32)), None);
            assert_eq!(object.optional("b", |node| node.integer(1..=5_u32)), None);
            let mut read = Vec::new();
            let elements = object.required("c", |node| {
                node.array(1..=2, |element| {
                    read.push(element.integer(0..=9_i64));
                    read.last().copied()?
                })
            });
            assert_eq!((elements, read), (None, vec![Some(1), None]));
            assert_eq!(object.nullable("f", |node| node.integer(1..=5_u32)), None);
            assert_eq!(object.required("g", |node| node.text(1..=5)), None);
            assert_eq!(object.required("h", |node| node.text(1..=5)), None);
            assert_eq!(object.required("i", |node| node.line(1..=5)), None);
            assert_eq!(object.required("j", |node| node.line(1..=5)), None);
            assert_eq!(object.required("k", |node| node.text(1..=5)), None);
            assert_eq!(object.required("l", |node| node.text(1..=5)), None);
            Some(())
        });
        let expected = [
            ("/a", "wrong_type"),
            ("/b", "out_of_range"),
            ("/c/1", "wrong_type"),
            ("/f", "wrong_type"),
            ("/g", "wrong_length"),
            ("/h", "missing"),
            ("/i", "blank"),
            ("/j", "line_break"),
            ("/k", "lone_surrogate"),
            ("/l", "control_character"),
            ("/c", "repeated"),
            ("/d~1e~0", "unexpected"),
        ];
        assert_eq!(found, expected.map(|(pointer, code)| (pointer.to_owned(), code)));
    }

    #[test]
    fn a_field_may_be_left_out_null_or_given() {
        let body = br#"{"null": null, "one": 1}"#;
        let read = Input::parse(body).unwrap().read_object(|object| {
            assert!(object.has("null") && object.has("one") && !object.has("absent"));
            let one = |node: &Node<'_>| node.integer(1..=1_u32);
            assert_eq!(object.optional("absent", one), Some(None));
            assert_eq!(object.nullable("absent", one), Some(None));
            assert_eq!(object.nullable("null", |node| Some(node.is_null())), Some(Some(true)));
            object.optional("one", one)
        });
        assert_eq!(read.ok(), Some(Some(1)));
        let null = |read: fn(&mut Object<'_>) -> Option<()>| mistakes(r#"{"null": null}"#, read);
        assert_eq!(null(|object| object.required("null", |_| Some(()))), [("/null".into(), "missing")]);
        assert_eq!(
            null(|object| object.nullable("null", |node| node.number().map(|_| ()))?),
            [("/null".into(), "wrong_type")]
        );
    }

    #[test]
    fn a_value_is_none_where_a_mistake_was_noted() {
        let body = br#"{"unknown": 1}"#;
        assert!(Input::parse(body).unwrap().read_object(|_| Some(())).is_err());
        assert!(Input::parse(b"[]").unwrap().read_object(|_| Some(())).is_err());
    }

    #[test]
    fn bodies_that_are_no_json_are_refused() {
        for (body, code) in [
            (&b""[..], "empty_body"),
            (b"\xff", "not_utf8"),
            (b"\xEF\xBB\xBF{}", "byte_order_mark"),
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
    fn a_whole_number_is_one_however_it_is_written() {
        let read = |text: &str| {
            let body = format!(r#"{{"n": {text}}}"#);
            let read = Input::parse(body.as_bytes()).unwrap();
            let read = read.read_object(|object| object.required("n", |node| node.integer(-1000..=1000_i64)));
            read.map_err(|problem| problem.errors()[0].code)
        };
        for (text, value) in [
            ("2", 2),
            ("2.0", 2),
            ("2.000", 2),
            ("2e0", 2),
            ("2E+2", 200),
            ("0.2e1", 2),
            ("20e-1", 2),
            ("-0", 0),
            ("0.000e-99999999999999999999", 0),
            ("-1.50e1", -15),
            ("100000e-2", 1000),
        ] {
            assert_eq!(read(text), Ok(value), "{text}");
        }
        for (text, code) in [
            ("2.5", "wrong_type"),
            ("1e-1", "wrong_type"),
            ("15e-1", "wrong_type"),
            ("1e-99999999999", "wrong_type"),
            ("1e4", "out_of_range"),
            ("1e99999999999999999999", "out_of_range"),
            ("-1e30", "out_of_range"),
            ("\"2\"", "wrong_type"),
        ] {
            assert_eq!(read(text), Err(code), "{text}");
        }
    }

    #[test]
    fn a_name_that_is_no_text_is_told() {
        assert_eq!(mistakes(r#"{"\ud800": 1}"#, |_| Some(())), [(String::new(), "lone_surrogate")]);
    }

    #[test]
    fn numbers_keep_their_text_and_overflow_is_out_of_range() {
        let body = r#"{"a": 29.990, "b": 99999999999999999999}"#;
        let found = mistakes(body, |object| {
            assert_eq!(object.required("a", |node| node.number().map(str::to_owned)), Some("29.990".into()));
            object.required("b", |node| node.integer(0..=i64::MAX))
        });
        assert_eq!(found, [("/b".into(), "out_of_range")]);
    }
}

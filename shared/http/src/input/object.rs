//! The fields of an object: each is asked for by its name.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Keyword, Node};
use crate::FieldCode;

/// The fields of an object.
pub struct Object<'i> {
    node: Node<'i>,
    members: Vec<(String, &'i RawValue)>,
    /// The names that were asked for and found: what is left of them is a repetition.
    taken: Vec<String>,
}

impl<'i> Object<'i> {
    pub(super) fn new(node: Node<'i>, members: Vec<(String, &'i RawValue)>) -> Self {
        Self { node, members, taken: Vec::new() }
    }

    /// What nobody has asked for is an error, and so is a duplicate.
    pub(super) fn finish(self) {
        for (name, _) in &self.members {
            if self.taken.contains(name) {
                self.error_at(name, FieldCode::Repeated, "This field was given before.");
            } else {
                self.error_at(name, FieldCode::Unexpected, "This field is not known here.");
            }
        }
    }

    /// Whether a field is there, `null` or not, that was not asked for yet.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(member, _)| member == name)
    }

    /// A field that must be there, and not be `null`; none where it is not, or is mistaken.
    pub fn required<T>(&mut self, name: &str, read: impl FnOnce(&Node<'i>) -> Option<T>) -> Option<T> {
        self.node.describe(Keyword::Field(name, true));
        let field = self.take(name).filter(|node| !node.has_null());
        if field.is_none() {
            self.error_at(name, FieldCode::Missing, "This field is required.");
        }
        read(&field?)
    }

    /// A field that may be left out; `null` is the same. None where it is mistaken.
    pub fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Node<'i>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.node.describe(Keyword::Field(name, false));
        match self.take(name).filter(|node| !node.has_null()) {
            Some(node) => {
                let value = read(&node).map(Some);
                node.describe(Keyword::Nullable);
                value
            }
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
        self.node.describe(Keyword::Field(name, false));
        match self.take(name) {
            Some(node) => read(&node).map(Some),
            None => Some(None),
        }
    }

    /// Records an error of the object as a whole.
    pub fn error(&self, code: FieldCode, detail: impl Into<String>) {
        self.node.error(code, detail);
    }

    fn take(&mut self, name: &str) -> Option<Node<'i>> {
        if self.node.is_probe() {
            return Some(Node { pointer: self.pointer(name), ..self.node.clone() });
        }
        let found = self.members.iter().position(|(member, _)| member == name)?;
        let (name, raw) = self.members.remove(found);
        let pointer = self.pointer(&name);
        self.taken.push(name);
        Some(Node { input: self.node.input, pointer, raw })
    }

    fn error_at(&self, name: &str, code: FieldCode, detail: &str) {
        self.node.input.error(self.pointer(name), code, detail.to_owned());
    }

    /// RFC 6901: `~` and `/` are escaped. A hostile name is cut: the pointer is part of our answer.
    fn pointer(&self, name: &str) -> String {
        let name: String = name.chars().take(64).collect();
        format!("{}/{}", self.node.pointer, name.replace('~', "~0").replace('/', "~1"))
    }
}

/// An object's members in order, twins included (a map would keep one of them in silence).
pub(super) struct Members<'a>(pub(super) Vec<(String, &'a RawValue)>);

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

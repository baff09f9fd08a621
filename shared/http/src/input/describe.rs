//! How a reader of a body describes what it reads: run on a probe instead of a body, it says of each field what it
//! asks of it. So the contract cannot say anything else than what is read.
//!
//! A probe has every field that is asked for, and each of them has a value that is right.

use std::fmt::{self, Display};

/// What is asked of a value, in the words of JSON Schema.
#[derive(Clone, Copy)]
pub enum Keyword<'a> {
    /// The type's name.
    Type(&'static str),
    /// How many characters a text has.
    Length(usize, usize),
    /// How many elements an array has.
    Items(usize, usize),
    /// The least and the most of a number.
    Range(&'a dyn Display, &'a dyn Display),
    /// A number that must not be less than this.
    AtLeast(i64),
    /// A number that must be more than this.
    MoreThan(i64),
    /// A number that must be another than this.
    OtherThan(i64),
    /// A regular expression.
    Pattern(&'static str),
    /// All values that there are.
    OneOf(&'a [&'static str]),
    /// A field, and whether it must be there.
    Field(&'a str, bool),
    /// `null` is a value, too.
    Nullable,
    /// No value at all is right.
    Nothing,
    /// There are no other fields.
    Closed,
}

impl fmt::Debug for Keyword<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyword")
    }
}

/// Takes note of what a reader asks.
pub trait Describe {
    /// The value at a pointer has a property. [`ITEM`] stands for each element of an array.
    fn describe(&self, pointer: &str, keyword: Keyword<'_>);
}

/// The segment of a pointer that stands for each element of an array.
pub const ITEM: &str = "[]";

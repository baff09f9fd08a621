//! Failures that no caller can do anything about.

use std::error::Error;

/// A failure of what a function stands on: a store that does not answer, an item that cannot be read, a key that
/// cannot be used. Whoever sent the request is told that something went wrong, or that it may be tried again where
/// others caused it ([`crate::Contention`]), and nothing else.
///
/// An error that a caller can do something about must not be one: it says itself what it answers.
pub trait Internal: Error + Send + Sync + 'static {}

/// What we write is JSON, or it is our fault.
impl Internal for serde_json::Error {}

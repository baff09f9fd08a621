//! What a page needs of a request: its path, and what the caller takes.

use lambda_http::http::{HeaderMap, header};

use crate::{content, precondition};

/// A request that no route takes.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    path: &'a str,
    headers: &'a HeaderMap,
}

impl<'a> Asked<'a> {
    /// The request for a path.
    #[must_use]
    pub const fn new(path: &'a str, headers: &'a HeaderMap) -> Self {
        Self { path, headers }
    }

    /// The path, as it came.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.path
    }

    /// Whether the caller would rather see a page than a problem document. Who says nothing would not.
    #[must_use]
    pub fn prefers_html(&self) -> bool {
        self.headers.contains_key(header::ACCEPT)
            && content::preferred(self.headers, &["application/problem+json", "text/html"]) == Some(1)
    }

    /// Whether the caller unpacks a coding.
    #[must_use]
    pub fn accepts(&self, coding: &str) -> bool {
        content::accepts(self.headers, coding)
    }

    /// Whether the caller has what an entity tag names (`If-None-Match`).
    #[must_use]
    pub fn has(&self, tag: &str) -> bool {
        precondition::has_tag(self.headers, tag)
    }
}

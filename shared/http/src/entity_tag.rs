//! Entity tags (RFC 9110 section 8.8.3): `"v7"`, or `"v7.40"` where an answer shows more than its version
//! covers.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

/// The tag of an answer.
///
/// `If-None-Match` compares the whole tag, so that no change of the answer is hidden. `If-Match` compares
/// the version alone: it holds a change to what its author can change, not to what else was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag {
    version: u64,
    shown: Option<u64>,
}

impl EntityTag {
    /// The tag of a thing at `version` whose answer also shows another thing, at its version `shown`.
    #[must_use]
    pub const fn showing(version: u64, shown: u64) -> Self {
        Self { version, shown: Some(shown) }
    }

    /// The tag of what has no version but its own bytes: another one for each representation.
    #[must_use]
    pub fn of_content(bytes: &[u8]) -> Self {
        let hash = digest(&SHA256, bytes);
        // 48 bits, which every JSON reader keeps exactly: a version is a number in a problem.
        let version = hash.as_ref().iter().take(6).fold(0, |version, byte| version << 8 | u64::from(*byte));
        version.into()
    }

    /// Reads a tag of ours, as it is written and not otherwise: `"v07"` is none.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        Self::parse_loosely(tag).filter(|parsed| parsed.to_string() == tag)
    }

    fn parse_loosely(tag: &str) -> Option<Self> {
        let text = tag.strip_prefix("\"v")?.strip_suffix('"')?;
        let (version, shown) = match text.split_once('.') {
            Some((version, shown)) => (version, Some(shown.parse().ok()?)),
            None => (text, None),
        };
        Some(Self { version: version.parse().ok()?, shown })
    }

    pub(crate) const fn version(self) -> u64 {
        self.version
    }
}

impl From<u64> for EntityTag {
    fn from(version: u64) -> Self {
        Self { version, shown: None }
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown {
            Some(shown) => write!(f, "\"v{}.{shown}\"", self.version),
            None => write!(f, "\"v{}\"", self.version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_of_bytes_is_theirs_alone() {
        let tag = EntityTag::of_content(b"a");
        assert_eq!((tag, EntityTag::parse(&tag.to_string())), (EntityTag::of_content(b"a"), Some(tag)));
        assert_ne!(tag, EntityTag::of_content(b"b"));
        assert!(tag.version() < 1 << 48);
    }

    #[test]
    fn tags_read_back_and_others_do_not() {
        for tag in [EntityTag::from(7), EntityTag::showing(7, 40)] {
            assert_eq!(EntityTag::parse(&tag.to_string()), Some(tag));
        }
        for other in
            ["", "\"\"", "v7", "\"7\"", "\"v7.\"", "\"v.7\"", "\"v7.4.0\"", "\"v-7\"", "\"v+7\"", "\"v07\""]
        {
            assert_eq!(EntityTag::parse(other), None, "{other}");
        }
    }
}

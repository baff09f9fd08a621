//! Conditional requests (RFC 9110 section 13): what `If-Match` and `If-None-Match` say, by their whole grammar.
//!
//! `If-Modified-Since` and `If-Unmodified-Since` are ignored, as section 13.1.3 has it for things whose answers
//! carry no `Last-Modified`: entity tags are exact, and times are not.

use lambda_http::http::header::{IF_MATCH, IF_NONE_MATCH};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue};

use crate::{Code, EntityTag, Problem};

/// What a header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// `*`: whatever is there.
    Any,
    /// One of these.
    OneOf(Vec<Tag>),
}

/// An entity tag as a client sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    is_weak: bool,
    /// With its quotes, character for character.
    opaque: String,
}

impl Tag {
    /// What this tag says of ours: none where it is not one that this shop gives out.
    fn ours(&self) -> Option<EntityTag> {
        EntityTag::parse(&self.opaque)
    }
}

/// What a request that changes something asks of the version that it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Precondition {
    matching: Option<Tags>,
    not_matching: Option<Tags>,
}

impl Precondition {
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        Ok(Self {
            matching: tags(headers, &IF_MATCH, Code::InvalidIfMatch)?,
            not_matching: tags(headers, &IF_NONE_MATCH, Code::InvalidIfNoneMatch)?,
        })
    }

    /// Holds the precondition against the version that is stored.
    ///
    /// Tags compare character by character, and strongly in `If-Match`: a weak one matches nothing.
    ///
    /// # Errors
    /// 412 when `If-Match` names other versions, or `If-None-Match` this one.
    pub fn check(&self, current: u64) -> Result<(), Problem> {
        self.check_by(current, |tag| tag == EntityTag::from(current))
    }

    /// The same for a thing whose answers show more than its author can change (`"v7.40"`): that is no part of the
    /// version that a tag names.
    ///
    /// # Errors
    /// As [`Precondition::check`].
    pub fn check_shown(&self, current: u64) -> Result<(), Problem> {
        self.check_by(current, |tag| tag.version() == current)
    }

    fn check_by(&self, current: u64, is_current: impl Fn(EntityTag) -> bool) -> Result<(), Problem> {
        let is_current = |tag: &Tag| tag.ours().is_some_and(&is_current);
        let matches = match &self.matching {
            None | Some(Tags::Any) => true,
            Some(Tags::OneOf(tags)) => tags.iter().any(|tag| !tag.is_weak && is_current(tag)),
        };
        let excluded = match &self.not_matching {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::OneOf(tags)) => tags.iter().any(&is_current),
        };
        if matches && !excluded { Ok(()) } else { Err(Problem::stale(current)) }
    }
}

/// Whether a read is answered with 304, since `If-None-Match` names this tag (weakly, as section 13.1.2 says). What is
/// no list of tags names none, and the answer is given whole.
///
/// # Errors
/// 412 where `If-Match` names other tags, which comes first (section 13.2.2), and 400 where it is no list of tags.
pub(crate) fn is_unchanged(headers: &HeaderMap, current: EntityTag) -> Result<bool, Problem> {
    if let Some(Tags::OneOf(tags)) = tags(headers, &IF_MATCH, Code::InvalidIfMatch)?
        && !tags.iter().any(|tag| !tag.is_weak && tag.ours() == Some(current))
    {
        return Err(Problem::stale(current.version()));
    }
    Ok(has_tag(headers, &current.to_string()))
}

/// Whether `If-None-Match` names this entity tag, given with its quotes: weakly, as RFC 9110 section 13.1.2 says. What is
/// no list of tags names none.
#[must_use]
pub fn has_tag(headers: &HeaderMap, current: &str) -> bool {
    match tags(headers, &IF_NONE_MATCH, Code::InvalidIfNoneMatch) {
        Ok(Some(Tags::Any)) => true,
        Ok(Some(Tags::OneOf(tags))) => {
            tags.iter().any(|tag| tag.opaque == current.strip_prefix("W/").unwrap_or(current))
        }
        Ok(None) | Err(_) => false,
    }
}

fn tags(headers: &HeaderMap, name: &HeaderName, code: Code) -> Result<Option<Tags>, Problem> {
    let mut values = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    let Some(first) = values.next() else { return Ok(None) };
    let value = values.fold(first.to_vec(), |all, value| [all.as_slice(), b",", value].concat());
    let invalid = || {
        let detail = format!(r#"{name} takes * or a list of entity tags such as "v7"."#);
        Problem::new(code, detail)
    };
    if value.trim_ascii() == b"*" {
        return Ok(Some(Tags::Any));
    }
    list(&value).filter(|tags| !tags.is_empty()).map(|tags| Some(Tags::OneOf(tags))).ok_or_else(invalid)
}

/// A list of tags: `#entity-tag`, whose empty elements are ignored (section 5.6.1.2). A comma may be part of a tag.
fn list(value: &[u8]) -> Option<Vec<Tag>> {
    let mut rest = value;
    let mut tags = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        while let Some(behind) = rest.strip_prefix(b",") {
            rest = behind.trim_ascii_start();
        }
        if rest.is_empty() {
            return Some(tags);
        }
        let (is_weak, opaque) = match rest.strip_prefix(b"W/") {
            Some(opaque) => (true, opaque),
            None => (false, rest),
        };
        let inside = opaque.strip_prefix(b"\"")?;
        let end = inside.iter().position(|byte| *byte == b'"')?;
        // etagc = %x21 / %x23-7E / obs-text
        if !inside[..end].iter().all(|byte| *byte > b' ' && *byte != 0x7F) {
            return None;
        }
        let opaque = String::from_utf8_lossy(&opaque[..end + 2]).into_owned();
        tags.push(Tag { is_weak, opaque });
        rest = inside[end + 1..].trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            HeaderName::from_static(name),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        )])
    }

    /// What a change of version 7 is answered with.
    fn status(name: &'static str, value: &str) -> u16 {
        match Precondition::read(&headers(name, value)).and_then(|condition| condition.check(7)) {
            Ok(()) => 200,
            Err(problem) => problem.status().as_u16(),
        }
    }

    #[test]
    fn one_has_what_any_line_names_by_the_whole_grammar() {
        for (lines, tag, expected) in [
            (&[r#""a""#][..], r#""a""#, true),
            (&[r#""b""#, r#"W/"a""#], r#""a""#, true),
            (&[r#""a""#], r#"W/"a""#, true),
            (&["*"], r#""a""#, true),
            (&[r#""a,b""#], r#""a,b""#, true),
            (&[r#""b, "a"""#], r#""a""#, false),
            (&[r#""b", *"#], r#""a""#, false),
            (&[r#""a"#], r#""a""#, false),
            (&[r#""A""#], r#""a""#, false),
            (&[], r#""a""#, false),
        ] {
            let headers = lines.iter().map(|line| (IF_NONE_MATCH, HeaderValue::from_static(line)));
            assert_eq!(has_tag(&headers.collect(), tag), expected, "{lines:?} and {tag}");
        }
    }

    #[test]
    fn if_match_has_the_grammar_of_rfc_9110_and_compares_strongly() {
        for (value, expected) in [
            (r#""v7""#, 200),
            ("*", 200),
            (" * ", 200),
            (r#""v7","#, 200),
            (r#",, "v6" , ,"v7",,"#, 200),
            ("\"v6\"\t,\t\"v7\"", 200),
            (r#""a,b", "v7""#, 200),
            (r#""v7.40""#, 412),
            (r#""é", "v7""#, 200),
            (r#"W/"v7""#, 412),
            (r#"W/"v7", "v6""#, 412),
            (r#""v6""#, 412),
            (r#""""#, 412),
            (r#""V7""#, 412),
            (r#""v07""#, 412),
            (r#""v+7""#, 412),
            (r#""v7.""#, 412),
            (r#""v7,""#, 412),
            (r#""v7.040""#, 412),
            ("v7", 400),
            ("", 400),
            (",", 400),
            (r#""v7"#, 400),
            (r#"w/"v7""#, 400),
            (r#"W/ "v7""#, 400),
            (r#""v7" "v8""#, 400),
            (r#""v 7""#, 400),
            (r#"*, "v7""#, 400),
            (r#""v7", *"#, 400),
        ] {
            assert_eq!(status("if-match", value), expected, "{value}");
        }
    }

    #[test]
    fn if_none_match_refuses_a_change_of_what_it_names() {
        for (value, expected) in
            [("*", 412), (r#""v7""#, 412), (r#"W/"v7""#, 412), (r#""v6""#, 200), ("v7", 400)]
        {
            assert_eq!(status("if-none-match", value), expected, "{value}");
        }
    }

    #[test]
    fn a_read_is_unchanged_where_a_tag_is_the_whole_tag_of_the_answer() {
        let current = EntityTag::showing(7, 40);
        for (value, expected) in [
            (r#""v7.40""#, true),
            (r#"W/"v7.40""#, true),
            (r#","v1",W/"v7.40","#, true),
            ("*", true),
            (r#""v7""#, false),
            (r#""v7.41""#, false),
            (r#""v07.40""#, false),
            ("v7.40", false),
        ] {
            assert_eq!(
                is_unchanged(&headers("if-none-match", value), current).ok(),
                Some(expected),
                "{value}"
            );
        }
    }

    #[test]
    fn a_read_of_another_version_than_the_one_that_is_wanted_is_refused() {
        let current = EntityTag::showing(7, 40);
        for (value, expected) in [
            (r#""v7.40""#, 200),
            ("*", 200),
            (r#""v7""#, 412),
            (r#"W/"v7.40""#, 412),
            (r#""v7.41""#, 412),
            ("x", 400),
        ] {
            let status = is_unchanged(&headers("if-match", value), current);
            let status = status.map_or_else(|problem| problem.status().as_u16(), |_| 200);
            assert_eq!(status, expected, "{value}");
        }
    }

    #[test]
    fn what_a_thing_shows_besides_is_no_part_of_its_version() {
        for (value, expected) in [(r#""v7.40""#, true), (r#""v7""#, true), (r#""v8.40""#, false)] {
            let condition = Precondition::read(&headers("if-match", value)).unwrap();
            assert_eq!(condition.check_shown(7).is_ok(), expected, "{value}");
        }
    }

    #[test]
    fn two_headers_are_one_list() {
        let mut both = headers("if-match", r#""v6""#);
        both.append("if-match", HeaderValue::from_static(r#""v7""#));
        assert!(Precondition::read(&both).unwrap().check(7).is_ok());
    }
}

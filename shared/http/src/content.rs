//! What a body is, by its headers: its media type (RFC 9110 section 8.3) and its content coding (section 8.4).

use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{Code, Problem};

/// `Accept-Patch`, which the `http` crate does not name (RFC 5789 section 3.1).
pub(crate) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// What a `PATCH` takes.
pub(crate) const PATCH_TYPES: HeaderValue =
    HeaderValue::from_static("application/json, application/merge-patch+json");

/// RFC 9110 section 8.4: a coding that cannot be undone is a 415 that says which ones can.
pub(crate) fn check_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let is_identity = |value: &HeaderValue| {
        let mut codings = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"))
    };
    if headers.get_all(header::CONTENT_ENCODING).iter().all(is_identity) {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedContentEncoding, "Send the body as it is, without a content coding.")
        .with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")))
}

/// RFC 5789 section 2.2 and RFC 9110 section 15.5.16: the answer says what is taken.
pub(crate) fn check_media_type(headers: &HeaderMap, is_patch: bool) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let media_type = value.to_str().ok().and_then(MediaType::parse);
    if media_type.is_some_and(|media_type| media_type.is_json(is_patch)) {
        return Ok(());
    }
    let problem = Problem::new(Code::UnsupportedMediaType, "Send the body as application/json, in UTF-8.");
    Err(if is_patch {
        problem.with_header(ACCEPT_PATCH, PATCH_TYPES)
    } else {
        problem.with_header(header::ACCEPT, HeaderValue::from_static("application/json"))
    })
}

/// Whether gzip is taken.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    accepts(headers, "gzip")
}

/// Whether a coding is taken (RFC 9110 section 12.5.3): where it is named itself, and not by `q=0`.
pub(crate) fn accepts(headers: &HeaderMap, wanted: &str) -> bool {
    let codings = headers.get_all(header::ACCEPT_ENCODING).iter();
    let codings = codings.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    codings.map(str::trim).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight: String = weight.split_whitespace().collect();
        let weight = weight.to_ascii_lowercase();
        // What is no weight is no wish (RFC 9110 section 12.4.2).
        let is_refused = weight.strip_prefix("q=").is_some_and(|q| !q.parse().is_ok_and(|q: f32| q > 0.0));
        name.trim().eq_ignore_ascii_case(wanted) && !is_refused
    })
}

/// Which of these representations the caller likes best (RFC 9110 section 12.5.1): its place, the first of equals; none
/// where it takes none of them. Who says nothing takes the first.
///
/// A range counts by its type alone: `text/csv;header=absent` is `text/csv`. What is no range is no wish, and where
/// none is left the header says nothing.
pub(crate) fn preferred(headers: &HeaderMap, media_types: &[&str]) -> Option<usize> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<(String, u16)> =
        values.flat_map(elements).filter_map(|element| media_range(&element)).collect();
    if ranges.is_empty() {
        return (!media_types.is_empty()).then_some(0);
    }
    let weight = |media_type: &str| {
        let essence = media_type.split(';').next().unwrap_or_default();
        let kind = essence.split('/').next().unwrap_or_default();
        // The most precise range decides, whatever the others say.
        let wildcard = format!("{kind}/*");
        let named = |range: &str| {
            let of_range = ranges.iter().filter(|(name, _)| name == range);
            of_range.map(|(_, weight)| *weight).max()
        };
        named(essence).or_else(|| named(&wildcard)).or_else(|| named("*/*")).unwrap_or(0)
    };
    let weights = media_types.iter().map(|media_type| weight(media_type)).enumerate();
    let best = weights
        .filter(|(_, weight)| *weight > 0)
        .max_by_key(|(place, weight)| (*weight, std::cmp::Reverse(*place)));
    best.map(|(place, _)| place)
}

/// The elements of a list, which a comma in quotation marks does not end.
fn elements(list: &str) -> Vec<String> {
    let (mut all, mut is_quoted, mut is_escaped) = (vec![String::new()], false, false);
    for c in list.chars() {
        if c == ',' && !is_quoted {
            all.push(String::new());
            continue;
        }
        if c == '"' && !is_escaped {
            is_quoted = !is_quoted;
        }
        is_escaped = is_quoted && c == '\\' && !is_escaped;
        if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    all
}

/// A media range in lower case and its weight in thousandths; none for what is not of the grammar.
fn media_range(element: &str) -> Option<(String, u16)> {
    let mut parts = element.split(';').map(|part| part.trim_matches(OWS));
    let range = parts.next()?.to_ascii_lowercase();
    let (kind, subtype) = range.split_once('/')?;
    let is_range = is_token(kind) && is_token(subtype) && (kind != "*" || subtype == "*");
    let weight = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("q").then_some(value)
    });
    let weight = weight.map_or(Some(1000), thousandths)?;
    is_range.then_some((range, weight))
}

/// RFC 9110 section 12.4.2: from 0 to 1, with three digits at most.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let is_weight = matches!(whole, "0" | "1")
        && fraction.len() <= 3
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let digits: u16 = format!("{whole}{fraction:0<3}").parse().ok().filter(|_| is_weight)?;
    (digits <= 1000).then_some(digits)
}

/// Whether a body says nothing: there is none, or it is an empty object.
pub(crate) fn is_nothing(body: &[u8]) -> bool {
    let trimmed = trim_json(body);
    let inner = trimmed.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}"));
    trimmed.is_empty() || inner.is_some_and(|inner| trim_json(inner).is_empty())
}

/// Without the white space of JSON around it (RFC 8259 section 2).
fn trim_json(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] | [rest @ .., b' ' | b'\t' | b'\n' | b'\r'] = text {
        text = rest;
    }
    text
}

/// A media type, as far as a body is told by it.
struct MediaType {
    /// `type/subtype`, in lower case.
    essence: String,
    charsets: Vec<String>,
}

impl MediaType {
    /// Reads a `Content-Type`; none for what is not of its grammar.
    fn parse(text: &str) -> Option<Self> {
        let end = text.find(';').unwrap_or(text.len());
        let (essence, mut rest) = (text[..end].trim_matches(OWS), &text[end..]);
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let mut charsets = Vec::new();
        while let Some(parameter) = rest.strip_prefix(';') {
            rest = parameter.trim_start_matches(OWS);
            // Section 5.6.6: between two semicolons there may be nothing.
            if rest.is_empty() || rest.starts_with(';') {
                continue;
            }
            let (name, after) = rest.split_once('=').filter(|(name, _)| is_token(name))?;
            let (value, after) = parameter_value(after)?;
            rest = after.trim_start_matches(OWS);
            if name.eq_ignore_ascii_case("charset") {
                charsets.push(value);
            }
        }
        rest.is_empty().then(|| Self { essence: essence.to_ascii_lowercase(), charsets })
    }

    fn is_json(&self, is_patch: bool) -> bool {
        // The names of charsets are case-insensitive (section 8.3.2).
        let is_utf8 = |charset: &String| {
            ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known))
        };
        let is_json =
            self.essence == "application/json" || is_patch && self.essence == "application/merge-patch+json";
        is_json && self.charsets.iter().all(is_utf8)
    }
}

/// Optional white space (RFC 9110 section 5.6.3).
const OWS: [char; 2] = [' ', '\t'];

/// A token or a quoted string at the start of a text, in which a quoted pair stands for its second character (RFC 9110
/// section 5.6.4), and what comes behind it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c| !is_token_character(c)).unwrap_or(text.len());
        return (end > 0).then(|| (text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token_character)
}

/// RFC 9110 section 5.6.2.
fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_object_says_nothing_and_whatever_else_there_is_says_something() {
        for body in ["", " ", "{}", "{ }", " {\r\n\t} \n"] {
            assert!(is_nothing(body.as_bytes()), "{body:?}");
        }
        for body in ["{", "}", "{{}}", "[]", "null", "\"\"", "{}{}", "{\"a\":1}", "\u{FEFF}{}", "\u{C}"] {
            assert!(!is_nothing(body.as_bytes()), "{body:?}");
        }
        assert!(!is_nothing(&[0x1F, 0x8B]));
    }

    #[test]
    fn the_representation_that_is_liked_best_is_given() {
        const FORMS: &[&str] = &["application/json", "text/csv; charset=utf-8"];
        let (json, csv) = (Some(0), Some(1));
        for (accept, expected) in [
            ("*/*", json),
            ("text/csv", csv),
            ("TEXT/CSV;header=absent", csv),
            ("text/*", csv),
            ("application/*, text/csv;q=0.9", json),
            ("application/json;q=0.5, text/csv;q=0.501", csv),
            ("application/json ; Q=0.5 ,text/csv;q=0.5", json),
            ("*/*;q=0.1, text/csv;q=0", json),
            ("*/*, application/json;q=0", csv),
            ("text/html, application/xhtml+xml, */*;q=0.8", json),
            ("text/html", None),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
            ("text/csv;q=0, text/*", None),
            ("application/problem+json", None),
            ("application/json;a=\"x,text/csv\";q=0.1, text/csv;q=0.2", csv),
            // What is no range, or no weight, is no wish.
            ("", json),
            ("csv", json),
            ("*/csv, text/csv;q=high", json),
            ("text/csv;q=1.001, application/json;q=0.001", json),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(preferred(&headers, FORMS), expected, "{accept}");
        }
        assert_eq!(preferred(&HeaderMap::new(), FORMS), json);
        let mut two = HeaderMap::new();
        two.append(header::ACCEPT, HeaderValue::from_static("application/json;q=0.3"));
        two.append(header::ACCEPT, HeaderValue::from_static("text/csv;q=0.4"));
        assert_eq!(preferred(&two, FORMS), csv);
    }

    #[test]
    fn a_media_type_is_read_by_its_grammar() {
        for (text, is_read) in [
            ("application/json", true),
            (" application/json\t;\tcharset=utf-8 ", true),
            ("application/json;", true),
            ("application/json;;charset=UTF-8;", true),
            (r#"application/json;charset="\u\t\f-8""#, true),
            (r#"application/json;charset="utf-8";a="\"; charset=latin1""#, true),
            (r#"application/json;charset="utf\-16""#, false),
            (r#"application/json;a="x";charset=latin1"#, false),
            (r#"application/json;charset="utf-8"#, false),
            (r#"application/json;charset="utf-8\"#, false),
            (r#"application/json;charset="utf-8"x"#, false),
            ("application/json;charset", false),
            ("application/json;charset=", false),
            ("application/json;charset =utf-8", false),
            ("application/json;charset= utf-8", false),
            ("application/json charset=utf-8", false),
            ("application/json,application/json", false),
            ("application /json", false),
            ("application/", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(text))]);
            assert_eq!(check_media_type(&headers, false).is_ok(), is_read, "{text}");
        }
    }
}

//! Errors as RFC 9457 problem details. What went wrong inside is logged, and never told.

use std::error::Error;

use data_encoding::HEXUPPER;
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use shop_lambda::log::Chain;
use shop_lambda::{Contention, Internal};

use crate::{Code, FieldCode};

/// One error in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where: a JSON pointer into the body (RFC 6901), or `?name` for a query parameter, or a header's name.
    pub pointer: String,
    /// What, for programs.
    pub code: FieldCode,
    /// What, for people.
    pub detail: String,
}

/// An answer that is an error. It is one pointer wide, since every handler's result carries it.
#[derive(Debug)]
pub struct Problem(Box<Details>);

#[derive(Debug)]
struct Details {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    /// Members of its own, as they are written: a number keeps its digits.
    members: Vec<(&'static str, Box<RawValue>)>,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem with a stable code for programs, from which its status follows, and a sentence for people.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Details {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            members: Vec::new(),
            headers: Vec::new(),
            source: None,
        }))
    }

    /// 401: no token, or one that proves nothing (RFC 6750 section 3).
    #[must_use]
    pub fn unauthorized(detail: &'static str, token_was_sent: bool) -> Self {
        let challenge = if token_was_sent { r#"Bearer error="invalid_token""# } else { "Bearer" };
        Self::new(Code::Unauthorized, detail)
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// 401: what was presented in the body proves nothing. The code says what kind of thing it was.
    #[must_use]
    pub fn invalid_credentials(code: Code, detail: &'static str) -> Self {
        Self::new(code, detail).with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 429: it was tried too often; in so many seconds it may be tried again (RFC 6585 section 4).
    #[must_use]
    pub fn too_many_requests(code: Code, detail: &'static str, retry_after: u32) -> Self {
        Self::new(code, detail).with_header(header::RETRY_AFTER, HeaderValue::from(retry_after))
    }

    /// 403: the role does not allow it.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(Code::Forbidden, "Only an administrator may do this.")
    }

    /// 404: there is no such thing, or it is somebody else's.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}."))
    }

    /// 412: `If-Match` names another version than the one stored.
    #[must_use]
    pub fn stale(current_version: u64) -> Self {
        Self::new(Code::StaleVersion, "It has changed since you read it.")
            .with("current_version", current_version)
    }

    /// 422: with every field that is wrong.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self::new(Code::InvalidRequest, "The request has errors; see `errors`.").with_errors(errors)
    }

    /// 400: with every query parameter that is wrong.
    #[must_use]
    pub fn invalid_query(errors: Vec<FieldError>) -> Self {
        Self::new(Code::InvalidQuery, "The query has errors; see `errors`.").with_errors(errors)
    }

    /// 503: another writer won at every try; the request may simply be sent again.
    #[must_use]
    pub fn contended() -> Self {
        Self::new(Code::Contended, "Too many changes at the same moment. Please try again.")
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// A failure that no caller can do anything about: a 500 that says nothing, or a 503 where it passes by itself.
    /// Its causes are logged.
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        let mut problem = if Contention::caused(&source) {
            Self::contended()
        } else {
            Self::new(Code::Internal, "Something went wrong on our side. Please try again.")
        };
        problem.0.source = Some(Box::new(source));
        problem
    }

    /// The same problem with a member of its own (RFC 9457 section 3.2).
    #[must_use]
    pub fn with(mut self, member: &'static str, value: impl Serialize) -> Self {
        match to_raw_value(&value) {
            Ok(value) => {
                self.0.members.push((member, value));
                self
            }
            Err(error) => Self::internal(error),
        }
    }

    /// The same problem with the fields that it concerns.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.0.errors = errors;
        self
    }

    /// The same problem with a header.
    #[must_use]
    pub fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The same problem, which is answered to some only: to whom follows from `Accept`.
    #[must_use]
    pub(crate) fn by_accept(self) -> Self {
        self.with_header(header::VARY, HeaderValue::from_static("Accept"))
    }

    /// The answer's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.code.status()
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The fields that it concerns.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// What went wrong inside, for who answers with no HTTP; its text, where nothing did.
    #[must_use]
    pub fn into_source(self) -> Box<dyn Error + Send + Sync> {
        let Details { source, detail, .. } = *self.0;
        source.unwrap_or_else(|| detail.into())
    }

    /// Writes the answer; a problem of our own is logged with its causes.
    pub(crate) fn into_response(self, request_id: &str, path: &str) -> Response<Body> {
        let details = *self.0;
        match &details.source {
            Some(source) if details.code.status() == StatusCode::SERVICE_UNAVAILABLE => {
                tracing::warn!(request.id = request_id, error = %Chain(&**source), "the request met others");
            }
            Some(source) => {
                tracing::error!(request.id = request_id, error = %Chain(&**source), "the request failed");
            }
            None => {}
        }
        let instance = &self::instance(path);
        let body = serde_json::to_string(&ProblemDocument { details: &details, request_id, instance });
        let mut response = Response::new(body.map_or_else(
            // Strings and numbers can always be written; should they not be, the status still tells.
            |error| {
                tracing::error!(request.id = request_id, %error, "a problem cannot be written");
                Body::Empty
            },
            Body::Text,
        ));
        *response.status_mut() = details.code.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(details.headers);
        response
    }
}

/// The path of a request as a problem's `instance`: a URI reference that leads to it from wherever on its host the
/// answer is read (RFC 9457 section 3.1.5), whatever a client has put into its request line.
#[must_use]
pub fn instance(path: &str) -> String {
    // `OPTIONS *` asks the whole server, whose URI has an empty path (RFC 9112 section 3.3).
    let path = if path == "*" { "" } else { path };
    let mut reference = String::with_capacity(path.len() + 2);
    if path.starts_with("//") {
        // An empty first segment would be taken for the mark of a host (RFC 3986 section 4.2).
        reference.push_str("/.");
    } else if !path.starts_with('/') {
        reference.push('/');
    }
    let bytes = path.as_bytes();
    for (at, byte) in path.bytes().enumerate() {
        let digits = bytes.get(at + 1..at + 3).unwrap_or_default();
        let is_escape = byte == b'%' && digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit);
        // What RFC 3986 section 3.3 lets into a path; of the rest a browser takes a backslash for a slash.
        if is_escape || byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            reference.push(char::from(byte));
        } else {
            reference.push('%');
            reference.push_str(&HEXUPPER.encode(&[byte]));
        }
    }
    reference
}

/// A problem as it is written: what every problem has, then what only this one has.
struct ProblemDocument<'a> {
    details: &'a Details,
    request_id: &'a str,
    instance: &'a str,
}

impl Serialize for ProblemDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let details = self.details;
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("type", &format_args!("urn:shop:problem:{}", details.code))?;
        body.serialize_entry("title", details.code.status().canonical_reason().unwrap_or("Error"))?;
        body.serialize_entry("status", &details.code.status().as_u16())?;
        body.serialize_entry("detail", &details.detail)?;
        body.serialize_entry("instance", self.instance)?;
        body.serialize_entry("code", &details.code)?;
        body.serialize_entry("request_id", self.request_id)?;
        if !details.errors.is_empty() {
            body.serialize_entry("errors", &details.errors)?;
        }
        for (member, value) in &details.members {
            body.serialize_entry(member, value)?;
        }
        body.end()
    }
}

/// `?` on a failure that says of itself that it is [`Internal`]. Every other error says what it answers where it is
/// turned into a problem, or the code does not compile.
impl<E: Internal> From<E> for Problem {
    fn from(source: E) -> Self {
        Self::internal(source)
    }
}

#[cfg(test)]
mod tests {
    use super::instance;

    #[test]
    fn an_instance_is_a_path_on_the_same_host_whatever_was_asked_for() {
        for (path, expected) in [
            ("/orders/ord_1", "/orders/ord_1"),
            ("/api/orders/", "/api/orders/"),
            ("/orders/a%2Fb", "/orders/a%2Fb"),
            ("//host/x", "/.//host/x"),
            ("///x", "/.///x"),
            ("/\\host/x", "/%5Chost/x"),
            ("/a b\"<>^`{|}", "/a%20b%22%3C%3E%5E%60%7B%7C%7D"),
            ("/100%", "/100%25"),
            ("/%zz%4", "/%25zz%254"),
            ("/a?b#c", "/a%3Fb%23c"),
            ("/é", "/%C3%A9"),
            ("/a\n", "/a%0A"),
            ("*", "/"),
            ("", "/"),
            ("https://host/x", "/https://host/x"),
            ("javascript:alert(1)", "/javascript:alert(1)"),
        ] {
            assert_eq!(instance(path), expected, "{path:?}");
        }
    }
}

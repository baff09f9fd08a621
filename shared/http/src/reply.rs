//! Answers: JSON with a status, an entity tag, and the headers of its kind.

use lambda_http::http::{HeaderName, HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use shop_types::Money;

use crate::{EntityTag, Problem};

/// What everybody may see alike, for half a minute: the catalogue's answers, in CloudFront and in browsers.
const PUBLIC_CACHE: &str = "public, max-age=30, stale-while-revalidate=60";

/// An answer that is not an error.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    body: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// 200 with a JSON body.
    ///
    /// # Errors
    /// 500 when `body` cannot be written as JSON.
    pub fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::OK, body)
    }

    /// 201 with a JSON body, and where to read it again.
    ///
    /// # Errors
    /// 500 when `body` or `location` cannot be written.
    pub fn created(location: &str, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self::json(StatusCode::CREATED, body)?.with(header::LOCATION, HeaderValue::from_str(location)?))
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, headers: Vec::new() }
    }

    /// 304: the caller has the answer with this tag.
    ///
    /// # Errors
    /// None for any tag; the header's type wants one.
    pub fn not_modified(tag: impl Into<EntityTag>) -> Result<Self, Problem> {
        Self { status: StatusCode::NOT_MODIFIED, body: None, headers: Vec::new() }.versioned(tag)
    }

    /// One page of a list; `next` is the cursor of the page behind it. `path` is the list with its filter,
    /// for the `Link` header (RFC 8288).
    ///
    /// # Errors
    /// 500 when the page cannot be written as JSON.
    pub fn page<T: Serialize>(page: &Page<T>, path: &str, limit: i32) -> Result<Self, Problem> {
        let reply = Self::ok(page)?;
        let Some(cursor) = &page.next_cursor else { return Ok(reply) };
        let separator = if path.contains('?') { '&' } else { '?' };
        let link = format!(r#"<{path}{separator}limit={limit}&cursor={cursor}>; rel="next""#);
        Ok(reply.with(header::LINK, HeaderValue::from_str(&link)?))
    }

    /// The same answer with an entity tag: that of a version, or a fuller one.
    ///
    /// # Errors
    /// None for any tag; the header's type wants one.
    pub fn versioned(self, tag: impl Into<EntityTag>) -> Result<Self, Problem> {
        Ok(self.with(header::ETAG, HeaderValue::from_str(&tag.into().to_string())?))
    }

    /// The same answer, which caches may keep and show to everybody.
    #[must_use]
    pub fn public(self) -> Self {
        self.with(header::CACHE_CONTROL, HeaderValue::from_static(PUBLIC_CACHE))
    }

    /// The same answer, marked as that of an earlier request with the same idempotency key.
    #[must_use]
    pub fn replayed(self) -> Self {
        self.with(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"))
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self { status, body: Some(serde_json::to_string(body)?), headers: Vec::new() })
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let has_body = self.body.is_some();
        let mut response = Response::new(self.body.map_or(Body::Empty, Body::Text));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if has_body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.extend(self.headers);
        response
    }
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<T> {
    /// The items.
    pub data: Vec<T>,
    /// The cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

/// An amount as the API writes it: a JSON number with all of the currency's digits, `59.90`.
#[derive(Clone, Copy, Debug)]
pub struct Decimal(pub Money);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.decimal()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

//! Answers: JSON with a status, an entity tag, and the headers of its kind.

use std::borrow::Cow;

use lambda_http::http::{HeaderName, HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use shop_auth::Principal;
use shop_types::Money;

use crate::cache::{PRIVATE, SHARED_ONLY};
use crate::{CACHE_TAG, CacheTags, EntityTag, Problem};

/// What everybody may see alike, and changes with a deployment: for half a minute, in shared caches and in browsers.
const PUBLIC_CACHE: &str = "public, max-age=30, stale-while-revalidate=60";

/// The most that the items of a page take of Lambda's 6 MB.
const MAX_PAGE_BYTES: usize = 4_000_000;

/// An answer that is not an error.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    body: Body,
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
        Ok(Self::json(StatusCode::CREATED, body)?.with(header::LOCATION, header_value(location)?))
    }

    /// 201 with a JSON body, for what cannot be read again at any address.
    ///
    /// # Errors
    /// 500 when `body` cannot be written.
    pub fn created_here(body: &impl Serialize) -> Result<Self, Problem> {
        Self::json(StatusCode::CREATED, body)
    }

    /// 200 with a body other than JSON: a page, a file.
    #[must_use]
    pub fn content(media_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, body: Body::Binary(bytes), headers: Vec::new() }
            .with(header::CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// 200 with a text of another media type than JSON.
    #[must_use]
    pub fn text(media_type: &'static str, text: String) -> Self {
        Self { status: StatusCode::OK, body: Body::Text(text), headers: Vec::new() }
            .with(header::CONTENT_TYPE, HeaderValue::from_static(media_type))
    }

    /// The same answer, of which there are other representations: which one it is follows from `Accept`.
    #[must_use]
    pub fn by_accept(self) -> Self {
        self.with(header::VARY, HeaderValue::from_static("Accept"))
    }

    /// The same for what is answered in two forms: its bytes are packed by gzip, or are not. In both, it says that it
    /// depends on what the caller takes, or a cache would show one form to everybody (RFC 9110 section 12.5.5).
    #[must_use]
    pub fn packed(media_type: &'static str, bytes: Vec<u8>, is_gzip: bool) -> Self {
        let reply =
            Self::content(media_type, bytes).with(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if is_gzip { reply.with(header::CONTENT_ENCODING, HeaderValue::from_static("gzip")) } else { reply }
    }

    /// The same answer, which browsers render as this policy allows; without one they render none.
    #[must_use]
    pub fn content_security_policy(self, policy: &'static str) -> Self {
        self.with(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy))
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Body::Empty, headers: Vec::new() }
    }

    /// 202: what was asked for is done in the background.
    #[must_use]
    pub fn accepted() -> Self {
        Self { status: StatusCode::ACCEPTED, body: Body::Empty, headers: Vec::new() }
    }

    /// 304: the caller has the answer with this tag.
    ///
    /// # Errors
    /// None for any tag; the header's type wants one.
    pub fn not_modified(tag: impl Into<EntityTag>) -> Result<Self, Problem> {
        Self { status: StatusCode::NOT_MODIFIED, body: Body::Empty, headers: Vec::new() }.versioned(tag)
    }

    /// One page of a list; `next` is the cursor of the page behind it. `path` is the list with its filter,
    /// for the `Link` header (RFC 8288).
    ///
    /// # Errors
    /// 500 when the page cannot be written as JSON.
    pub fn page<T: Serialize>(page: &Page<T>, path: &str, limit: i32) -> Result<Self, Problem> {
        Self::listed(page, page.next_cursor.as_deref(), path, limit)
    }

    /// The same, where the page says more of itself than its items and the next one.
    ///
    /// # Errors
    /// As [`Reply::page`].
    pub fn listed(
        page: &impl Serialize,
        next: Option<&str>,
        path: &str,
        limit: i32,
    ) -> Result<Self, Problem> {
        let reply = Self::ok(page)?;
        let Some(cursor) = next else { return Ok(reply) };
        let separator = if path.contains('?') { '&' } else { '?' };
        let link = format!(r#"<{path}{separator}limit={limit}&cursor={cursor}>; rel="next""#);
        Ok(reply.with(header::LINK, header_value(&link)?))
    }

    /// The same answer with an entity tag: that of a version, or a fuller one.
    ///
    /// # Errors
    /// None for any tag; the header's type wants one.
    pub fn versioned(self, tag: impl Into<EntityTag>) -> Result<Self, Problem> {
        Ok(self.with(header::ETAG, header_value(&tag.into().to_string())?))
    }

    /// The same answer, which caches may keep and show to everybody.
    #[must_use]
    pub fn public(self) -> Self {
        self.with(header::CACHE_CONTROL, HeaderValue::from_static(PUBLIC_CACHE))
    }

    /// The same answer about the catalogue, which shared caches may keep and show to everybody until they are told to
    /// forget it; but not what somebody with a token is answered: who has just changed a product sees the change.
    #[must_use]
    pub fn catalogue(self, caller: &Principal, tags: &CacheTags) -> Self {
        let reply = self.with(header::VARY, HeaderValue::from_static("Authorization"));
        match tags.header().filter(|_| *caller == Principal::Guest) {
            Some(tags) => {
                reply.with(header::CACHE_CONTROL, HeaderValue::from_static(SHARED_ONLY)).with(CACHE_TAG, tags)
            }
            None => reply.with(header::CACHE_CONTROL, HeaderValue::from_static(PRIVATE)),
        }
    }

    /// The same answer, marked as that of an earlier request with the same idempotency key.
    #[must_use]
    pub fn replayed(self) -> Self {
        self.with(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"))
    }

    fn json(status: StatusCode, body: &impl Serialize) -> Result<Self, Problem> {
        let reply = Self { status, body: Body::Text(serde_json::to_string(body)?), headers: Vec::new() };
        Ok(reply.with(header::CONTENT_TYPE, HeaderValue::from_static("application/json")))
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.headers);
        response
    }
}

/// What we put into a header is fit for one, or it is our fault.
pub(crate) fn header_value(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(Problem::internal)
}

/// One page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    /// The items.
    pub data: Vec<T>,
    /// The cursor of the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

impl Page<Box<RawValue>> {
    /// As many of the items as an answer holds, at least one, as `view` shows them; with the `cursor` of the last of
    /// them, where some are left over. Lambda's answers end at 6 MB, and hold the body as a JSON text: a quotation
    /// mark takes two bytes there.
    ///
    /// # Errors
    /// 500 when an item cannot be written as JSON; what `view` and `cursor` fail with.
    pub fn fitting<'i, T, V: Serialize, E: Into<Problem>>(
        items: &'i [T],
        view: impl Fn(&'i T) -> Result<V, E>,
        cursor: impl Fn(&'i T) -> Result<String, serde_json::Error>,
    ) -> Result<Self, Problem> {
        let mut data: Vec<Box<RawValue>> = Vec::with_capacity(items.len());
        let (mut bytes, mut last) = (0, None);
        for item in items {
            let json = to_raw_value(&view(item).map_err(Into::into)?)?;
            bytes += json.get().len() + json.get().bytes().filter(|byte| b"\"\\".contains(byte)).count();
            if bytes > MAX_PAGE_BYTES
                && let Some(last) = last
            {
                return Ok(Self { data, next_cursor: Some(cursor(last)?) });
            }
            data.push(json);
            last = Some(item);
        }
        Ok(Self { data, next_cursor: None })
    }
}

/// An amount as the API writes it: a JSON number with all of the currency's digits, `59.90`.
#[derive(Clone, Copy, Debug)]
pub struct Decimal(pub Money);

impl JsonSchema for Decimal {
    fn schema_name() -> Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "number",
            "description": "An amount with all the digits of its currency: read it as a decimal, not as a float."
        })
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.decimal()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(items: &[String]) -> Page<Box<RawValue>> {
        Page::fitting(items, Ok::<_, Problem>, |last| Ok(last.chars().take(3).collect())).unwrap()
    }

    #[test]
    fn a_page_ends_by_bytes_and_never_before_its_first_item() {
        let item = |number: usize, length: usize| format!("{number:03}{}", "a".repeat(length));
        let few: Vec<_> = (0..100).map(|number| item(number, 30_000)).collect();
        assert_eq!((page(&few).data.len(), page(&few).next_cursor), (100, None));
        let large: Vec<_> = (0..100).map(|number| item(number, 73_000)).collect();
        let shown = page(&large);
        assert_eq!((shown.data.len(), shown.next_cursor.as_deref()), (54, Some("053")));
        // Within Lambda's answer each quotation mark is escaped once more.
        let quoted: Vec<_> = (0..100).map(|number| format!("{number:03}{}", "\"".repeat(20_000))).collect();
        let shown = page(&quoted);
        let escaped = serde_json::to_string(&serde_json::to_string(&shown).unwrap()).unwrap();
        assert!(shown.next_cursor.is_some() && escaped.len() < 5_000_000, "{}", escaped.len());
        let huge = vec![item(0, 9_000_000), item(1, 1)];
        assert_eq!((page(&huge).data.len(), page(&huge).next_cursor.as_deref()), (1, Some("000")));
        assert_eq!((page(&[]).data.len(), page(&[]).next_cursor), (0, None));
    }
}

//! An answer of the API, which knows what it answers.

use std::panic::Location;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use serde_json::Value;
use shop_local::cloud::Cloud;

/// How much of a request's body a failure shows.
const SHOWN: usize = 300;

/// An answer, its body read as JSON; null where there is none.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Value,
    /// The body as it came.
    pub text: String,
    /// The request: its method, path and body.
    asked: String,
}

impl Answer {
    /// The answer to a request that comes from a network address.
    pub(crate) async fn to(request: Request<Bytes>, cloud: &Cloud, source: &str) -> Result<Self> {
        let body: String = String::from_utf8_lossy(request.body()).chars().take(SHOWN).collect();
        let asked = format!("{} {} {body}", request.method(), request.uri()).trim_end().to_owned();
        let (parts, body) = cloud.invoke_http(request, source).await.into_parts();
        let text = String::from_utf8(body.to_vec()).with_context(|| asked.clone())?;
        let media_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let body = match media_type {
            _ if text.is_empty() => Ok(Value::Null),
            // A page is no JSON, and too long to be shown.
            Some(media_type) if media_type.starts_with("text/") => Ok(Value::String(text.clone())),
            _ => serde_json::from_str(&text),
        };
        let body = body.with_context(|| format!("{asked}: {text}"))?;
        Ok(Self { status: parts.status.as_u16(), headers: parts.headers, body, text, asked })
    }

    /// This answer, if it has a status.
    ///
    /// # Errors
    /// When it has another: where in the test, which request, and what the answer says.
    #[track_caller]
    pub fn expect(self, status: u16) -> Result<Self> {
        self.expect_at(status, Location::caller())
    }

    /// The same on behalf of a place in a test.
    pub(crate) fn expect_at(self, status: u16, place: &Location<'_>) -> Result<Self> {
        ensure!(
            self.status == status,
            "{place}: {}: {} instead of {status}: {}",
            self.asked,
            self.status,
            self.text
        );
        Ok(self)
    }

    /// This answer, if it has one of some statuses.
    ///
    /// # Errors
    /// When it has another.
    #[track_caller]
    pub fn expect_any(self, statuses: &[u16]) -> Result<Self> {
        let place = Location::caller();
        ensure!(
            statuses.contains(&self.status),
            "{place}: {}: {} instead of one of {statuses:?}: {}",
            self.asked,
            self.status,
            self.text
        );
        Ok(self)
    }

    /// This answer, if it is a problem with a status and a code.
    ///
    /// # Errors
    /// When it is not.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Result<Self> {
        let place = Location::caller();
        let answer = self.expect_at(status, place)?;
        let media_type = answer.header("content-type").with_context(|| place.to_string())?;
        ensure!(media_type == "application/problem+json", "{place}: {}: {media_type}", answer.asked);
        ensure!(answer.body["code"] == code, "{place}: {}: not {code}: {}", answer.asked, answer.text);
        Ok(answer)
    }

    /// A header that must be there.
    ///
    /// # Errors
    /// When it is not.
    #[track_caller]
    pub fn header(&self, name: &str) -> Result<&str> {
        let place = Location::caller();
        let missing = || format!("{place}: {}: no {name} in {:?}", self.asked, self.headers);
        Ok(self.headers.get(name).with_context(missing)?.to_str()?)
    }

    /// The JSON pointers of the fields that are wrong.
    #[must_use]
    pub fn pointers(&self) -> Vec<&str> {
        self.body["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|error| error["pointer"].as_str())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_tells_the_line_the_request_and_the_answer() {
        let answer = || Answer {
            status: 201,
            headers: HeaderMap::new(),
            body: Value::Null,
            text: r#"{"id":1}"#.to_owned(),
            asked: r#"POST /orders {"items":[]}"#.to_owned(),
        };
        let line = line!() + 1;
        let error = answer().expect(401).unwrap_err().to_string();
        let place = Location::caller();
        let place = format!("{}:{line}:", place.file());
        assert!(error.starts_with(&place), "{error}");
        let rest = r#": POST /orders {"items":[]}: 201 instead of 401: {"id":1}"#;
        assert!(error.ends_with(rest), "{error}");
        for error in [
            answer().problem(401, "no_token").unwrap_err(),
            answer().problem(201, "no_token").unwrap_err(),
            answer().expect_any(&[200, 204]).unwrap_err(),
        ] {
            assert!(error.to_string().contains("answer.rs:"), "{error}");
        }
        answer().expect_any(&[200, 201]).unwrap();
    }
}

//! An answer of the API.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, Response};
use serde_json::Value;

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
}

impl Answer {
    pub(crate) fn of(response: Response<Bytes>) -> Result<Self> {
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.to_vec())?;
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? };
        Ok(Self { status: parts.status.as_u16(), headers: parts.headers, body, text })
    }

    /// This answer, if it has a status.
    ///
    /// # Errors
    /// When it has another.
    pub fn expect(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "{} instead of {status}: {}", self.status, self.text);
        Ok(self)
    }

    /// This answer, if it is a problem with a status and a code.
    ///
    /// # Errors
    /// When it is not.
    pub fn problem(self, status: u16, code: &str) -> Result<Self> {
        let answer = self.expect(status)?;
        ensure!(answer.header("content-type")? == "application/problem+json", "{answer:?}");
        ensure!(answer.body["code"] == code, "not {code}: {}", answer.text);
        Ok(answer)
    }

    /// A header that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn header(&self, name: &str) -> Result<&str> {
        Ok(self.headers.get(name).with_context(|| format!("no {name} in {:?}", self.headers))?.to_str()?)
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

//! `CreateInvalidation`, the one operation of CloudFront that the shop calls: a request and an answer in XML
//! (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html>).

use std::collections::BTreeSet;

use serde::Deserialize;
use shop_types::Timestamp;

use crate::cloud::AwsError;
use crate::cloud::xml::{element, elements};

/// The version of the API, which every path begins with.
const VERSION: &str = "2020-05-31";
const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
/// The most paths of invalidations that are under way.
const MAX_PATHS: usize = 3000;
const MAX_TAG_LENGTH: usize = 256;

/// An invalidation.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cloud) struct Request {
    /// The distribution's id.
    pub(super) distribution: String,
    /// What the caller calls it.
    pub(super) reference: String,
    paths: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Body {
    #[serde(rename = "@xmlns", default)]
    _namespace: Option<String>,
    paths: Paths,
    caller_reference: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Paths {
    quantity: usize,
    items: Option<Items>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Items {
    #[serde(default)]
    path: Vec<String>,
}

impl Request {
    /// The operation of a request's path, `/2020-05-31/distribution/<id>/invalidation`: the distribution's id.
    pub(in crate::cloud) fn addressed(path: &str) -> Option<&str> {
        let rest = path.strip_prefix('/')?.strip_prefix(VERSION)?.strip_prefix("/distribution/")?;
        rest.strip_suffix("/invalidation").filter(|id| !id.is_empty() && !id.contains('/'))
    }

    pub(in crate::cloud) fn parse(distribution: &str, body: &[u8]) -> Result<Self, AwsError> {
        let malformed = |error: String| AwsError::client("MalformedInput", error);
        let text = std::str::from_utf8(body).map_err(|error| malformed(error.to_string()))?;
        let body: Body = quick_xml::de::from_str(text).map_err(|error| malformed(error.to_string()))?;
        let paths = body.paths.items.map(|items| items.path).unwrap_or_default();
        if paths.len() != body.paths.quantity {
            let message = "The value of Quantity and the size of Items don't match.";
            return Err(AwsError::client("InconsistentQuantities", message));
        }
        Ok(Self { distribution: distribution.to_owned(), reference: body.caller_reference, paths })
    }

    /// How many paths it is billed as.
    pub(in crate::cloud) fn billed(&self) -> u64 {
        u64::try_from(self.paths.len()).unwrap_or(u64::MAX)
    }

    /// The tags that it names, in lower case: their case does not matter. Paths are not known here.
    pub(super) fn tags(&self) -> Result<BTreeSet<String>, AwsError> {
        if self.paths.is_empty() || self.paths.len() > MAX_PATHS {
            let message = "Your request contains no invalidation path, or too many of them.";
            return Err(AwsError::client("InvalidArgument", message));
        }
        let tag = |path: &String| {
            let tag = path.strip_prefix('#').filter(|tag| {
                (1..=MAX_TAG_LENGTH).contains(&tag.len())
                    && tag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',' && byte != b'*')
            });
            let message = || format!("Your request contains an invalid invalidation path: {path}");
            tag.map(str::to_ascii_lowercase).ok_or_else(|| AwsError::client("InvalidArgument", message()))
        };
        self.paths.iter().map(tag).collect()
    }

    pub(super) fn answer(&self, id: &str, now: i64) -> String {
        let paths: Vec<_> = self.paths.iter().map(|path| ("Path", path.as_str())).collect();
        let quantity = self.paths.len().to_string();
        let items = elements(&[("Quantity", &quantity)]) + &element("Items", &elements(&paths));
        let batch = element("Paths", &items) + &elements(&[("CallerReference", &self.reference)]);
        let time = Timestamp::from_millis(now).to_string();
        let fields = elements(&[("Id", id), ("Status", "InProgress"), ("CreateTime", &time)]);
        format!(
            "<Invalidation xmlns=\"{NAMESPACE}\">{fields}{}</Invalidation>",
            element("InvalidationBatch", &batch)
        )
    }
}

/// The answer to a refused call.
pub(in crate::cloud) fn error_body(error: &AwsError, request_id: &str) -> Vec<u8> {
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    let fields = elements(&[("Type", fault), ("Code", &error.code), ("Message", &error.message)]);
    let body = element("Error", &fields) + &elements(&[("RequestId", request_id)]);
    format!("<ErrorResponse xmlns=\"{NAMESPACE}\">{body}</ErrorResponse>").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(paths: &str) -> Result<Request, AwsError> {
        let body = format!(
            "<InvalidationBatch xmlns=\"{NAMESPACE}\"><Paths>{paths}</Paths><CallerReference>r</CallerReference></InvalidationBatch>"
        );
        Request::parse("EDGE", body.as_bytes())
    }

    #[test]
    fn requests_are_read_as_the_sdk_writes_them() {
        let two = "<Quantity>2</Quantity><Items><Path>#product:Prod-1</Path><Path>#lists</Path></Items>";
        let request = parsed(two).unwrap();
        assert_eq!(request.billed(), 2);
        assert_eq!(request.tags().unwrap(), ["lists".to_owned(), "product:prod-1".to_owned()].into());
        let code = |paths: &str| parsed(paths).and_then(|request| request.tags()).unwrap_err().code;
        assert_eq!(code("<Quantity>1</Quantity>"), "InconsistentQuantities");
        assert_eq!(code("<Quantity>0</Quantity>"), "InvalidArgument");
        for path in ["/products/*", "#", "#a,b", "#a b", "#product*"] {
            let one = format!("<Quantity>1</Quantity><Items><Path>{path}</Path></Items>");
            assert_eq!(code(&one), "InvalidArgument", "{path}");
        }
        assert_eq!(Request::parse("EDGE", b"<Invalid").unwrap_err().code, "MalformedInput");
    }

    #[test]
    fn only_the_path_of_the_operation_is_known() {
        assert_eq!(Request::addressed("/2020-05-31/distribution/E1/invalidation"), Some("E1"));
        for other in [
            "/2020-05-31/distribution/E1",
            "/2020-05-31/distribution//invalidation",
            "/2019-03-26/distribution/E1/invalidation",
        ] {
            assert_eq!(Request::addressed(other), None, "{other}");
        }
    }
}

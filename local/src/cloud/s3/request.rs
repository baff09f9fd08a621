//! A request to S3: which operation it is, on what, and what that needs to be allowed.

use bytes::Bytes;
use http::Uri;
use http::header::{AUTHORIZATION, HOST, IF_MATCH, IF_NONE_MATCH};
use percent_encoding::percent_decode_str;

use crate::cloud::AwsError;
use crate::cloud::observer::Access;

/// Where the embedded cloud says that it is. A bucket's own name comes before it.
pub(super) const HOST_NAME: &str = "aws.localhost";
/// The parameters of a query that are the signature's.
pub(super) const SIGNATURE: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
];

/// A request whose signature was taken off: who sent it is known, and `s3s` would check it by the wrong clock.
#[derive(Debug)]
pub(in crate::cloud) struct Request {
    operation: &'static str,
    bucket: String,
    key: String,
    pub(super) http: http::Request<Bytes>,
}

impl Request {
    /// Reads a request. `uri` is absolute, or the path alone with the bucket first.
    pub(in crate::cloud) fn parse<'a>(
        method: &str,
        uri: &str,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        body: Bytes,
    ) -> Result<Self, AwsError> {
        let malformed = |error: &dyn std::fmt::Display| AwsError::client("InvalidRequest", error.to_string());
        let uri: Uri = uri.parse().map_err(|error: http::uri::InvalidUri| malformed(&error))?;
        let path = path_of(&uri);
        let (bucket, key) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
        let decode = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
        let bucket = decode(bucket).map_err(|error| malformed(&error))?;
        let key = decode(key).map_err(|error| malformed(&error))?;
        let query = uri.query().unwrap_or_default();
        let Some(operation) = operation(method, !key.is_empty(), query) else {
            let message = format!("the embedded cloud does not know {method} {path}");
            return Err(AwsError::client("NotImplemented", message).with_status(501));
        };
        let unsigned = unsigned(query);
        let target = if unsigned.is_empty() { path } else { format!("{path}?{unsigned}") };
        let mut http = http::Request::builder().method(method).uri(target);
        for (name, value) in headers {
            let is_signature = name.eq_ignore_ascii_case(AUTHORIZATION.as_str())
                || name.eq_ignore_ascii_case(HOST.as_str())
                || name.to_ascii_lowercase().starts_with("x-amz-content-sha256")
                || name.eq_ignore_ascii_case("x-amz-date")
                || name.eq_ignore_ascii_case("x-amz-security-token");
            if !is_signature {
                http = http.header(name, value);
            }
        }
        let http = http.body(body).map_err(|error| malformed(&error))?;
        Ok(Self { operation, bucket, key, http })
    }

    /// Takes away what it asks of the version that is there.
    pub(in crate::cloud) fn ignore_conditions(&mut self) {
        for name in [IF_MATCH, IF_NONE_MATCH] {
            self.http.headers_mut().remove(name);
        }
    }

    pub(in crate::cloud) fn operation(&self) -> &'static str {
        self.operation
    }

    pub(in crate::cloud) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What it needs to be allowed: on the bucket, or on the folder that the object is in, as `bucket/imports/*`. A
    /// statement of the template names no other part of a bucket.
    pub(in crate::cloud) fn accesses(&self) -> Vec<Access> {
        let action = match self.operation {
            "GetObject" | "HeadObject" => "s3:GetObject",
            "DeleteObject" => "s3:DeleteObject",
            "ListObjectsV2" => "s3:ListBucket",
            "AbortMultipartUpload" => "s3:AbortMultipartUpload",
            // AWS has one permission for all of a write.
            _ => "s3:PutObject",
        };
        let resource = match self.key.split_once('/') {
            _ if self.key.is_empty() => self.bucket.clone(),
            Some((folder, _)) => format!("{}/{folder}/*", self.bucket),
            None => format!("{}/*", self.bucket),
        };
        vec![Access { action: action.to_owned(), resource }]
    }
}

/// The operation of a request, by its method, whether it names an object, and its query.
fn operation(method: &str, has_key: bool, query: &str) -> Option<&'static str> {
    let has = |wanted: &str| form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == wanted);
    Some(match (method, has_key) {
        ("GET", false) if has("list-type") => "ListObjectsV2",
        ("GET", true) => "GetObject",
        ("HEAD", true) => "HeadObject",
        ("PUT", true) if has("uploadId") => "UploadPart",
        ("PUT", true) => "PutObject",
        ("POST", true) if has("uploads") => "CreateMultipartUpload",
        ("POST", true) if has("uploadId") => "CompleteMultipartUpload",
        ("DELETE", true) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", true) => "DeleteObject",
        _ => return None,
    })
}

/// The path with the bucket first, whether the request names it there or in the host.
fn path_of(uri: &Uri) -> String {
    let bucket = uri.host().and_then(|host| host.strip_suffix(HOST_NAME)?.strip_suffix('.'));
    match bucket {
        Some(bucket) => format!("/{bucket}{}", uri.path()),
        None => uri.path().to_owned(),
    }
}

/// A query without what belongs to its signature, as it was written.
pub(super) fn unsigned(query: &str) -> String {
    let is_signature = |pair: &&str| SIGNATURE.contains(&pair.split('=').next().unwrap_or_default());
    let pairs: Vec<_> = query.split('&').filter(|pair| !pair.is_empty() && !is_signature(pair)).collect();
    pairs.join("&")
}

//! What the gateway itself answers with when it does not pass a request on: RFC 9457 problem details,
//! in the same members as the functions' own.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use serde::Serialize;
use shop_lambda::Random;

/// The methods of what the gateway has itself and what is only read: the root, the mailbox, the list of faults.
pub(super) const READ_METHODS: &str = "GET, HEAD, OPTIONS";

/// Why a request is not passed on, or why its answer cannot be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GatewayError {
    #[error("The request must name one host.")]
    MalformedHost,
    #[error("This server answers under a loopback name with its own port, and under no other.")]
    ForeignHost,
    #[error("The request comes from a page of another origin.")]
    ForeignOrigin,
    #[error("This path does not have this method; see Allow.")]
    MethodNotAllowed { allow: &'static str },
    #[error("There is no such mail here, or no mailbox.")]
    NoSuchMail,
    #[error("There is no such function here.")]
    NoSuchFunction,
    #[error("This server has no S3: a presigned URL points elsewhere.")]
    NoSuchObject,
    #[error("The body is larger than 65536 bytes.")]
    BodyTooLarge,
    #[error("The object is larger than 268435456 bytes.")]
    ObjectTooLarge,
    #[error("Send the body without a transfer coding other than chunked.")]
    TransferCoding,
    #[error("The body broke off.")]
    BodyBroken,
    #[error("The body did not arrive in time.")]
    BodySlow,
    #[error("The demo identity could not be given.")]
    NoIdentity,
    #[error("The request failed inside the server.")]
    Failed,
    #[error("The API behind the gateway could not be reached.")]
    Unreachable,
    #[error("The API behind the gateway did not answer in time.")]
    UpstreamSlow,
}

impl GatewayError {
    const fn status(self) -> StatusCode {
        match self {
            Self::MalformedHost | Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::ForeignHost | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoSuchMail | Self::NoSuchFunction | Self::NoSuchObject => StatusCode::NOT_FOUND,
            Self::BodyTooLarge | Self::ObjectTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TransferCoding => StatusCode::NOT_IMPLEMENTED,
            Self::BodySlow => StatusCode::REQUEST_TIMEOUT,
            Self::NoIdentity | Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unreachable => StatusCode::BAD_GATEWAY,
            Self::UpstreamSlow => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// The stable word for programs.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::MalformedHost => "malformed_host",
            Self::ForeignHost => "foreign_host",
            Self::ForeignOrigin => "foreign_origin",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::NoSuchMail | Self::NoSuchFunction | Self::NoSuchObject => "not_found",
            Self::BodyTooLarge | Self::ObjectTooLarge => "body_too_large",
            Self::TransferCoding => "unsupported_transfer_encoding",
            Self::BodyBroken => "incomplete_body",
            Self::BodySlow => "body_timeout",
            Self::NoIdentity | Self::Failed => "internal",
            Self::Unreachable => "upstream_unreachable",
            Self::UpstreamSlow => "upstream_timeout",
        }
    }

    /// A part of the body may still be under way: the connection cannot carry another request.
    const fn ends_connection(self) -> bool {
        matches!(
            self,
            Self::BodyTooLarge
                | Self::ObjectTooLarge
                | Self::TransferCoding
                | Self::BodyBroken
                | Self::BodySlow
        )
    }

    /// The answer: a problem document with a request id of its own, and never cached.
    pub(super) fn response(self, path: &str, random: &Random) -> Response<Full<Bytes>> {
        let status = self.status();
        let request_id = HEXLOWER.encode(&random.bytes::<16>());
        let document = Document {
            kind: format!("urn:shop:problem:{}", self.code()),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: self.to_string(),
            instance: shop_http::instance(path),
            code: self.code(),
            request_id: &request_id,
        };
        // Strings and a number always have a JSON form; without one the status still says enough.
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in shop_http::SECURITY_HEADERS {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert("x-request-id", id);
        }
        if let Self::MethodNotAllowed { allow } = self {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if self.ends_connection() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// What a path of the gateway's own answers where it does nothing else with a method: `OPTIONS` is told which methods the
/// path has, and any other that it is none of them (RFC 9110 sections 9.3.7 and 15.5.6).
pub(super) fn other_method(method: &Method, allow: &'static str) -> Result<Response<Bytes>, GatewayError> {
    if *method != Method::OPTIONS {
        return Err(GatewayError::MethodNotAllowed { allow });
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    Ok(response)
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    instance: String,
    code: &'static str,
    request_id: &'a str,
}

//! Pages of other origins, as API Gateway treats them by the template's `CorsConfiguration` (the Fetch standard's
//! CORS protocol): it answers preflights itself, and marks the answers that such a page may read.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use crate::template::Cors;

/// The origin of the page that sends the request, if it is one that is let in.
pub(super) fn allowed_origin(cors: &Cors, headers: &HeaderMap) -> Option<HeaderValue> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = origins.next().filter(|_| origins.next().is_none())?;
    cors.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

/// The answer to a preflight: a browser's question whether a page may send what it is about to send.
pub(super) fn preflight(cors: &Cors, request: &Parts) -> Option<Response<Full<Bytes>>> {
    if request.method != Method::OPTIONS || !request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let max_age = cors.max_age.map(|seconds| seconds.to_string());
    let values = [
        (ACCESS_CONTROL_ALLOW_METHODS, Some(cors.methods.join(","))),
        (ACCESS_CONTROL_ALLOW_HEADERS, Some(cors.headers.join(",").to_ascii_lowercase())),
        (ACCESS_CONTROL_MAX_AGE, max_age),
    ];
    for (name, value) in values {
        response
            .headers_mut()
            .extend(value.and_then(|value| HeaderValue::try_from(value).ok()).map(|value| (name, value)));
    }
    Some(response)
}

/// Lets a page of this origin read an answer. Every answer says that it depends on the origin, also one to who named
/// none, or a cache would show it to a page without the leave to read it (the Fetch standard, "CORS protocol and HTTP
/// caches").
pub(super) fn expose(cors: &Cors, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    headers.append(VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else { return };
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if let Ok(exposed) = HeaderValue::try_from(cors.exposed.join(",").to_ascii_lowercase()) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

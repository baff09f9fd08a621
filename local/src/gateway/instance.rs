//! The `instance` of a problem document: the path as the client has written it, and not as a route has it.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use serde_json::value::to_raw_value;
use shop_http::Members;

/// Names the path that was asked for in a problem document (RFC 9457 section 3.1.5). Another answer stays as it is.
pub(super) fn name(asked: &str, response: &mut Response<Bytes>) {
    if response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes) != Some(b"application/problem+json") {
        return;
    }
    // A document that is none is somebody else's, and theirs to answer for; so is a HEAD's, which is empty.
    let Ok(Members(mut members)) = serde_json::from_slice(response.body()) else { return };
    for (_, value) in members.iter_mut().filter(|(name, _)| name == "instance") {
        if let Ok(instance) = to_raw_value(&shop_http::instance(asked)) {
            *value = instance;
        }
    }
    if let Ok(body) = serde_json::to_vec(&Members(members)) {
        *response.body_mut() = body.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(media_type: &'static str, body: &'static str) -> String {
        let mut response = Response::new(Bytes::from_static(body.as_bytes()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        name("/api/orders/", &mut response);
        String::from_utf8(response.into_body().to_vec()).unwrap()
    }

    #[test]
    fn a_problem_s_path_is_the_client_s_and_the_rest_stays() {
        const PROBLEM: &str = "application/problem+json";
        let problem = r#"{"type":"urn:x","detail":"\"instance\":\"/orders\"","instance":"/orders","current":{"price":29.90,"instance":1}}"#;
        let expected = problem.replace(r#","instance":"/orders","#, r#","instance":"/api/orders/","#);
        assert_eq!(named(PROBLEM, problem), expected);
        for other in ["", "null", "[1]", "{\"instance\":", r#"{"a":1.0}"#] {
            assert_eq!(named(PROBLEM, other), other);
        }
        assert_eq!(named("application/json", problem), problem);
    }
}

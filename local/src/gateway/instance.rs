//! The `instance` of a problem document: the path as the client has written it, and not as a route has it.

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

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

/// The members of an object as they were written: in their order, and numbers with all their digits.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            object.serialize_entry(name, value)?;
        }
        object.end()
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

//! API Gateway's HTTP event (payload format 2.0), read without trusting a byte that the client chose.
//!
//! It takes the place of `lambda_http`'s adapter, which builds a URI and a request of what the client sent and
//! panics where that cannot be (docs/decisions/0031). Here a header that is no header is left out, a query is
//! bytes until a parameter is read of it, and only what is not the gateway's form of an event is an error.

use std::collections::BTreeMap;
use std::net::IpAddr;

use data_encoding::BASE64;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Deserialize;

/// What a route needs of a request.
#[derive(Debug)]
pub(crate) struct HttpRequest {
    pub(crate) method: Method,
    /// As it came, percent-encoded.
    pub(crate) path: String,
    /// Without the question mark, percent-encoded.
    pub(crate) query: String,
    /// A header that was sent twice is one, its values joined by commas: so does the gateway.
    pub(crate) headers: HeaderMap,
    /// Each as `name=value`. They prove who somebody is: they are not to be logged.
    pub(crate) cookies: Vec<String>,
    /// The path parameter `id`, decoded.
    pub(crate) id: Option<String>,
    /// None where the gateway says that it is base 64, and it is not.
    pub(crate) body: Option<Vec<u8>>,
    /// The client's address, as the gateway saw it.
    pub(crate) source: Option<IpAddr>,
    /// The gateway's id of the request; empty where another caller left it out.
    pub(crate) request_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    #[serde(default)]
    raw_path: Option<String>,
    #[serde(default)]
    raw_query_string: Option<String>,
    #[serde(default)]
    headers: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(default)]
    path_parameters: Option<BTreeMap<String, Option<String>>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: RequestContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    request_id: Option<String>,
    http: Http,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    source_ip: Option<String>,
}

impl HttpRequest {
    /// The request's id: Lambda's own where a caller other than the gateway left it out.
    pub(crate) fn request_id(&self, lambda_id: String) -> String {
        Some(&self.request_id).filter(|id| !id.is_empty()).cloned().unwrap_or(lambda_id)
    }

    /// Reads an event.
    pub(crate) fn read(payload: &str) -> Result<Self, serde_json::Error> {
        let event: Event = serde_json::from_str(payload)?;
        let RequestContext { request_id, http } = event.request_context;
        let text = event.body.unwrap_or_default();
        let body = if event.is_base64_encoded {
            BASE64.decode(text.as_bytes()).ok()
        } else {
            Some(text.into_bytes())
        };
        let headers = headers(event.headers.unwrap_or_default());
        let cookies = event.cookies.unwrap_or_else(|| cookies(&headers));
        Ok(Self {
            // A method that is no token reaches no route; were it to, it is none that a route answers.
            method: http.method.parse().unwrap_or(Method::TRACE),
            path: event.raw_path.or(http.path).unwrap_or_default(),
            query: event.raw_query_string.unwrap_or_default(),
            headers,
            cookies,
            id: event.path_parameters.and_then(|mut parameters| parameters.remove("id")?),
            body,
            source: http.source_ip.and_then(|address| address.parse().ok()),
            request_id: request_id.unwrap_or_default(),
        })
    }
}

/// The cookies of a header: the gateway takes them out of it, and an emulator leaves them there.
fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).map(|cookie| cookie.trim().to_owned()).collect()
}

fn headers(given: BTreeMap<String, Option<String>>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let name = HeaderName::try_from(name);
        let value = HeaderValue::try_from(value.unwrap_or_default());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_header_is_left_out_and_the_rest_is_read() {
        let payload = r#"{
            "rawPath": "/things/\"<>\\ \u0000", "rawQueryString": "a=\"<>\u0000%zz&\ud83d\ude00", "cookies": ["x"],
            "headers": {"X-Forwarded-Proto": "https,http", "not a name": "a", "bad-value": "a\nb", "ok": "é", "n": null},
            "pathParameters": {"id": "a b"}, "body": "///", "isBase64Encoded": true,
            "requestContext": {"http": {"method": "g e t", "sourceIp": "nowhere"}}
        }"#;
        let request = HttpRequest::read(payload).unwrap();
        let names: Vec<_> = request.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        assert_eq!((request.method, request.source, request.body), (Method::TRACE, None, None));
        assert_eq!(request.id.as_deref(), Some("a b"));
        assert!(request.request_id.is_empty());
        assert_eq!(request.cookies, ["x"]);
    }

    #[test]
    fn cookies_are_found_where_the_gateway_puts_them_and_where_an_emulator_leaves_them() {
        let context = r#""requestContext": {"http": {"method": "GET"}}"#;
        for (event, expected) in [
            (format!(r#"{{"cookies": ["a=1", "b=2"], {context}}}"#), vec!["a=1", "b=2"]),
            (format!(r#"{{"headers": {{"cookie": "a=1; b=2"}}, {context}}}"#), vec!["a=1", "b=2"]),
            (format!("{{{context}}}"), vec![]),
        ] {
            assert_eq!(HttpRequest::read(&event).unwrap().cookies, expected, "{event}");
        }
    }

    #[test]
    fn another_event_is_no_request() {
        for payload in ["{}", "null", r#"{"Records": []}"#, r#"{"requestContext": {}}"#] {
            assert!(HttpRequest::read(payload).is_err(), "{payload}");
        }
    }
}

//! `/faults`: which functions are to fail, for who shows the shop to somebody. It is no path of the API.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use super::error::{GatewayError, READ_METHODS, other_method};
use crate::demonstration::Demonstration;

const PATH: &str = "/faults";
/// The methods of one function's fault: it is switched, and the list shows whether it is on.
const SWITCH_METHODS: &str = "DELETE, OPTIONS, PUT";

/// What of the faults a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked<'a> {
    List,
    /// The fault of a function.
    Of(&'a str),
}

/// What a path asks for, if it is one of these.
pub(super) fn asked(path: &str) -> Option<Asked<'_>> {
    match path.strip_prefix(PATH)? {
        "" => Some(Asked::List),
        rest => rest.strip_prefix('/').map(Asked::Of),
    }
}

/// Lists the functions that fail, or has one fail, or be well again.
pub(super) fn answer(
    shown: &Demonstration,
    method: &Method,
    asked: Asked<'_>,
) -> Result<Response<Bytes>, GatewayError> {
    match (method, asked) {
        (&Method::GET | &Method::HEAD, Asked::List) => {
            let body = json!({ "failing": shown.failing(), "time_lapse": shown.time_lapse() }).to_string();
            let mut response = Response::new(Bytes::from(body));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(response)
        }
        (&Method::PUT | &Method::DELETE, Asked::Of(function)) => {
            let set = shown.set_failing(function, *method == Method::PUT);
            set.map_err(|_| GatewayError::NoSuchFunction)?;
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::NO_CONTENT;
            Ok(response)
        }
        (_, Asked::List) => other_method(method, READ_METHODS),
        (_, Asked::Of(_)) => other_method(method, SWITCH_METHODS),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_fault_is_switched_on_and_off() {
        let shown = Demonstration::new(Duration::ZERO, ["send-email".to_owned()]);
        let send = |method: Method, path: &str| answer(&shown, &method, asked(path).unwrap());
        let list = || send(Method::GET, "/faults").unwrap().into_body();
        assert_eq!(list(), r#"{"failing":[],"time_lapse":1}"#);
        assert_eq!(send(Method::PUT, "/faults/send-email").unwrap().status(), StatusCode::NO_CONTENT);
        assert_eq!(list(), r#"{"failing":["send-email"],"time_lapse":1}"#);
        send(Method::DELETE, "/faults/send-email").unwrap();
        assert_eq!(list(), r#"{"failing":[],"time_lapse":1}"#);
        assert_eq!(send(Method::PUT, "/faults/nothing").unwrap_err(), GatewayError::NoSuchFunction);
        for (method, path, allow) in
            [(Method::POST, "/faults/send-email", SWITCH_METHODS), (Method::DELETE, "/faults", READ_METHODS)]
        {
            assert_eq!(send(method, path).unwrap_err(), GatewayError::MethodNotAllowed { allow });
        }
        assert!(asked("/faultless").is_none() && asked("/orders").is_none());
    }
}

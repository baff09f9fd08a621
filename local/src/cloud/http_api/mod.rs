//! The HTTP API: finds the function of a request, and speaks Lambda's payload format 2.0 with it.

mod event;
mod routes;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use http::{Request, Response, StatusCode};

use super::InvokeError;
use super::core::Core;
use super::lambda::Lambda;
use super::observer::Answered;
pub use routes::Route;
pub(super) use routes::Routes;

/// The most bytes of a request's body.
const MAX_BYTES: usize = 10 * 1024 * 1024;

impl Routes {
    pub(super) async fn answer(
        &self,
        core: &Core,
        lambda: &Lambda,
        request: Request<Bytes>,
        source_ip: &str,
    ) -> Response<Bytes> {
        if request.body().len() > MAX_BYTES {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        let Some(found) = self.find(request.method().as_str(), request.uri().path()) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let payload = match event::payload(core, &request, source_ip, &found) {
            Ok(payload) => payload,
            Err(error) => {
                tracing::error!(%error, "a request cannot be written as JSON");
                return message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
            }
        };
        match lambda.invoke(&found.route.function, payload).await {
            Ok(answer) => match response(&answer) {
                Ok(response) => {
                    let (function, method) = (&*found.route.function, request.method().as_str());
                    let answered = Answered { function, method, response: &response };
                    core.observers.notify(|observer, now| observer.answered(now, &answered));
                    response
                }
                Err(error) => {
                    tracing::error!(%error, function.name = %found.route.function, "an answer is no HTTP response");
                    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
                }
            },
            Err(InvokeError::TimedOut(_) | InvokeError::Stopping) => {
                message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            }
            Err(_) => message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        }
    }
}

/// A function's answer as an HTTP response.
fn response(
    answer: &serde_json::value::RawValue,
) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
    let answer = event::Answer::read(answer)?;
    let mut response = Response::new(answer.body);
    *response.status_mut() = StatusCode::from_u16(answer.status)?;
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    for cookie in answer.cookies {
        headers.append(SET_COOKIE, HeaderValue::try_from(cookie)?);
    }
    Ok(response)
}

/// An answer of the API itself.
fn message(status: StatusCode, text: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("{{\"message\":\"{text}\"}}")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

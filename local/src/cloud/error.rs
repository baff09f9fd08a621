//! Why a cloud cannot start, why an invocation fails, and what an AWS call answers when it is refused.

use std::time::Duration;

use shop_lambda::{FunctionError, StartError};

use super::observer::Service;

/// Why a cloud could not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The template names a function that is not there.
    #[error("{id}: there is no function {name}")]
    MissingFunction {
        /// The logical id.
        id: String,
        /// The name that its `CodeUri` gives.
        name: String,
    },
    /// The state cannot be read or written.
    #[error("the state in {what} cannot be used")]
    State {
        /// The file or the kind of state.
        what: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl CloudError {
    pub(crate) fn state(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::State { what: what.into(), source: source.into() }
    }
}

/// Why an invocation gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The template has no such function.
    #[error("there is no function {0}")]
    Unknown(String),
    /// The function could not start.
    #[error("the function could not start")]
    Start(#[from] StartError),
    /// The function returned an error.
    #[error("the function failed")]
    Failed(#[from] FunctionError),
    /// The function took longer than its timeout. What it had begun may have taken effect.
    #[error("the function was stopped after {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The function answered with more than Lambda hands on, so that nobody gets the answer. What it did has taken
    /// effect.
    #[error("the function's answer of {0} bytes is more than 6 MB")]
    AnswerTooLarge(usize),
    /// The function panicked. What it had begun may have taken effect.
    #[error("the function crashed")]
    Crashed,
    /// The cloud stops and takes no new work.
    #[error("the cloud is stopping")]
    Stopping,
}

/// What an AWS service answers when it refuses a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsError {
    /// The HTTP status.
    pub status: u16,
    /// The error code, as `ResourceNotFoundException`.
    pub code: String,
    /// The message.
    pub message: String,
    /// The whole JSON body, where the service has more to say than code and message.
    pub(crate) body: Option<Vec<u8>>,
}

impl AwsError {
    /// The caller's fault: status 400.
    #[must_use]
    pub fn client(code: &str, message: impl Into<String>) -> Self {
        Self { status: 400, code: code.to_owned(), message: message.into(), body: None }
    }

    /// The service's fault, which a client tries again: status 500.
    #[must_use]
    pub fn service(code: &str, message: impl Into<String>) -> Self {
        Self { status: 500, ..Self::client(code, message) }
    }

    /// The same error with another HTTP status.
    #[must_use]
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same error, with a whole JSON body, where the service has more to say than code and message.
    #[must_use]
    pub fn with_body(self, body: &serde_json::Value) -> Self {
        Self { body: Some(body.to_string().into_bytes()), ..self }
    }

    /// The caller may not do it. Each service has a code of its own for that.
    pub(crate) fn denied(service: Service, message: impl Into<String>) -> Self {
        let (status, code) = match service {
            Service::DynamoDb | Service::SecretsManager => (400, "AccessDeniedException"),
            Service::Sns => (403, "AuthorizationError"),
            Service::Sqs | Service::CloudFront => (403, "AccessDenied"),
            Service::Ses => (403, "AccessDeniedException"),
        };
        Self { status, ..Self::client(code, message) }
    }

    /// The state could not be read or written. The cause goes to the log, not to the caller.
    pub(crate) fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(error = %shop_lambda::log::Chain(cause), "the state of the cloud cannot be used");
        Self::service("InternalServerError", "the state cannot be used")
    }

    /// The body in the AWS JSON protocols.
    pub(crate) fn json(&self) -> Vec<u8> {
        match &self.body {
            Some(body) => body.clone(),
            None => serde_json::json!({"__type": self.code, "message": self.message}).to_string().into(),
        }
    }
}

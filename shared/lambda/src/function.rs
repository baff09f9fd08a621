//! A Lambda function as a value, and its start under the Lambda runtime.
//!
//! The embedded cloud starts the very same values. This module must not know what a payload means:
//! shop-http and shop-messaging turn their handlers into a [`Handler`].

use std::fmt;

use futures::future::BoxFuture;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;

use crate::log::{self, Chain};
use crate::{Environment, StartError};

/// A function that is starting: it becomes a handler, or says why it cannot.
pub type Starting = BoxFuture<'static, Result<Box<dyn Handler>, StartError>>;

/// A Lambda function: its one name (binary, template, fixture) and how it starts.
#[derive(Clone, Copy)]
pub struct Function {
    name: &'static str,
    start: fn(Environment) -> Starting,
}

impl Function {
    /// A function by its name (`verb-noun`, as its binary) and its start.
    #[must_use]
    pub const fn new(name: &'static str, start: fn(Environment) -> Starting) -> Self {
        Self { name, start }
    }

    /// The name: that of the binary, the template's `CodeUri` and the fixture in events/.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Starts the function: reads its configuration, builds its clients, warms its connections.
    ///
    /// # Errors
    /// A [`StartError`] that names what is missing.
    pub async fn start(&self, environment: Environment) -> Result<Box<dyn Handler>, StartError> {
        (self.start)(environment).await
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.name).finish()
    }
}

/// One call of a function: the event as Lambda delivers it, and the invocation's context.
#[derive(Debug)]
pub struct Invocation {
    /// The event, as JSON.
    pub payload: Box<RawValue>,
    /// Request id, deadline and trace.
    pub context: Context,
}

/// A started function.
pub trait Handler: Send + Sync {
    /// Handles one event and answers with JSON.
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>>;
}

/// The invocation failed as a whole: Lambda reports it, and the event source tries again.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct FunctionError {
    reason: &'static str,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl FunctionError {
    /// A failure with its cause. `reason` must hold no data of a customer: it is logged and returned.
    pub fn new(reason: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { reason, source: Some(source.into()) }
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: "FunctionError".to_owned(), error_message: error.reason.to_owned() }
    }
}

/// Runs a function under the Lambda runtime until the environment is shut down: the body of every binary.
///
/// # Errors
/// A [`StartError`], which ends the process so that Lambda shows it as a failed init; or a failure of the
/// Lambda runtime itself.
pub async fn run(function: Function) -> Result<(), lambda_runtime::Error> {
    log::init();
    let handler = match Environment::from_lambda() {
        Ok(environment) => function.start(environment).await,
        Err(error) => Err(error),
    };
    let handler = handler.inspect_err(|error| {
        tracing::error!(function.name = function.name, error = %Chain(error), "the function cannot start");
    })?;
    let handler = &*handler;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Box<RawValue>>| {
        handler.handle(Invocation { payload: event.payload, context: event.context })
    }))
    .await
}

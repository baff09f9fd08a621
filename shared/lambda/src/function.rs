//! A Lambda function as a value, and its start under the Lambda runtime.
//!
//! The embedded cloud starts the very same values. This module must not know what a payload means:
//! shop-http and shop-messaging turn their handlers into a [`Handler`].

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::BoxFuture;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde_json::value::RawValue;

use crate::log::{self, Chain};
use crate::{Clock, Environment, StartError};

/// What an invocation leaves of its time, to say that it failed.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// A function that is starting: it becomes a handler, or says why it cannot.
pub type Starting = BoxFuture<'static, Result<Box<dyn Handler>, StartError>>;

/// What a function is invoked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The API: a REST route, or all that no route takes.
    Route,
    /// A queue of events.
    Consumer,
    /// A table's stream.
    Relay,
    /// A schedule or an operator.
    Task,
}

/// A Lambda function: its one name (binary, template, fixture), its kind and how it starts.
#[derive(Clone, Copy)]
pub struct Function {
    name: &'static str,
    kind: Kind,
    start: fn(Environment) -> Starting,
}

impl Function {
    /// A function by its name (`verb-noun`, as its binary), its kind and its start.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind, start: fn(Environment) -> Starting) -> Self {
        Self { name, kind, start }
    }

    /// The name: that of the binary, the template's `CodeUri` and the fixture in events/.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is invoked by.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Starts the function: reads its configuration, builds its clients, warms its connections.
    ///
    /// # Errors
    /// A [`StartError`] that names what is missing.
    pub async fn start(&self, environment: Environment) -> Result<Box<dyn Handler>, StartError> {
        (self.start)(environment).await
    }
}

/// How a consumer or a task becomes a function: its name, and what it is made of in an environment. A route says
/// the same in its own trait.
pub trait Start: Send + Sync + Sized + 'static {
    /// The function's one name.
    const NAME: &'static str;

    /// Reads the configuration and builds the clients.
    ///
    /// # Errors
    /// A [`StartError`] that names what is missing.
    fn start(environment: &Environment) -> impl Future<Output = Result<Self, StartError>> + Send;
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

impl Invocation {
    /// How much of its time is left, less a last moment in which it can still be said that it failed; none where it has
    /// no deadline that means anything.
    #[must_use]
    pub fn time_left(&self, clock: &Clock) -> Option<Duration> {
        let now = u64::try_from(clock.now().as_millis()).unwrap_or_default();
        time_left(self.context.deadline, UNIX_EPOCH + Duration::from_millis(now))
    }
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
        let left = time_left(event.context.deadline, SystemTime::now());
        in_time(left, handler.handle(Invocation { payload: event.payload, context: event.context }))
    }))
    .await
}

/// How much of its time an invocation may use, by its deadline in milliseconds since the epoch; none where it has no
/// deadline, or one that was over before it began: Lambda sends no such invocation, and `cargo lambda watch` sends the
/// same figure with each. It stops a moment earlier, so that the failure is still logged and told.
fn time_left(deadline: u64, now: SystemTime) -> Option<Duration> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let left = Duration::from_millis(deadline).checked_sub(now).filter(|left| !left.is_zero())?;
    Some(left.saturating_sub(LAST_MOMENT))
}

/// Gives a handler so much time. Whatever calls it is waiting for are given up then, however many they are: Lambda
/// would end the environment with all its connections.
async fn in_time<T>(
    left: Option<Duration>,
    work: impl Future<Output = Result<T, FunctionError>>,
) -> Result<T, FunctionError> {
    let Some(left) = left else { return work.await };
    match tokio::time::timeout(left, work).await {
        Ok(done) => done,
        Err(elapsed) => {
            let error = FunctionError::new("the invocation's time is over", elapsed);
            tracing::error!(error = %Chain(&error), "the invocation failed");
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_stops_a_moment_before_its_deadline() {
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(time_left(0, at(5_000)), None);
        assert_eq!(time_left(15_000, at(5_000)), Some(Duration::from_millis(9_500)));
        for late in [14_500, 14_999] {
            assert_eq!(time_left(15_000, at(late)), Some(Duration::ZERO), "{late}");
        }
        for over in [15_000, 20_000, 1_800_000_000_000] {
            assert_eq!(time_left(15_000, at(over)), None, "{over}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_slow_calls_end_with_the_invocation_and_not_after_it() {
        let calls = async |count: u32| {
            for _ in 0..count {
                tokio::time::sleep(Duration::from_secs(8)).await;
            }
            Ok(count)
        };
        let most = Duration::from_millis(9_500);
        let left = Some(most);
        assert_eq!(in_time(left, calls(1)).await.unwrap(), 1);
        assert_eq!(in_time(None, calls(2)).await.unwrap(), 2);
        let began = tokio::time::Instant::now();
        let error = in_time(left, calls(2)).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), began.elapsed()), ("the invocation's time is over", most));
    }
}

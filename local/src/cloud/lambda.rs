//! Lambda: starts functions when they are first called, reuses their environments, and enforces timeouts.
//!
//! An environment serves one invocation at a time. It is dropped when the function panics or is stopped at
//! its timeout, and kept when the function returns, an error included.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use lambda_runtime::{Config, Context};
use serde_json::value::RawValue;
use shop_lambda::{Environment, Function, Handler, Invocation};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::connector;
use super::core::Core;
use super::environment::Place;
use super::observer::Invoked;
use super::running::Running;
use super::secrets::Secrets;
use super::{CloudError, InvokeError};
use crate::template::{self, REGION, Template};

/// The largest answer of an invocation that waits for it
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;
/// How long Lambda lets a function start.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// All functions, by their one name.
pub(super) struct Lambda {
    core: Arc<Core>,
    functions: BTreeMap<String, Arc<Deployed>>,
    running: Running,
}

/// A function of the template with its environments.
struct Deployed {
    function: Function,
    arn: String,
    timeout: Duration,
    variables: BTreeMap<String, String>,
    config: Arc<Config>,
    /// Environments that wait for an invocation; the one used last is used next, as in Lambda.
    idle: Mutex<Vec<Started>>,
    slots: Semaphore,
}

/// An environment: a function that has started, and what is cancelled when it crashes.
struct Started {
    handler: Box<dyn Handler>,
    crash: CancellationToken,
}

impl Lambda {
    pub(super) fn new(
        core: &Arc<Core>,
        template: &Template,
        functions: &[Function],
        most_environments: usize,
        running: Running,
    ) -> Result<Self, CloudError> {
        let mut deployed = BTreeMap::new();
        for (id, spec) in &template.functions {
            let Some(function) = functions.iter().find(|function| function.name() == spec.name) else {
                return Err(CloudError::MissingFunction { id: id.clone(), name: spec.name.clone() });
            };
            let reserved = spec.reserved_concurrency.and_then(|most| usize::try_from(most).ok());
            let config = Config {
                function_name: spec.physical_name.clone(),
                memory: i32::try_from(spec.memory).unwrap_or(i32::MAX),
                version: "$LATEST".to_owned(),
                ..Config::default()
            };
            let function = Deployed {
                function: *function,
                arn: spec.arn.clone(),
                timeout: spec.timeout,
                variables: variables(spec, &core.secrets),
                config: Arc::new(config),
                idle: Mutex::new(Vec::new()),
                slots: Semaphore::new(reserved.unwrap_or(most_environments).min(most_environments)),
            };
            deployed.insert(spec.name.clone(), Arc::new(function));
        }
        Ok(Self { core: Arc::clone(core), functions: deployed, running })
    }

    /// Invokes a function. The invocation goes on when the caller stops waiting for it, as in Lambda.
    pub(super) async fn invoke(
        &self,
        name: &str,
        payload: Box<RawValue>,
    ) -> Result<Box<RawValue>, InvokeError> {
        let Some(function) = self.functions.get(name) else {
            return Err(InvokeError::Unknown(name.to_owned()));
        };
        let (core, function) = (Arc::clone(&self.core), Arc::clone(function));
        let invocation = async move { function.invoke(&core, payload).await };
        match self.running.spawn(invocation) {
            Some(invocation) => invocation.await.unwrap_or(Err(InvokeError::Crashed)),
            None => Err(InvokeError::Stopping),
        }
    }
}

impl Deployed {
    async fn invoke(&self, core: &Arc<Core>, payload: Box<RawValue>) -> Result<Box<RawValue>, InvokeError> {
        // The semaphore is never closed, so this only waits.
        let Ok(_slot) = self.slots.acquire().await else { return Err(InvokeError::Stopping) };
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let cold = idle.is_none();
        let start = Instant::now();
        let request_id = core.random.uuid();
        let interceptor = core.interceptor.as_ref();
        let life = interceptor
            .and_then(|interceptor| interceptor.dies_after(self.function.name(), core.clock.now()));
        let result = match idle {
            Some(started) => self.run(core, started, payload, &request_id, life).await,
            None => match self.start(core).await {
                Ok(started) => self.run(core, started, payload, &request_id, life).await,
                Err(error) => Err(error),
            },
        };
        let text = result.as_ref().err().map(ToString::to_string);
        if let Err(error) = &result {
            let error = shop_lambda::log::Chain(error);
            tracing::warn!(function.name = self.function.name(), request.id = %request_id, %error, "an invocation failed");
        }
        core.invoked(&Invoked {
            function: self.function.name(),
            request_id: &request_id,
            duration: start.elapsed(),
            cold,
            error: text.as_deref(),
        });
        result
    }

    async fn start(&self, core: &Arc<Core>) -> Result<Started, InvokeError> {
        let place = self.place(core);
        let crash = CancellationToken::new();
        let sdk = connector::sdk_config(core, Place { crash: Some(crash.clone()), ..place });
        let environment = Environment::new(self.variables.clone(), sdk, core.random.for_function());
        let start = AssertUnwindSafe(self.function.start(environment)).catch_unwind();
        tokio::select! {
            biased;
            () = crash.cancelled() => Err(InvokeError::Crashed),
            started = timeout(START_TIMEOUT, start) => match started {
                // It died in the same step in which it was ready.
                _ if crash.is_cancelled() => Err(InvokeError::Crashed),
                Ok(Ok(started)) => Ok(Started { handler: started?, crash }),
                Ok(Err(_panic)) => Err(InvokeError::Crashed),
                Err(_elapsed) => Err(InvokeError::TimedOut(START_TIMEOUT)),
            },
        }
    }

    fn place(&self, core: &Core) -> Place {
        let name = self.function.name();
        let clock_skew = core.interceptor.as_ref().map_or(0, |interceptor| interceptor.clock_skew(name));
        Place { number: core.next_environment(), clock_skew, ..Place::outside(name) }
    }

    async fn run(
        &self,
        core: &Core,
        started: Started,
        payload: Box<RawValue>,
        request_id: &str,
        life: Option<Duration>,
    ) -> Result<Box<RawValue>, InvokeError> {
        let timeout_millis = i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX);
        let mut context = Context::default();
        request_id.clone_into(&mut context.request_id);
        context.deadline = u64::try_from(core.clock.now().saturating_add(timeout_millis)).unwrap_or(0);
        context.invoked_function_arn.clone_from(&self.arn);
        context.env_config = Arc::clone(&self.config);
        let call = AssertUnwindSafe(started.handler.handle(Invocation { payload, context })).catch_unwind();
        let end_of_life = async {
            match life {
                Some(life) => tokio::time::sleep(life).await,
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            biased;
            () = started.crash.cancelled() => return Err(InvokeError::Crashed),
            () = end_of_life => return Err(InvokeError::Crashed),
            ended = timeout(self.timeout, call) => ended,
        };
        if started.crash.is_cancelled() {
            // It died in the same step in which it would have answered.
            return Err(InvokeError::Crashed);
        }
        match ended {
            Ok(Ok(result)) => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(started);
                let answer = result?;
                let length = answer.get().len();
                if length > MAX_ANSWER_BYTES { Err(InvokeError::AnswerTooLarge(length)) } else { Ok(answer) }
            }
            Ok(Err(_panic)) => Err(InvokeError::Crashed),
            Err(_elapsed) => Err(InvokeError::TimedOut(self.timeout)),
        }
    }
}

/// The variables of the template, and those that Lambda sets.
fn variables(function: &template::Function, secrets: &Secrets) -> BTreeMap<String, String> {
    let given = function.environment.iter();
    let mut variables: BTreeMap<_, _> =
        given.map(|(name, value)| (name.clone(), secrets.resolve(value))).collect();
    for (name, value) in [
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_LAMBDA_FUNCTION_NAME", function.physical_name.as_str()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &function.memory.to_string()),
    ] {
        variables.insert(name.to_owned(), value.to_owned());
    }
    variables
}

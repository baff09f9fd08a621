//! Functions that a schedule or an operator starts: JSON in, JSON out. It must not know what a task does.

use std::future::Future;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use shop_types::Timestamp;

use crate::{Clock, Function, FunctionError, Handler, Invocation, Kind, Start};

/// Work that a schedule or an operator starts. It must bear to run twice, and beside itself.
pub trait Task: Send + Sync {
    /// What an operator may ask for. A schedule sends an event of its own, or nothing, which must read as the
    /// default: fields that are not known are ignored.
    type Input: DeserializeOwned + Default + Send;
    /// What it answers.
    type Answer: Serialize;

    /// Does the work. `request_id` is the invocation's.
    fn run(
        &self,
        input: Self::Input,
        request_id: &str,
    ) -> impl Future<Output = Result<Self::Answer, FunctionError>> + Send;
}

/// What of a function's timeout is left for the calls that a task has begun when its budget is over, for its answer
/// and its log.
const LAST_CALLS: Duration = Duration::from_secs(30);

/// The time that a task gives itself, below its function's timeout, so that it ends with an answer.
#[derive(Clone, Debug)]
pub struct Budget {
    clock: Clock,
    start: Timestamp,
    length: Duration,
}

impl Budget {
    /// A budget that begins now, of a function with this timeout.
    #[must_use]
    pub fn start(clock: &Clock, timeout: Duration) -> Self {
        Self { clock: clock.clone(), start: clock.now(), length: timeout.saturating_sub(LAST_CALLS) }
    }

    /// Whether it is used up. It compares one clock with itself, so it does not matter whether that is right.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.clock.now().abs_diff(self.start) >= self.length
    }
}

/// The function of a task.
#[must_use]
pub const fn task<T: Task + Start>() -> Function {
    Function::new(T::NAME, Kind::Task, |environment| {
        Box::pin(async move { Ok(Box::new(TaskHandler(T::start(&environment).await?)) as Box<dyn Handler>) })
    })
}

struct TaskHandler<T>(T);

impl<T: Task> TaskHandler<T> {
    async fn handle(&self, invocation: Invocation) -> Result<Box<RawValue>, FunctionError> {
        let input: Option<T::Input> = serde_json::from_str(invocation.payload.get())
            .map_err(|error| FunctionError::new("the payload is not what this function takes", error))?;
        let answer = self.0.run(input.unwrap_or_default(), &invocation.context.request_id).await?;
        to_raw_value(&answer).map_err(|error| FunctionError::new("the answer cannot be written", error))
    }
}

impl<T: Task> Handler for TaskHandler<T> {
    fn handle(&self, invocation: Invocation) -> BoxFuture<'_, Result<Box<RawValue>, FunctionError>> {
        self.handle(invocation).boxed()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Default, Deserialize)]
    struct Input {
        #[serde(default)]
        loud: bool,
    }

    struct Greet;

    impl Task for Greet {
        type Input = Input;
        type Answer = String;

        async fn run(&self, input: Input, request_id: &str) -> Result<String, FunctionError> {
            Ok(format!("{request_id} {}", if input.loud { "HELLO" } else { "hello" }))
        }
    }

    async fn answer(payload: &str) -> Result<String, FunctionError> {
        let mut context = lambda_runtime::Context::default();
        "r-1".clone_into(&mut context.request_id);
        let payload = RawValue::from_string(payload.to_owned()).unwrap();
        let answer = TaskHandler(Greet).handle(Invocation { payload, context }).await?;
        Ok(answer.get().to_owned())
    }

    #[tokio::test]
    async fn what_a_schedule_sends_is_the_default() {
        for payload in ["{}", "null", r#"{"source": "aws.events", "detail": {}}"#] {
            assert_eq!(answer(payload).await.unwrap(), "\"r-1 hello\"", "{payload}");
        }
        assert_eq!(answer(r#"{"loud": true}"#).await.unwrap(), "\"r-1 HELLO\"");
    }

    #[tokio::test]
    async fn an_input_of_the_wrong_kind_is_refused() {
        for payload in [r#"{"loud": "yes"}"#, "5"] {
            answer(payload).await.unwrap_err();
        }
    }
}

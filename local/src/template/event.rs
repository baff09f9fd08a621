//! What calls a function: routes, queues, streams, schedules.

use std::time::Duration;

use super::intrinsic::Resolver;
use super::names::Kind;
use super::{Properties, TemplateError};

/// Up to this batch size, SQS needs no window.
const LARGEST_WINDOWLESS_BATCH: u32 = 10;

/// One event source of a function.
#[derive(Clone, Debug)]
pub enum Event {
    /// A route of the HTTP API.
    Http {
        /// The method, or `ANY`.
        method: String,
        /// The path, as `/orders/{id}`, or `$default`.
        path: String,
    },
    /// A queue.
    Sqs(SqsEvent),
    /// A table's stream.
    Stream(StreamEvent),
    /// A schedule.
    Schedule {
        /// The time between two invocations.
        every: Duration,
    },
}

/// An event source mapping of a queue.
#[derive(Clone, Debug)]
pub struct SqsEvent {
    /// The logical id of the queue.
    pub queue: String,
    /// The most messages in one invocation.
    pub(crate) batch_size: usize,
    /// How long to wait for a full batch.
    pub(crate) window: Duration,
    /// The most invocations at once, where the template limits them.
    pub(crate) maximum_concurrency: Option<usize>,
    /// Whether the answer names the messages that failed.
    pub(crate) reports_failures: bool,
}

/// An event source mapping of a table's stream.
#[derive(Clone, Debug)]
pub struct StreamEvent {
    /// The logical id of the table.
    pub(crate) table: String,
    /// The most records in one invocation.
    pub(crate) batch_size: usize,
    /// How long to wait for a full batch.
    pub(crate) window: Duration,
    /// How many batches may run at once; the order per partition key is kept.
    pub(crate) shards: usize,
    /// How often a batch is retried; until it expires without a number.
    pub(crate) maximum_retries: Option<u32>,
    /// How old a record may be when it is retried.
    pub(crate) maximum_age: Option<Duration>,
    /// Whether a batch that failed is cut in two.
    pub(crate) bisect: bool,
    /// The logical id of the queue to which the position of records goes that are given up.
    pub(crate) on_failure: Option<String>,
    /// Whether the answer names the first record that failed.
    pub(crate) reports_failures: bool,
}

impl Event {
    pub(super) fn read(mut event: Properties, resolver: &Resolver<'_>) -> Result<Self, TemplateError> {
        let kind = event.required_text("Type")?;
        let Some(mut properties) = event.child("Properties")? else {
            return Err(event.error("Properties", "is missing"));
        };
        let read = match kind.as_str() {
            "HttpApi" => {
                properties.ignore(&["ApiId"]);
                let method = properties.text("Method")?.unwrap_or_else(|| "ANY".to_owned());
                Self::Http {
                    method: if method == "*" { "ANY".to_owned() } else { method.to_uppercase() },
                    path: properties.text("Path")?.unwrap_or_else(|| "$default".to_owned()),
                }
            }
            "SQS" => Self::Sqs(SqsEvent::read(&mut properties, resolver)?),
            "DynamoDB" => Self::Stream(StreamEvent::read(&mut properties, resolver)?),
            "Schedule" => {
                let name = "Schedule";
                let expression = properties.required_text(name)?;
                let Some(every) = rate(&expression) else {
                    return Err(properties.error(name, "is not a rate expression"));
                };
                Self::Schedule { every }
            }
            other => return Err(event.error("Type", format!("{other} is not known here"))),
        };
        properties.finish()?;
        event.finish()?;
        Ok(read)
    }
}

impl SqsEvent {
    fn read(properties: &mut Properties, resolver: &Resolver<'_>) -> Result<Self, TemplateError> {
        enabled(properties)?;
        let queue = properties.required_text("Queue")?;
        let Some(queue) = resolver.target(Kind::Queue, &queue) else {
            return Err(properties.error("Queue", "is no queue of this template"));
        };
        let batch_size = properties.count("BatchSize", 1, 10_000)?.unwrap_or(LARGEST_WINDOWLESS_BATCH);
        let window = properties.seconds("MaximumBatchingWindowInSeconds", 0, 300)?.unwrap_or_default();
        if batch_size > LARGEST_WINDOWLESS_BATCH && window.is_zero() {
            let problem = "is more than 10, which needs a MaximumBatchingWindowInSeconds";
            return Err(properties.error("BatchSize", problem));
        }
        let maximum_concurrency = match properties.child("ScalingConfig")? {
            None => None,
            Some(mut scaling) => {
                let maximum = scaling.count("MaximumConcurrency", 2, 1000)?;
                scaling.finish()?;
                maximum.map(size)
            }
        };
        let reports_failures = reports_failures(properties)?;
        Ok(Self {
            queue: queue.to_owned(),
            batch_size: size(batch_size),
            window,
            maximum_concurrency,
            reports_failures,
        })
    }
}

impl StreamEvent {
    fn read(properties: &mut Properties, resolver: &Resolver<'_>) -> Result<Self, TemplateError> {
        enabled(properties)?;
        let stream = properties.required_text("Stream")?;
        let Some(table) = resolver.target(Kind::Table, &stream) else {
            return Err(properties.error("Stream", "is no stream of this template"));
        };
        // A stack on one machine begins with its tables, so both positions are the beginning.
        match properties.required_text("StartingPosition")?.as_str() {
            "TRIM_HORIZON" | "LATEST" => {}
            _ => return Err(properties.error("StartingPosition", "is not known here")),
        }
        let unlimited = |count: i64| u32::try_from(count).ok();
        let on_failure = match properties.child("DestinationConfig")? {
            None => None,
            Some(mut destinations) => {
                let on_failure = destinations.child("OnFailure")?;
                destinations.finish()?;
                on_failure.map(|destination| failure_queue(destination, resolver)).transpose()?
            }
        };
        Ok(Self {
            table: table.to_owned(),
            batch_size: size(properties.count("BatchSize", 1, 10_000)?.unwrap_or(100)),
            window: properties.seconds("MaximumBatchingWindowInSeconds", 0, 300)?.unwrap_or_default(),
            shards: size(properties.count("ParallelizationFactor", 1, 10)?.unwrap_or(1)),
            maximum_retries: properties.number("MaximumRetryAttempts")?.and_then(unlimited),
            maximum_age: properties
                .number("MaximumRecordAgeInSeconds")?
                .and_then(unlimited)
                .map(|seconds| Duration::from_secs(u64::from(seconds))),
            bisect: properties.flag("BisectBatchOnFunctionError")?,
            on_failure,
            reports_failures: reports_failures(properties)?,
        })
    }
}

fn failure_queue(mut destination: Properties, resolver: &Resolver<'_>) -> Result<String, TemplateError> {
    // SAM takes the type as a hint for the permissions that it writes.
    destination.ignore(&["Type"]);
    let target = destination.required_text("Destination")?;
    let Some(queue) = resolver.target(Kind::Queue, &target) else {
        return Err(destination.error("Destination", "is no queue of this template"));
    };
    destination.finish()?;
    Ok(queue.to_owned())
}

fn enabled(properties: &mut Properties) -> Result<(), TemplateError> {
    match properties.text("Enabled")?.as_deref() {
        None | Some("true") => Ok(()),
        Some(_) => Err(properties.error("Enabled", "must be true here")),
    }
}

fn reports_failures(properties: &mut Properties) -> Result<bool, TemplateError> {
    let types = properties.texts("FunctionResponseTypes")?;
    match types.iter().find(|name| *name != "ReportBatchItemFailures") {
        None => Ok(!types.is_empty()),
        Some(_) => Err(properties.error("FunctionResponseTypes", "is not known here")),
    }
}

/// `rate(5 minutes)` and its like.
fn rate(expression: &str) -> Option<Duration> {
    let (number, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let seconds = match unit {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// A bounded count as a size: at most 10,000, so it fits.
fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        assert_eq!(rate("rate(1 minute)"), Some(Duration::from_mins(1)));
        assert_eq!(rate("rate(5 minutes)"), Some(Duration::from_mins(5)));
        assert_eq!(rate("rate(0 minutes)"), None);
        assert_eq!(rate("cron(0 12 * * ? *)"), None);
    }
}

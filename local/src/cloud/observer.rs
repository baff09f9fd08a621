//! The seams of the cloud: who watches it, and who may disturb it.
//!
//! The meter and the trace are observers; fault injection is an interceptor.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, ready};

use super::AwsError;

/// An AWS service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// DynamoDB.
    DynamoDb,
    /// SNS.
    Sns,
    /// SQS.
    Sqs,
    /// Secrets Manager.
    SecretsManager,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DynamoDb => "dynamodb",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
            Self::SecretsManager => "secretsmanager",
        })
    }
}

/// A permission that a call needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// The IAM action, as `dynamodb:PutItem`.
    pub action: String,
    /// The physical name of the resource, as `Orders` or `Orders/index/by-customer`.
    pub resource: String,
}

/// A call of an AWS service.
#[derive(Clone, Debug)]
pub struct Call {
    /// The name of the function, or of the outside caller.
    pub caller: Arc<str>,
    /// The service.
    pub service: Service,
    /// The API operation, as `TransactWriteItems`.
    pub operation: String,
    /// What it needs to be allowed, in the order of the request.
    pub accesses: Vec<Access>,
}

/// What a call costs on one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// Halves of read request units: an eventually consistent read of 4 KB is one.
    pub half_reads: u64,
    /// Write request units.
    pub writes: u64,
    /// Requests as SNS, SQS and Secrets Manager bill them: one for each 64 KB.
    pub requests: u64,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// What it cost, by resource.
    pub units: &'a [(String, Units)],
    /// The error code that was answered.
    pub error: Option<&'a str>,
}

/// An invocation that ended.
#[derive(Clone, Debug)]
pub struct Invoked<'a> {
    /// The name of the function.
    pub function: &'a str,
    /// The invocation's id.
    pub request_id: &'a str,
    /// How long it ran.
    pub duration: Duration,
    /// Whether it ran in an environment that was started for it.
    pub cold: bool,
    /// Why it failed.
    pub error: Option<&'a str>,
}

/// A batch on its way to a function.
#[derive(Clone, Debug)]
pub struct Delivery<'a> {
    /// The name of the function.
    pub function: &'a str,
    /// The queue or table that it comes from, by its physical name.
    pub source: &'a str,
    /// The message ids or sequence numbers.
    pub ids: &'a [&'a str],
    /// How often the first of them has been delivered before.
    pub earlier: u32,
}

/// Watches a cloud. Times are milliseconds since the epoch, by the cloud's clock.
pub trait Observer: Send + Sync {
    /// An AWS call ended.
    fn called(&self, _time: i64, _call: &Call, _outcome: &Outcome<'_>) {}
    /// An invocation ended.
    fn invoked(&self, _time: i64, _invoked: &Invoked<'_>) {}
    /// A batch goes to a function.
    fn delivered(&self, _time: i64, _delivery: &Delivery<'_>) {}
}

/// What may happen to a call besides its plain course.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The service answers with an error.
    Error(AwsError),
    /// No answer arrives: the connection is lost.
    Disconnected,
}

/// Disturbs a cloud.
pub trait Interceptor: Send + Sync {
    /// Before a call takes effect. It may wait; a fault keeps the call from taking effect.
    fn before<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        ready(None).boxed()
    }

    /// After a call took effect. It may wait; a fault takes the place of the answer.
    fn after<'a>(&'a self, _call: &'a Call) -> BoxFuture<'a, Option<Fault>> {
        ready(None).boxed()
    }

    /// Whether one entry of a batch call is to fail, by the entry's id.
    fn fails_entry(&self, _call: &Call, _entry: &str) -> Option<AwsError> {
        None
    }

    /// How often a batch is delivered in a row, and how long it is held back first.
    fn deliver(&self, _delivery: &Delivery<'_>) -> (u32, Duration) {
        (1, Duration::ZERO)
    }
}

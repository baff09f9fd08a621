//! The seam for who watches a cloud: every call, write, publication, message, delivery and invocation.
//!
//! The meter and the trace are observers. An observer must not change anything; that is what an
//! [`super::Interceptor`] is for.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Response;

use super::clock::Clock;

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
    /// SES.
    Ses,
    /// CloudFront.
    CloudFront,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DynamoDb => "dynamodb",
            Self::Sns => "sns",
            Self::Sqs => "sqs",
            Self::SecretsManager => "secretsmanager",
            Self::Ses => "ses",
            Self::CloudFront => "cloudfront",
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
    /// The function's environment that calls, by its number; 0 for an outside caller.
    pub environment: u64,
    /// The service.
    pub service: Service,
    /// The API operation, as `TransactWriteItems`.
    pub operation: String,
    /// What it needs to be allowed, in the order of the request.
    pub accesses: Vec<Access>,
    /// The request's body, as the client sent it.
    pub body: Bytes,
}

/// What a call costs on one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// Halves of read request units: an eventually consistent read of 4 KB is one.
    pub half_reads: u64,
    /// Write request units.
    pub writes: u64,
    /// Requests as SNS, SQS and Secrets Manager bill them, one for each 64 KB; of SES the recipients,
    /// of CloudFront the paths.
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

/// A request that the API gave to a function, and what it answered.
#[derive(Clone, Debug)]
pub struct Answered<'a> {
    /// The name of the function.
    pub function: &'a str,
    /// The request's method.
    pub method: &'a str,
    /// The answer.
    pub response: &'a Response<Bytes>,
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

/// A change of one item.
#[derive(Clone, Debug)]
pub struct Written<'a> {
    /// The table, by its physical name.
    pub table: &'a str,
    /// The stream record of the change, as Lambda delivers it.
    pub record: &'a str,
}

/// What happens to a message in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// It was sent, with this body.
    Sent(&'a str),
    /// It was received, and how often by now.
    Received(u32),
    /// Who received it has it hidden for so many milliseconds from now; 0 makes it visible at once.
    PutOff(i64),
    /// It was deleted by who received it.
    Deleted,
    /// It was received too often and went to another queue, by its physical name.
    DeadLettered(&'a str),
    /// The queue kept it as long as it keeps messages.
    Expired,
}

/// Watches a cloud. Times are milliseconds since the epoch, by the cloud's clock.
pub trait Observer: Send + Sync {
    /// An AWS call ended.
    fn called(&self, _time: i64, _call: &Call, _outcome: &Outcome<'_>) {}
    /// An invocation ended.
    fn invoked(&self, _time: i64, _invoked: &Invoked<'_>) {}
    /// A function has answered a request of the API.
    fn answered(&self, _time: i64, _answered: &Answered<'_>) {}
    /// A batch goes to a function.
    fn delivered(&self, _time: i64, _delivery: &Delivery<'_>) {}
    /// A function has answered a batch: the places of what it says has failed.
    fn batch_completed(&self, _time: i64, _delivery: &Delivery<'_>, _failed: &BTreeSet<usize>) {}
    /// A topic, by its physical name, has taken a publication.
    fn published(&self, _time: i64, _topic: &str, _message: &str) {}
    /// Something happened to a message of a queue, by the queue's physical name and the message's id.
    fn queued(&self, _time: i64, _queue: &str, _message: &str, _step: Step<'_>) {}
    /// A call, or the end of an item's time to live, has changed items, all at once. Only tables whose stream
    /// is read report it, and only where [`Observer::wants_writes`].
    fn wrote(&self, _time: i64, _caller: &str, _written: &[Written<'_>]) {}
    /// Whether it wants to observe writes, which takes a read of the stream each time.
    fn wants_writes(&self) -> bool {
        false
    }
}

/// All who watch a cloud. Cheap to clone.
#[derive(Clone)]
pub(super) struct Observers {
    clock: Clock,
    all: Arc<[Arc<dyn Observer>]>,
    want_writes: bool,
}

impl Observers {
    pub(super) fn new(clock: &Clock, all: Vec<Arc<dyn Observer>>) -> Self {
        let want_writes = all.iter().any(|observer| observer.wants_writes());
        Self { clock: clock.clone(), all: all.into(), want_writes }
    }

    pub(super) fn notify(&self, what: impl Fn(&dyn Observer, i64)) {
        let now = self.clock.now();
        for observer in &*self.all {
            what(&**observer, now);
        }
    }

    pub(super) fn queued(&self, queue: &str, message: &str, step: Step<'_>) {
        self.notify(|observer, now| observer.queued(now, queue, message, step));
    }

    pub(super) fn want_writes(&self) -> bool {
        self.want_writes
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Observers({})", self.all.len())
    }
}

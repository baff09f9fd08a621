//! The seam at which faults are injected: everything that a network, a queue, a stream or a processor may do to the
//! functions without their being at fault.
//!
//! Production code knows nothing of it: it acts at the wire, between the SDK and the services, and between the
//! services and the functions. What an interceptor does not say goes its plain course.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt, ready};

use super::AwsError;
use super::observer::{Call, Delivery};

/// What may happen to a call besides its plain course.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The service answers with an error.
    Error(AwsError),
    /// No answer arrives: the connection is lost.
    Disconnected,
    /// The environment that called dies, with all that it had in memory. For an outside caller it is as
    /// [`Fault::Disconnected`].
    Crashed,
}

/// Intercepts what happens in a cloud. Times are milliseconds since the epoch, by the cloud's clock.
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

    /// The bodies that are carried out in the place of the request's, one after the other. The last one's
    /// answer is the call's; with none at all the call does nothing, and says that it has.
    fn rewrite(&self, _call: &Call) -> Option<Vec<Vec<u8>>> {
        None
    }

    /// Whether a call of S3 is carried out as if it had not asked for a version.
    fn ignores_conditions(&self, _call: &Call) -> bool {
        false
    }

    /// How long ago the tables were as an eventually consistent read, or one of an index, shows them. Asked
    /// only where [`Interceptor::has_stale_reads`].
    fn staleness(&self, _call: &Call) -> Duration {
        Duration::ZERO
    }

    /// Whether reads may show the past at all: it takes a second copy of every table.
    fn has_stale_reads(&self) -> bool {
        false
    }

    /// How many keys of a `BatchGetItem`, or writes of a `BatchWriteItem`, are left unprocessed.
    fn leaves_unprocessed(&self, _call: &Call, _entries: usize) -> usize {
        0
    }

    /// Whether a publication goes to a queue that is subscribed, where the filter policy says `passes`.
    fn filters(&self, _queue: &str, _message: &str, passes: bool) -> bool {
        passes
    }

    /// The copies of a publication that reach a queue, each after a wait. None is a loss.
    fn copies(&self, _queue: &str, _message: &str) -> Vec<Duration> {
        vec![Duration::ZERO]
    }

    /// How long a batch that is received now stays hidden; the queue's own time without one.
    fn visibility(&self, _queue: &str) -> Option<Duration> {
        None
    }

    /// Until when a function is given nothing by its queue or stream.
    fn down_until(&self, _function: &str, _now: i64) -> Option<i64> {
        None
    }

    /// Whether a record is lost before the function of a stream sees it, by the record's JSON.
    fn loses_record(&self, _table: &str, _record: &str) -> bool {
        false
    }

    /// How often a batch is delivered in a row, and how long it is held back first.
    fn deliver(&self, _delivery: &Delivery<'_>) -> (u32, Duration) {
        (1, Duration::ZERO)
    }

    /// Overrides what the event source takes for failed, where the function says `failed`.
    fn override_failures(&self, _delivery: &Delivery<'_>, failed: BTreeSet<usize>) -> BTreeSet<usize> {
        failed
    }

    /// How long after the start of an invocation its environment dies, whatever it is at.
    fn dies_after(&self, _function: &str, _now: i64) -> Option<Duration> {
        None
    }

    /// By how many milliseconds the clock of a new environment is ahead.
    fn clock_skew(&self, _function: &str) -> i64 {
        0
    }

    /// How long it is between two runs of what runs on a schedule.
    fn distance(&self, every: Duration) -> Duration {
        every
    }

    /// Whether a schedule's invocation is left out.
    fn skips_schedule(&self, _function: &str) -> bool {
        false
    }
}

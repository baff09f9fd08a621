//! What all parts of a cloud share: the services, the clock, the randomness, and who watches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_types::region::Region;
use tokio::sync::Notify;

use super::clock::Clock;
use super::dynamodb::DynamoDb;
use super::edge::Edge;
use super::environment::Place;
use super::error::AwsError;
use super::interceptor::Interceptor;
use super::meter::Counter;
use super::observer::{Access, Call, Delivery, Invoked, Observers, Outcome};
use super::policies::Policies;
use super::random::Random;
use super::s3::S3;
use super::secrets::Secrets;
use super::ses::Ses;
use super::sns::Topics;
use super::sqs::Queues;
use crate::template::Grants;

/// The longest that one way of a simulated call takes, in milliseconds. It lets calls of several
/// invocations run into each other, in an order that the seed decides.
const SIMULATED_LATENCY: u64 = 5;

pub(super) struct Core {
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) dynamodb: DynamoDb,
    pub(super) queues: Queues,
    pub(super) topics: Topics,
    pub(super) secrets: Secrets,
    pub(super) ses: Ses,
    /// What stands before the API, if anything does.
    pub(super) edge: Option<Edge>,
    pub(super) s3: S3,
    /// Where the services are, as the SDK is told, and presigned URLs say.
    pub(super) endpoint: String,
    /// What clients are told that their region is.
    pub(super) region: Region,
    /// What each function may do. Callers that are no functions may do anything.
    pub(super) grants: BTreeMap<String, Grants>,
    /// What the topics and queues themselves say of who may reach them.
    pub(super) policies: Policies,
    /// Tells who waits for everything to be done that something was done.
    pub(super) changed: Arc<Notify>,
    pub(super) counter: Arc<Counter>,
    pub(super) observers: Observers,
    pub(super) interceptor: Option<Arc<dyn Interceptor>>,
    pub(super) simulated: bool,
    pub(super) deliver_twice: bool,
    /// How many environments have been started.
    pub(super) environments: AtomicU64,
}

impl Core {
    /// The number of a new environment.
    pub(super) fn next_environment(&self) -> u64 {
        self.environments.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Refuses a call that a policy of its resource denies, and a function's that the template does not grant, as
    /// IAM does. `leading_keys` are the partition keys that each of its accesses names.
    pub(super) fn authorize(
        &self,
        place: &Place,
        call: &Call,
        leading_keys: &[Vec<String>],
    ) -> Result<(), AwsError> {
        self.policies.check(place, call)?;
        let Some(grants) = self.grants.get(&*call.caller) else { return Ok(()) };
        let denied = |(place, access): &(usize, &Access)| {
            let keys = leading_keys.get(*place).map_or(&[][..], Vec::as_slice);
            !grants.allow(&access.action, &access.resource, keys)
        };
        match call.accesses.iter().enumerate().find(denied) {
            None => Ok(()),
            Some((_, Access { action, resource })) => {
                let caller = &call.caller;
                let message =
                    format!("{caller} is not authorized to perform: {action} on resource: {resource}");
                tracing::error!("template.yaml does not grant it: {message}");
                Err(AwsError::denied(call.service, message))
            }
        }
    }

    /// Waits as long as one way of a call takes under simulation.
    pub(super) async fn latency(&self) {
        if self.simulated {
            let millis = 1 + self.random.below(SIMULATED_LATENCY);
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
    }

    pub(super) fn called(&self, call: &Call, outcome: &Outcome<'_>) {
        self.observers.notify(|observer, now| observer.called(now, call, outcome));
    }

    pub(super) fn invoked(&self, invoked: &Invoked<'_>) {
        self.observers.notify(|observer, now| observer.invoked(now, invoked));
    }

    /// Reports what has been written to these tables since the last report.
    pub(super) fn wrote(&self, caller: &str, tables: &[String]) {
        if self.observers.want_writes() {
            self.dynamodb.unreported(tables, |written| {
                self.observers.notify(|observer, now| observer.wrote(now, caller, written));
            });
        }
    }

    /// What an event source takes for failed of a batch.
    pub(super) fn batch_completed(
        &self,
        delivery: &Delivery<'_>,
        failed: BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        self.observers.notify(|observer, now| observer.batch_completed(now, delivery, &failed));
        match &self.interceptor {
            Some(interceptor) => interceptor.override_failures(delivery, failed),
            None => failed,
        }
    }

    /// Waits for as long as a function is given nothing.
    pub(super) async fn while_down(&self, function: &str) {
        let Some(interceptor) = &self.interceptor else { return };
        while let Some(until) = interceptor.down_until(function, self.clock.now()) {
            self.clock.until(until).await;
        }
    }

    /// Announces a batch. Returns how often it is to be delivered, after a wait.
    pub(super) async fn deliveries(&self, delivery: &Delivery<'_>) -> u32 {
        self.observers.notify(|observer, now| observer.delivered(now, delivery));
        let (times, wait) = match &self.interceptor {
            Some(interceptor) => interceptor.deliver(delivery),
            None => (1, Duration::ZERO),
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        if self.deliver_twice { times.max(2) } else { times.max(1) }
    }
}

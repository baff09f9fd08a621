//! The fault plan of a run: the faults of its case, injected at the wire.
//!
//! Every decision is drawn from one generator in the order in which the cloud asks, so that the same case has the
//! same faults. A mutation is made here as well, whatever the faults.

mod outages;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use shop_local::cloud::{AwsError, Call, Delivery, Fault as Wire, Interceptor, Service};
use shop_local::template::Template;
use tokio::time::Instant;

use crate::case::Case;
use crate::coverage::{Coverage, CrashPoint, Side, Site, Witness};
use crate::faults::{Fault, Rates};
use crate::model::Model;
use crate::mutants::edit::inconsistent;
use crate::mutants::{Mutant, Mutation};
use outages::{Outage, OutageKind, outages};

/// Tells this use of the seed from others.
const SALT: u64 = 0x5eed_0002;
/// Longer than any attempt's timeout.
const NEVER: Duration = Duration::from_secs(30);
/// How far back a mutant's stale reads look.
const LONG_AGO: Duration = Duration::from_secs(45);

pub(crate) struct FaultPlan {
    witness: Witness,
    rates: Rates,
    mutant: Option<&'static Mutant>,
    outages: Vec<Outage>,
    model: Arc<Model>,
    state: Mutex<State>,
}

struct State {
    random: StdRng,
    /// When the shop opened. Before that and after the last fault nothing goes wrong but what a mutant does.
    opening: Option<i64>,
    /// The same by the runtime's clock: a call does not say when it is made.
    opened: Option<Instant>,
    /// When a function died last.
    crashed: Option<Instant>,
    coverage: Coverage,
    crashes: Vec<CrashPoint>,
    injected: BTreeMap<Fault, u64>,
}

impl FaultPlan {
    /// The faults of a case whose shop is open for some milliseconds.
    pub(crate) fn of(case: &Case, template: &Template, model: Arc<Model>, open_for: u64) -> Self {
        let mut random = StdRng::seed_from_u64(case.seed ^ SALT);
        let mut rates = Rates::draw(&mut random);
        if let Some(Mutant { mutation: Mutation::Schedule(_), .. }) = case.mutant {
            // A schedule is missed where events were lost, which one seed in a hundred has.
            rates.always(Fault::RelayOutage);
        }
        if let Some(Mutant { mutation: Mutation::Visibility(_), .. }) = case.mutant {
            // What a consumer does about failures shows where it is not the faults' doing.
            rates.always(Fault::DependencyDown);
        }
        if let Some(faults) = &case.faults {
            rates = rates.only(faults);
        }
        let outages = outages(&rates, template, open_for, &mut random);
        let state = State {
            random,
            opening: None,
            opened: None,
            crashed: None,
            coverage: Coverage::default(),
            crashes: case.crashes.clone(),
            injected: BTreeMap::new(),
        };
        let witness = Witness { seed: case.seed, crashes: case.crashes.clone() };
        Self { witness, rates, mutant: case.mutant, outages, model, state: Mutex::new(state) }
    }

    pub(crate) fn rates(&self) -> &Rates {
        &self.rates
    }

    /// The shop opens: from now on things go wrong. The time is in milliseconds since the epoch.
    pub(crate) fn open(&self, now: i64) {
        let mut state = self.state();
        (state.opening, state.opened) = (Some(now), Some(Instant::now()));
    }

    /// When the last outage ends, if there is one, in milliseconds since the epoch.
    pub(crate) fn last_outage(&self) -> Option<i64> {
        let opening = self.state().opening?;
        self.outages.iter().map(|outage| opening + outage.until).max()
    }

    /// When a function last died at a call: where a case asks for it, that may be long after the last fault.
    pub(crate) fn last_crash(&self) -> Option<Instant> {
        self.state().crashed
    }

    pub(crate) fn quiesce(&self) {
        self.state().opening = None;
    }

    /// What was seen and injected.
    pub(crate) fn report(&self) -> (Coverage, BTreeMap<Fault, u64>) {
        let mut state = self.state();
        (std::mem::take(&mut state.coverage), std::mem::take(&mut state.injected))
    }

    /// A number below a bound, for the harness's own choices in the run.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.state().random.random_range(0..bound.max(1))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a fault is injected now.
    fn injects(&self, fault: Fault) -> bool {
        let mut state = self.state();
        if state.opening.is_none() || !self.rates.injects(fault, &mut state.random) {
            return false;
        }
        self.count_injection(&mut state, fault);
        true
    }

    fn count_injection(&self, state: &mut State, fault: Fault) {
        *state.injected.entry(fault).or_default() += 1;
        self.model.lock().messages.fault();
    }

    fn between(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.state().random.random_range(from..to))
    }

    /// Whether the function dies at this side of the call.
    fn crashes(&self, call: &Call, side: Side) -> bool {
        let made = Site::of(call);
        let mut state = self.state();
        if side == Side::Before {
            state.coverage.called(&made, &self.witness);
        }
        let asked_for = state.crashes.iter().position(|crash| crash.side == side && crash.site == made);
        let injects = state.opening.is_some() && {
            let State { random, .. } = &mut *state;
            self.rates.injects(Fault::CrashAtCall, random)
        };
        if asked_for.is_none() && !injects {
            return false;
        }
        if let Some(place) = asked_for {
            state.crashes.remove(place);
        }
        state.coverage.crashed(&made, side);
        state.crashed = Some(Instant::now());
        self.count_injection(&mut state, Fault::CrashAtCall);
        true
    }

    /// Whether the case asks for a crash at this side of the call.
    fn is_asked_for(&self, call: &Call, side: Side) -> bool {
        let made = Site::of(call);
        self.state().crashes.iter().any(|crash| crash.side == side && crash.site == made)
    }

    /// The outage that a function is in, and when it ends.
    fn outage(&self, function: &str, now: i64, kind: OutageKind) -> Option<i64> {
        let opening = self.state().opening?;
        let now = now - opening;
        let outage = self.outages.iter().find(|outage| {
            outage.function == function && outage.kind == kind && (outage.from..outage.until).contains(&now)
        });
        outage.map(|outage| opening + outage.until)
    }

    /// Whether DynamoDB is down for who calls it now.
    fn is_refused(&self, call: &Call) -> bool {
        call.service == Service::DynamoDb && self.is_down_now(&call.caller, OutageKind::Refused)
    }

    fn is_down_now(&self, function: &str, kind: OutageKind) -> bool {
        let state = self.state();
        let (Some(opening), Some(opened)) = (state.opening, state.opened) else { return false };
        drop(state);
        let now = opening + i64::try_from(opened.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.outage(function, now, kind).is_some()
    }

    /// What a service does in an outage: it refuses, breaks down, or does not answer.
    fn out_of_order(&self, refusal: AwsError, failure: AwsError) -> BoxFuture<'static, Option<Wire>> {
        self.model.lock().messages.fault();
        let error = match self.below(3) {
            0 => refusal,
            1 => failure,
            _ => return tokio::time::sleep(NEVER).map(|()| Some(Wire::Disconnected)).boxed(),
        };
        ready(Some(Wire::Error(error))).boxed()
    }

    fn mutation(&self) -> Option<&Mutation> {
        self.mutant.map(|mutant| &mutant.mutation)
    }
}

fn throttled(service: Service) -> AwsError {
    let code = match service {
        Service::DynamoDb => "ProvisionedThroughputExceededException",
        Service::Sns | Service::CloudFront => "Throttling",
        Service::Sqs => "RequestThrottled",
        Service::SecretsManager => "ThrottlingException",
        Service::Ses => {
            return AwsError::client("TooManyRequestsException", "slow down").with_status(429);
        }
        Service::S3 => return AwsError::service("SlowDown", "slow down").with_status(503),
    };
    AwsError::client(code, "slow down")
}

/// What DynamoDB answers to a write that meets a transaction; none to anything else.
fn conflict(call: &Call, random: &mut StdRng) -> Option<AwsError> {
    let message = "Transaction is ongoing for the item";
    match call.operation.as_str() {
        "PutItem" | "UpdateItem" | "DeleteItem" => {
            Some(AwsError::client("TransactionConflictException", message))
        }
        "TransactWriteItems" => {
            let body = String::from_utf8_lossy(&call.body);
            let items = body.matches("\"TableName\"").count().max(1);
            let place = random.random_range(0..items);
            let reason = |item| {
                if item == place {
                    json!({"Code": "TransactionConflict", "Message": message})
                } else {
                    json!({"Code": "None"})
                }
            };
            let reasons: Vec<_> = (0..items).map(reason).collect();
            let code = "TransactionCanceledException";
            let body =
                json!({"__type": code, "message": "Transaction cancelled", "CancellationReasons": reasons});
            Some(AwsError::client(code, "Transaction cancelled").with_body(&body))
        }
        _ => None,
    }
}

impl Interceptor for FaultPlan {
    fn before<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Wire>> {
        if call.environment == 0 {
            return ready(None).boxed();
        }
        if self.crashes(call, Side::Before) {
            return ready(Some(Wire::Crashed)).boxed();
        }
        // A crash that is asked for after a call needs the call: no other fault is in its way.
        if self.is_asked_for(call, Side::After) {
            return ready(None).boxed();
        }
        if self.is_refused(call) {
            self.model.lock().messages.refused();
            let error = AwsError::service("InternalServerError", "DynamoDB is down");
            return ready(Some(Wire::Error(error))).boxed();
        }
        if call.service == Service::Ses && self.is_down_now("", OutageKind::NoMail) {
            let failure = AwsError::service("InternalServiceErrorException", "SES is down");
            return self.out_of_order(throttled(Service::Ses), failure);
        }
        if call.service == Service::CloudFront && self.is_down_now("", OutageKind::NoEdge) {
            let refusal = AwsError::client("TooManyInvalidationsInProgress", "too many");
            let failure = AwsError::service("ServiceUnavailable", "CloudFront is down").with_status(503);
            return self.out_of_order(refusal, failure);
        }
        if call.service == Service::S3 && self.is_down_now("", OutageKind::NoObjects) {
            let failure = AwsError::service("InternalError", "S3 is down");
            return self.out_of_order(throttled(Service::S3), failure);
        }
        if self.injects(Fault::TimeoutBefore) {
            return tokio::time::sleep(NEVER).map(|()| Some(Wire::Disconnected)).boxed();
        }
        if self.injects(Fault::DisconnectBefore) {
            return ready(Some(Wire::Disconnected)).boxed();
        }
        if self.injects(Fault::Throttling) {
            return ready(Some(Wire::Error(throttled(call.service)))).boxed();
        }
        if call.service == Service::DynamoDb && self.injects(Fault::TransactionConflict) {
            let conflict = conflict(call, &mut self.state().random);
            return ready(conflict.map(Wire::Error)).boxed();
        }
        ready(None).boxed()
    }

    fn after<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Option<Wire>> {
        if call.environment == 0 {
            return ready(None).boxed();
        }
        if self.crashes(call, Side::After) {
            return ready(Some(Wire::Crashed)).boxed();
        }
        if self.injects(Fault::TimeoutAfter) {
            return tokio::time::sleep(NEVER).map(|()| Some(Wire::Disconnected)).boxed();
        }
        ready(self.injects(Fault::DisconnectAfter).then_some(Wire::Disconnected)).boxed()
    }

    fn fails_entry(&self, call: &Call, _entry: &str) -> Option<AwsError> {
        let injects = call.environment != 0 && self.injects(Fault::PartialBatch);
        injects.then(|| AwsError::service("InternalError", "this entry failed"))
    }

    fn rewrite(&self, call: &Call) -> Option<Vec<Vec<u8>>> {
        match self.mutation() {
            Some(Mutation::Stale(function)) => inconsistent(call, function),
            Some(mutation) if call.environment != 0 => mutation.rewrite(call),
            _ => None,
        }
    }

    fn ignores_conditions(&self, call: &Call) -> bool {
        matches!(self.mutation(), Some(Mutation::Unconditional(function)) if **function == *call.caller)
    }

    fn has_stale_reads(&self) -> bool {
        self.rates.has(Fault::StaleReads) || matches!(self.mutation(), Some(Mutation::Stale(_)))
    }

    fn staleness(&self, call: &Call) -> Duration {
        if matches!(self.mutation(), Some(Mutation::Stale(function)) if **function == *call.caller) {
            return LONG_AGO;
        }
        if call.environment == 0 || !self.injects(Fault::StaleReads) {
            return Duration::ZERO;
        }
        // Mostly some moments; now and then an index that is a minute behind.
        if self.below(10) == 0 { self.between(3000, 60_000) } else { self.between(1, 3000) }
    }

    fn leaves_unprocessed(&self, call: &Call, entries: usize) -> usize {
        if call.environment == 0 || entries < 2 || !self.injects(Fault::Unprocessed) {
            return 0;
        }
        self.state().random.random_range(1..entries)
    }

    fn filters(&self, queue: &str, message: &str, passes: bool) -> bool {
        match self.mutation() {
            Some(Mutation::Filter(mutation)) => mutation(queue, message, passes),
            _ => passes,
        }
    }

    fn copies(&self, queue: &str, message: &str) -> Vec<Duration> {
        if let Some(Mutation::Loss(loses)) = self.mutation()
            && loses(queue, message)
        {
            return Vec::new();
        }
        let is_feedback = message.starts_with("{\"eventType\"") || message.contains("\"mail\":{");
        if is_feedback && self.injects(Fault::LostFeedback) {
            return Vec::new();
        }
        let late = |plan: &Self| {
            if is_feedback && plan.injects(Fault::LateFeedback) {
                plan.between(300_000, 840_000)
            } else if plan.injects(Fault::LatePublication) {
                plan.between(1, 20_000)
            } else {
                Duration::ZERO
            }
        };
        let mut copies = vec![late(self)];
        if self.injects(Fault::DuplicatePublication) {
            copies.push(late(self));
        }
        copies
    }

    fn visibility(&self, queue: &str) -> Option<Duration> {
        let is_short = self.injects(Fault::ShortVisibility);
        self.model.lock().messages.receiving(queue, is_short);
        is_short.then(|| self.between(5, 60))
    }

    fn down_until(&self, function: &str, now: i64) -> Option<i64> {
        self.outage(function, now, OutageKind::Down)
    }

    fn loses_record(&self, table: &str, record: &str) -> bool {
        matches!(self.mutation(), Some(Mutation::Stream(loses)) if loses(table, record))
    }

    fn deliver(&self, _delivery: &Delivery<'_>) -> (u32, Duration) {
        let times = if self.injects(Fault::DuplicateDelivery) { 2 } else { 1 };
        let wait = if self.injects(Fault::LateDelivery) { self.between(1, 5000) } else { Duration::ZERO };
        (times, wait)
    }

    fn override_failures(&self, delivery: &Delivery<'_>, failed: BTreeSet<usize>) -> BTreeSet<usize> {
        match self.mutation() {
            Some(Mutation::BatchResult(mutation)) => mutation(delivery, failed),
            _ => failed,
        }
    }

    fn dies_after(&self, function: &str, now: i64) -> Option<Duration> {
        if self.outage(function, now, OutageKind::Broken).is_some() {
            self.model.lock().messages.fault();
            return Some(Duration::ZERO);
        }
        self.injects(Fault::CrashAtAnyTime).then(|| self.between(0, 200))
    }

    fn clock_skew(&self, _function: &str) -> i64 {
        if self.injects(Fault::ClockSkew) { self.state().random.random_range(-4000..=4000) } else { 0 }
    }

    fn skips_schedule(&self, function: &str) -> bool {
        matches!(self.mutation(), Some(Mutation::Schedule(skipped)) if *skipped == function)
    }
}

//! Runs a case: opens the shop, lets people and faults in, waits until all is quiet, and looks at what is left.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use serde_json::value::RawValue;
use shop_auth::TokenIssuer;
use shop_lambda::{Clock, Environment, Random, recovery};
use shop_local::cloud::{Cloud, Depth, Observer, Options, Trace, simulated_runtime};
use shop_local::template::{Template, of_one_machine};
use shop_types::{Timestamp, UserId};

use crate::case::Case;
use crate::coverage::Coverage;
use crate::fault_plan::FaultPlan;
use crate::faults::Fault;
use crate::model::{Left, Model, POISONER, finish};
use crate::operator::Operator;
use crate::services::{ACCOUNT_LIMIT, ADDRESS_LIMIT, Service, TIME_ZONE};
use crate::violation::Violation;
use crate::workload::{Action, Actors, Client, Plan};

/// By when every order must be final after the faults have ended.
const PATIENCE: Duration = Duration::from_mins(15);
/// How often the operator looks in that time.
const ROUND: Duration = Duration::from_mins(1);
/// Longer than `verify` leaves alone what has just changed.
const GRACE_PERIOD: Duration = recovery::GRACE_PERIOD.saturating_add(Duration::from_mins(1));
/// How often the operator runs a verification that fails.
const OPERATORS_TRIES: usize = 3;
/// Who calls AWS for the simulation itself.
const HARNESS: &str = "simulation";
/// The id of an item that is no order.
const POISON_ID: &str = "poison";
/// A secret as long as the stack's own.
const SECRET: &str = "a secret of sixty-four characters, which only a simulation knows";

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What did not hold; nothing where all is well.
    pub violations: Vec<Violation>,
    /// The calls that were seen, and the crashes at them.
    pub(crate) coverage: Coverage,
    /// How often each fault was injected.
    pub(crate) injected: BTreeMap<Fault, u64>,
    /// How many orders were asked for.
    pub(crate) orders: usize,
    /// How many operations the case has in all.
    pub(crate) operations: usize,
    /// The faults that its seed draws.
    pub(crate) faults: Vec<Fault>,
    /// How many events there were.
    pub(crate) events: usize,
    /// Everything that happened, a line each, where it was asked for.
    pub trace: Option<String>,
}

/// The template of the workspace.
///
/// # Errors
/// When it cannot be read.
pub fn template() -> Result<Template> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let mut parameters = of_one_machine();
    // Sales are counted in batches as large as production's, and by the days of a zone that is not UTC.
    parameters.retain(|name, _| !name.starts_with("RecordSaleBatch"));
    parameters.insert("BusinessTimeZone".to_owned(), TIME_ZONE.to_owned());
    // Hashes of passwords were a tenth of all processor time; no password here is a secret.
    parameters.insert("PasswordMemoryKib".to_owned(), PASSWORD_MEMORY_KIB.to_owned());
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    // What changes is indexed two at a time and at once, so that those who index meet.
    let (batch, small) = (INDEXED_AT_ONCE, "BatchSize: 2\n            MaximumBatchingWindowInSeconds: 0");
    ensure!(text.matches(batch).count() == 1, "the template has not exactly one {batch}");
    Ok(Template::parse(&text.replace(batch, small), &parameters)?)
}

/// The least that a function takes.
const PASSWORD_MEMORY_KIB: &str = "19456";
/// How many changes of the catalogue are indexed at once, as the template has it.
const INDEXED_AT_ONCE: &str = "BatchSize: 500\n            MaximumBatchingWindowInSeconds: 3";

/// Runs a case. `with_trace` keeps everything that happens, which takes memory.
///
/// # Errors
/// When the simulation itself cannot work: a violation is no error.
pub fn run(case: &Case, template: &Template, with_trace: bool) -> Result<Outcome> {
    simulated_runtime()?.block_on(async {
        let plan = Arc::new(Plan::draw(case.seed));
        let run = match plan.limits {
            Some(limits) => Run::start(case, plan, &with_limits(template, limits), with_trace).await?,
            None => Run::start(case, plan, template, with_trace).await?,
        };
        let left = run.live(case).await;
        let outcome = run.outcome(left);
        run.cloud.stop().await;
        outcome
    })
}

/// The template as it is with these limits on orders.
fn with_limits(template: &Template, (account, address): (u32, u32)) -> Template {
    let mut template = template.clone();
    for function in template.functions.values_mut() {
        for (name, limit) in [(ACCOUNT_LIMIT, account), (ADDRESS_LIMIT, address)] {
            if let Some(value) = function.environment.get_mut(name) {
                *value = limit.to_string();
            }
        }
    }
    template
}

/// The shop's administrator, made as an operator does before anybody comes.
async fn create_admin(cloud: &Cloud) -> Result<UserId> {
    let admin = r#"{"email": "admin@example.com", "password": "Kestrel over the lake 7", "name": "Admin"}"#;
    let invoke = async || {
        cloud
            .invoke("create-admin", RawValue::from_string(admin.to_owned())?)
            .await
            .map_err(anyhow::Error::from)
    };
    let mut answer = invoke().await;
    // It may die at any of its calls; then the operator runs it again, and finds what it has made.
    for _ in 1..OPERATORS_TRIES {
        if answer.is_err() {
            answer = invoke().await;
        }
    }
    let answer = answer?;
    let made: Value = serde_json::from_str(answer.get())?;
    Ok(made["user_id"].as_str().with_context(|| format!("no administrator: {made}"))?.parse()?)
}

struct Run {
    cloud: Cloud,
    plan: Arc<Plan>,
    model: Arc<Model>,
    fault_plan: Arc<FaultPlan>,
    actors: Actors,
    client: Client,
    operator: Operator,
    clock: Clock,
    keys_table: String,
    trace: Option<Arc<Trace>>,
}

impl Run {
    async fn start(case: &Case, plan: Arc<Plan>, template: &Template, with_trace: bool) -> Result<Self> {
        let variable = |name: &str| {
            let mut functions = template.functions.values();
            functions.find_map(|function| function.environment.get(name).cloned()).context(name.to_owned())
        };
        let model = Arc::new(Model::of(template)?);
        let fault_plan = Arc::new(FaultPlan::of(case, template, Arc::clone(&model), plan.open_for));
        let trace = with_trace.then(|| Arc::new(Trace::default()));
        let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::clone(&model) as _, contract_check::observer()];
        observers.extend(trace.clone().map(|trace| trace as Arc<dyn Observer>));
        let options = Options {
            observers,
            interceptor: Some(Arc::clone(&fault_plan) as _),
            watched_tables: &["SalesTable", "DeadLettersTable"],
            ..Options::simulated(case.seed)
        };
        let cloud = Cloud::start(template, &services::functions(), options).await?;
        let sdk = cloud.sdk_config(HARNESS);
        let clock = Environment::new(BTreeMap::new(), sdk.clone(), Random::system()).clock();

        let issuer =
            TokenIssuer::from_secret(SECRET, variable("TOKEN_ISSUER")?, variable("TOKEN_AUDIENCE")?)?;
        let keys_table = variable("KEYS_TABLE")?;
        issuer.publish(&aws_sdk_dynamodb::Client::new(&sdk), &keys_table).await?;
        let user = |number: usize| {
            let number = u8::try_from(number).unwrap_or(u8::MAX);
            UserId::fresh(Timestamp::from_millis(1), [number; 10])
        };
        let customers = (1..=plan.customers).map(user).collect();
        let administrator = create_admin(&cloud).await?;
        let client =
            Client::new(cloud.clone(), issuer, clock.clone(), customers, administrator, Arc::clone(&model));
        let operator = Operator::new(&cloud, template)?;
        let actors = Actors::new(client.clone(), Arc::clone(&plan));
        Ok(Self { cloud, plan, model, fault_plan, actors, client, operator, clock, keys_table, trace })
    }

    /// The life of the shop, until all is quiet after its last fault.
    async fn live(&self, case: &Case) -> Result<Depths> {
        self.actors.open().await;
        self.cloud.settled().await;
        self.fault_plan.open(self.clock.now().as_millis());
        let (poisoned, rebuilt, ()) =
            futures::join!(self.poison(), self.rebuild_amid(), self.actors.run(case));
        poisoned.and(rebuilt)?;
        if let Some(end) = self.fault_plan.last_outage() {
            let left = end.saturating_sub(self.clock.now().as_millis());
            tokio::time::sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0))).await;
        }
        self.fault_plan.quiesce();
        self.publish_keys().await?;
        self.become_final().await?;
        self.verify().await?;
        let settled = tokio::time::timeout(PATIENCE, self.cloud.settled()).await;
        if settled.is_err() {
            self.report_violation("every-order-becomes-final", "something is still under way");
        }
        self.publish_keys().await?;
        self.actors.read_all().await;
        Ok(self.operator.depths())
    }

    /// After an outage of days the key of the first hour is retired.
    async fn publish_keys(&self) -> Result<()> {
        let keys = aws_sdk_dynamodb::Client::new(&self.cloud.sdk_config(HARNESS));
        Ok(self.client.issuer().publish(&keys, &self.keys_table).await?)
    }

    /// Puts what can never be handled into queues and tables.
    async fn poison(&self) -> Result<()> {
        let sdk = self.cloud.sdk_config(POISONER);
        if self.fault_plan.rates().has(Fault::MalformedMessage) {
            for _ in 0..=self.fault_plan.below(3) {
                self.pause_within_hours().await;
                self.operator.send_poison(self.fault_plan.below(u64::MAX)).await?;
            }
        }
        if self.fault_plan.rates().has(Fault::MalformedRecord) {
            self.pause_within_hours().await;
            let table = self.cloud.physical("OrdersTable").context("the orders table")?;
            let put = aws_sdk_dynamodb::Client::new(&sdk).put_item().table_name(table);
            let poison = |text: &str| AttributeValue::S(text.to_owned());
            put.item("id", poison(POISON_ID)).item("status", poison("lost")).send().await?;
        }
        Ok(())
    }

    /// The operator rebuilds now and then what can be rebuilt, whatever else goes on. It may fail.
    async fn rebuild_amid(&self) -> Result<()> {
        for function in self.rebuilds() {
            let mut times: Vec<u64> =
                (0..self.fault_plan.below(5)).map(|_| self.soon_after_something()).collect();
            times.sort_unstable();
            let begun = tokio::time::Instant::now();
            for time in times {
                tokio::time::sleep_until(begun + Duration::from_millis(time)).await;
                let payload = RawValue::from_string("{}".to_owned())?;
                if let Err(error) = self.cloud.invoke(function, payload).await {
                    tracing::debug!(function, error = %shop_lambda::log::Chain(&error), "a rebuild has failed");
                }
            }
        }
        Ok(())
    }

    /// A moment at which what somebody has just done is on its way, in milliseconds after the opening.
    fn soon_after_something(&self) -> u64 {
        let operations = &self.plan.operations;
        let place = self.fault_plan.below(u64::try_from(operations.len()).unwrap_or(1).max(1));
        let at = usize::try_from(place).ok().and_then(|place| operations.get(place)).map_or(0, |one| one.at);
        at + self.fault_plan.below(600)
    }

    fn rebuilds(&self) -> Vec<&'static str> {
        self.model.lock().services.all().filter_map(Service::rebuild).collect()
    }

    async fn pause_within_hours(&self) {
        tokio::time::sleep(Duration::from_millis(self.fault_plan.below(self.plan.open_for))).await;
    }

    /// The operator redrives what failed, and the sweeper drives on what waits, until every order is final.
    async fn become_final(&self) -> Result<()> {
        let begun = tokio::time::Instant::now();
        loop {
            let settled = tokio::time::timeout(ROUND, self.cloud.settled()).await.is_ok();
            let redriven = self.operator.redrive(&self.client).await?;
            let is_final = self.model.lock().pending() == 0;
            if settled && redriven == 0 && is_final {
                return Ok(());
            }
            let faultless_since = self.fault_plan.last_crash().map_or(begun, |crash| crash.max(begun));
            if faultless_since.elapsed() >= PATIENCE {
                let pending = self.model.lock().pending();
                let queues = self.operator.depths();
                let seen = format!("{pending} orders are pending after {PATIENCE:?}, queues {queues:?}");
                self.report_violation("every-order-becomes-final", &seen);
                return Ok(());
            }
            if settled && redriven == 0 {
                tokio::time::sleep(ROUND).await;
            }
        }
    }

    /// Verifies stock and statistics: where events were lost, it is told to repair what it finds.
    async fn verify(&self) -> Result<()> {
        tokio::time::sleep(GRACE_PERIOD).await;
        let has_lost = self.has_lost_events();
        let verifications: Vec<_> =
            self.model.lock().services.all().filter_map(Service::verification).collect();
        for function in verifications {
            let found = self.drift(function, has_lost).await?;
            if !has_lost && found > 0 {
                self.report_violation(
                    "verify-finds-what-is-lost",
                    &format!("{function} found {found}, and nothing was lost"),
                );
            }
            if has_lost {
                let settled = tokio::time::timeout(PATIENCE, self.cloud.settled()).await;
                let again = self.drift(function, false).await?;
                if again > 0 || settled.is_err() {
                    let seen = format!("{function} found {found}, repaired them, and found {again} again");
                    self.report_violation("verify-finds-what-is-lost", &seen);
                }
            }
        }
        if has_lost {
            for function in self.rebuilds() {
                self.drift(function, true).await?;
            }
        }
        Ok(())
    }

    /// How many drifts a function reports.
    async fn drift(&self, function: &str, repair: bool) -> Result<usize> {
        let payload = RawValue::from_string(format!("{{\"repair\":{repair}}}"))?;
        let mut answer = self.cloud.invoke(function, payload.clone()).await;
        // It may die at any of its calls; then the operator runs it again.
        for _ in 1..OPERATORS_TRIES {
            if answer.is_err() {
                answer = self.cloud.invoke(function, payload.clone()).await;
            }
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                let error = shop_lambda::log::Chain(&error);
                self.report_violation("verify-finds-what-is-lost", &format!("{function}: {error}"));
                return Ok(0);
            }
        };
        let answer: Value = serde_json::from_str(answer.get())?;
        // An item that is none stays one: nobody can repair it.
        let is_poison = |drift: &&Value| drift["kind"] == "unreadable_item" && drift["subject"] == POISON_ID;
        Ok(answer["drift"].as_array().into_iter().flatten().filter(|drift| !is_poison(drift)).count())
    }

    /// Whether a stream was down for longer than it keeps records, so that events are lost for good.
    fn has_lost_events(&self) -> bool {
        self.fault_plan.rates().has(Fault::RelayOutage)
    }

    fn report_violation(&self, invariant: &'static str, seen: &str) {
        self.model.lock().report_violations([Violation::new(invariant, seen)]);
    }

    fn outcome(&self, left: Result<Depths>) -> Result<Outcome> {
        let depths = left?;
        let mut model = self.model.lock();
        let history = self.client.history();
        let left = Left {
            depths: &depths,
            has_lost_events: self.has_lost_events(),
            poison: &self.operator.poison(),
        };
        let found = finish(&model, &history, &left);
        model.report_violations(found);
        let (coverage, injected) = self.fault_plan.report();
        let is_order = |action: &Action| matches!(action, Action::Place { .. });
        Ok(Outcome {
            violations: model.violations.clone(),
            coverage,
            injected,
            orders: self.plan.operations.iter().filter(|operation| is_order(&operation.action)).count(),
            operations: self.plan.operations.len(),
            faults: self.fault_plan.rates().faults(),
            events: model.event_log.len(),
            trace: self.trace.as_ref().map(|trace| merged(&trace.lines(), &history.lines)),
        })
    }
}

type Depths = BTreeMap<String, Depth>;

/// The lines of cloud and clients in the order of their times, which they begin with.
fn merged(cloud: &str, clients: &[String]) -> String {
    let time = |line: &str| line.split(' ').next().and_then(|time| time.parse::<i64>().ok()).unwrap_or(0);
    let mut lines: Vec<&str> = cloud.lines().chain(clients.iter().map(String::as_str)).collect();
    lines.sort_by_key(|line| time(line));
    lines.join("\n")
}

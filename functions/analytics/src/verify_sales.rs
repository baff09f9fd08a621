//! Once a day, or by hand: counts every bucket anew from the ledger's facts, reports what is not as it should be, and
//! repairs it when told to (`{"repair": true}`).
//!
//! - Buckets against the ledger, day by day, then the ledger against the orders. [`crate::audit`] judges buckets.
//! - It may run while the shop is busy: a bucket is judged that stays as it is while its facts are read. An order that
//!   changed a moment ago is not judged, since its event may be on its way ([`may_be_judged`]).
//! - A repair is conditional on what was read; a fact that was lost goes the way of its event. Two runs at once repair
//!   once.
//! - A rebuild is a repair: after the shop's time zone was changed, or where buckets were lost, every bucket that differs
//!   is counted from the facts, which know no zone.
//! - Facts of what was never sold are reported and left to people.
//! - It goes on where the last run of its kind stopped ([`Progress`]).

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::Client;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shop_dynamo::{Progress, Read, StoreError};
use shop_lambda::report::{Drift, RepairOutcome, Report, VerifyRequest};
use shop_lambda::{Clock, Environment, Function, FunctionError, Start, StartError, Task, task};
use shop_read_models::may_be_judged;
use shop_types::Currency;

use crate::audit::{Recount, WrongBucket};
use crate::fact::Fact;
use crate::figures::{Bucket, Figures, OutOfRange};
use crate::orders_read_model::{OrderRecord, OrdersReadModel, expected};
use crate::recorder::Recorder;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = task::<VerifySales>();

/// How often a day is read whose buckets change meanwhile.
const TRIES: usize = 3;

pub(crate) struct VerifySales {
    recorder: Recorder,
    orders: OrdersReadModel,
    clock: Clock,
}

/// How far a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    /// Behind the buckets of a day.
    Buckets { day: String, currency: Currency },
    /// Behind an order; before the first, without one.
    Orders { behind: Option<String> },
}

impl Start for VerifySales {
    const NAME: &'static str = "verify-sales";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let client = Client::new(environment.sdk_config());
        Ok(Self {
            orders: OrdersReadModel::start(environment, client, "ORDERS_TABLE")?,
            recorder: Recorder::start(environment)?,
            clock: environment.clock(),
        })
    }
}

#[derive(Debug, thiserror::Error)]
enum VerifyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

impl Task for VerifySales {
    type Input = VerifyRequest;
    type Answer = Report;

    async fn run(&self, request: VerifyRequest, _: &str) -> Result<Report, FunctionError> {
        let run = Run {
            verify: self,
            repair: request.repair,
            progress: Progress::start(self.recorder.store.checkpoint(request.kind()), &self.clock),
        };
        let mut report = Report::default();
        let result = run.all(request, &mut report).await;
        report.conclude(result, "the sales could not be verified")
    }
}

struct Run<'a> {
    verify: &'a VerifySales,
    repair: bool,
    progress: Progress,
}

impl Run<'_> {
    async fn all(&self, request: VerifyRequest, report: &mut Report) -> Result<(), VerifyError> {
        let start = self.progress.resume(request, report).await?;
        let is_done = match &start {
            Some(Position::Orders { behind }) => self.orders(behind.as_deref(), report).await?,
            _ => self.buckets(start.as_ref(), report).await? && self.orders(None, report).await?,
        };
        if is_done {
            self.progress.finish().await?;
        }
        Ok(())
    }

    /// The days of which there may be facts, and the days beside them: in another zone, facts count there.
    async fn days(&self) -> Result<BTreeSet<(Date, Currency)>, VerifyError> {
        let mut days = BTreeSet::new();
        for (month, currency) in self.verify.recorder.store.months().await? {
            let first = format!("{month}-01").parse::<Date>().map_err(|_| OutOfRange)?;
            let beside = jiff::Span::new().days(1);
            let (from, to) = (first.saturating_sub(beside), first.last_of_month().saturating_add(beside));
            let all = from.series(beside).take_while(|day| *day <= to);
            days.extend(all.map(|day| (day, currency)));
        }
        Ok(days)
    }

    /// Whether it came to the end of them.
    async fn buckets(&self, behind: Option<&Position>, report: &mut Report) -> Result<bool, VerifyError> {
        let is_behind = |(day, currency): &(Date, Currency)| match behind {
            Some(Position::Buckets { day: last, currency: of }) => {
                (day.to_string(), *currency) > (last.clone(), *of)
            }
            _ => true,
        };
        for (day, currency) in self.days().await?.into_iter().filter(is_behind) {
            self.day(currency, day, report).await?;
            let position = Position::Buckets { day: day.to_string(), currency };
            if !self.progress.reach(&position, report).await? {
                return Ok(false);
            }
        }
        Ok(self.progress.reach(&Position::Orders { behind: None }, report).await?)
    }

    async fn day(&self, currency: Currency, day: Date, report: &mut Report) -> Result<(), VerifyError> {
        let store = &self.verify.recorder.store;
        for tried in 1..=TRIES {
            let mut recount = Recount::of(&self.verify.recorder.zone, currency, day)?;
            let (found, mut unreadable) = self.found(&recount, currency, day).await?;
            let broken = self.facts(&mut recount, currency, day).await?;
            let is_known = broken.is_empty() && !recount.is_out_of_range();
            unreadable.extend(broken);
            let mut suspects = recount.wrong(&found);
            // What cannot be read is reported as that.
            suspects.retain(|wrong| !unreadable.contains(&wrong.bucket.to_string()));
            let now = if suspects.is_empty() {
                BTreeMap::new()
            } else {
                store.figures_of(suspects.iter().map(|wrong| &wrong.bucket)).await?.items
            };
            let (steady, changing): (Vec<_>, Vec<_>) = suspects.into_iter().partition(|wrong| {
                now.get(&wrong.bucket.to_string()).copied().unwrap_or_default() == wrong.found
            });
            if !changing.is_empty() && tried < TRIES {
                continue;
            }
            report.check("days", 1);
            report.check("facts", recount.facts());
            report.check("buckets", found.len());
            report.skip(changing.len());
            for key in unreadable {
                report.add(Drift::unreadable(key));
            }
            for wrong in steady {
                match self.judge(&wrong, is_known).await {
                    Some(outcome) => report.add(drift(&wrong, is_known, outcome)),
                    None => report.not_judged += 1,
                }
            }
            return Ok(());
        }
        Ok(())
    }

    /// The buckets of a day that are stored, and the keys of what cannot be read.
    async fn found(
        &self,
        recount: &Recount<'_>,
        currency: Currency,
        day: Date,
    ) -> Result<(BTreeMap<Bucket, Figures>, Vec<String>), StoreError> {
        let store = &self.verify.recorder.store;
        let fixed = recount.fixed();
        let stored = store.figures_of(&fixed).await?;
        let figures = |bucket: &Bucket| stored.items.get(&bucket.to_string()).copied();
        let mut found: BTreeMap<_, _> =
            fixed.iter().filter_map(|bucket| Some((bucket.clone(), figures(bucket)?))).collect();
        let products = store.products(currency, day, Read::Consistent).await?;
        found.extend(
            products
                .items
                .into_iter()
                .map(|(product, figures)| (Bucket::Product(currency, day, product), figures)),
        );
        Ok((found, [stored.unreadable, products.unreadable].concat()))
    }

    /// Takes in the facts of a day; the keys of those that cannot be read.
    async fn facts(
        &self,
        recount: &mut Recount<'_>,
        currency: Currency,
        day: Date,
    ) -> Result<Vec<String>, VerifyError> {
        let recorder = &self.verify.recorder;
        let (from, to) = recorder.zone.hours_around(day).map_err(OutOfRange::from)?;
        Ok(recorder.store.facts(currency, from, to, &mut |fact| recount.see(fact)).await?)
    }

    /// What becomes of a wrong bucket; none where it changed since it was found so.
    async fn judge(&self, wrong: &WrongBucket, is_known: bool) -> Option<RepairOutcome> {
        if !is_known {
            return Some(RepairOutcome::None);
        }
        if !self.repair {
            return Some(RepairOutcome::NotRequested);
        }
        let WrongBucket { bucket, found, right } = wrong;
        RepairOutcome::tried(self.verify.recorder.store.repair(bucket, found, right).await)
    }

    /// Whether it came to the end of them.
    async fn orders(&self, behind: Option<&str>, report: &mut Report) -> Result<bool, VerifyError> {
        let mut pages = self.verify.orders.pages().behind(behind);
        while let Some(orders) = pages.next().await? {
            report.check("orders", orders.len());
            let orders = report.readable(orders);
            self.facts_of(&orders, report).await?;
            let Some(behind) = pages.position().map(str::to_owned) else { break };
            if !self.progress.reach(&Position::Orders { behind: Some(behind) }, report).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn facts_of(&self, orders: &[OrderRecord], report: &mut Report) -> Result<(), VerifyError> {
        let expected: Vec<_> = orders.iter().map(expected).collect();
        let asked: Vec<Fact> =
            expected.iter().flat_map(|(must, must_not)| must.iter().chain(must_not)).cloned().collect();
        let known = self.verify.recorder.store.known(&asked).await?;
        for (order, (must, must_not)) in orders.iter().zip(expected) {
            let missing: Vec<Fact> = must.into_iter().filter(|fact| !known.contains(&fact.key())).collect();
            let invented: Vec<Fact> =
                must_not.into_iter().filter(|fact| known.contains(&fact.key())).collect();
            if missing.is_empty() && invented.is_empty() {
                continue;
            }
            if !may_be_judged(&self.verify.orders, order, None, self.verify.clock.now()).await? {
                report.not_judged += 1;
                continue;
            }
            for fact in invented {
                report.add(fact_drift(&fact, Value::Null, json!(fact.kind), RepairOutcome::None));
            }
            for fact in missing {
                let outcome = self.record(&fact).await;
                report.add(fact_drift(&fact, json!(fact.kind), Value::Null, outcome));
            }
        }
        Ok(())
    }

    /// Counts what a lost event said.
    async fn record(&self, fact: &Fact) -> RepairOutcome {
        if !self.repair {
            return RepairOutcome::NotRequested;
        }
        match self.verify.recorder.record([fact.clone()]).await.into_values().next() {
            None => RepairOutcome::Repaired,
            Some(error) => {
                tracing::error!(%error, "a repair failed");
                RepairOutcome::Failed
            }
        }
    }
}

fn drift(wrong: &WrongBucket, is_known: bool, outcome: RepairOutcome) -> Drift {
    let figures = |figures: &Figures| {
        json!(Figures::NAMES.into_iter().zip(figures.values()).collect::<BTreeMap<_, _>>())
    };
    // Where not all facts can be read, nobody knows what is right.
    let expected = if is_known { figures(&wrong.right) } else { Value::Null };
    Drift::new(wrong.bucket.kind(), wrong.bucket.to_string(), expected, figures(&wrong.found), outcome)
}

fn fact_drift(fact: &Fact, expected: Value, found: Value, outcome: RepairOutcome) -> Drift {
    let (pk, sk) = fact.key();
    Drift::new("sales_fact", format!("{pk} {sk}"), expected, found, outcome)
}

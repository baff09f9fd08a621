//! Once a day, or by hand: recomputes the statistics of all users, reports what is not as it should be, and repairs
//! it when told to (`{"repair": true}`).
//!
//! - Statistics against their ledger, then entries of the ledger against their orders: [`crate::statistics::audit`] judges
//!   both. A repair of an entry moves the statistics, so those come first.
//! - It may run while the shop is busy. Whose statistics seem wrong is read once more, until nothing changes
//!   between two reads of their version: whatever counts an order writes that too. An entry whose order (or
//!   which itself) changed a moment ago is not judged, since its event may be on its way ([`may_be_judged`]).
//! - It goes on where the last run of its kind stopped ([`Progress`]). A user whose items lie on two pages seems wrong
//!   on one of them at least, and is read once more, as whoever is.
//! - A repair is conditional on what was read, goes the way of the lost event where one was lost, and is published:
//!   `user.stats_repaired`. Two runs at once repair once.
//! - What cannot be told from the books (an order that is confirmed, and taken off) is reported and left to
//!   people.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shop_dynamo::{Item, Progress, StoreError};
use shop_events::{Cause, OrderStatus};
use shop_lambda::report::{Drift, RepairOutcome, Report, VerifyRequest};
use shop_lambda::{Environment, Function, FunctionError, Start, StartError, Task, task};
use shop_read_models::may_be_judged;
use shop_types::UserId;

use crate::statistics::audit::{Audit, Consistency, consistency, recount};
use crate::statistics::ledger::{Change, EntryState, LedgerEntry, Update};
use crate::statistics::orders_read_model::{OrderRecord, OrdersReadModel};
use crate::statistics::recorder::Recorder;
use crate::statistics::stats::{OutOfRange, UserStats};
use crate::statistics::store::{Saved, see};
use crate::table::pair;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = task::<VerifyUserStats>();

/// How often a user's ledger is read whose statistics change meanwhile.
const TRIES: usize = 3;

pub(crate) struct VerifyUserStats {
    orders: OrdersReadModel,
    recorder: Recorder,
}

impl Start for VerifyUserStats {
    const NAME: &'static str = "verify-user-stats";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            orders: OrdersReadModel::start(
                environment,
                Client::new(environment.sdk_config()),
                "ORDERS_TABLE",
            )?,
            recorder: Recorder::start(environment)?,
        })
    }
}

impl Task for VerifyUserStats {
    type Input = VerifyRequest;
    type Answer = Report;

    async fn run(&self, request: VerifyRequest, request_id: &str) -> Result<Report, FunctionError> {
        let run = Run {
            orders: &self.orders,
            recorder: &self.recorder,
            repair: request.repair,
            progress: Progress::start(self.recorder.store.checkpoint(request.kind()), &self.recorder.clock),
            request_id,
        };
        let mut report = Report::default();
        let result = run.all(request, &mut report).await;
        report.conclude(result, "the statistics could not be verified")
    }
}

struct Run<'a> {
    orders: &'a OrdersReadModel,
    recorder: &'a Recorder,
    repair: bool,
    progress: Progress,
    request_id: &'a str,
}

/// How far a run is that had no time for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    /// Behind an item of the users table.
    Users { pk: String, sk: String },
    /// Behind an order; before the first, without one.
    Orders { behind: Option<String> },
}

/// A user's statistics beside what the ledger came to at the same moment.
struct Recounted {
    stored: UserStats,
    counted: Result<UserStats, OutOfRange>,
}

impl Run<'_> {
    async fn all(&self, request: VerifyRequest, report: &mut Report) -> Result<(), StoreError> {
        let is_done = match &self.progress.resume(request, report).await? {
            Some(Position::Orders { behind }) => self.entries(behind.as_deref(), report).await?,
            Some(Position::Users { pk, sk }) => {
                self.statistics(Some(pair(pk, sk)), report).await? && self.entries(None, report).await?
            }
            None => self.statistics(None, report).await? && self.entries(None, report).await?,
        };
        if is_done {
            self.progress.finish().await?;
        }
        Ok(())
    }

    /// Whether it came to the end of the users.
    async fn statistics(&self, behind: Option<Item>, report: &mut Report) -> Result<bool, StoreError> {
        let mut pages = self.recorder.store.audited_pages().behind(behind);
        // Who was on the page before and may be on the next, and whether something was said of them.
        let mut last: Option<(UserId, bool)> = None;
        while let Some(items) = pages.next().await? {
            let mut audit = Audit::new();
            for item in items {
                if let Err(key) = see(&mut audit, item) {
                    report.add(Drift::unreadable(key));
                }
            }
            // A user on two pages is one.
            let is_again = last.as_ref().is_some_and(|(last, _)| audit.has(last));
            report.check("users", audit.users() - usize::from(is_again));
            report.check("entries", audit.entries());
            report.skip(audit.unreadable());
            let text = |key: &Item, name: &str| key.get(name).and_then(|value| value.as_s().ok()).cloned();
            let position = pages.position().and_then(|key| Some((text(key, "pk")?, text(key, "sk")?)));
            let end: Option<UserId> = position.as_ref().and_then(|(pk, _)| pk.parse().ok());
            let end =
                end.filter(|user| audit.has(user) || last.as_ref().is_some_and(|(last, _)| last == user));
            let judged = last.filter(|(_, is_judged)| *is_judged).map(|(user, _)| user);
            let mut suspects = audit.suspects();
            suspects.retain(|user| judged.as_ref() != Some(user));
            last = end.map(|user| {
                let is_judged = judged.as_ref() == Some(&user) || suspects.contains(&user);
                (user, is_judged)
            });
            for user in suspects {
                // What cannot be read now could be a moment ago: the next run reports it.
                match StoreError::if_readable(self.recount(&user).await)?.flatten() {
                    Some(recounted) => self.judge(&user, &recounted, report).await,
                    None => report.not_judged += 1,
                }
            }
            let Some((pk, sk)) = position else { break };
            if !self.progress.reach(&Position::Users { pk, sk }, report).await? {
                return Ok(false);
            }
        }
        if self.progress.is_over() {
            return self.progress.reach(&Position::Orders { behind: None }, report).await;
        }
        Ok(true)
    }

    /// A user's statistics and ledger at one moment; none where they keep changing.
    async fn recount(&self, user: &UserId) -> Result<Option<Recounted>, StoreError> {
        let store = &self.recorder.store;
        let nothing_else = BTreeSet::new();
        let mut stored = store.snapshot(user, &nothing_else).await?.stats;
        for _ in 0..TRIES {
            let entries = store.counted_entries(user).await?;
            let after = store.snapshot(user, &nothing_else).await?.stats;
            if stored.version == after.version {
                return Ok(Some(Recounted { stored: after, counted: recount(user, &entries) }));
            }
            stored = after;
        }
        Ok(None)
    }

    async fn judge(&self, user: &UserId, recounted: &Recounted, report: &mut Report) {
        let found = json!(recounted.stored.figures());
        let (expected, outcome) = match &recounted.counted {
            Ok(counted) if counted.agrees(&recounted.stored) => return,
            Ok(counted) => (json!(counted.figures()), self.rewrite(&recounted.stored, counted).await),
            Err(OutOfRange) => (Value::Null, Some(RepairOutcome::None)),
        };
        match outcome {
            Some(outcome) => report.add(Drift::new("user_stats", user.to_string(), expected, found, outcome)),
            None => report.not_judged += 1,
        }
    }

    /// Writes statistics anew; none where they changed since they were found wrong.
    async fn rewrite(&self, stored: &UserStats, counted: &UserStats) -> Option<RepairOutcome> {
        if !self.repair {
            return Some(RepairOutcome::NotRequested);
        }
        let Recorder { store, clock, .. } = self.recorder;
        let update = Update::of_stats(stored.repaired(counted, self.request_id, clock.now()));
        RepairOutcome::tried(store.save(&update).await.map(|saved| saved == Saved::Done))
    }

    /// Whether it came to the end of the orders.
    async fn entries(&self, behind: Option<&str>, report: &mut Report) -> Result<bool, StoreError> {
        let mut pages = self.orders.pages().behind(behind);
        while let Some(orders) = pages.next().await? {
            report.check("orders", orders.len());
            let settled =
                report.readable(orders).into_iter().filter(|order| order.status != OrderStatus::Pending);
            let of_user = |order: OrderRecord| Some((order.detail.customer_id.clone()?, order));
            let of_users: Vec<_> = settled.filter_map(of_user).collect();
            let wanted = of_users.iter().map(|(user, order)| (user, &order.id));
            let entries = self.recorder.store.entries(wanted).await?;
            for (user, order) in &of_users {
                match entries.get(&order.id).map(Option::as_ref) {
                    // The scan of the whole table has reported it.
                    Some(None) => report.not_judged += 1,
                    entry => self.entry(user, order, entry.flatten(), report).await?,
                }
            }
            let Some(behind) = pages.position().map(str::to_owned) else { break };
            if !self.progress.reach(&Position::Orders { behind: Some(behind) }, report).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn entry(
        &self,
        user: &UserId,
        order: &OrderRecord,
        entry: Option<&LedgerEntry>,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let found = entry.map(|entry| entry.state);
        let consistency = consistency(order.status, found);
        if consistency == Consistency::Consistent {
            return Ok(());
        }
        let (recorded_at, now) = (entry.map(|entry| entry.recorded_at), self.recorder.clock.now());
        if !may_be_judged(self.orders, order, recorded_at, now).await? {
            report.not_judged += 1;
            return Ok(());
        }
        let (expected, outcome) = match consistency {
            Consistency::Consistent => return Ok(()),
            Consistency::Inconsistent(expected) => (expected, Some(RepairOutcome::None)),
            Consistency::Late(expected) => (Some(expected), self.record(user, order, expected).await),
        };
        if let Some(outcome) = outcome {
            let subject = format!("{user}/{}", order.id);
            report.add(Drift::new("ledger_entry", subject, json!(expected), json!(found), outcome));
        }
        Ok(())
    }

    /// Records what a lost event said; none where somebody else has done so meanwhile.
    async fn record(&self, user: &UserId, order: &OrderRecord, state: EntryState) -> Option<RepairOutcome> {
        if !self.repair {
            return Some(RepairOutcome::NotRequested);
        }
        let change = Change {
            state,
            order_id: order.id.clone(),
            total: order.detail.total,
            placed_at: order.placed_at,
            cause: Cause::request(self.request_id),
        };
        RepairOutcome::tried(self.recorder.repair(user, &[change], self.request_id).await)
    }
}

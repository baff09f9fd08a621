//! Once a day, or by hand: recomputes the stock counters and the reservations, reports what is not as it should
//! be, and repairs it when told to (`{"repair": true}`).
//!
//! - Counters against the ledger, then entries of the ledger against their orders: [`crate::audit`] judges both.
//!   A repair of an entry moves counters, so those come first.
//! - It may run while the shop is busy. A counter that changes meanwhile is not judged, nor is an entry whose
//!   order (or which itself) changed a moment ago, since its events may be on their way ([`may_be_judged`]). What
//!   seems wrong is read once more before it is reported.
//! - It goes on where the last run of its kind stopped ([`Progress`]). Snapshots are of the whole table: where there is
//!   no time for three of them, the report says so, and the next run goes on with the orders.
//! - A repair is conditional on what was read, goes through the planner of reserve-stock where stock is released,
//!   and is published: inventory.repaired, reservation.repaired. Two runs at once repair once.
//! - What cannot be told from the books (a confirmed order without reservation, more reserved than there is) is
//!   reported and left to people.

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use serde_json::json;
use shop_dynamo::{Progress, StoreError};
use shop_events::{Cause, OrderStatus};
use shop_lambda::report::{Drift, RepairOutcome, Report, VerifyRequest};
use shop_lambda::{Clock, Environment, Function, FunctionError, Start, StartError, Task, task};
use shop_read_models::may_be_judged;

use crate::audit::{Consistency, Snapshot, WrongCounter, consistency};
use crate::orders_read_model::{OrderRecord, OrdersReadModel};
use crate::plan::ReservationRequest;
use crate::reservation::{Reservation, Status};
use crate::settling::settle;
use crate::store::{Store, see};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = task::<VerifyStock>();

/// How many snapshots must agree: see [`crate::audit`].
const SNAPSHOTS: usize = 3;

pub(crate) struct VerifyStock {
    store: Store,
    orders: OrdersReadModel,
    clock: Clock,
}

impl Start for VerifyStock {
    const NAME: &'static str = "verify-stock";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let client = Client::new(environment.sdk_config());
        Ok(Self {
            orders: OrdersReadModel::start(environment, client.clone(), "ORDERS_TABLE")?,
            store: Store::start(environment, client)?,
            clock: environment.clock(),
        })
    }
}

impl Task for VerifyStock {
    type Input = VerifyRequest;
    type Answer = Report;

    async fn run(&self, request: VerifyRequest, request_id: &str) -> Result<Report, FunctionError> {
        let run = Run {
            verify: self,
            repair: request.repair,
            progress: Progress::start(self.store.checkpoint(request.kind()), &self.clock),
            cause: Cause::request(request_id),
        };
        let mut report = Report::default();
        let result = run.all(request, &mut report).await;
        report.conclude(result, "the stock could not be verified")
    }
}

struct Run<'a> {
    verify: &'a VerifyStock,
    repair: bool,
    progress: Progress,
    cause: Cause,
}

/// How far a run is that had no time for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Position {
    /// Behind an order; before the first, without one.
    Orders { behind: Option<String> },
}

impl Run<'_> {
    async fn all(&self, request: VerifyRequest, report: &mut Report) -> Result<(), StoreError> {
        let behind = match self.progress.resume(request, report).await? {
            Some(Position::Orders { behind }) => behind,
            None => {
                self.counters(report).await?;
                if !report.complete {
                    return self.progress.reach(&Position::Orders { behind: None }, report).await.map(drop);
                }
                None
            }
        };
        if self.entries(behind.as_deref(), report).await? {
            self.progress.finish().await?;
        }
        Ok(())
    }

    async fn counters(&self, report: &mut Report) -> Result<(), StoreError> {
        let mut unreadable = Vec::new();
        let Some(first) = self.snapshot(&mut unreadable).await? else {
            report.complete = false;
            return Ok(());
        };
        for key in unreadable {
            report.add(Drift::unreadable(key));
        }
        report.check("counters", first.counters());
        report.check("reservations", first.entries());
        let mut suspects = first.wrong();
        let mut is_whole = first.is_whole();
        for _ in 1..SNAPSHOTS {
            if suspects.is_empty() {
                return Ok(());
            }
            // What cannot be read has been reported.
            let Some(snapshot) = self.snapshot(&mut Vec::new()).await? else {
                report.complete = false;
                report.skip(suspects.len());
                return Ok(());
            };
            is_whole &= snapshot.is_whole();
            let before = suspects.len();
            suspects.retain(|suspect| snapshot.agrees(&first, &suspect.product_id));
            report.skip(before - suspects.len());
        }
        for mut suspect in suspects {
            suspect.right = suspect.right.filter(|_| is_whole);
            match self.repair_of_counter(&suspect).await {
                Some(outcome) => report.add(counter_drift(&suspect, outcome)),
                None => report.not_judged += 1,
            }
        }
        Ok(())
    }

    /// A snapshot of the whole table, and the keys of what cannot be read; none if there is no time for it.
    async fn snapshot(&self, unreadable: &mut Vec<String>) -> Result<Option<Snapshot>, StoreError> {
        let mut snapshot = Snapshot::new();
        let mut pages = self.verify.store.audited_pages();
        while let Some(items) = pages.next().await? {
            if self.progress.is_over() {
                return Ok(None);
            }
            for item in items {
                unreadable.extend(see(&mut snapshot, item).err());
            }
        }
        Ok(Some(snapshot.end()))
    }

    /// What becomes of a counter that is wrong; none where it changed since it was found so.
    async fn repair_of_counter(&self, wrong: &WrongCounter) -> Option<RepairOutcome> {
        let (Some(found), Some(right)) = (wrong.found, wrong.right) else { return Some(RepairOutcome::None) };
        if !self.repair {
            return Some(RepairOutcome::NotRequested);
        }
        let VerifyStock { store, clock, .. } = self.verify;
        // Never back in time: whoever changed it last may have a clock that is ahead.
        let now = clock.now().max(found.updated_at);
        RepairOutcome::tried(store.repair_counter(&wrong.product_id, found, right, now, &self.cause).await)
    }

    /// Whether it came to the end of the orders.
    async fn entries(&self, behind: Option<&str>, report: &mut Report) -> Result<bool, StoreError> {
        let mut pages = self.verify.orders.pages().behind(behind);
        while let Some(orders) = pages.next().await? {
            report.check("orders", orders.len());
            let mut settled = report.readable(orders);
            settled.retain(|order| order.status != OrderStatus::Pending);
            let entries = self.verify.store.entries(settled.iter().map(|order| &order.id)).await?;
            for order in &settled {
                match entries.get(&order.id).map(Option::as_ref) {
                    // The snapshot of the whole table has reported it.
                    Some(None) => report.not_judged += 1,
                    entry => self.entry(order, entry.flatten(), report).await?,
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
        order: &OrderRecord,
        entry: Option<&Reservation>,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let found = entry.map(|entry| entry.status);
        let consistency = consistency(order.status, found);
        if consistency == Consistency::Consistent {
            return Ok(());
        }
        let (recorded_at, now) = (entry.map(|entry| entry.updated_at), self.verify.clock.now());
        if !may_be_judged(&self.verify.orders, order, recorded_at, now).await? {
            report.not_judged += 1;
            return Ok(());
        }
        let (expected, outcome) = match consistency {
            Consistency::Consistent => return Ok(()),
            Consistency::Inconsistent(expected) => (expected, Some(RepairOutcome::None)),
            Consistency::Unreleased => (Status::Released, self.release(order).await),
        };
        if let Some(outcome) = outcome {
            let subject = order.id.to_string();
            report.add(Drift::new("reservation", subject, json!(expected), json!(found), outcome));
        }
        Ok(())
    }

    /// Releases a cancelled order's stock; none where somebody else has done so meanwhile.
    async fn release(&self, order: &OrderRecord) -> Option<RepairOutcome> {
        let request = ReservationRequest {
            order_id: order.id.clone(),
            placed_at: order.placed_at,
            lines: order.detail.lines.clone(),
            created: None,
            cancelled: Some(self.cause.clone()),
            stalled: None,
            is_repair: true,
        };
        if request.is_too_large() {
            return Some(RepairOutcome::None);
        }
        if !self.repair {
            return Some(RepairOutcome::NotRequested);
        }
        RepairOutcome::tried(settle(&self.verify.store, &self.verify.clock, &[request]).await)
    }
}

fn counter_drift(wrong: &WrongCounter, outcome: RepairOutcome) -> Drift {
    // Where no figures are right, what the ledger says is all that there is to say.
    let expected = wrong.right.map_or_else(|| json!({ "reserved": wrong.reserved }), |right| json!(right));
    let found = json!(wrong.found.map(|counter| counter.figures));
    Drift::new("stock_counter", wrong.product_id.to_string(), expected, found, outcome)
}

//! Once a day, or by hand: makes the whole index agree with the catalogue, merges its segments, and deletes those that
//! nobody reads any more.
//!
//! - It goes through the catalogue in the order in which products were made, a stretch at a time, and does with each what
//!   a change of its products would do: what comes in meanwhile is lost by neither ([`crate::publisher`]).
//! - A product that is in the index and not in the list is looked at too: it may have been deleted.
//! - An index that cannot be read is begun anew. The first run in a shop with products builds it.
//! - It goes on where the last run stopped, in time or by a failure.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shop_lambda::log::Chain;
use shop_lambda::recovery::VERIFY_TIMEOUT;
use shop_lambda::{Budget, Environment, Function, FunctionError, Start, StartError, Task, task};
use shop_types::Timestamp;

use crate::catalogue::Position;
use crate::publisher::{PublishError, Publisher};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = task::<RebuildSearch>();

/// How many products a stretch has: they are in memory with their descriptions.
const STRETCH: usize = 1000;
/// How many of them are listed in one call.
const PAGE: i32 = 250;
/// A segment that no manifest names for so long is read by nobody, and no writer is about to name it: no function runs
/// as long.
const READ_FOR: Duration = Duration::from_hours(1);

pub(crate) struct RebuildSearch {
    publisher: Publisher,
}

/// What an operator may ask for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RebuildRequest {
    /// Whether to begin with the first product, wherever the last run stopped.
    from_start: bool,
}

/// What a run did.
#[derive(Debug, Default, Serialize)]
pub struct RebuildReport {
    /// Whether it came to the end.
    complete: bool,
    /// Whether it went on where another run had stopped.
    resumed: bool,
    /// Whether the index could not be read, and was begun anew.
    begun_anew: bool,
    /// Products that were looked at.
    products: u64,
    /// Stretches in which something was not as the catalogue has it.
    stretches_changed: u64,
    /// Products in the index.
    indexed: u64,
    /// Bytes of the index.
    bytes: usize,
    /// Segments that were deleted.
    deleted: usize,
}

impl Start for RebuildSearch {
    const NAME: &'static str = "rebuild-search";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { publisher: Publisher::start(environment)? })
    }
}

impl Task for RebuildSearch {
    type Input = RebuildRequest;
    type Answer = RebuildReport;

    async fn run(&self, request: RebuildRequest, _: &str) -> Result<RebuildReport, FunctionError> {
        let mut report = RebuildReport::default();
        match self.rebuild(&request, &mut report).await {
            Ok(()) => {
                tracing::info!(report = ?report, "the index was compared with the catalogue");
                Ok(report)
            }
            Err(error) => Err(FunctionError::new("the index could not be rebuilt", error)),
        }
    }
}

impl RebuildSearch {
    async fn rebuild(
        &self,
        request: &RebuildRequest,
        report: &mut RebuildReport,
    ) -> Result<(), PublishError> {
        let bucket = &self.publisher.reader.bucket;
        let budget = Budget::start(&self.publisher.clock, VERIFY_TIMEOUT);
        self.mend(report).await?;
        let mut behind: Option<Position> = if request.from_start || report.begun_anew {
            None
        } else {
            bucket.rebuild().await.map_err(PublishError::Bucket)?
        };
        report.resumed = behind.is_some();
        loop {
            behind = self.stretch(behind.as_ref(), report).await?;
            bucket.put_rebuild(behind.as_ref()).await?;
            if behind.is_none() {
                break;
            }
            if budget.is_over() {
                tracing::warn!(?behind, "the rest is left to the next run");
                return Ok(());
            }
        }
        self.publisher.compact().await?;
        self.clean(report).await?;
        report.complete = true;
        Ok(())
    }

    /// Begins anew with an index that cannot be read.
    async fn mend(&self, report: &mut RebuildReport) -> Result<(), PublishError> {
        let Err(error) = self.publisher.reader.now().await else { return Ok(()) };
        if !error.is_of_index() {
            return Err(error.into());
        }
        tracing::error!(error = %Chain(&error), "the index cannot be read, and is begun anew");
        if let Some(etag) = self.publisher.reader.bucket.tag().await? {
            report.begun_anew = self.publisher.begin_anew(&etag).await?;
        }
        Ok(())
    }

    /// Makes the index agree with a stretch of the catalogue; where the next begins.
    async fn stretch(
        &self,
        behind: Option<&Position>,
        report: &mut RebuildReport,
    ) -> Result<Option<Position>, PublishError> {
        let (mut ids, mut next) = (BTreeSet::new(), behind.cloned());
        loop {
            let (page, goes_on) = self.publisher.catalogue.listed(next.as_ref(), PAGE).await?;
            ids.extend(page);
            next = goes_on;
            if next.is_none() || ids.len() >= STRETCH {
                break;
            }
        }
        let seen = self.publisher.reader.now().await?;
        let (from, to) = (behind.map(Position::place), next.as_ref().map(Position::place));
        let indexed = seen.snapshot.made_between(from, to).map_err(PublishError::Index)?;
        ids.extend(indexed.into_iter().map(|shown| shown.id));
        report.products += u64::try_from(ids.len()).unwrap_or(0);
        report.stretches_changed += u64::from(self.publisher.apply(&ids).await?);
        Ok(next)
    }

    /// Deletes the segments that no manifest names any more.
    async fn clean(&self, report: &mut RebuildReport) -> Result<(), PublishError> {
        let now = self.publisher.clock.now();
        let read_for = i64::try_from(READ_FOR.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp::from_millis(now.as_millis().saturating_sub(read_for));
        let bucket = &self.publisher.reader.bucket;
        // Before the manifest: what is named by then is either in it, or is gone for good.
        let old = bucket.segments_before(before).await?;
        let snapshot = self.publisher.reader.now().await?.snapshot;
        (report.indexed, report.bytes) = (snapshot.products(), snapshot.bytes());
        for name in old {
            if !snapshot.manifest.segments.iter().any(|named| named.name == name) {
                bucket.delete_segment(&name).await?;
                report.deleted += 1;
            }
        }
        Ok(())
    }
}

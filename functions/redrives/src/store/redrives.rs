//! Redrives.

use aws_sdk_dynamodb::Client;
use shop_dynamo::{Condition, New, Read, Record, StoreError, Table, Updated, Write, write};
use shop_lambda::{Environment, StartError};
use shop_types::{RedriveId, Timestamp};

use super::key;
use crate::redrive::{Redrive, Status};

#[derive(Clone, Debug)]
pub(crate) struct Redrives {
    table: Table,
}

/// What came of storing a new redrive.
#[derive(Debug)]
pub(crate) enum Created {
    New,
    /// There is one of this id: the one that was asked for under this key before, or our own first try.
    There(Box<Redrive>),
}

impl Redrives {
    /// The redrives in the table that `REDRIVES_TABLE` names.
    pub(crate) fn start(environment: &Environment, client: Client) -> Result<Self, StartError> {
        Ok(Self { table: Table::start(environment, client, "REDRIVES_TABLE", "id")? })
    }

    /// Stores a new one.
    ///
    /// # Errors
    /// See [`StoreError`]; it may be stored.
    pub(crate) async fn create(&self, new: &Redrive) -> Result<Created, StoreError> {
        Ok(match self.table.put_new(write(Redrive::KIND, new)?).await? {
            New::Stored => Created::New,
            New::Exists(stored) => Created::There(Box::new(stored)),
        })
    }

    pub(crate) async fn find(&self, id: &RedriveId) -> Result<Option<Redrive>, StoreError> {
        self.table.get(key(id.as_str()), Read::Consistent).await
    }

    /// Stores what became of one, unless somebody else has changed it; whether it is stored.
    ///
    /// # Errors
    /// See [`StoreError`]; whether it is stored is not known then.
    pub(crate) async fn change(&self, before: &Redrive, after: &Redrive) -> Result<bool, StoreError> {
        let status = |status| match status {
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Done => "done",
            Status::Failed => "failed",
        };
        let mut update = self
            .table
            .update(key(before.id.as_str()))
            .set("status", status(after.status))
            .set("version", after.version)
            .set("updated_at", after.updated_at)
            .set("correlation_id", after.cause.correlation_id.as_str())
            .only_if(Condition::equals("version", before.version));
        update = update.set_or_remove(&[("actor", after.cause.actor.as_deref())]);
        if let Some(finished_at) = after.finished_at {
            update = update.set("finished_at", finished_at);
        }
        match self.table.update_if::<Redrive>(update).await? {
            Updated::Done => Ok(true),
            // This very write took effect, and its answer was lost; or somebody else's did.
            Updated::Changed(stored) => Ok(stored.version == after.version && stored.status == after.status),
            Updated::Absent => Err(StoreError::Contended { kind: Redrive::KIND }),
        }
    }

    /// Counts letters that are moved, and notes where it goes on: for the transaction that moves them. It fails once the
    /// redrive does not run any more.
    pub(crate) fn progress(&self, redrive: &Redrive, moved: usize, behind: &str, now: Timestamp) -> Write {
        let moved = i64::try_from(moved).unwrap_or(i64::MAX);
        let update = self.table.update(key(redrive.id.as_str()));
        let update = update.add("moved", moved).set("behind", behind).set("updated_at", now);
        update.only_if(Condition::equals("status", "running")).into()
    }
}

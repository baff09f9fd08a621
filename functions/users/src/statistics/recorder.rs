//! Records changes of one user's orders: reads a snapshot, decides, writes, and begins anew where another writer
//! was faster.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use shop_dynamo::StoreError;
use shop_lambda::{Clock, Environment, StartError};
use shop_types::{Timestamp, UserId};

use crate::statistics::ledger::{Change, StatsSnapshot, Update};
use crate::statistics::stats::OutOfRange;
use crate::statistics::store::{Saved, StatsStore};

pub(crate) struct Recorder {
    pub(crate) store: StatsStore,
    pub(crate) clock: Clock,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

impl Recorder {
    /// A recorder for the table that `USERS_TABLE` names.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let store = StatsStore::start(environment, Client::new(environment.sdk_config()))?;
        Ok(Self { store, clock: environment.clock() })
    }

    /// Records what one transaction can hold of one user's changes; whether there was anything to record.
    pub(crate) async fn record(&self, user: &UserId, changes: &[Change]) -> Result<bool, RecordError> {
        self.write(user, changes, |snapshot, now| snapshot.apply(changes, now)).await
    }

    /// The same as a repair that a request asks for.
    pub(crate) async fn repair(
        &self,
        user: &UserId,
        changes: &[Change],
        request_id: &str,
    ) -> Result<bool, RecordError> {
        self.write(user, changes, |snapshot, now| snapshot.repair(changes, request_id, now)).await
    }

    async fn write(
        &self,
        user: &UserId,
        changes: &[Change],
        decide: impl Fn(&StatsSnapshot, Timestamp) -> Result<Update, OutOfRange> + Send,
    ) -> Result<bool, RecordError> {
        let orders: BTreeSet<_> = changes.iter().map(|change| &change.order_id).collect();
        let mut tries = self.store.tries();
        loop {
            let snapshot = self.store.snapshot(user, &orders).await?;
            let mut update = decide(&snapshot, self.clock.now())?;
            if update.is_empty() {
                return Ok(false);
            }
            if update.last_order_is_lost {
                // Consistent with what was read before: whoever changes the ledger in between changes the
                // statistics' version too, and then this update is outrun.
                update.find_last_order(self.store.counted_orders(user).await?);
            }
            match self.store.save(&update).await? {
                Saved::Done => return Ok(true),
                Saved::Conflict => tries.pause().await?,
            }
        }
    }
}

//! Consumes `order.confirmed` and `order.cancelled`: counts a user's orders, and takes cancelled ones off.
//!
//! - Exactly once: the order's ledger entry is the claim, and it is written in one transaction with the
//!   statistics. Any order of arrival gives the same figures (see [`crate::ledger`]).
//! - Coalesced: all of a batch's events of one user are one transaction with one write of the statistics, up
//!   to 99 orders at a time.
//! - Drops: guests' orders, who have no statistics.
//! - Retries: everything else that fails. What another writer outruns is read and tried again here, a few
//!   times with growing pauses; then, as any failure of DynamoDB, it is left to the queue.
//!
//! Needs `dynamodb:BatchGetItem`, `Query` and `PutItem` on the users table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use futures::{StreamExt, stream};
use shop_dynamo::StoreError;
use shop_lambda::{Clock, Environment, Function, Random, StartError};
use shop_messaging::consumer::{self, BatchConsumer, Failure, Message, Verdict};
use shop_types::UserId;

use crate::ledger::{Change, Meaning, meaning};
use crate::stats::OutOfRange;
use crate::store::{MAX_ORDERS, Saved, UserStore};

/// The function.
pub const FUNCTION: Function = Function::new("record-user-stats", |environment| {
    Box::pin(async move { Ok(consumer::batch(RecordUserStats::start(&environment)?)) })
});

/// How many users of a batch are written for at a time.
const CONCURRENCY: usize = 8;
/// How often an update is tried that others outrun, and the longest first pause; the bound doubles each
/// time. One of the writers that meet always wins, so ten tries are enough for ten of them.
const TRIES: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The consumer.
struct RecordUserStats {
    store: UserStore,
    clock: Clock,
    random: Random,
    sleep: Option<SharedAsyncSleep>,
}

/// Why a user's changes could not be recorded.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

/// A change, and the message that it came by.
type Numbered = (usize, Change);

impl RecordUserStats {
    fn start(environment: &Environment) -> Result<Self, StartError> {
        let sdk = environment.sdk_config();
        Ok(Self {
            store: UserStore::start(environment, Client::new(sdk))?,
            clock: environment.clock(),
            random: environment.random(),
            sleep: sdk.sleep_impl(),
        })
    }

    /// Records what one transaction can hold of one user's changes.
    async fn record(&self, user: &UserId, changes: &[Change]) -> Result<(), RecordError> {
        let orders: BTreeSet<_> = changes.iter().map(|change| &change.order_id).collect();
        for attempt in 0..TRIES {
            let account = self.store.account(user, &orders).await?;
            let mut update = account.apply(changes, self.clock.now())?;
            if update.is_empty() {
                return Ok(());
            }
            if update.last_order_is_lost {
                // Consistent with what was read before: whoever changes the ledger in between changes the
                // statistics' version too, and then this update is outrun.
                update.find_last_order(self.store.counted_orders(user).await?);
            }
            match self.store.save(&update).await? {
                Saved::Done => return Ok(()),
                Saved::Outrun => self.pause(attempt).await,
            }
        }
        Err(StoreError::Contended { kind: "user's statistics" }.into())
    }

    /// Waits for a random time, so that writers that met once do not meet again.
    async fn pause(&self, attempt: u32) {
        let Some(sleep) = &self.sleep else { return };
        let [random] = self.random.bytes::<1>();
        sleep.sleep(FIRST_PAUSE * 2_u32.pow(attempt.min(6)) * u32::from(random) / u32::from(u8::MAX)).await;
    }

    /// Records one user's changes, chunk by chunk, and answers with the verdict of each message.
    async fn record_all(&self, user: UserId, changes: Vec<Numbered>) -> Vec<(usize, Verdict)> {
        let mut verdicts = Vec::with_capacity(changes.len());
        for chunk in chunks(changes) {
            let (messages, changes): (Vec<usize>, Vec<Change>) = chunk.into_iter().unzip();
            let result = self.record(&user, &changes).await.map_err(Arc::new);
            verdicts.extend(messages.into_iter().map(|message| {
                (message, result.clone().map_err(|error| Failure::new("not_recorded", error)))
            }));
        }
        verdicts
    }
}

impl BatchConsumer for RecordUserStats {
    async fn consume(&self, batch: &[Message]) -> Vec<Verdict> {
        let mut verdicts: Vec<Verdict> = Vec::with_capacity(batch.len());
        let mut by_user: BTreeMap<UserId, Vec<Numbered>> = BTreeMap::new();
        for (index, message) in batch.iter().enumerate() {
            verdicts.push(match meaning(&message.event) {
                Meaning::OfUser(user, change) => {
                    by_user.entry(user).or_default().push((index, change));
                    Err(Failure::code_only("not_recorded"))
                }
                Meaning::OfGuest => Ok(()),
                Meaning::Unexpected => Err(Failure::code_only("unexpected_event_type")),
            });
        }
        let recorded: Vec<_> =
            by_user.into_iter().map(|(user, changes)| self.record_all(user, changes)).collect();
        let recorded: Vec<_> = stream::iter(recorded).buffered(CONCURRENCY).collect().await;
        for (index, verdict) in recorded.into_iter().flatten() {
            verdicts[index] = verdict;
        }
        verdicts
    }
}

/// Cuts changes into chunks of no more orders than one transaction can hold, in their order.
fn chunks(changes: Vec<Numbered>) -> Vec<Vec<Numbered>> {
    let mut chunks: Vec<Vec<Numbered>> = Vec::new();
    let mut orders = BTreeSet::new();
    for (index, change) in changes {
        let is_full = orders.len() == MAX_ORDERS && !orders.contains(&change.order_id);
        if is_full || chunks.is_empty() {
            chunks.push(Vec::new());
            orders.clear();
        }
        orders.insert(change.order_id.clone());
        if let Some(chunk) = chunks.last_mut() {
            chunk.push((index, change));
        }
    }
    chunks
}

#[cfg(test)]
mod tests;

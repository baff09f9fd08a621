//! Consumes `order.confirmed` and `order.cancelled`: counts a user's orders, and takes cancelled ones off.
//!
//! - Exactly once: the order's ledger entry is the claim, and it is written in one transaction with the
//!   statistics. Any order of arrival gives the same figures (see [`crate::statistics::ledger`]).
//! - Coalesced: all of a batch's events of one user are one transaction with one write of the statistics, up
//!   to 99 orders at a time.
//! - Drops: guests' orders, who have no statistics.
//! - Retries: everything else that fails. What another writer outruns is read and tried again here, a few
//!   times with growing pauses; then, as any failure of DynamoDB, it is left to the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::{StreamExt, stream};
use shop_lambda::{Environment, Function, Start, StartError};
use shop_messaging::consumer::{self, BatchConsumer, Failure, Message, MessageResult};
use shop_types::UserId;

use crate::statistics::ledger::{Change, Meaning, meaning};
use crate::statistics::recorder::Recorder;
use crate::statistics::store::MAX_ORDERS;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::batch::<RecordUserStats>();

/// How many users of a batch are written for at a time.
const CONCURRENCY: usize = 8;
pub(crate) struct RecordUserStats {
    recorder: Recorder,
}

/// A change, and the message that it came by.
type Numbered = (usize, Change);

impl RecordUserStats {
    /// Records one user's changes, chunk by chunk, and answers with the result of each message.
    async fn record_all(&self, user: UserId, changes: Vec<Numbered>) -> Vec<(usize, MessageResult)> {
        let mut results = Vec::with_capacity(changes.len());
        for chunk in chunks(changes) {
            let (messages, changes): (Vec<usize>, Vec<Change>) = chunk.into_iter().unzip();
            let result = self.recorder.record(&user, &changes).await.map_err(Arc::new);
            results.extend(messages.into_iter().map(|message| {
                (message, result.clone().map(drop).map_err(|error| Failure::new("not_recorded", error)))
            }));
        }
        results
    }
}

impl Start for RecordUserStats {
    const NAME: &'static str = "record-user-stats";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { recorder: Recorder::start(environment)? })
    }
}

impl BatchConsumer for RecordUserStats {
    async fn consume(&self, batch: &[Message]) -> Vec<MessageResult> {
        let mut results: Vec<MessageResult> = Vec::with_capacity(batch.len());
        let mut by_user: BTreeMap<UserId, Vec<Numbered>> = BTreeMap::new();
        for (index, message) in batch.iter().enumerate() {
            results.push(match meaning(&message.event) {
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
        for (index, result) in recorded.into_iter().flatten() {
            results[index] = result;
        }
        results
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
mod tests {
    use super::*;
    use crate::statistics::ledger::EntryState::{Cancelled, Counted};
    use crate::statistics::ledger::tests::change;

    #[test]
    fn chunks_hold_as_many_orders_as_a_transaction() {
        assert!(chunks(Vec::new()).is_empty());
        let messages = (0..120).flat_map(|n| [change(n, Counted), change(n, Cancelled)]);
        let chunks = chunks(messages.enumerate().collect());
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [198, 42]);
        let indexes = chunks.iter().flatten().map(|(index, _)| *index);
        assert!(indexes.eq(0..240));
    }
}

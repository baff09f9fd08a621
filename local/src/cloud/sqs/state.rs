//! What all queues hold, with the journal: nothing changes in memory that was not written down before.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Notify;

use super::journal::{Change, Journal};
use super::message::Message;
use super::queue::Queue;
use crate::cloud::AwsError;

/// The messages of all queues, by the queues' physical names.
#[derive(Debug)]
pub(super) struct State {
    pub(super) queues: BTreeMap<String, Queue>,
    pub(super) journal: Option<Journal>,
    /// The key that the next message gets.
    pub(super) next_key: i64,
}

/// What the template says of a queue. Times are milliseconds.
#[derive(Debug)]
pub(in crate::cloud) struct Settings {
    pub(in crate::cloud) visibility: i64,
    pub(in crate::cloud) retention: i64,
    /// The physical name of the dead-letter queue, and after how many receptions a message goes there.
    pub(in crate::cloud) redrive: Option<(String, u32)>,
    /// Wakes who waits for messages.
    pub(super) wake: Arc<Notify>,
}

impl State {
    pub(super) fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name)
    }

    pub(super) fn put(&mut self, queue: &str, message: Message, now: i64) {
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.put(message, now);
        }
    }

    /// Deletes messages. Returns those that were there.
    pub(super) fn delete(&mut self, queue: &str, keys: &[i64]) -> Result<Vec<Message>, AwsError> {
        let changes: Vec<_> = keys.iter().map(|key| Change::Delete(*key)).collect();
        self.write(&changes)?;
        let queue = self.queues.get_mut(queue);
        Ok(queue.into_iter().flat_map(|queue| keys.iter().filter_map(|key| queue.remove(*key))).collect())
    }

    pub(super) fn write(&mut self, changes: &[Change<'_>]) -> Result<(), AwsError> {
        match &mut self.journal {
            Some(journal) if !changes.is_empty() => {
                journal.write(changes).map_err(|error| AwsError::internal(&error))
            }
            _ => Ok(()),
        }
    }
}

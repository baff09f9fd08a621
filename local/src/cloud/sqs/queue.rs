//! One queue as a state machine: what is ready, what is hidden and until when.
//!
//! It knows neither time nor storage: every step is told the time, and says what it would change. The
//! caller writes that down first and then lets it happen, so that nothing is acknowledged and then lost.

use std::collections::{BTreeMap, BTreeSet};

use super::message::Message;
use crate::cloud::Depth;

/// The messages of one queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    messages: BTreeMap<i64, Message>,
    /// Keys of messages that can be received, oldest first.
    ready: BTreeSet<i64>,
    /// When each other message becomes ready.
    hidden: BTreeSet<(i64, i64)>,
}

impl Queue {
    /// Puts a message in, or in a new state.
    pub(super) fn put(&mut self, message: Message, now: i64) {
        self.remove(message.key);
        if message.visible <= now {
            self.ready.insert(message.key);
        } else {
            self.hidden.insert((message.visible, message.key));
        }
        self.messages.insert(message.key, message);
    }

    pub(super) fn remove(&mut self, key: i64) -> Option<Message> {
        let message = self.messages.remove(&key)?;
        if !self.ready.remove(&key) {
            self.hidden.remove(&(message.visible, key));
        }
        Some(message)
    }

    /// Makes ready what was hidden until now.
    pub(super) fn refresh(&mut self, now: i64) {
        while let Some(&(visible, key)) = self.hidden.first()
            && visible <= now
        {
            self.hidden.pop_first();
            self.ready.insert(key);
        }
    }

    /// The messages to receive next: at most so many, the oldest first.
    pub(super) fn ready(&self) -> impl Iterator<Item = &Message> {
        self.ready.iter().filter_map(|key| self.messages.get(key))
    }

    pub(super) fn ready_count(&self) -> usize {
        self.ready.len()
    }

    /// When the next hidden message becomes ready.
    pub(super) fn next_change(&self) -> Option<i64> {
        self.hidden.first().map(|(visible, _)| *visible)
    }

    /// The message that a receipt handle belongs to, if it is the last one that was given out for it.
    pub(super) fn by_receipt(&self, key: i64, receipt: &str) -> Option<&Message> {
        self.messages.get(&key).filter(|message| message.receipt.as_deref() == Some(receipt))
    }

    /// The keys of messages that were sent before a time.
    pub(super) fn sent_before(&self, time: i64) -> Vec<i64> {
        self.messages.values().take_while(|message| message.sent < time).map(|message| message.key).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn depth(&self) -> Depth {
        let received =
            |(_, key): &&(i64, i64)| self.messages.get(key).is_some_and(|message| message.receives > 0);
        let in_flight = self.hidden.iter().filter(received).count();
        Depth { visible: self.ready.len(), in_flight, delayed: self.hidden.len() - in_flight }
    }
}

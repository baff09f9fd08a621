//! All queues of a template: sending, receiving, putting off, deleting, and the way to the dead-letter queues.
//!
//! Every step is written to the journal, if there is one, before it happens in memory and is acknowledged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::journal::{Change, Journal};
use super::message::{Message, NewMessage};
use super::queue::Queue;
use super::state::{Settings, State};
use crate::cloud::clock::Clock;
use crate::cloud::observer::{Observers, Step};
use crate::cloud::random::Random;
use crate::cloud::{AwsError, CloudError, Depth};
use crate::template;

/// All queues, by their physical names.
#[derive(Debug)]
pub(in crate::cloud) struct Queues {
    inner: Mutex<State>,
    settings: BTreeMap<String, Settings>,
    clock: Clock,
    random: Random,
    /// Tells who waits for queues to become empty.
    changed: Arc<Notify>,
    observers: Observers,
}

impl Queues {
    pub(in crate::cloud) fn open(
        template: &template::Template,
        journal: Option<Journal>,
        clock: &Clock,
        random: &Random,
        changed: Arc<Notify>,
        observers: Observers,
    ) -> Result<Self, CloudError> {
        let mut settings = BTreeMap::new();
        for queue in template.queues.values() {
            let redrive = queue.redrive.as_ref().and_then(|redrive| {
                let target = template.queues.get(&redrive.queue)?;
                Some((target.name.clone(), redrive.max_receive_count))
            });
            let own = Settings {
                visibility: millis(queue.visibility_timeout),
                retention: millis(queue.retention),
                redrive,
                wake: Arc::new(Notify::new()),
            };
            settings.insert(queue.name.clone(), own);
        }
        let mut queues: BTreeMap<String, Queue> =
            settings.keys().map(|name| (name.clone(), Queue::default())).collect();
        let mut next_key = 1;
        let stored = match &journal {
            Some(journal) => journal.messages().map_err(|error| CloudError::state("queues.sqlite", error))?,
            None => Vec::new(),
        };
        let now = clock.now();
        for (name, mut message) in stored {
            next_key = next_key.max(message.key.saturating_add(1));
            let Some(queue) = queues.get_mut(&name) else {
                let problem = format!("it holds messages of the queue {name}, which the template lacks");
                return Err(CloudError::state("queues.sqlite", problem));
            };
            // Whoever had received it ended with the process, so nobody can delete it any more.
            if message.receives > 0 {
                message.visible = now;
            }
            queue.put(message, now);
        }
        let inner = Mutex::new(State { queues, journal, next_key });
        Ok(Self { inner, settings, clock: clock.clone(), random: random.clone(), changed, observers })
    }

    pub(in crate::cloud) fn settings(&self, queue: &str) -> Result<&Settings, AwsError> {
        self.settings.get(queue).ok_or_else(|| {
            AwsError::client("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        })
    }

    /// Sends messages: all of them are stored, or none. Returns their ids.
    pub(in crate::cloud) fn send(&self, messages: Vec<(&str, NewMessage)>) -> Result<Vec<String>, AwsError> {
        let now = self.clock.now();
        let mut inner = self.lock();
        let mut stored = Vec::with_capacity(messages.len());
        for (queue, new) in messages {
            self.settings(queue)?;
            let message = Message {
                key: inner.next_key,
                id: self.random.uuid(),
                body: new.body,
                attributes: new.attributes,
                sent: now,
                first_received: None,
                receives: 0,
                received: None,
                visible: now.saturating_add(new.delay),
                dead_letter_source: None,
                receipt: None,
            };
            inner.next_key += 1;
            stored.push((queue, message));
        }
        let changes: Vec<_> = stored.iter().map(|(queue, message)| Change::Put(queue, message)).collect();
        inner.write(&changes)?;
        let ids = stored.iter().map(|(_, message)| message.id.clone()).collect();
        for (queue, message) in stored {
            self.observers.queued(queue, &message.id, Step::Sent(&message.body));
            inner.put(queue, message, now);
            self.wake(queue);
        }
        Ok(ids)
    }

    /// Receives what is ready, at most so many, and hides it for a time in milliseconds (the queue's own
    /// without one). What was received too often goes to the dead-letter queue instead.
    pub(in crate::cloud) fn receive(
        &self,
        queue: &str,
        most: usize,
        visibility: Option<i64>,
    ) -> Result<Vec<Message>, AwsError> {
        let settings = self.settings(queue)?;
        let now = self.clock.now();
        let visible = now.saturating_add(visibility.unwrap_or(settings.visibility));
        let mut inner = self.lock();
        self.expire(&mut inner, queue, settings, now)?;
        let (mut received, mut dead) = (Vec::new(), Vec::new());
        for message in inner.queue(queue).into_iter().flat_map(Queue::ready) {
            match &settings.redrive {
                Some((target, most)) if message.receives >= *most => {
                    let message = Message {
                        receives: 0,
                        first_received: None,
                        received: None,
                        visible: now,
                        dead_letter_source: Some(queue.to_owned()),
                        receipt: None,
                        ..message.clone()
                    };
                    dead.push((target.as_str(), message));
                }
                _ if received.len() == most => break,
                _ => received.push(Message {
                    receives: message.receives.saturating_add(1),
                    first_received: message.first_received.or(Some(now)),
                    received: Some(now),
                    visible,
                    receipt: Some(format!("{}.{}", message.key, self.random.hex())),
                    ..message.clone()
                }),
            }
        }
        let dead_changes = dead.iter().map(|(target, message)| Change::Put(target, message));
        let changes: Vec<_> = received.iter().map(Change::Update).chain(dead_changes).collect();
        inner.write(&changes)?;
        for (target, message) in dead {
            self.observers.queued(queue, &message.id, Step::DeadLettered(target));
            if let Some(queue) = inner.queues.get_mut(queue) {
                queue.remove(message.key);
            }
            inner.put(target, message, now);
            self.wake(target);
        }
        for message in &received {
            self.observers.queued(queue, &message.id, Step::Received(message.receives));
            inner.put(queue, message.clone(), now);
        }
        Ok(received)
    }

    /// Hides a message that its receiver has for so many milliseconds from now, and from its reception on for no more
    /// than `most`. Not at all makes it visible at once; its receipt handle stays good for deleting it until it is
    /// received again.
    pub(in crate::cloud) fn change_visibility(
        &self,
        queue: &str,
        receipt: &str,
        hidden: i64,
        most: i64,
    ) -> Result<(), AwsError> {
        self.settings(queue)?;
        let now = self.clock.now();
        let mut inner = self.lock();
        if let Some(state) = inner.queues.get_mut(queue) {
            state.refresh(now);
        }
        let Some(key) = key_of(receipt) else {
            let message = "The input receipt handle is invalid.";
            return Err(AwsError::client("ReceiptHandleIsInvalid", message));
        };
        let held = inner.queue(queue).and_then(|queue| queue.by_receipt(key, receipt));
        let Some(message) = held.filter(|message| message.visible > now) else {
            let message = "Message does not exist or is not available for visibility timeout change.";
            return Err(AwsError::client("AWS.SimpleQueueService.MessageNotInflight", message));
        };
        let visible = now.saturating_add(hidden);
        if visible > message.received.unwrap_or(now).saturating_add(most) {
            let message = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            return Err(AwsError::client("InvalidParameterValue", message));
        }
        let message = Message { visible, ..message.clone() };
        inner.write(&[Change::Update(&message)])?;
        self.observers.queued(queue, &message.id, Step::PutOff(hidden));
        inner.put(queue, message, now);
        self.wake(queue);
        Ok(())
    }

    /// Deletes the messages of receipt handles. A handle that is not the last one given out for its message
    /// deletes nothing, as in SQS. Returns which handles are none at all.
    pub(in crate::cloud) fn delete(&self, queue: &str, receipts: &[&str]) -> Result<Vec<bool>, AwsError> {
        self.settings(queue)?;
        let mut inner = self.lock();
        let keys: Vec<Option<i64>> = receipts.iter().map(|receipt| key_of(receipt)).collect();
        let held = |(key, receipt): (&Option<i64>, &&str)| {
            let key = (*key)?;
            inner.queue(queue)?.by_receipt(key, receipt).map(|message| message.key)
        };
        let doomed: Vec<i64> = keys.iter().zip(receipts).filter_map(held).collect();
        self.remove(&mut inner, queue, &doomed, Step::Deleted)?;
        self.changed.notify_waiters();
        Ok(keys.iter().map(Option::is_some).collect())
    }

    /// How many messages can be received now, and when the next hidden one can be.
    pub(in crate::cloud) fn ready(&self, queue: &str) -> (usize, Option<i64>) {
        let now = self.clock.now();
        let mut inner = self.lock();
        match inner.queues.get_mut(queue) {
            None => (0, None),
            Some(queue) => {
                queue.refresh(now);
                (queue.ready_count(), queue.next_change())
            }
        }
    }

    /// What wakes those who wait for a queue's messages.
    pub(in crate::cloud) fn arrivals(&self, queue: &str) -> Option<Arc<Notify>> {
        self.settings.get(queue).map(|settings| Arc::clone(&settings.wake))
    }

    pub(in crate::cloud) fn depth(&self, queue: &str) -> Depth {
        let now = self.clock.now();
        let mut inner = self.lock();
        inner.queues.get_mut(queue).map_or_else(Depth::default, |queue| {
            queue.refresh(now);
            queue.depth()
        })
    }

    pub(in crate::cloud) fn is_empty(&self, queue: &str) -> bool {
        self.lock().queue(queue).is_none_or(|queue| queue.len() == 0)
    }

    /// The secrets share the journal's file.
    pub(in crate::cloud) fn with_journal<T>(&self, use_it: impl FnOnce(Option<&Journal>) -> T) -> T {
        use_it(self.lock().journal.as_ref())
    }

    /// Takes what the log of the file still holds into the file itself.
    pub(in crate::cloud) fn checkpoint(&self) -> Result<(), CloudError> {
        let done = self.lock().journal.as_ref().map_or(Ok(()), Journal::checkpoint);
        done.map_err(|error| CloudError::state("queues.sqlite", error))
    }

    fn expire(&self, inner: &mut State, queue: &str, settings: &Settings, now: i64) -> Result<(), AwsError> {
        let Some(state) = inner.queues.get_mut(queue) else { return Ok(()) };
        state.refresh(now);
        let expired = state.sent_before(now.saturating_sub(settings.retention));
        if !expired.is_empty() {
            self.remove(inner, queue, &expired, Step::Expired)?;
            self.changed.notify_waiters();
        }
        Ok(())
    }

    fn remove(&self, inner: &mut State, queue: &str, keys: &[i64], step: Step<'_>) -> Result<(), AwsError> {
        for message in inner.delete(queue, keys)? {
            self.observers.queued(queue, &message.id, step);
        }
        Ok(())
    }

    fn wake(&self, queue: &str) {
        if let Some(settings) = self.settings.get(queue) {
            settings.wake.notify_waiters();
        }
        self.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key in a receipt handle, which is `key.random`.
fn key_of(receipt: &str) -> Option<i64> {
    receipt.split_once('.')?.0.parse().ok()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

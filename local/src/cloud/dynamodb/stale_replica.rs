//! The tables as they were a while ago: what an eventually consistent read, or one of an index, may show.
//!
//! A second copy of every table follows the first: each write that took effect is carried out there as well,
//! when a read asks for a time after it. So what it shows is always a state that the tables were in.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use dynoxide::storage::Storage;

use super::{Answer, Request, schema};
use crate::cloud::clock::{Clock, StreamClock};
use crate::cloud::{AwsError, CloudError};
use crate::template::Template;

/// Writes that are kept for later; the oldest are carried out at once when there are more.
const MAX_WRITES: usize = 4000;

pub(super) struct StaleReplica {
    storage: Storage,
    writes: VecDeque<Write>,
}

/// A write that took effect, as the client sent it.
struct Write {
    time: i64,
    operation: String,
    body: Bytes,
}

impl StaleReplica {
    pub(super) fn open(template: &Template, clock: &Clock) -> Result<Self, CloudError> {
        let failed = |error| CloudError::state("the second copy of the tables", error);
        let storage =
            Storage::memory().map_err(failed)?.with_clock(Arc::new(StreamClock::new(clock.clone())));
        schema::prepare(&storage, template, |_| None)?;
        Ok(Self { storage, writes: VecDeque::new() })
    }

    /// Takes in a write that took effect.
    pub(super) fn follow(&mut self, time: i64, operation: String, body: Bytes) {
        self.writes.push_back(Write { time, operation, body });
        if self.writes.len() > MAX_WRITES
            && let Some(write) = self.writes.pop_front()
        {
            self.carry_out(&write);
        }
    }

    /// Runs a read on the tables as they were at a time.
    pub(super) fn read(&mut self, request: Request, until: i64) -> Result<Answer, AwsError> {
        while let Some(write) = self.writes.front()
            && write.time <= until
            && let Some(write) = self.writes.pop_front()
        {
            self.carry_out(&write);
        }
        request.execute(&self.storage)
    }

    fn carry_out(&self, write: &Write) {
        let request = Request::parse(&write.operation, &write.body);
        if let Err(error) = request.and_then(|request| request.execute(&self.storage)) {
            // It took effect on the same state before.
            tracing::error!(error.code = error.code, "the second copy of the tables is another");
        }
    }
}

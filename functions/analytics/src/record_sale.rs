//! Consumer of order.confirmed and order.cancelled: counts what was sold, and what of it was taken back.
//!
//! - Exactly once: a fact is put on the condition that it is new, in the transaction that adds it to its hour, its day
//!   and its products. Nothing is read. Any order of arrival gives the same figures (see [`crate::fact`]).
//! - Coalesced: as many facts of a batch as fit are one transaction, which adds to each bucket once ([`crate::plan`]).
//!   Where one of them was counted before, the others are counted without it.
//! - Retries: everything that fails. What meets other writers is tried again here, then fact by fact, so that one
//!   broken item fails only the orders that it concerns; then it is left to the queue.
//! - Drops: the cancellation of an order that was never confirmed, which was no sale.

use std::collections::BTreeMap;

use shop_lambda::{Environment, Function, Start, StartError};
use shop_messaging::consumer::{BatchConsumer, Failure, Message, MessageResult, batch};

use crate::fact::{Meaning, meaning};
use crate::recorder::{Key, Recorder};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = batch::<RecordSale>();

pub(crate) struct RecordSale {
    recorder: Recorder,
}

impl Start for RecordSale {
    const NAME: &'static str = "record-sale";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self { recorder: Recorder::start(environment)? })
    }
}

impl BatchConsumer for RecordSale {
    async fn consume(&self, batch: &[Message]) -> Vec<MessageResult> {
        let meanings: Vec<_> = batch.iter().map(|message| meaning(&message.event)).collect();
        let counts = |meaning: &Meaning| match meaning {
            Meaning::Counts(facts) => facts.clone(),
            Meaning::Nothing | Meaning::Unexpected => Vec::new(),
        };
        let failed = self.recorder.record(meanings.iter().flat_map(counts)).await;
        meanings.iter().map(|meaning| result(meaning, &failed)).collect()
    }
}

/// A message is done when all parts of its fact are counted.
fn result(meaning: &Meaning, failed: &BTreeMap<Key, String>) -> MessageResult {
    match meaning {
        Meaning::Counts(facts) => match facts.iter().find_map(|fact| failed.get(&fact.key())) {
            Some(error) => Err(Failure::new("not_counted", error.clone())),
            None => Ok(()),
        },
        Meaning::Nothing => Ok(()),
        // The filter policy lets no other through; one that comes all the same must be seen, not lost.
        Meaning::Unexpected => Err(Failure::code_only("unexpected_event_type")),
    }
}

//! Counts facts: packs them into transactions, and leaves out what was counted before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use shop_dynamo::StoreError;
use shop_lambda::log::Chain;
use shop_lambda::{Environment, StartError};
use shop_types::Currency;

use crate::fact::Fact;
use crate::figures::OutOfRange;
use crate::plan::{Entry, pack, sum};
use crate::store::{Saved, Store};
use crate::zone::{Hour, Zone};

pub(crate) struct Recorder {
    pub(crate) store: Store,
    pub(crate) zone: Zone,
    /// The months that this environment has noted.
    months: Mutex<BTreeSet<(String, Currency)>>,
}

/// Why facts are not counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

/// A fact's key.
pub(crate) type Key = (String, String);

impl Recorder {
    /// A recorder for the table that `SALES_TABLE` names, in the zone that `TIME_ZONE` names.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            store: Store::start(environment, Client::new(environment.sdk_config()))?,
            zone: Zone::start(environment)?,
            months: Mutex::default(),
        })
    }

    /// Counts facts, each once, whenever it comes. Those that are not counted, and why; the others are, or were before.
    pub(crate) async fn record(&self, facts: impl IntoIterator<Item = Fact>) -> BTreeMap<Key, String> {
        let mut failed = BTreeMap::new();
        let mut entries = BTreeMap::new();
        for fact in facts {
            match fact.adds(&self.zone) {
                // A fact that a batch has twice is one.
                Ok(adds) => drop(entries.insert(fact.key(), Entry { fact, adds })),
                Err(error) => drop(failed.insert(fact.key(), error.to_string())),
            }
        }
        for pack in pack(entries.into_values().collect()) {
            let Err(error) = self.write(pack.clone()).await else { continue };
            let may_be_ones = matches!(
                &error,
                RecordError::Store(StoreError::Contended { .. } | StoreError::Corrupt { .. })
            );
            // One bucket's conflicts, or one that is broken, fail only the facts that it concerns.
            for entry in pack {
                let key = entry.fact.key();
                if !may_be_ones {
                    failed.insert(key, Chain(&error).to_string());
                } else if let Err(error) = self.write(vec![entry]).await {
                    failed.insert(key, Chain(&error).to_string());
                }
            }
        }
        failed
    }

    /// Counts facts in one transaction; how many of them are new.
    ///
    /// # Errors
    /// See [`RecordError`]. Some may be counted then; counting them again tells.
    pub(crate) async fn write(&self, mut entries: Vec<Entry>) -> Result<usize, RecordError> {
        for entry in &entries {
            self.note_month(&entry.fact).await?;
        }
        while !entries.is_empty() {
            let facts: Vec<_> = entries.iter().map(|entry| &entry.fact).collect();
            match self.store.save(&facts, &sum(&entries)?).await? {
                Saved::Done => break,
                // Only what is put has a condition, and at least one of them has failed: so this ends.
                Saved::Known(known) => {
                    let mut place = 0..;
                    entries.retain(|_| place.next().is_none_or(|place| !known.contains(&place)));
                }
            }
        }
        Ok(entries.len())
    }

    async fn note_month(&self, fact: &Fact) -> Result<(), StoreError> {
        let month = (Hour::of(fact.at).month(), fact.currency);
        let is_noted = self.months.lock().unwrap_or_else(PoisonError::into_inner).contains(&month);
        if !is_noted {
            self.store.note_month(&month.0, month.1).await?;
            self.months.lock().unwrap_or_else(PoisonError::into_inner).insert(month);
        }
        Ok(())
    }
}

//! The index in memory: the segments that were read once, and the manifest as it was seen last.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use shop_bucket::BucketError;
use shop_lambda::log::Chain;
use shop_lambda::{Clock, Environment, Internal, StartError};
use shop_types::Timestamp;

use crate::bucket::{Bucket, Found};
use crate::index::{IndexError, Manifest, Segment, Snapshot};

/// How long what was seen is taken for what is so.
const SEEN_FOR: Duration = Duration::from_secs(1);
/// How many segments are read at a time.
const CONCURRENCY: usize = 8;
/// How often a manifest is read whose segments are gone before they are read.
const TRIES: usize = 3;

/// The index cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error("the index cannot be read")]
    Index(#[from] IndexError),
}

impl Internal for ReadError {}

impl ReadError {
    /// Whether the index itself is broken, so that it must be built anew.
    pub(crate) const fn is_of_index(&self) -> bool {
        matches!(self, Self::Index(_) | Self::Bucket(BucketError::Unreadable(_)))
    }
}

/// The index at a moment, and the tag of its manifest; without, there is none yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) etag: Option<String>,
    pub(crate) snapshot: Arc<Snapshot>,
}

#[derive(Default)]
struct Memory {
    seen: Option<(Seen, Timestamp)>,
    segments: BTreeMap<String, Arc<Segment>>,
}

pub(crate) struct Reader {
    pub(crate) bucket: Bucket,
    clock: Clock,
    memory: Mutex<Memory>,
}

impl Reader {
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let (bucket, clock) = (Bucket::start(environment)?, environment.clock());
        Ok(Self { bucket, clock, memory: Mutex::default() })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the index into memory, before it is asked for.
    pub(crate) async fn warm_up(&self) {
        if let Err(error) = self.recent().await {
            tracing::warn!(error = %Chain(&error), "the index is not in memory yet");
        }
    }

    /// The index as it was a second ago at most; or as it was seen last, where S3 does not answer.
    pub(crate) async fn recent(&self) -> Result<Arc<Snapshot>, ReadError> {
        let seen = self.memory().seen.clone();
        if let Some((seen, at)) = &seen
            && self.clock.now().abs_diff(*at) < SEEN_FOR
        {
            return Ok(Arc::clone(&seen.snapshot));
        }
        match (self.now().await, seen) {
            (Ok(seen), _) => Ok(seen.snapshot),
            (Err(error), Some((seen, _))) => {
                tracing::warn!(error = %Chain(&error), "the index is shown as it was");
                Ok(seen.snapshot)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// The index as it is at this moment.
    pub(crate) async fn now(&self) -> Result<Seen, ReadError> {
        let mut tried = 0;
        loop {
            tried += 1;
            match self.look().await {
                // It was merged, and what it was made of deleted, since its manifest was read.
                Err(ReadError::Index(IndexError::Missing)) if tried < TRIES => {}
                result => return result,
            }
        }
    }

    async fn look(&self) -> Result<Seen, ReadError> {
        let known = self.memory().seen.as_ref().map(|(seen, _)| seen.clone());
        let known_etag = known.as_ref().and_then(|seen| seen.etag.as_deref());
        let seen = match (self.bucket.manifest(known_etag).await?, &known) {
            (Found::Same, Some(seen)) => seen.clone(),
            (Found::Same | Found::None, _) => Seen::default(),
            (Found::Manifest { etag, manifest }, _) => {
                let snapshot = Arc::new(self.open(manifest).await?);
                Seen { etag: Some(etag), snapshot }
            }
        };
        self.memory().seen = Some((seen.clone(), self.clock.now()));
        Ok(seen)
    }

    /// Reads what is not in memory of a manifest's segments, and forgets what is not in it.
    async fn open(&self, manifest: Manifest) -> Result<Snapshot, ReadError> {
        let mut open = self.memory().segments.clone();
        open.retain(|name, _| manifest.segments.iter().any(|named| named.name == *name));
        let missing = manifest.segments.iter().filter(|named| !open.contains_key(&named.name));
        let missing: Vec<_> = missing.map(|named| self.segment(&named.name)).collect();
        let read: Vec<_> = stream::iter(missing).buffered(CONCURRENCY).try_collect().await?;
        open.extend(read);
        let snapshot = Snapshot::new(manifest, &open)?;
        self.memory().segments = open;
        Ok(snapshot)
    }

    async fn segment(&self, name: &str) -> Result<(String, Arc<Segment>), ReadError> {
        let object = self.bucket.segment(name).await?.ok_or(IndexError::Missing)?;
        Ok((name.to_owned(), Arc::new(Segment::open(name, &object)?)))
    }
}

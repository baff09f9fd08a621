//! How the index changes: the manifest is read, then the products as they are, then both are put if the manifest is still
//! that one.
//!
//! This order is what makes it right. Whatever another writer published before the manifest was read, it had read before;
//! so what is read afterwards is as new as that, at least. A late event, a repeated one or a slow writer can take nothing
//! back, and no version has to be compared and no deleted product be remembered.
//!
//! A writer that finds nothing to change puts the manifest all the same. What it found may be a state that has come back
//! (sold out, and in stock again), while another writer is about to publish what was in between: that one must fail.

use std::collections::BTreeSet;

use shop_bucket::BucketError;
use shop_dynamo::StoreError;
use shop_lambda::{Backoff, Clock, Contention, Environment, Random, StartError};
use shop_types::ProductId;

use crate::bucket::Put;
use crate::catalogue::Catalogue;
use crate::index::{IndexError, Manifest, Named, Next};
use crate::reader::{ReadError, Reader, Seen};

/// The index was not changed, or it is not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the products cannot be read")]
    Store(#[from] StoreError),
    #[error("the index cannot be changed")]
    Index(#[from] IndexError),
    #[error("the index cannot be put")]
    Bucket(#[from] BucketError),
    #[error("other writers were first at every try")]
    Contended(#[source] Contention),
}

pub(crate) struct Publisher {
    pub(crate) reader: Reader,
    pub(crate) catalogue: Catalogue,
    pub(crate) backoff: Backoff,
    pub(crate) clock: Clock,
    random: Random,
}

impl Publisher {
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            reader: Reader::start(environment)?,
            catalogue: Catalogue::start(environment)?,
            backoff: Backoff::start(environment),
            clock: environment.clock(),
            random: environment.random(),
        })
    }

    /// Makes the index have these products as they are; whether it had to be changed.
    pub(crate) async fn apply(&self, ids: &BTreeSet<ProductId>) -> Result<bool, PublishError> {
        let mut tries = self.backoff.tries();
        loop {
            let seen = self.reader.now().await?;
            let products = self.catalogue.products(ids.iter().cloned()).await?;
            let name = self.random.unique();
            let next = seen.snapshot.with(&products, &name)?;
            let is_changed = next.is_some();
            let is_put = match next {
                Some(next) => self.publish(&seen, next).await?,
                None => self.put(&seen, seen.snapshot.manifest.segments.clone()).await?,
            };
            if is_put {
                return Ok(is_changed);
            }
            tries.pause().await.map_err(PublishError::Contended)?;
        }
    }

    /// Merges all segments; whether there was anything to merge.
    pub(crate) async fn compact(&self) -> Result<bool, PublishError> {
        let mut tries = self.backoff.tries();
        loop {
            let seen = self.reader.now().await?;
            let Some(next) = seen.snapshot.compact(&self.random.unique())? else { return Ok(false) };
            if self.publish(&seen, next).await? {
                return Ok(true);
            }
            tries.pause().await.map_err(PublishError::Contended)?;
        }
    }

    /// Puts an empty index in the place of one that cannot be read; whether nobody did so before.
    pub(crate) async fn begin_anew(&self, etag: &str) -> Result<bool, PublishError> {
        let manifest = self.manifest(Vec::new());
        Ok(self.reader.bucket.put_manifest(Some(etag), &manifest).await? == Put::Done)
    }

    /// Puts a segment, and then the manifest that names it.
    async fn publish(&self, seen: &Seen, next: Next) -> Result<bool, PublishError> {
        self.reader.bucket.put_segment(&next.name, next.object).await?;
        self.put(seen, next.segments).await
    }

    /// Puts a manifest in the place of the one that was seen; whether that was still there.
    async fn put(&self, seen: &Seen, segments: Vec<Named>) -> Result<bool, PublishError> {
        let manifest = self.manifest(segments);
        let put = self.reader.bucket.put_manifest(seen.etag.as_deref(), &manifest).await;
        if let Ok(Put::Done) = put {
            return Ok(true);
        }
        // An answer that was lost, and the SDK's next try that met its own first one: the manifest tells.
        let now = self.reader.now().await?;
        if now.snapshot.manifest.nonce == manifest.nonce {
            return Ok(true);
        }
        put.map(|_| false).map_err(PublishError::Bucket)
    }

    fn manifest(&self, segments: Vec<Named>) -> Manifest {
        Manifest { nonce: self.random.unique(), published_at: self.clock.now(), segments }
    }
}

//! The bucket of the index: the manifest, the segments, and how far a rebuild is.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shop_bucket::{BucketError, bytes, is_absent, status};
use shop_lambda::{Environment, StartError, calls};
use shop_types::Timestamp;

use crate::index::Manifest;

/// Another form of the index has another manifest, and is empty until it is built anew (docs/search.md).
const MANIFEST: &str = "manifest/2.json";
const REBUILD: &str = "manifest/rebuild-2.json";
const SEGMENTS: &str = "segments/";
/// How long one try may take: the largest segment has some ten megabytes. Others' calls are over in a second.
const TRY: Duration = Duration::from_secs(5);
/// How long all of them may take.
const ALL_TRIES: Duration = Duration::from_secs(8);

/// A manifest as S3 has it.
#[derive(Debug)]
pub(crate) enum Found {
    /// It is the one of this tag.
    Same,
    /// There is none yet.
    None,
    Manifest {
        etag: String,
        manifest: Manifest,
    },
}

/// What became of a manifest that was put in the place of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It counts.
    Done,
    /// Another one was put meanwhile, or is being put.
    Changed,
}

/// The bucket.
#[derive(Clone, Debug)]
pub(crate) struct Bucket(shop_bucket::Bucket);

impl Bucket {
    /// The bucket that `SEARCH_BUCKET` names.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let times = calls::timeouts().to_builder();
        let times = times.operation_attempt_timeout(TRY).operation_timeout(ALL_TRIES);
        Ok(Self(shop_bucket::Bucket::start_timed(environment, "SEARCH_BUCKET", times.build())?))
    }

    /// The manifest, as it is at this moment. `known` is the tag of the one that is there already.
    pub(crate) async fn manifest(&self, known: Option<&str>) -> Result<Found, BucketError> {
        if known.is_none() && !self.has(MANIFEST).await? {
            return Ok(Found::None);
        }
        let get = self.0.get_object(MANIFEST).set_if_none_match(known.map(str::to_owned));
        match get.send().await {
            Ok(object) => {
                let etag = object.e_tag().unwrap_or_default().to_owned();
                let manifest = serde_json::from_slice(&bytes(object).await?)?;
                Ok(Found::Manifest { etag, manifest })
            }
            Err(error) if status(&error) == Some(304) => Ok(Found::Same),
            Err(error) if is_absent(&error) => Ok(Found::None),
            Err(error) => Err(BucketError::of("GetObject")(error)),
        }
    }

    /// Whether there is an object: a list says so.
    async fn has(&self, key: &str) -> Result<bool, BucketError> {
        Ok(self.0.first(key).await?.is_some_and(|object| object.key() == Some(key)))
    }

    /// The tag of the manifest, whatever it says; none where there is none.
    pub(crate) async fn tag(&self) -> Result<Option<String>, BucketError> {
        match self.0.get_object(MANIFEST).send().await {
            Ok(object) => Ok(object.e_tag),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(BucketError::of("GetObject")(error)),
        }
    }

    /// Puts a manifest in the place of the one of this tag; the first, without.
    ///
    /// # Errors
    /// It may have been put.
    pub(crate) async fn put_manifest(
        &self,
        before: Option<&str>,
        manifest: &Manifest,
    ) -> Result<Put, BucketError> {
        let put = self.0.put_object(MANIFEST);
        let put = match before {
            Some(etag) => put.if_match(etag),
            None => put.if_none_match("*"),
        };
        let body = ByteStream::from(serde_json::to_vec(manifest)?);
        match put.content_type("application/json").body(body).send().await {
            Ok(_) => Ok(Put::Done),
            // 404 where it is named and not there any more.
            Err(error) if matches!(status(&error), Some(404 | 409 | 412)) => Ok(Put::Changed),
            Err(error) => Err(BucketError::of("PutObject")(error)),
        }
    }

    /// A segment's object; none where it is not there.
    pub(crate) async fn segment(&self, name: &str) -> Result<Option<Vec<u8>>, BucketError> {
        self.0.get(format!("{SEGMENTS}{name}")).await
    }

    pub(crate) async fn put_segment(&self, name: &str, object: Vec<u8>) -> Result<(), BucketError> {
        self.0.put(format!("{SEGMENTS}{name}"), "application/octet-stream", object).await
    }

    /// The segments that were put before a moment.
    pub(crate) async fn segments_before(&self, moment: Timestamp) -> Result<Vec<String>, BucketError> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let page = self.0.list_objects(SEGMENTS).set_continuation_token(next).send().await;
            let page = page.map_err(BucketError::of("ListObjectsV2"))?;
            for object in page.contents() {
                let is_old = object.last_modified().is_some_and(|at| at.secs() < moment.as_secs());
                let name = object.key().and_then(|key| key.strip_prefix(SEGMENTS)).filter(|_| is_old);
                found.extend(name.map(str::to_owned));
            }
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    pub(crate) async fn delete_segment(&self, name: &str) -> Result<(), BucketError> {
        self.0.delete(format!("{SEGMENTS}{name}")).await
    }

    /// How far a rebuild is; none where none has begun, or what it left cannot be read: to begin anew is never wrong.
    pub(crate) async fn rebuild<P: DeserializeOwned>(&self) -> Result<Option<P>, BucketError> {
        if !self.has(REBUILD).await? {
            return Ok(None);
        }
        let found = self.0.get(REBUILD).await?;
        Ok(found.and_then(|found| serde_json::from_slice(&found).ok().flatten()))
    }

    pub(crate) async fn put_rebuild<P: Serialize>(&self, position: Option<&P>) -> Result<(), BucketError> {
        self.0.put(REBUILD, "application/json", serde_json::to_vec(&position)?).await
    }
}

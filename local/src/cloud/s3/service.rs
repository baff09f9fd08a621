//! The operations of S3, as `s3s` reads them from a request and writes their answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt;
use http::HeaderMap;
use http::header::ETAG;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteObjectInput, DeleteObjectOutput, ETag, ETagCondition, GetObjectInput, GetObjectOutput,
    HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, Object, PutObjectInput,
    PutObjectOutput, Range, StreamingBlob, Timestamp, UploadPartInput, UploadPartOutput,
};
use s3s::{Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::store::{Head, Labels, Part, Store};
use crate::cloud::clock::Clock;

/// All parts but the last have so many bytes at least.
const LEAST_PART: u64 = 5 * 1024 * 1024;
/// How many keys a page of a list has at most.
const PAGE: usize = 1000;

pub(super) struct Operations {
    pub(super) buckets: BTreeSet<String>,
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
}

impl Operations {
    fn check_bucket(&self, bucket: &str) -> S3Result<()> {
        let problem = "The specified bucket does not exist";
        if self.buckets.contains(bucket) { Ok(()) } else { Err(refused(S3ErrorCode::NoSuchBucket, problem)) }
    }

    fn find(&self, bucket: &str, key: &str) -> S3Result<Head> {
        self.check_bucket(bucket)?;
        let found = self.store.head(bucket, key).map_err(broken)?;
        found.ok_or_else(|| refused(S3ErrorCode::NoSuchKey, "The specified key does not exist."))
    }

    fn upload(&self, id: &str, bucket: &str, key: &str) -> S3Result<Labels> {
        self.check_bucket(bucket)?;
        let found = self.store.upload(id, bucket, key).map_err(broken)?;
        found.ok_or_else(|| refused(S3ErrorCode::NoSuchUpload, "The specified upload does not exist."))
    }
}

#[async_trait::async_trait]
impl S3 for Operations {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        let body = whole(input.body).await?;
        let labels = Labels { content_type: input.content_type, disposition: input.content_disposition };
        let (if_match, if_none_match) = (input.if_match, input.if_none_match);
        if if_match.is_some() && self.store.head(&input.bucket, &input.key).map_err(broken)?.is_none() {
            return Err(refused(S3ErrorCode::NoSuchKey, "The specified key does not exist."));
        }
        let may = |before: Option<&Head>| {
            let is = |condition: &ETagCondition| before.is_some_and(|before| names(condition, &before.etag));
            if_match.as_ref().is_none_or(is) && !if_none_match.as_ref().is_some_and(is)
        };
        let place = (input.bucket.as_str(), input.key.as_str());
        match self.store.put(place, &body, &labels, self.clock.now(), may).map_err(broken)? {
            Some(etag) => {
                Ok(S3Response::new(PutObjectOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() }))
            }
            None => Err(precondition_failed()),
        }
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let object = self.find(&input.bucket, &input.key)?;
        check_read(&object, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let (range, content_range) = match &input.range {
            None => (0..object.size, None),
            Some(range) => of_range(range, object.size)?,
        };
        let body = self.store.read(&object, range.start, range.end - range.start).map_err(broken)?;
        Ok(S3Response::new(GetObjectOutput {
            content_length: i64::try_from(body.len()).ok(),
            body: Some(StreamingBlob::from(Body::from(Bytes::from(body)))),
            accept_ranges: Some("bytes".to_owned()),
            content_range,
            content_type: object.labels.content_type.clone(),
            content_disposition: object.labels.disposition.clone(),
            e_tag: Some(ETag::Strong(object.etag.clone())),
            last_modified: Some(timestamp(&object)),
            ..Default::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let object = self.find(&input.bucket, &input.key)?;
        check_read(&object, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(object.size).ok(),
            accept_ranges: Some("bytes".to_owned()),
            content_type: object.labels.content_type.clone(),
            content_disposition: object.labels.disposition.clone(),
            last_modified: Some(timestamp(&object)),
            e_tag: Some(ETag::Strong(object.etag)),
            ..Default::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.check_bucket(&request.input.bucket)?;
        self.store.delete(&request.input.bucket, &request.input.key).map_err(broken)?;
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        if input.delimiter.is_some() {
            return Err(refused(S3ErrorCode::NotImplemented, "Lists have no delimiter here."));
        }
        let asked = input.max_keys.and_then(|keys| usize::try_from(keys).ok());
        let limit = asked.unwrap_or(PAGE).min(PAGE);
        let after = input.continuation_token.as_deref().or(input.start_after.as_deref()).unwrap_or_default();
        let prefix = input.prefix.clone().unwrap_or_default();
        let mut found = self.store.list(&input.bucket, &prefix, after, limit + 1).map_err(broken)?;
        let is_truncated = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| is_truncated).map(|object| object.key.clone());
        let object = |object: Head| Object {
            last_modified: Some(timestamp(&object)),
            size: i64::try_from(object.size).ok(),
            e_tag: Some(ETag::Strong(object.etag)),
            key: Some(object.key),
            ..Default::default()
        };
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(prefix),
            max_keys: i32::try_from(limit).ok(),
            key_count: i32::try_from(found.len()).ok(),
            is_truncated: Some(is_truncated),
            continuation_token: input.continuation_token,
            next_continuation_token: next,
            contents: Some(found.into_iter().map(object).collect()),
            ..Default::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        self.check_bucket(&input.bucket)?;
        let labels = Labels { content_type: input.content_type, disposition: input.content_disposition };
        let id = self.store.begin(&input.bucket, &input.key, &labels).map_err(broken)?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..Default::default()
        }))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        self.upload(&input.upload_id, &input.bucket, &input.key)?;
        let body = whole(input.body).await?;
        let etag = self.store.put_part(&input.upload_id, input.part_number, &body).map_err(broken)?;
        Ok(S3Response::new(UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() }))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let labels = self.upload(&input.upload_id, &input.bucket, &input.key)?;
        let stored = self.store.parts(&input.upload_id).map_err(broken)?;
        let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let mut parts: Vec<Part> = Vec::with_capacity(named.len());
        for part in &named {
            let problem = "One or more of the specified parts could not be found.";
            let etag = part.e_tag.as_ref().map(ETag::value);
            let found = stored.iter().find(|stored| Some(stored.number) == part.part_number);
            let found = found.filter(|stored| etag == Some(stored.etag.as_str()));
            let found = found.ok_or_else(|| refused(S3ErrorCode::InvalidPart, problem))?;
            if parts.last().is_some_and(|last| last.number >= found.number) {
                let problem = "The list of parts was not in ascending order.";
                return Err(refused(S3ErrorCode::InvalidPartOrder, problem));
            }
            parts.push(found.clone());
        }
        let Some((_, all_but_last)) = parts.split_last() else {
            return Err(refused(S3ErrorCode::MalformedXML, "An upload has at least one part."));
        };
        if all_but_last.iter().any(|part| part.size < LEAST_PART) {
            let problem = "Your proposed upload is smaller than the minimum allowed size";
            return Err(refused(S3ErrorCode::EntityTooSmall, problem));
        }
        let place = (input.bucket.as_str(), input.key.as_str());
        let etag = self.store.complete(&input.upload_id, place, &parts, &labels, self.clock.now());
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            e_tag: Some(ETag::Strong(etag.map_err(broken)?)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            ..Default::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = request.input;
        self.upload(&input.upload_id, &input.bucket, &input.key)?;
        self.store.abort(&input.upload_id).map_err(broken)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}

fn refused(code: S3ErrorCode, message: &'static str) -> S3Error {
    S3Error::with_message(code, message)
}

fn precondition_failed() -> S3Error {
    let problem = "At least one of the pre-conditions you specified did not hold";
    refused(S3ErrorCode::PreconditionFailed, problem)
}

/// The state could not be read or written. The cause goes to the log, not to the caller.
fn broken(error: rusqlite::Error) -> S3Error {
    tracing::error!(error = %shop_lambda::log::Chain(&error), "the state of the cloud cannot be used");
    S3Error::with_source(S3ErrorCode::InternalError, Box::new(error))
}

fn names(condition: &ETagCondition, etag: &str) -> bool {
    condition.is_any() || condition.as_etag().is_some_and(|named| named.value() == etag)
}

/// Holds a read to what the caller has of the object.
fn check_read(
    object: &Head,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    if if_match.is_some_and(|condition| !names(condition, &object.etag)) {
        return Err(precondition_failed());
    }
    if if_none_match.is_some_and(|condition| names(condition, &object.etag)) {
        let mut error = S3Error::new(S3ErrorCode::NotModified);
        let etag = ETag::Strong(object.etag.clone()).to_http_header();
        error.set_headers(HeaderMap::from_iter(etag.ok().map(|etag| (ETAG, etag))));
        return Err(error);
    }
    Ok(())
}

fn of_range(range: &Range, size: u64) -> S3Result<(std::ops::Range<u64>, Option<String>)> {
    let problem = "The requested range is not satisfiable";
    let range = range.check(size).map_err(|_| refused(S3ErrorCode::InvalidRange, problem))?;
    let text = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
    Ok((range, Some(text)))
}

fn timestamp(object: &Head) -> Timestamp {
    // HTTP dates have whole seconds.
    let seconds = u64::try_from(object.modified / 1000).unwrap_or(0);
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds))
}

async fn whole(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    let read = body.try_fold(BytesMut::new(), |mut read, chunk| async move {
        read.extend_from_slice(&chunk);
        Ok(read)
    });
    let failed = |error| S3Error::with_source(S3ErrorCode::IncompleteBody, error);
    read.await.map(BytesMut::freeze).map_err(failed)
}

//! Consumer of the queue of exports, which create-export and it itself send to: writes the catalogue to a file in S3.
//!
//! - Products are written in the order in which they were made, which never changes: one that is there all the time is
//!   written once. What is changed meanwhile is written as it was before or after.
//! - A file of some megabytes is put at once; a larger one is an upload in parts. After some seconds it is noted what was
//!   written, with what is too little for a part in an object of its own, and the rest left to another message.
//! - It dedupes by the export's version: of two that write on from one place, one goes on.
//! - Retried: failures of DynamoDB, S3 and SQS. An upload that is gone, or whose parts are another's, is begun anew.
//! - Dropped: work of an export that is forgotten or done.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use data_encoding::HEXLOWER;
use shop_bucket::BucketError;
use shop_lambda::{Clock, Environment, Function, Random, Start, StartError};
use shop_messaging::consumer::{self, Consumer, Failure, MessageResult};
use shop_messaging::{WorkQueue, somebody_is_at_it};

use super::export::{Export, Status, Written};
use super::rows;
use super::store::Exports;
use super::work::Work;
use crate::imports::bucket::{Bucket, Completed};
use crate::store::Store;

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = consumer::each_of::<Work, ExportProducts>();

/// How long one message may write: what is left is another's.
const WRITING_TIME: Duration = Duration::from_secs(3);
/// The least that S3 takes for a part that is not the last.
const PART: usize = 5 * 1024 * 1024;
/// How many products are read at once.
const PAGE: i32 = 250;

pub(crate) struct ExportProducts {
    exports: Exports,
    products: Store,
    bucket: Bucket,
    queue: WorkQueue<Work>,
    clock: Clock,
    random: Random,
}

impl Start for ExportProducts {
    const NAME: &'static str = "export-products";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let client = Client::new(environment.sdk_config());
        Ok(Self {
            exports: Exports::start(environment, client.clone())?,
            products: Store::start(environment, client)?,
            bucket: Bucket::start(environment)?,
            queue: WorkQueue::start(environment, "QUEUE_URL")?,
            clock: environment.clock(),
            random: environment.random(),
        })
    }
}

impl Consumer<Work> for ExportProducts {
    async fn consume(&self, work: &Work) -> MessageResult {
        let Some(export) = self.exports.find(&work.export).await.map_err(store_failed)? else {
            tracing::warn!(export.id = %work.export, "the export is forgotten");
            return Ok(());
        };
        if export.status == Status::Done {
            return Ok(());
        }
        let is_begun = export.written != Written::default();
        if work.is_ahead && is_begun && somebody_is_at_it(export.updated_at, self.clock.now()) {
            return Ok(self.queue.look_again(work).await?);
        }
        match self.write(&export).await? {
            // Another message writes it on.
            None => Ok(()),
            Some(after) if after.status == Status::Done => Ok(()),
            Some(after) => Ok(self.queue.send(&Work::of(&after)).await?),
        }
    }
}

impl ExportProducts {
    /// Writes for some time; the export as it is then, unless somebody else wrote it on.
    async fn write(&self, export: &Export) -> Result<Option<Export>, Failure> {
        let begun = self.clock.now();
        let mut written = export.written.clone();
        let mut buffer = match written.rest.take() {
            Some(key) => self.bucket.kept(&key).await.map_err(bucket_failed)?,
            None if written.products == 0 => rows::head(export.format),
            None => Vec::new(),
        };
        loop {
            let page = self.products.exported(written.behind.as_ref(), PAGE).await.map_err(store_failed)?;
            rows::write(export.format, &page.items, &mut buffer)
                .map_err(|error| Failure::new("unwritable", error))?;
            written.products += u64::try_from(page.items.len()).unwrap_or(0);
            let Some(next) = page.next else { return self.end(export, written, buffer).await };
            written.behind = Some(next);
            if buffer.len() >= PART
                && !self.put_part(export, &mut written, std::mem::take(&mut buffer)).await?
            {
                return self.begin_anew(export).await;
            }
            if self.clock.now().abs_diff(begun) > WRITING_TIME {
                let nonce = HEXLOWER.encode(&self.random.bytes::<8>());
                let kept = self.bucket.keep_rest(&export.id, &nonce, buffer).await;
                written.rest = Some(kept.map_err(bucket_failed)?);
                return self.note(export, Status::Running, written).await;
            }
        }
    }

    /// Puts a part; whether the upload is still there.
    async fn put_part(
        &self,
        export: &Export,
        written: &mut Written,
        bytes: Vec<u8>,
    ) -> Result<bool, Failure> {
        let upload = if let Some(upload) = &written.upload {
            upload.clone()
        } else {
            let begun = self.bucket.begin_export(&export.id, export.format).await;
            written.upload.insert(begun.map_err(bucket_failed)?).clone()
        };
        let number = written.parts.len() + 1;
        let put = self.bucket.put_part(&export.id, export.format, &upload, number, bytes).await;
        let etag = put.map_err(bucket_failed)?;
        let is_there = etag.is_some();
        written.parts.extend(etag);
        Ok(is_there)
    }

    /// Has the file written from its beginning: its upload was completed before and that was not noted, another has put parts
    /// in it, or the bucket's rule has taken it away.
    async fn begin_anew(&self, export: &Export) -> Result<Option<Export>, Failure> {
        self.note(export, Status::Running, Written::default()).await
    }

    /// Puts what is left, and the file is there.
    async fn end(
        &self,
        export: &Export,
        mut written: Written,
        buffer: Vec<u8>,
    ) -> Result<Option<Export>, Failure> {
        if written.parts.is_empty() {
            let put = self.bucket.put_export(&export.id, export.format, buffer).await;
            put.map_err(bucket_failed)?;
        } else {
            if !self.put_part(export, &mut written, buffer).await? {
                return self.begin_anew(export).await;
            }
            let upload = written.upload.take().unwrap_or_default();
            let parts = std::mem::take(&mut written.parts);
            let done = self.bucket.complete_export(&export.id, export.format, &upload, &parts).await;
            if done.map_err(bucket_failed)? == Completed::Gone {
                return self.begin_anew(export).await;
            }
        }
        self.note(export, Status::Done, written).await
    }

    async fn note(
        &self,
        export: &Export,
        status: Status,
        written: Written,
    ) -> Result<Option<Export>, Failure> {
        let after = export.next(status, written, self.clock.now());
        let is_noted = self.exports.write_on(export, &after).await.map_err(store_failed)?;
        Ok(is_noted.then_some(after))
    }
}

fn store_failed(error: shop_dynamo::StoreError) -> Failure {
    Failure::new("store_failed", error)
}

fn bucket_failed(error: BucketError) -> Failure {
    Failure::new("bucket_failed", error)
}

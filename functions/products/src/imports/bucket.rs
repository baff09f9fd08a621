//! The bucket of files: those of imports, what was wrong with their lines, and those of exports.

use std::time::{Duration, UNIX_EPOCH};

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use shop_bucket::{BucketError, bytes, code};
use shop_lambda::{Environment, StartError};
use shop_types::{ExportId, ImportId, Timestamp};

use super::import::Format;
use super::refusal::RefusedLine;

/// What came of making a file of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completed {
    Done,
    /// There is no such upload any more, or its parts are others.
    Gone,
}

/// A file that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) size: u64,
    pub(crate) etag: String,
}

/// The bucket.
#[derive(Clone, Debug)]
pub(crate) struct Bucket(shop_bucket::Bucket);

impl Bucket {
    /// The bucket that `IMPORTS_BUCKET` names.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self(shop_bucket::Bucket::start(environment, "IMPORTS_BUCKET")?))
    }

    /// An address under which the file of an import can be put (`PUT`) for a time.
    pub(crate) async fn upload_url(
        &self,
        id: &ImportId,
        now: Timestamp,
        holds: Duration,
    ) -> Result<String, BucketError> {
        let put = self.0.put_object(upload_key(id)).presigned(signed(now, holds)?).await;
        Ok(put.map_err(BucketError::of("PutObject"))?.uri().to_owned())
    }

    /// The file of an import, if it was put.
    pub(crate) async fn upload(&self, id: &ImportId) -> Result<Option<Upload>, BucketError> {
        Ok(self.0.first(upload_key(id)).await?.and_then(|object| {
            let size = u64::try_from(object.size?).ok()?;
            Some(Upload { size, etag: object.e_tag? })
        }))
    }

    /// The bytes of an import's file from one to before another; none where it is another file by now, or gone.
    pub(crate) async fn read(
        &self,
        id: &ImportId,
        etag: &str,
        from: u64,
        to: u64,
    ) -> Result<Option<Vec<u8>>, BucketError> {
        if from >= to {
            return Ok(Some(Vec::new()));
        }
        let get = self.0.get_object(upload_key(id)).if_match(etag);
        match get.range(format!("bytes={from}-{}", to - 1)).send().await {
            Ok(object) => Ok(Some(bytes(object).await?)),
            Err(error) if matches!(code(&error), Some("PreconditionFailed" | "NoSuchKey")) => Ok(None),
            Err(error) => Err(BucketError::of("GetObject")(error)),
        }
    }

    /// An address under which the file of an export can be read (`GET`) for a time.
    pub(crate) async fn export_url(
        &self,
        id: &ExportId,
        format: Format,
        now: Timestamp,
        holds: Duration,
    ) -> Result<String, BucketError> {
        let get = self.0.get_object(export_key(id, format)).presigned(signed(now, holds)?).await;
        Ok(get.map_err(BucketError::of("GetObject"))?.uri().to_owned())
    }

    /// Puts the file of an export at once.
    pub(crate) async fn put_export(
        &self,
        id: &ExportId,
        format: Format,
        bytes: Vec<u8>,
    ) -> Result<(), BucketError> {
        let put = self.0.put_object(export_key(id, format));
        let put = put.content_type(format.media_type()).content_disposition(disposition(format));
        put.body(ByteStream::from(bytes)).send().await.map(drop).map_err(BucketError::of("PutObject"))
    }

    /// Begins the file of an export, in parts; the upload's id.
    pub(crate) async fn begin_export(&self, id: &ExportId, format: Format) -> Result<String, BucketError> {
        let call =
            self.0.client().create_multipart_upload().bucket(self.0.name()).key(export_key(id, format));
        let call = call.content_type(format.media_type()).content_disposition(disposition(format));
        let upload = call.send().await.map_err(BucketError::of("CreateMultipartUpload"))?;
        Ok(upload.upload_id.unwrap_or_default())
    }

    /// Puts a part of the file of an export; its `ETag`, or none where the upload is gone. The first is 1.
    pub(crate) async fn put_part(
        &self,
        id: &ExportId,
        format: Format,
        upload: &str,
        number: usize,
        bytes: Vec<u8>,
    ) -> Result<Option<String>, BucketError> {
        let part =
            self.0.client().upload_part().bucket(self.0.name()).key(export_key(id, format)).upload_id(upload);
        let part = part.part_number(i32::try_from(number).unwrap_or(i32::MAX)).body(ByteStream::from(bytes));
        match part.send().await {
            Ok(done) => Ok(Some(done.e_tag.unwrap_or_default())),
            Err(error) if code(&error) == Some("NoSuchUpload") => Ok(None),
            Err(error) => Err(BucketError::of("UploadPart")(error)),
        }
    }

    /// Makes the file of an export of its parts.
    pub(crate) async fn complete_export(
        &self,
        id: &ExportId,
        format: Format,
        upload: &str,
        etags: &[String],
    ) -> Result<Completed, BucketError> {
        let part =
            |(number, etag): (i32, &String)| CompletedPart::builder().part_number(number).e_tag(etag).build();
        let parts = CompletedMultipartUpload::builder().set_parts(Some((1..).zip(etags).map(part).collect()));
        let complete =
            self.0.client().complete_multipart_upload().bucket(self.0.name()).key(export_key(id, format));
        match complete.upload_id(upload).multipart_upload(parts.build()).send().await {
            Ok(_) => Ok(Completed::Done),
            Err(error) if matches!(code(&error), Some("NoSuchUpload" | "InvalidPart")) => Ok(Completed::Gone),
            Err(error) => Err(BucketError::of("CompleteMultipartUpload")(error)),
        }
    }

    /// Keeps what is too little for a part, under a key of this try.
    pub(crate) async fn keep_rest(
        &self,
        id: &ExportId,
        nonce: &str,
        bytes: Vec<u8>,
    ) -> Result<String, BucketError> {
        let key = format!("exports/{id}.rest-{nonce}");
        let put = self.0.put_object(&key).body(ByteStream::from(bytes));
        put.send().await.map_err(BucketError::of("PutObject"))?;
        Ok(key)
    }

    /// What was kept under a key.
    pub(crate) async fn kept(&self, key: &str) -> Result<Vec<u8>, BucketError> {
        let object = self.0.get_object(key).send().await.map_err(BucketError::of("GetObject"))?;
        bytes(object).await
    }

    /// Keeps what is wrong with the lines of a part. Each try has a key of its own: the part's item names the one that
    /// was counted.
    pub(crate) async fn keep_refusals(
        &self,
        id: &ImportId,
        part: u32,
        nonce: &str,
        refused: &[RefusedLine],
    ) -> Result<String, BucketError> {
        let key = format!("refusals/{id}/{part:06}-{nonce}");
        self.0.put(&key, "application/json", serde_json::to_vec(refused)?).await?;
        Ok(key)
    }

    /// The refused lines that were kept under a key.
    pub(crate) async fn refusals(&self, key: &str) -> Result<Vec<RefusedLine>, BucketError> {
        Ok(serde_json::from_slice(&self.kept(key).await?)?)
    }
}

fn export_key(id: &ExportId, format: Format) -> String {
    format!("exports/{id}.{}", format.name())
}

/// What a browser calls the file.
fn disposition(format: Format) -> String {
    format!("attachment; filename=\"products.{}\"", format.name())
}

fn upload_key(id: &ImportId) -> String {
    format!("uploads/{id}")
}

/// What an address says that holds for a time.
fn signed(now: Timestamp, holds: Duration) -> Result<PresigningConfig, BucketError> {
    let start = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0));
    Ok(PresigningConfig::builder().start_time(start).expires_in(holds).build()?)
}

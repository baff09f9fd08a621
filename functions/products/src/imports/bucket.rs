//! The bucket of files: those of imports, what was wrong with their lines, and those of exports.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::presigning::{PresigningConfig, PresigningConfigError};
use aws_sdk_s3::primitives::{ByteStream, ByteStreamError};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use shop_lambda::{Environment, Internal, StartError};
use shop_types::{ExportId, ImportId, Timestamp};

use super::import::Format;
use super::refusal::RefusedLine;

/// Why S3 did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BucketError {
    #[error("S3 did not answer {operation}")]
    Call {
        operation: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the address of an upload cannot be signed")]
    Unsigned(#[from] PresigningConfigError),
    #[error("an object broke off")]
    BrokenOff(#[from] ByteStreamError),
    #[error("the refused lines of a part are not what was written")]
    Refusals(#[from] serde_json::Error),
}

impl Internal for BucketError {}

impl BucketError {
    fn of<E>(operation: &'static str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |error| Self::Call { operation, source: error.into() }
    }
}

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
pub(crate) struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// The bucket that `IMPORTS_BUCKET` names.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        // Over TLS, S3's checksums of what a request holds tell nothing new; and a presigned address would ask its client
        // for one. What stands in for AWS on one machine has no name for each bucket.
        let config = Builder::from(environment.sdk_config())
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .force_path_style(environment.sdk_config().endpoint_url().is_some())
            .build();
        let name = environment.required("IMPORTS_BUCKET")?.to_owned();
        Ok(Self { client: Client::from_conf(config), name })
    }

    /// An address under which the file of an import can be put (`PUT`) for a time.
    pub(crate) async fn upload_url(
        &self,
        id: &ImportId,
        now: Timestamp,
        holds: Duration,
    ) -> Result<String, BucketError> {
        let config = PresigningConfig::builder().start_time(system_time(now)).expires_in(holds).build()?;
        let put = self.client.put_object().bucket(&self.name).key(upload_key(id));
        let presigned = put.presigned(config).await.map_err(BucketError::of("PutObject"))?;
        Ok(presigned.uri().to_owned())
    }

    /// The file of an import, if it was put. It is looked for in a list: who may not list a bucket is not told that an
    /// object is not there.
    pub(crate) async fn upload(&self, id: &ImportId) -> Result<Option<Upload>, BucketError> {
        let list = self.client.list_objects_v2().bucket(&self.name).prefix(upload_key(id)).max_keys(1);
        let found = list.send().await.map_err(BucketError::of("ListObjectsV2"))?;
        Ok(found.contents().first().and_then(|object| {
            let size = u64::try_from(object.size()?).ok()?;
            Some(Upload { size, etag: object.e_tag()?.to_owned() })
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
        let get = self.client.get_object().bucket(&self.name).key(upload_key(id)).if_match(etag);
        let range = format!("bytes={from}-{}", to - 1);
        match get.range(range).send().await {
            Ok(object) => Ok(Some(object.body.collect().await?.to_vec())),
            Err(error) if is_gone(&error) => Ok(None),
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
        let config = PresigningConfig::builder().start_time(system_time(now)).expires_in(holds).build()?;
        let get = self.client.get_object().bucket(&self.name).key(export_key(id, format));
        let presigned = get.presigned(config).await.map_err(BucketError::of("GetObject"))?;
        Ok(presigned.uri().to_owned())
    }

    /// Puts the file of an export at once.
    pub(crate) async fn put_export(
        &self,
        id: &ExportId,
        format: Format,
        bytes: Vec<u8>,
    ) -> Result<(), BucketError> {
        let put = self.client.put_object().bucket(&self.name).key(export_key(id, format));
        let put = put.content_type(format.media_type()).content_disposition(disposition(format));
        put.body(ByteStream::from(bytes)).send().await.map(drop).map_err(BucketError::of("PutObject"))
    }

    /// Begins the file of an export, in parts; the upload's id.
    pub(crate) async fn begin_export(&self, id: &ExportId, format: Format) -> Result<String, BucketError> {
        let call = self.client.create_multipart_upload().bucket(&self.name).key(export_key(id, format));
        let call = call.content_type(format.media_type()).content_disposition(disposition(format));
        let upload = call.send().await.map_err(BucketError::of("CreateMultipartUpload"))?;
        Ok(upload.upload_id.unwrap_or_default())
    }

    /// Puts a part of the file of an export; its `ETag`. The first is 1.
    pub(crate) async fn put_part(
        &self,
        id: &ExportId,
        format: Format,
        upload: &str,
        number: usize,
        bytes: Vec<u8>,
    ) -> Result<String, BucketError> {
        let part = self.client.upload_part().bucket(&self.name).key(export_key(id, format)).upload_id(upload);
        let part = part.part_number(i32::try_from(number).unwrap_or(i32::MAX)).body(ByteStream::from(bytes));
        let done = part.send().await.map_err(BucketError::of("UploadPart"))?;
        Ok(done.e_tag.unwrap_or_default())
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
        let complete = self.client.complete_multipart_upload().bucket(&self.name).key(export_key(id, format));
        match complete.upload_id(upload).multipart_upload(parts.build()).send().await {
            Ok(_) => Ok(Completed::Done),
            Err(error) => {
                let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
                if matches!(code, Some("NoSuchUpload" | "InvalidPart")) {
                    return Ok(Completed::Gone);
                }
                Err(BucketError::of("CompleteMultipartUpload")(error))
            }
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
        let put = self.client.put_object().bucket(&self.name).key(&key).body(ByteStream::from(bytes));
        put.send().await.map_err(BucketError::of("PutObject"))?;
        Ok(key)
    }

    /// What was kept under a key.
    pub(crate) async fn rest(&self, key: &str) -> Result<Vec<u8>, BucketError> {
        let get = self.client.get_object().bucket(&self.name).key(key);
        let object = get.send().await.map_err(BucketError::of("GetObject"))?;
        Ok(object.body.collect().await?.to_vec())
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
        let body = ByteStream::from(serde_json::to_vec(refused)?);
        let put = self.client.put_object().bucket(&self.name).key(&key).body(body);
        put.content_type("application/json").send().await.map_err(BucketError::of("PutObject"))?;
        Ok(key)
    }

    /// The refused lines that were kept under a key.
    pub(crate) async fn refusals(&self, key: &str) -> Result<Vec<RefusedLine>, BucketError> {
        let get = self.client.get_object().bucket(&self.name).key(key);
        let object = get.send().await.map_err(BucketError::of("GetObject"))?;
        Ok(serde_json::from_slice(&object.body.collect().await?.to_vec())?)
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

fn is_gone<R>(error: &SdkError<GetObjectError, R>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    matches!(code, Some("PreconditionFailed" | "NoSuchKey"))
}

fn system_time(time: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(0))
}

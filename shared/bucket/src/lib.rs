//! What every bucket needs of S3: [`Bucket`], and errors that may be logged. It knows no key; those are in each service's
//! `bucket`.

mod error;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, RequestChecksumCalculation};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::Object;
use shop_lambda::{Environment, StartError};

pub use error::{BucketError, code, is_absent, status};

/// A bucket.
#[derive(Clone, Debug)]
pub struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    /// The bucket that a variable names.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start(environment: &Environment, variable: &str) -> Result<Self, StartError> {
        Self::of(environment, variable, Builder::from(environment.sdk_config()))
    }

    /// The same, of objects for which calls have other times than elsewhere.
    ///
    /// # Errors
    /// The variable is not set.
    pub fn start_timed(
        environment: &Environment,
        variable: &str,
        times: TimeoutConfig,
    ) -> Result<Self, StartError> {
        Self::of(environment, variable, Builder::from(environment.sdk_config()).timeout_config(times))
    }

    fn of(environment: &Environment, variable: &str, config: Builder) -> Result<Self, StartError> {
        // Over TLS, S3's checksums of what a request holds tell nothing new; and a presigned address would ask its client
        // for one. What stands in for AWS on one machine has no name for each bucket.
        let config = config
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .force_path_style(environment.sdk_config().endpoint_url().is_some());
        let name = environment.required(variable)?.to_owned();
        Ok(Self { client: Client::from_conf(config.build()), name })
    }

    /// The client, for calls that are not here; they name the bucket.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The bucket's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `GetObject`, to be sent or signed.
    pub fn get_object(&self, key: impl Into<String>) -> GetObjectFluentBuilder {
        self.client.get_object().bucket(&self.name).key(key)
    }

    /// `PutObject`, to be sent or signed.
    pub fn put_object(&self, key: impl Into<String>) -> PutObjectFluentBuilder {
        self.client.put_object().bucket(&self.name).key(key)
    }

    /// `ListObjectsV2`: what is under keys that begin so.
    pub fn list_objects(&self, prefix: impl Into<String>) -> ListObjectsV2FluentBuilder {
        self.client.list_objects_v2().bucket(&self.name).prefix(prefix)
    }

    /// `GetObject`; none where it is not there.
    ///
    /// # Errors
    /// The call failed, or the object broke off.
    pub async fn get(&self, key: impl Into<String>) -> Result<Option<Vec<u8>>, BucketError> {
        match self.get_object(key).send().await {
            Ok(object) => Ok(Some(bytes(object).await?)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(BucketError::of("GetObject")(error)),
        }
    }

    /// `PutObject`, in the place of whatever is there.
    ///
    /// # Errors
    /// It may have been put.
    pub async fn put(
        &self,
        key: impl Into<String>,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Result<(), BucketError> {
        let put = self.put_object(key).content_type(media_type).body(ByteStream::from(bytes));
        put.send().await.map(drop).map_err(BucketError::of("PutObject"))
    }

    /// `DeleteObject`.
    ///
    /// # Errors
    /// It may have been deleted.
    pub async fn delete(&self, key: impl Into<String>) -> Result<(), BucketError> {
        let delete = self.client.delete_object().bucket(&self.name).key(key);
        delete.send().await.map(drop).map_err(BucketError::of("DeleteObject"))
    }

    /// `ListObjectsV2`: the first object whose key begins so. Who may not list a bucket is not told that an object is not
    /// there, but that it may not be read.
    ///
    /// # Errors
    /// The call failed.
    pub async fn first(&self, prefix: impl Into<String>) -> Result<Option<Object>, BucketError> {
        let found = self.list_objects(prefix).max_keys(1).send().await;
        let found = found.map_err(BucketError::of("ListObjectsV2"))?;
        Ok(found.contents.unwrap_or_default().into_iter().next())
    }
}

/// What an object holds.
///
/// # Errors
/// It broke off.
pub async fn bytes(object: GetObjectOutput) -> Result<Vec<u8>, BucketError> {
    Ok(object.body.collect().await?.to_vec())
}

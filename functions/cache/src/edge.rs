//! The call of CloudFront. It is made once: the queue brings what failed again, a second or two later, and what is
//! left of an answer's minute is not worth more.

use aws_sdk_cloudfront::Client;
use aws_sdk_cloudfront::config::Builder;
use aws_sdk_cloudfront::config::retry::RetryConfig;
use aws_sdk_cloudfront::error::{BuildError, SdkError};
use aws_sdk_cloudfront::operation::create_invalidation::CreateInvalidationError;
use aws_sdk_cloudfront::types::{InvalidationBatch, Paths};
use shop_lambda::{Environment, StartError};

use crate::invalidation::Invalidation;

/// CloudFront was not told, or its answer was lost: the same call tells it once.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EdgeError {
    #[error("the call cannot be written")]
    Build(#[from] BuildError),
    #[error("CloudFront did not take it")]
    Call(#[source] Box<SdkError<CreateInvalidationError>>),
}

pub(crate) struct Edge {
    client: Client,
    distribution: String,
}

impl Edge {
    /// The distribution that `DISTRIBUTION_ID` names; none where the stack has none.
    pub(crate) fn start(environment: &Environment) -> Result<Option<Self>, StartError> {
        let distribution = environment.optional("DISTRIBUTION_ID")?.map(str::to_owned);
        let config = Builder::from(environment.sdk_config()).retry_config(RetryConfig::disabled()).build();
        let client = Client::from_conf(config);
        Ok(distribution.map(|distribution| Self { client, distribution }))
    }

    /// Makes CloudFront forget. It takes the same reference once, so that a repeat costs nothing
    /// (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html>).
    ///
    /// # Errors
    /// See [`EdgeError`].
    pub(crate) async fn forget(&self, invalidation: &Invalidation) -> Result<(), EdgeError> {
        let items: Vec<String> = invalidation.tags.iter().map(|tag| format!("#{tag}")).collect();
        let quantity = i32::try_from(items.len()).unwrap_or(i32::MAX);
        let paths = Paths::builder().quantity(quantity).set_items(Some(items)).build()?;
        // Other paths under one reference would be refused.
        let reference = format!("{}-{quantity}", invalidation.reference);
        let batch = InvalidationBatch::builder().paths(paths).caller_reference(reference).build()?;
        let call = self.client.create_invalidation().distribution_id(&self.distribution);
        let answer = call.invalidation_batch(batch).send().await;
        answer.map(drop).map_err(|error| EdgeError::Call(Box::new(error)))
    }
}

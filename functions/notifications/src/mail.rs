//! The topic of those who are told of alerts by mail. Nothing else speaks SNS here but the relay.
//!
//! A subscription is made with the stack (parameter `AlertEmail`) and confirmed by a click of whoever has the address.

use aws_sdk_sns::Client;
use aws_sdk_sns::error::{BuildError, SdkError};
use aws_sdk_sns::operation::publish_batch::PublishBatchError;
use aws_sdk_sns::types::PublishBatchRequestEntry;
use shop_lambda::{Environment, StartError};

/// Why a text was not published, or perhaps was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    /// No request could be made of it.
    #[error("the text is no request")]
    Request(#[from] BuildError),
    /// The call failed; it may have been published.
    #[error("the call failed")]
    Call(#[from] Box<SdkError<PublishBatchError>>),
    /// The topic did not take it.
    #[error("the topic refused it: {0}")]
    Refused(String),
}

pub(crate) struct Topic {
    client: Client,
    arn: String,
}

impl Topic {
    /// The topic that `ALERTS_TOPIC_ARN` names.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        let arn = environment.required("ALERTS_TOPIC_ARN")?.to_owned();
        Ok(Self { client: Client::new(environment.sdk_config()), arn })
    }

    /// Publishes a text under a subject.
    ///
    /// # Errors
    /// See [`MailError`].
    pub(crate) async fn publish(&self, subject: &str, text: &str) -> Result<(), MailError> {
        let entry = PublishBatchRequestEntry::builder().id("0").subject(subject).message(text).build()?;
        let call = self.client.publish_batch().topic_arn(&self.arn).publish_batch_request_entries(entry);
        let answer = call.send().await.map_err(Box::new)?;
        match answer.failed().first() {
            None => Ok(()),
            Some(failed) => Err(MailError::Refused(failed.code().to_owned())),
        }
    }
}

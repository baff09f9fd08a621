//! Sends messages to a queue that functions feed themselves. Events do not come this way: they go through the topic.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry as Entry;
use shop_lambda::{Environment, Internal, StartError};

use crate::consumer::Failure;

/// Most entries of one call, and most bytes of their bodies
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>).
const MAX_ENTRIES: usize = 10;
const MAX_BYTES: usize = 1024 * 1024;

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// It cannot be written as JSON.
    #[error("the message cannot be written")]
    Unwritable(#[from] serde_json::Error),
    /// The SDK refuses the call.
    #[error("the call cannot be made")]
    Unbuildable(#[from] BuildError),
    /// SQS refused it, or did not answer.
    #[error("SQS did not take it")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// SQS took the others.
    #[error("SQS did not take {0} of the messages")]
    Partly(usize),
}

impl Internal for NotSent {}

impl From<NotSent> for Failure {
    fn from(error: NotSent) -> Self {
        Self::new("not_sent", error)
    }
}

/// Sends to a queue.
#[derive(Clone, Debug)]
pub struct Sender {
    client: Client,
    url: String,
}

impl Sender {
    pub(crate) fn start(environment: &Environment, variable: &str) -> Result<Self, StartError> {
        let url = environment.required(variable)?.to_owned();
        Ok(Self { client: Client::new(environment.sdk_config()), url })
    }

    /// A sender to a queue.
    #[must_use]
    pub fn to(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends one; after a delay, nobody receives it for so many seconds, 900 at most.
    pub(crate) async fn send(&self, body: String, delay: Option<i32>) -> Result<(), NotSent> {
        let message = self.client.send_message().queue_url(&self.url).message_body(body);
        let sent = message.set_delay_seconds(delay).send().await;
        sent.map(drop).map_err(|error| NotSent::Refused(error.into()))
    }

    /// Sends many, in as few calls as may be.
    ///
    /// # Errors
    /// Some may have been sent.
    pub async fn send_all(&self, bodies: Vec<String>) -> Result<(), NotSent> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for body in bodies {
            if entries.len() == MAX_ENTRIES || (bytes + body.len() > MAX_BYTES && !entries.is_empty()) {
                self.send_batch(std::mem::take(&mut entries)).await?;
                bytes = 0;
            }
            bytes += body.len();
            entries.push(Entry::builder().id(entries.len().to_string()).message_body(body).build()?);
        }
        if entries.is_empty() { Ok(()) } else { self.send_batch(entries).await }
    }

    async fn send_batch(&self, entries: Vec<Entry>) -> Result<(), NotSent> {
        let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let sent = call.send().await.map_err(|error| NotSent::Refused(error.into()))?;
        if sent.failed.is_empty() { Ok(()) } else { Err(NotSent::Partly(sent.failed.len())) }
    }
}

//! What the queue of imports holds: a file to be read on, or a part to be applied.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry as Entry;
use serde::{Deserialize, Serialize};
use shop_lambda::{Environment, Internal, StartError};
use shop_messaging::consumer::{Body, Unreadable};
use shop_types::ImportId;

use super::records::Part;

/// Most entries of one call (its reference).
const MAX_ENTRIES: usize = 10;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) import: ImportId,
    pub(crate) step: Step,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Find parts from where the reading stopped: behind so many bytes when this was sent.
    Read(u64),
    Apply(Part),
}

/// A message as it came, with what tells it from others.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) work: Work,
    id: String,
}

impl Body for Received {
    fn parse(text: &str) -> Result<Self, Unreadable> {
        let work: Work = serde_json::from_str(text).map_err(|error| Unreadable {
            code: "no_work_of_an_import",
            may_be_newer: false,
            source: error.into(),
        })?;
        let step = match work.step {
            Step::Read(offset) => format!("read:{offset}"),
            Step::Apply(part) => format!("apply:{}", part.number),
        };
        Ok(Self { id: format!("{}:{step}", work.import), work })
    }

    fn id(&self) -> &str {
        &self.id
    }
}

/// Why a message was not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSent {
    #[error("the message cannot be written")]
    Unwritable(#[from] serde_json::Error),
    #[error("the call cannot be made")]
    Unbuildable(#[from] BuildError),
    #[error("SQS did not take it")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("SQS did not take {0} of the messages")]
    Partly(usize),
}

impl Internal for NotSent {}

/// The queue.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue that a variable names.
    pub(crate) fn start(environment: &Environment, variable: &str) -> Result<Self, StartError> {
        let url = environment.required(variable)?.to_owned();
        Ok(Self { client: Client::new(environment.sdk_config()), url })
    }

    /// # Errors
    /// It may have been sent.
    pub(crate) async fn send(&self, import: &ImportId, step: Step) -> Result<(), NotSent> {
        self.put(&Work { import: import.clone(), step }).await
    }

    /// Sends any message of a queue that functions feed themselves.
    ///
    /// # Errors
    /// It may have been sent.
    pub(crate) async fn put(&self, work: &impl Serialize) -> Result<(), NotSent> {
        let body = serde_json::to_string(work)?;
        let sent = self.client.send_message().queue_url(&self.url).message_body(body).send().await;
        sent.map(drop).map_err(|error| NotSent::Refused(error.into()))
    }

    /// # Errors
    /// Some may have been sent.
    pub(crate) async fn send_parts(&self, import: &ImportId, parts: &[Part]) -> Result<(), NotSent> {
        for parts in parts.chunks(MAX_ENTRIES) {
            let mut entries = Vec::with_capacity(parts.len());
            for part in parts {
                let work = Work { import: import.clone(), step: Step::Apply(*part) };
                let entry = Entry::builder().id(part.number.to_string());
                entries.push(entry.message_body(serde_json::to_string(&work)?).build()?);
            }
            let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
            let sent = call.send().await.map_err(|error| NotSent::Refused(error.into()))?;
            if !sent.failed.is_empty() {
                return Err(NotSent::Partly(sent.failed.len()));
            }
        }
        Ok(())
    }
}

//! When what failed comes again: each failed message is told to its queue with a pause, which grows from try to try.
//!
//! A queue's own visibility timeout must be long, since it is also what protects a message that is being worked on; as
//! the pause after a failure it would be a minute for what a second would have healed, and not even that for an outage
//! of an hour. So a consumer changes the visibility of each message that has failed, and then reports it as failed:
//! Lambda's mapping leaves what is reported alone (docs/decisions/0040). Where that call fails, the queue's own time
//! passes, and nothing else is different.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::change_message_visibility_batch::{
    ChangeMessageVisibilityBatchError, ChangeMessageVisibilityBatchOutput,
};
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry as Entry;
use futures::future::join_all;
use shop_lambda::log::Chain;
use shop_lambda::recovery::pause_after;
use shop_lambda::{Environment, Random, StartError, Timer};

/// Most entries of one call (its reference).
const MAX_ENTRIES: usize = 10;

/// A message that is not done, and how long it waits before it comes again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) message_id: String,
    pub(super) receipt_handle: Option<String>,
    pub(super) wait: Duration,
}

/// The queue that a consumer's messages come from.
pub(super) struct Retries {
    consumer: &'static str,
    client: Client,
    queue_url: String,
    random: Random,
    timer: Timer,
}

impl Retries {
    pub(super) fn start(consumer: &'static str, environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            consumer,
            client: Client::new(environment.sdk_config()),
            queue_url: environment.required("QUEUE_URL")?.to_owned(),
            random: environment.random(),
            timer: Timer::start(environment),
        })
    }

    /// The one name of the consumer.
    pub(super) const fn consumer(&self) -> &'static str {
        self.consumer
    }

    pub(super) const fn timer(&self) -> &Timer {
        &self.timer
    }

    /// How long a message waits that has failed when it was received for this time, which was not its last.
    pub(super) fn pause(&self, receive_count: u32) -> Duration {
        let pause = pause_after(receive_count);
        self.random.seconds(pause.at_least, pause.at_most)
    }

    /// Tells the queue when each message comes again, in no more than this time. Where that fails it is logged: the
    /// queue's own visibility timeout holds then.
    pub(super) async fn put_off(&self, failed: &[Failed], limit: Option<Duration>) {
        // Every message of SQS has a receipt handle.
        let failed: Vec<_> = failed.iter().filter(|failed| failed.receipt_handle.is_some()).collect();
        let calls = failed.chunks(MAX_ENTRIES).map(|failed| self.put_off_some(failed));
        if let Err(error) = self.timer.within(limit, join_all(calls)).await {
            self.log_kept(failed.len(), &error);
        }
    }

    async fn put_off_some(&self, failed: &[&Failed]) {
        match self.call(failed).await {
            Ok(answer) => {
                for refused in answer.failed() {
                    // The code only: the text may quote the receipt handle. A message that another has received
                    // meanwhile, or that was visible again before, is not this one's any more.
                    let id = refused.id().parse().ok().and_then(|index: usize| failed.get(index));
                    tracing::warn!(
                        consumer = self.consumer,
                        message.id = id.map(|failed| &failed.message_id),
                        failure.code = refused.code(),
                        "a message keeps its queue's visibility timeout"
                    );
                }
            }
            Err(error) => self.log_kept(failed.len(), &error),
        }
    }

    fn log_kept(&self, messages: usize, error: &(dyn std::error::Error + 'static)) {
        let (consumer, error) = (self.consumer, Chain(error));
        tracing::warn!(consumer, batch.failed = messages, %error, "messages keep their queue's visibility timeout");
    }

    async fn call(
        &self,
        failed: &[&Failed],
    ) -> Result<ChangeMessageVisibilityBatchOutput, SdkError<ChangeMessageVisibilityBatchError>> {
        let entries = failed.iter().enumerate().map(|(index, failed)| entry(index, failed));
        let entries: Vec<Entry> =
            entries.collect::<Result<_, _>>().map_err(SdkError::construction_failure)?;
        let call = self.client.change_message_visibility_batch().queue_url(&self.queue_url);
        call.set_entries(Some(entries)).send().await
    }
}

fn entry(index: usize, failed: &Failed) -> Result<Entry, aws_sdk_sqs::error::BuildError> {
    Entry::builder()
        .id(index.to_string())
        .set_receipt_handle(failed.receipt_handle.clone())
        .visibility_timeout(i32::try_from(failed.wait.as_secs()).unwrap_or(i32::MAX))
        .build()
}

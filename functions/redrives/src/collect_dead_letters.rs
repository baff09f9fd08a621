//! On a schedule: takes messages out of the dead-letter queues, and keeps each as a letter.
//!
//! - A message is deleted once its letter is stored. A run that dies in between finds the same message again, which
//!   changes nothing.
//! - A message that comes back after it was sent again is the same letter, and says so.
//! - What fails stays in its queue for the next run; the others are kept all the same, and the invocation fails, so that
//!   its alarm tells.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message};
use futures::future::join_all;
use serde::Serialize;
use serde::de::IgnoredAny;
use shop_dynamo::StoreError;
use shop_lambda::log::Chain;
use shop_lambda::recovery::COLLECT_TIMEOUT;
use shop_lambda::{Budget, Clock, Environment, Function, FunctionError, Start, StartError, Task, task};

use shop_read_models::{ConsumerFailure, ConsumerFailures};

use crate::letter::{Arrival, Letter, Reason};
use crate::queues;
use crate::store::{Letters, PARKED_PAGE};

/// What the binary and the embedded cloud run.
pub const FUNCTION: Function = task::<CollectDeadLetters>();

/// Most messages of one call (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>).
const MOST: i32 = 10;
/// A queue is asked on all of its servers only by a call that waits: one that does not may find nothing where there is
/// something.
const WAIT_SECONDS: i32 = 1;

pub(crate) struct CollectDeadLetters {
    letters: Letters,
    failures: ConsumerFailures,
    sqs: aws_sdk_sqs::Client,
    /// The dead-letter queue of each consumer.
    queues: BTreeMap<String, String>,
    clock: Clock,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Collected {
    /// How many messages were kept, and are out of their queue.
    pub(crate) kept: usize,
    /// How many are still there, since something failed.
    pub(crate) failed: usize,
}

#[derive(Debug, thiserror::Error)]
enum CollectError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("SQS did not do what it was asked for")]
    Queue(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("a message has no id, no receipt handle or no body")]
    Incomplete,
}

impl CollectError {
    fn queue<E>(error: SdkError<E>) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        Self::Queue(error.into())
    }
}

impl Start for CollectDeadLetters {
    const NAME: &'static str = "collect-dead-letters";

    async fn start(environment: &Environment) -> Result<Self, StartError> {
        let client = Client::new(environment.sdk_config());
        Ok(Self {
            letters: Letters::start(environment, client.clone())?,
            failures: ConsumerFailures::start(environment, client, "JOURNAL_TABLE")?,
            sqs: aws_sdk_sqs::Client::new(environment.sdk_config()),
            queues: queues::read(environment, "DEAD_LETTER_QUEUES")?,
            clock: environment.clock(),
        })
    }
}

impl Task for CollectDeadLetters {
    type Input = IgnoredAny;
    type Answer = Collected;

    async fn run(&self, _: Self::Input, _: &str) -> Result<Collected, FunctionError> {
        let budget = Budget::start(&self.clock, COLLECT_TIMEOUT);
        let runs = self.queues.iter().map(|(consumer, url)| self.empty(consumer, url, &budget));
        let (mut collected, mut failure) = (Collected::default(), None);
        for (of_one, error) in join_all(runs).await {
            collected.kept += of_one.kept;
            collected.failed += of_one.failed;
            failure = failure.or(error);
        }
        tracing::info!(
            letters.kept = collected.kept,
            letters.failed = collected.failed,
            "dead letters are kept"
        );
        match self.letters.parked(None, None, PARKED_PAGE).await {
            // The alarm's metric reads this line.
            Ok(page) => tracing::info!(parked = page.items.len(), "dead letters are parked"),
            Err(error) => failure = failure.or(Some(error.into())),
        }
        match failure {
            None => Ok(collected),
            Some(error) => Err(FunctionError::new("dead letters are left in their queues", error)),
        }
    }
}

impl CollectDeadLetters {
    /// Keeps what is in the dead-letter queue of a consumer, as far as there is time.
    async fn empty(&self, consumer: &str, url: &str, budget: &Budget) -> (Collected, Option<CollectError>) {
        let (mut collected, mut failure) = (Collected::default(), None);
        while !budget.is_over() && failure.is_none() {
            match self.some(consumer, url).await {
                Ok((0, 0, None)) => break,
                Ok((kept, failed, error)) => {
                    collected.kept += kept;
                    collected.failed += failed;
                    failure = error;
                }
                Err(error) => failure = Some(error),
            }
        }
        if let Some(error) = &failure {
            tracing::warn!(consumer, error = %Chain(error), "dead letters are left in their queue");
        }
        (collected, failure)
    }

    /// Keeps some messages: how many are kept and how many failed, and the first failure.
    async fn some(
        &self,
        consumer: &str,
        url: &str,
    ) -> Result<(usize, usize, Option<CollectError>), CollectError> {
        let receive = self.sqs.receive_message().queue_url(url).max_number_of_messages(MOST);
        let received = receive.wait_time_seconds(WAIT_SECONDS).send().await.map_err(CollectError::queue)?;
        let messages = received.messages.unwrap_or_default();
        let all = messages.len();
        let arrivals = messages.into_iter().map(|message| arrival(consumer, message));
        let arrivals = arrivals.collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<_> = arrivals.iter().map(|(arrival, _)| arrival.failed_as()).collect();
        let ids: Vec<_> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
        let failures = self.failures.of(consumer, &ids).await?;
        let stored = join_all(arrivals.into_iter().map(|arrived| self.park(arrived, &failures))).await;
        let (mut entries, mut failure) = (Vec::new(), None);
        for stored in stored {
            match stored {
                Ok(receipt) => {
                    let entry = DeleteMessageBatchRequestEntry::builder().id(entries.len().to_string());
                    let entry = entry.receipt_handle(receipt).build();
                    entries.push(entry.map_err(|error| CollectError::Queue(error.into()))?);
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        let kept = entries.len();
        if kept > 0 {
            let delete = self.sqs.delete_message_batch().queue_url(url).set_entries(Some(entries));
            // What is not deleted is found again, and known.
            delete.send().await.map_err(CollectError::queue)?;
        }
        Ok((kept, all - kept, failure))
    }

    /// Keeps a message. Its receipt handle.
    async fn park(
        &self,
        (arrival, receipt): (Arrival, String),
        failures: &BTreeMap<String, ConsumerFailure>,
    ) -> Result<String, CollectError> {
        let reason = failures.get(&arrival.failed_as()).map(|failure| Reason {
            code: failure.code.clone(),
            error: failure.error.clone(),
            attempts: failure.attempt,
        });
        let now = self.clock.now();
        let made = |stored: Option<&Letter>| match stored {
            None => Some(Letter::new(arrival.clone(), reason.clone(), now)),
            Some(stored) => stored.found_again(arrival.clone(), reason.clone(), now),
        };
        self.letters.park(&arrival.id(), made).await?;
        Ok(receipt)
    }
}

/// A message as a letter's, and its receipt handle.
fn arrival(consumer: &str, message: Message) -> Result<(Arrival, String), CollectError> {
    match (message.message_id, message.receipt_handle, message.body) {
        (Some(message_id), Some(receipt), Some(body)) => {
            Ok((Arrival { consumer: consumer.to_owned(), message_id, body }, receipt))
        }
        _ => Err(CollectError::Incomplete),
    }
}

//! The journal's queue, as consumers see it.

use std::time::Duration;

use aws_sdk_sqs::Client;
use futures::future::join_all;
use shop_lambda::log::Chain;
use shop_lambda::{Environment, StartError, Timer};

use super::Receipts;
use crate::safe_text::queue_safe;

/// Receipts of one message: far below the megabyte that one may have.
const MAX_RECEIPTS: usize = 500;

/// Sends receipts.
pub(crate) struct Journal {
    client: Client,
    queue_url: String,
    timer: Timer,
}

impl Journal {
    /// The queue that `JOURNAL_QUEUE_URL` names.
    pub(crate) fn start(environment: &Environment) -> Result<Self, StartError> {
        Ok(Self {
            client: Client::new(environment.sdk_config()),
            queue_url: environment.required("JOURNAL_QUEUE_URL")?.to_owned(),
            timer: Timer::start(environment),
        })
    }

    /// Tells of a batch, in no more than this time. Where that fails it is logged, and nothing else is different.
    pub(crate) async fn tell(&self, receipts: Receipts, limit: Option<Duration>) {
        if receipts.receipts.is_empty() {
            return;
        }
        let count = receipts.receipts.len();
        let parts = receipts.receipts.chunks(MAX_RECEIPTS).zip(0..);
        let parts: Vec<_> = parts
            .map(|(part, number)| Receipts { receipts: part.to_vec(), part: number, ..receipts.clone() })
            .collect();
        let sent = join_all(parts.iter().map(|part| self.send(part)));
        match self.timer.within(limit, sent).await {
            Ok(results) => results
                .into_iter()
                .filter_map(Result::err)
                .for_each(|error| log(&receipts.consumer, count, &*error)),
            Err(error) => log(&receipts.consumer, count, &error),
        }
    }

    async fn send(&self, receipts: &Receipts) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let body = queue_safe(serde_json::to_string(receipts)?);
        self.client.send_message().queue_url(&self.queue_url).message_body(body).send().await?;
        Ok(())
    }
}

fn log(consumer: &str, receipts: usize, error: &(dyn std::error::Error + 'static)) {
    tracing::warn!(consumer, batch.receipts = receipts, error = %Chain(error), "the journal was not told of a batch");
}

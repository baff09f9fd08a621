//! The operator of a run: looks at queues, redrives dead letters, and (as the poisoner) sends what is no event.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use aws_sdk_sqs::Client;
use serde_json::Value;
use shop_events::Event;
use shop_local::cloud::{Cloud, Depth};
use shop_local::template::Template;

use crate::model::POISONER;

/// A consumer's queue and its dead-letter queue.
struct Pair {
    queue: String,
    url: String,
    dead: String,
    dead_url: String,
}

pub(crate) struct Operator {
    cloud: Cloud,
    client: Client,
    poisoner: Client,
    pairs: Vec<Pair>,
    /// Physical names by logical ids.
    names: BTreeMap<String, String>,
    /// How many messages that are no events lie in each dead-letter queue for good.
    poison: Mutex<BTreeMap<String, u64>>,
}

impl Operator {
    /// The operator has the redrive's role: nobody else sends to a queue but the topic.
    pub(crate) fn new(cloud: &Cloud, template: &Template) -> Result<Self> {
        let client = |caller: &str| {
            let settings = cloud.assume_role("RedriveRole", caller).context("the redrive's role")?;
            anyhow::Ok(Client::new(&settings))
        };
        let url = |id: &str| cloud.physical(id).unwrap_or_default().to_owned();
        let pairs = template.queues.iter().filter_map(|(id, queue)| {
            let dead = &queue.redrive.as_ref()?.queue;
            Some(Pair {
                queue: queue.name.clone(),
                url: url(id),
                dead: template.queues.get(dead)?.name.clone(),
                dead_url: url(dead),
            })
        });
        let pairs: Vec<Pair> = pairs.collect();
        let poison = pairs.iter().map(|pair| (pair.dead.clone(), 0)).collect();
        Ok(Self {
            cloud: cloud.clone(),
            client: client("operator")?,
            poisoner: client(POISONER)?,
            pairs,
            names: template.queues.iter().map(|(id, queue)| (id.clone(), queue.name.clone())).collect(),
            poison: Mutex::new(poison),
        })
    }

    /// The depth of every queue, by its physical name.
    pub(crate) fn depths(&self) -> BTreeMap<String, Depth> {
        let depths = self.cloud.queues().into_iter();
        depths.filter_map(|(id, depth)| Some((self.names.get(&id)?.clone(), depth))).collect()
    }

    /// How many messages can never be handled, by the dead-letter queue that they end in.
    pub(crate) fn poison(&self) -> BTreeMap<String, u64> {
        self.poison.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a message that is no event to one of the consumers.
    pub(crate) async fn send_poison(&self, choice: u64) -> Result<()> {
        let pairs = u64::try_from(self.pairs.len())?;
        let pair = self.pairs.get(usize::try_from(choice % pairs.max(1))?).context("a queue")?;
        let bodies =
            ["", "{", "null", "{\"specversion\":\"1.0\",\"type\":\"order.exploded\"}", "not json at all"];
        let body = bodies.iter().filter(|body| !body.is_empty()).nth(usize::try_from(choice % 4)?);
        let body = body.copied().unwrap_or("{");
        self.poisoner.send_message().queue_url(&pair.url).message_body(body).send().await?;
        *self.poison.lock().unwrap_or_else(PoisonError::into_inner).entry(pair.dead.clone()).or_default() +=
            1;
        Ok(())
    }

    /// Sends what can be handled back from the dead-letter queues; how many messages.
    pub(crate) async fn redrive(&self) -> Result<usize> {
        let mut redriven = 0;
        for pair in &self.pairs {
            let depth = self.depths().get(&pair.dead).copied().unwrap_or_default();
            // What is no event has been looked at, and lies there for good.
            let poison = self.poison().get(&pair.dead).copied().unwrap_or(0);
            if u64::try_from(depth.visible + depth.in_flight)? <= poison
                && self.all_poison(pair, depth).await?
            {
                continue;
            }
            redriven += self.redrive_from(pair, depth.visible).await?;
        }
        Ok(redriven)
    }

    async fn all_poison(&self, pair: &Pair, depth: Depth) -> Result<bool> {
        if depth.visible == 0 {
            return Ok(true);
        }
        let received = self
            .client
            .receive_message()
            .queue_url(&pair.dead_url)
            .max_number_of_messages(10)
            .visibility_timeout(0);
        let received = received.send().await?;
        Ok(received.messages().iter().all(|message| !is_readable(message.body().unwrap_or_default())))
    }

    async fn redrive_from(&self, pair: &Pair, visible: usize) -> Result<usize> {
        let (mut redriven, mut seen) = (0, 0);
        while seen < visible {
            let received = self
                .client
                .receive_message()
                .queue_url(&pair.dead_url)
                .max_number_of_messages(10)
                .send()
                .await?;
            if received.messages().is_empty() {
                break;
            }
            for message in received.messages() {
                seen += 1;
                let body = message.body().unwrap_or_default();
                if !is_readable(body) {
                    continue;
                }
                self.client.send_message().queue_url(&pair.url).message_body(body).send().await?;
                let receipt = message.receipt_handle().context("a receipt handle")?;
                self.client.delete_message().queue_url(&pair.dead_url).receipt_handle(receipt).send().await?;
                redriven += 1;
            }
        }
        tracing::debug!(queue.name = pair.queue, redriven, "dead letters were redriven");
        Ok(redriven)
    }
}

/// Whether a message is one that somebody handles.
fn is_readable(body: &str) -> bool {
    // SES's word of a mail, a function's of an import or an export, or a consumer's of a batch.
    let is_of_others = |word: Value| {
        word["mail"]["messageId"].is_string()
            || word["import"].is_string()
            || word["export"].is_string()
            || word["receipts"].is_array()
    };
    Event::from_json(body).is_ok() || serde_json::from_str(body).is_ok_and(is_of_others)
}

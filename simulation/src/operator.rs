//! The operator of a run: looks at queues, redrives dead letters, and (as the poisoner) sends what is no event.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use aws_sdk_sqs::Client as Sqs;
use serde_json::json;
use serde_json::value::RawValue;
use shop_local::cloud::{Cloud, Depth};
use shop_local::template::Template;

use crate::model::POISONER;
use crate::services::is_readable;
use crate::violation::Violation;
use crate::workload::{Client, ask, order};

/// A consumer's queue and its dead-letter queue.
struct Pair {
    queue: String,
    url: String,
    dead: String,
    dead_url: String,
    /// Whether what comes into the dead-letter queue is kept in a table, and redriven from there.
    is_emptied: bool,
}

/// How often the operator runs a function that fails.
const TRIES: usize = 3;
/// How long SQS hides what was received, unless it is told otherwise.
const HIDDEN_FOR: Duration = Duration::from_secs(30);
/// The failures of what nobody can read.
const UNREADABLE: [&str; 9] = [
    "malformed",
    "no_work_of_an_export",
    "no_work_of_an_import",
    "no_work_of_a_redrive",
    "not_an_event",
    "unknown_spec_version",
    "unknown_event_type",
    "bad_sequence",
    "bad_event_data",
];

pub(crate) struct Operator {
    cloud: Cloud,
    client: Sqs,
    poisoner: Sqs,
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
            anyhow::Ok(Sqs::new(&settings))
        };
        let url = |id: &str| cloud.physical(id).unwrap_or_default().to_owned();
        let emptied = crate::services::emptied(template)?;
        let pairs = template.queues.iter().filter_map(|(id, queue)| {
            let dead = &queue.redrive.as_ref()?.queue;
            Some(Pair {
                queue: queue.name.clone(),
                url: url(id),
                dead: template.queues.get(dead)?.name.clone(),
                dead_url: url(dead),
                is_emptied: emptied.contains(&template.queues.get(dead)?.name),
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
        // Where letters are kept, none stays in its queue.
        if !pair.is_emptied {
            let mut poison = self.poison.lock().unwrap_or_else(PoisonError::into_inner);
            *poison.entry(pair.dead.clone()).or_default() += 1;
        }
        Ok(())
    }

    /// Sends what can be handled back: from the table of dead letters what is kept there, and from their queues what is
    /// not. How many messages.
    pub(crate) async fn redrive(&self, client: &Client) -> Result<usize> {
        let mut redriven = self.redrive_letters(client).await?;
        for pair in self.pairs.iter().filter(|pair| !pair.is_emptied) {
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
        // What a run that died has received is hidden for a time, and is to be kept all the same.
        let depths = self.depths();
        let emptied = self.pairs.iter().filter(|pair| pair.is_emptied);
        let left: usize = emptied
            .filter_map(|pair| depths.get(&pair.dead))
            .map(|depth| depth.visible + depth.in_flight + depth.delayed)
            .sum();
        if left > 0 {
            tokio::time::sleep(HIDDEN_FOR).await;
        }
        Ok(redriven + left)
    }

    /// Has the letters of each group sent again, but for those that nobody can read.
    async fn redrive_letters(&self, client: &Client) -> Result<usize> {
        let empty = RawValue::from_string("{}".to_owned())?;
        let mut collected = self.cloud.invoke("collect-dead-letters", empty.clone()).await;
        // It may die at any of its calls; then the operator runs it again.
        for _ in 1..TRIES {
            if collected.is_err() {
                collected = self.cloud.invoke("collect-dead-letters", empty.clone()).await;
            }
        }
        collected.context("the dead letters are not collected")?;
        let groups = ask(client, "/monitor/dead-letters").await;
        let mut redriven = 0;
        let Some(groups) = groups["data"].as_array() else {
            let seen = format!("the operator may not look for dead letters: {groups}");
            client.report_violation(Violation::new("an-administrator-remains", seen));
            return Ok(0);
        };
        for group in groups {
            let code = group["failure_code"].as_str().context("a code")?;
            if UNREADABLE.contains(&code) {
                continue;
            }
            let body = json!({ "consumer": group["consumer"], "failure_code": code, "reason": "The faults are over" });
            let asked = order(client, "/monitor/redrives", &body).await;
            let matched = asked["letters"]["matched"].as_u64().context("how many letters")?;
            redriven += usize::try_from(matched)?;
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

//! How long it takes to group 10,000 dead letters and to send them again, in real time: each lay in its dead-letter queue,
//! where SQS put it, and was kept by collect-dead-letters.
//!
//! Their consumer is not there, so that they lie in its queue afterwards, and can be held against what was sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, SendMessageBatchRequestEntry};
use http::{Method, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use shop_local::cloud::Options;
use shop_types::Timestamp;
use tokio::time::interval;

use crate::counts::Stack;
use crate::report::{Bound, Report, Target};

const CONSUMER: &str = "settle-order";
const QUEUE: &str = "SettleOrderQueue";
const DEAD_LETTER_QUEUE: &str = "SettleOrderDeadLetterQueue";
const LETTERS: usize = 10_000;
/// Those that are parked behind the cutoff, half of them while the others are sent again.
const LATER: usize = 500;
/// Letters a second.
const RATE: u32 = 1000;
/// How often the groups are asked for.
const LOOKS: usize = 5;
/// Most entries of one call of SQS.
const MOST: usize = 10;

/// Adds the figures.
pub(crate) async fn measure(root: &Path, report: &mut Report) -> Result<()> {
    let stack = Stack::start_without(root, &BTreeMap::new(), Options::memory(), &[CONSUMER]).await?;
    let queues = Queues::of(&stack)?;
    queues.give_up(&stack, &bodies("letter", LETTERS)).await?;
    let begin = Instant::now();
    collect(&stack).await?;
    let collected = begin.elapsed();
    let cutoff =
        Timestamp::from_millis(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?);

    // The first call starts the function.
    groups(&stack).await?;
    let mut grouped = Duration::ZERO;
    for _ in 0..LOOKS {
        let begin = Instant::now();
        let groups = groups(&stack).await?;
        grouped = grouped.max(begin.elapsed());
        ensure!(groups["letters"] == LETTERS && groups["complete"] == true, "{groups}");
        ensure!(groups["data"].as_array().is_some_and(|groups| groups.len() == 2), "{groups}");
    }

    let later = bodies("later", LATER);
    let (before, meanwhile) = later.split_at(LATER / 2);
    queues.give_up(&stack, before).await?;
    collect(&stack).await?;
    queues.give_up(&stack, meanwhile).await?;
    let wanted = json!({ "consumer": CONSUMER, "cutoff": cutoff, "rate": RATE, "reason": "A measurement" });
    let begin = Instant::now();
    let asked = stack.send(Method::POST, "/monitor/redrives", &wanted, StatusCode::ACCEPTED).await?;
    let counted = begin.elapsed();
    collect(&stack).await?;
    let path = format!("/monitor/redrives/{}", asked["id"].as_str().context("an id")?);
    let mut ticks = interval(Duration::from_millis(50));
    let done = loop {
        ticks.tick().await;
        let redrive = stack.send(Method::GET, &path, &json!({}), StatusCode::OK).await?;
        if redrive["status"] == "done" {
            break redrive;
        }
    };
    let redriven = begin.elapsed();

    ensure!(done["letters"] == json!({ "matched": LETTERS, "moved": LETTERS }), "{done}");
    let rest = groups(&stack).await?;
    ensure!(rest["letters"] == LATER, "what came behind the cutoff is not parked: {rest}");
    let sent = queues.take().await?;
    let once: BTreeSet<&str> = sent.iter().map(String::as_str).collect();
    let expected = bodies("letter", LETTERS);
    ensure!(
        once == expected.iter().map(String::as_str).collect(),
        "others were sent: {} of them",
        once.len()
    );
    stack.cloud.stop().await;

    let name = format!("{LETTERS} dead letters");
    let millis = |time: Duration| u64::try_from(time.as_millis());
    report.add(format!("{name}: kept"), "ms", millis(collected)?, Target::None);
    report.add(format!("{name}: grouped"), "ms", millis(grouped)?, Target::About(Bound::AtMost(1000)));
    report.add(format!("{name}: redrive asked for"), "ms", millis(counted)?, Target::None);
    let most = Target::About(Bound::AtMost(120_000));
    report.add(format!("{name}: redriven at {RATE}/s"), "ms", millis(redriven)?, most);
    let twice = u64::try_from(sent.len() - once.len())?;
    report.add(format!("{name}: sent twice"), "letters", twice, Target::Exactly(0));
    Ok(())
}

/// Messages that settle-order could not read: no JSON object, or one that is no event.
fn bodies(kind: &str, count: usize) -> Vec<String> {
    let body = |number| match number % 2 {
        0 => json!(format!("{kind} {number}")).to_string(),
        _ => json!({ kind: number }).to_string(),
    };
    (0..count).map(body).collect()
}

async fn groups(stack: &Stack) -> Result<Value> {
    stack.send(Method::GET, "/monitor/dead-letters", &json!({}), StatusCode::OK).await
}

/// Has the dead letters kept, all of them.
async fn collect(stack: &Stack) -> Result<()> {
    while depth(stack, DEAD_LETTER_QUEUE) > 0 {
        stack.cloud.invoke("collect-dead-letters", RawValue::from_string("{}".to_owned())?).await?;
    }
    Ok(())
}

/// How many messages are in a queue, whoever has them.
fn depth(stack: &Stack, queue: &str) -> usize {
    let depth = stack.cloud.queues().get(queue).copied().unwrap_or_default();
    depth.visible + depth.in_flight + depth.delayed
}

/// The queue of the consumer that is not there.
struct Queues {
    url: String,
    /// Nobody may send to it but the topic and who has the role.
    sender: Client,
    receiver: Client,
}

impl Queues {
    fn of(stack: &Stack) -> Result<Self> {
        let sender = stack.cloud.assume_role("RedriveRole", "bench").context("the role")?;
        Ok(Self {
            url: stack.cloud.physical(QUEUE).context("the queue")?.to_owned(),
            sender: Client::new(&sender),
            receiver: Client::new(&stack.cloud.sdk_config("bench")),
        })
    }

    /// Sends messages and receives each as often as a consumer fails: then SQS moves it to the dead-letter queue.
    async fn give_up(&self, stack: &Stack, bodies: &[String]) -> Result<()> {
        for bodies in bodies.chunks(MOST) {
            let mut batch = self.sender.send_message_batch().queue_url(&self.url);
            for (number, body) in bodies.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(body);
                batch = batch.entries(entry.build()?);
            }
            let sent = batch.send().await?;
            ensure!(sent.failed.is_empty(), "{:?}", sent.failed);
        }
        while depth(stack, QUEUE) > 0 {
            self.receive(0).await?;
        }
        Ok(())
    }

    /// Takes all that is there.
    async fn take(&self) -> Result<Vec<String>> {
        let mut bodies = Vec::new();
        loop {
            let messages = self.receive(60).await?;
            if messages.is_empty() {
                return Ok(bodies);
            }
            let mut batch = self.receiver.delete_message_batch().queue_url(&self.url);
            for (number, message) in messages.into_iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder().id(number.to_string());
                let entry = entry.receipt_handle(message.receipt_handle.context("a receipt handle")?);
                batch = batch.entries(entry.build()?);
                bodies.extend(message.body);
            }
            let deleted = batch.send().await?;
            ensure!(deleted.failed.is_empty(), "{:?}", deleted.failed);
        }
    }

    /// Receives messages, which nobody else does for so many seconds.
    async fn receive(&self, hidden: i32) -> Result<Vec<Message>> {
        let receive = self.receiver.receive_message().queue_url(&self.url).visibility_timeout(hidden);
        let received = receive.max_number_of_messages(i32::try_from(MOST)?).send().await?;
        Ok(received.messages.unwrap_or_default())
    }
}

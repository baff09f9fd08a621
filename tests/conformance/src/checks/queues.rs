//! Queues: batches, visibility, receipts, delays, dead letters.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::operation::send_message_batch::builders::SendMessageBatchFluentBuilder;
use aws_sdk_sqs::types::{
    Message, MessageAttributeValue, MessageSystemAttributeName as Name, SendMessageBatchRequestEntry,
};

use super::messages::{body, receipt};
use crate::answers::{refused, taken};
use crate::target::Target;
use crate::wait::{self, Look};

const MAX_BYTES: usize = 1_048_576;

fn entry(id: &str, body: impl Into<String>) -> Result<SendMessageBatchRequestEntry> {
    Ok(SendMessageBatchRequestEntry::builder().id(id).message_body(body).build()?)
}

fn batch(
    on: &Target,
    queue: &str,
    entries: impl IntoIterator<Item = Result<SendMessageBatchRequestEntry>>,
) -> Result<SendMessageBatchFluentBuilder> {
    let entries = entries.into_iter().collect::<Result<_>>()?;
    Ok(on.sqs.send_message_batch().queue_url(on.name(queue)?).set_entries(Some(entries)))
}

fn system(message: &Message, name: &Name) -> String {
    message.attributes().and_then(|all| all.get(name)).cloned().unwrap_or_default()
}

pub(super) async fn a_batch_names_each_entry(on: &Target) -> Result<()> {
    let sent = taken(batch(on, "BatchQueue", [entry("a", "one"), entry("b", "two")])?.send().await)?;
    ensure!(sent.failed().is_empty(), "failed are {:?}", sent.failed());
    let mut expected: Vec<_> =
        sent.successful().iter().map(|entry| (entry.id(), entry.message_id())).collect();
    expected.sort_unstable();
    let mut ids = Vec::new();
    while ids.len() < 2 {
        for message in on.receive("BatchQueue").await? {
            let id = if body(&message) == "one" { "a" } else { "b" };
            ids.push((id, message.message_id().context("a message id")?.to_owned()));
        }
    }
    ids.sort_unstable();
    let seen: Vec<_> = ids.iter().map(|(id, message)| (*id, message.as_str())).collect();
    ensure!(seen == expected, "sent are {expected:?}, and received {seen:?}");
    Ok(())
}

pub(super) async fn batches_have_limits(on: &Target) -> Result<()> {
    let eleven = (0..11).map(|number| entry(&number.to_string(), "refused"));
    refused(batch(on, "LimitsQueue", eleven)?.send().await, "TooManyEntriesInBatchRequest")?;
    refused(batch(on, "LimitsQueue", [])?.send().await, "EmptyBatchRequest")?;
    let same = [entry("same", "a"), entry("same", "b")];
    refused(batch(on, "LimitsQueue", same)?.send().await, "BatchEntryIdsNotDistinct")?;
    let left = on.bodies_now("LimitsQueue").await?;
    ensure!(left.is_empty(), "sent nevertheless: {left:?}");
    Ok(())
}

pub(super) async fn a_message_has_1_mib_at_most(on: &Target) -> Result<()> {
    on.send("SizeQueue", "x".repeat(MAX_BYTES)).await?;
    let received = on.receive_one("SizeQueue").await?;
    ensure!(body(&received).len() == MAX_BYTES, "{} bytes arrived", body(&received).len());
    let send = on.sqs.send_message().queue_url(on.name("SizeQueue")?);
    refused(send.message_body("x".repeat(MAX_BYTES + 1)).send().await, "InvalidParameterValue")?;
    let halves = [entry("1", "x".repeat(MAX_BYTES / 2)), entry("2", "x".repeat(MAX_BYTES / 2 + 1))];
    refused(batch(on, "SizeQueue", halves)?.send().await, "BatchRequestTooLong")
}

pub(super) async fn a_forbidden_character_never_arrives(on: &Target) -> Result<()> {
    let allowed = "tab\t line\r\n \u{e9}\u{d7ff}\u{e000}\u{fffd}\u{1f600} <&>";
    on.send("CharactersQueue", allowed).await?;
    let received = on.receive_one("CharactersQueue").await?;
    ensure!(body(&received) == allowed, "arrived is {:?}", body(&received));
    for forbidden in ["a\u{fffe}", "a\u{ffff}", "a\u{0}", "a\u{1f}"] {
        let send = on.sqs.send_message().queue_url(on.name("CharactersQueue")?).message_body(forbidden);
        let answer = send.send().await;
        if answer.is_err() {
            refused(answer, "InvalidMessageContents")?;
        } else {
            let arrived = on.receive_one("CharactersQueue").await?;
            ensure!(body(&arrived) == "a\u{fffd}", "arrived is {:?}", body(&arrived));
        }
    }
    Ok(())
}

pub(super) async fn a_received_message_is_hidden_for_its_timeout(on: &Target) -> Result<()> {
    let id = on.send("HiddenQueue", "once").await?;
    let first = on.receive_one("HiddenQueue").await?;
    let hidden = on.bodies_now("HiddenQueue").await?;
    ensure!(hidden.is_empty(), "received while hidden: {hidden:?}");
    let second = on.receive_one("HiddenQueue").await?;
    for (message, count) in [(&first, "1"), (&second, "2")] {
        ensure!(message.message_id() == Some(&id), "the message id is {:?}", message.message_id());
        let received = system(message, &Name::ApproximateReceiveCount);
        ensure!(received == count, "ApproximateReceiveCount is {received} instead of {count}");
    }
    ensure!(first.receipt_handle() != second.receipt_handle(), "both have one receipt handle");
    Ok(())
}

async fn delete(on: &Target, queue: &str, receipt: &str) -> Result<()> {
    let delete = on.sqs.delete_message().queue_url(on.name(queue)?).receipt_handle(receipt);
    taken(delete.send().await).map(drop)
}

async fn change_visibility(on: &Target, queue: &str, receipt: &str, seconds: i32) -> Result<()> {
    let change = on.sqs.change_message_visibility().queue_url(on.name(queue)?).receipt_handle(receipt);
    taken(change.visibility_timeout(seconds).send().await).map(drop)
}

pub(super) async fn an_old_receipt_deletes_nothing(on: &Target) -> Result<()> {
    on.send("OldReceiptQueue", "kept").await?;
    let first = on.receive_one("OldReceiptQueue").await?;
    change_visibility(on, "OldReceiptQueue", receipt(&first)?, 0).await?;
    let second = on.receive_one("OldReceiptQueue").await?;
    delete(on, "OldReceiptQueue", receipt(&first)?).await?;
    change_visibility(on, "OldReceiptQueue", receipt(&second)?, 0).await?;
    let third = on.receive_one("OldReceiptQueue").await.context("after the old handle")?;
    delete(on, "OldReceiptQueue", receipt(&third)?).await
}

pub(super) async fn a_message_is_deleted_twice_without_an_error(on: &Target) -> Result<()> {
    on.send("DeletedTwiceQueue", "gone").await?;
    let received = on.receive_one("DeletedTwiceQueue").await?;
    for _ in 0..2 {
        delete(on, "DeletedTwiceQueue", receipt(&received)?).await?;
    }
    let none = on.sqs.delete_message().queue_url(on.name("DeletedTwiceQueue")?).receipt_handle("none");
    refused(none.send().await, "ReceiptHandleIsInvalid")
}

pub(super) async fn a_message_can_be_released(on: &Target) -> Result<()> {
    on.send("ReleasedQueue", "again").await?;
    let first = on.receive_one("ReleasedQueue").await?;
    change_visibility(on, "ReleasedQueue", receipt(&first)?, 0).await?;
    // The queue's own timeout is 30 seconds: it would not come by that within one poll.
    let second = taken(on.reception("ReleasedQueue")?.send().await)?;
    ensure!(second.messages().len() == 1, "received are {:?}", second.messages());
    Ok(())
}

pub(super) async fn a_message_can_be_kept_longer(on: &Target) -> Result<()> {
    on.send("ProlongedQueue", "kept").await?;
    let receive = on.reception("ProlongedQueue")?.visibility_timeout(5).send().await;
    let messages = taken(receive)?.messages.unwrap_or_default();
    let message = messages.first().context("no message")?;
    change_visibility(on, "ProlongedQueue", receipt(message)?, 60).await?;
    // This poll outlasts the first timeout.
    let early = taken(on.reception("ProlongedQueue")?.wait_time_seconds(8).send().await)?;
    ensure!(early.messages().is_empty(), "received are {:?}", early.messages());
    Ok(())
}

fn reason() -> Result<MessageAttributeValue> {
    Ok(MessageAttributeValue::builder().data_type("String").string_value("poison").build()?)
}

pub(super) async fn a_message_received_too_often_moves_as_it_was(on: &Target) -> Result<()> {
    let queue = "RedrivenQueue";
    let send = on.sqs.send_message().queue_url(on.name(queue)?).message_body("moves");
    let id = taken(send.message_attributes("reason", reason()?).send().await)?.message_id;
    let mut time_before = String::new();
    for expected in ["1", "2"] {
        let received = on.receive_one(queue).await?;
        time_before = system(&received, &Name::SentTimestamp);
        let count = system(&received, &Name::ApproximateReceiveCount);
        ensure!(count == expected, "ApproximateReceiveCount is {count} instead of {expected}");
    }
    let dead = dead_letter(on, queue, "DeadLetterQueue").await?;
    ensure!(dead.message_id() == id.as_deref(), "the id was {id:?} and is {:?}", dead.message_id());
    ensure!(body(&dead) == "moves", "the body is {:?}", body(&dead));
    let attribute = dead.message_attributes().and_then(|all| all.get("reason"));
    let attribute = attribute.and_then(MessageAttributeValue::string_value);
    ensure!(attribute == Some("poison"), "the attribute is {attribute:?}");
    let time = system(&dead, &Name::SentTimestamp);
    ensure!(!time.is_empty() && time == time_before, "SentTimestamp was {time_before} and is {time}");
    Ok(())
}

/// Waits for a message's way to the dead-letter queue, which it takes when its queue is asked for messages.
async fn dead_letter(on: &Target, queue: &str, dead_letters: &str) -> Result<Message> {
    wait::until("the dead letter", async || {
        let again = taken(on.reception(queue)?.send().await)?;
        ensure!(again.messages().is_empty(), "received once more: {:?}", again.messages());
        let dead = taken(on.reception(dead_letters)?.wait_time_seconds(0).send().await)?;
        let dead = dead.messages.unwrap_or_default().pop();
        Ok(dead.map_or_else(|| Look::NotYet("none".to_owned()), Look::Done))
    })
    .await
}

pub(super) async fn the_dead_letter_queue_names_the_source(on: &Target) -> Result<()> {
    on.send("SourcedQueue", "moves").await?;
    on.receive_one("SourcedQueue").await?;
    let dead = dead_letter(on, "SourcedQueue", "SourcedDeadLetterQueue").await?;
    let source = system(&dead, &Name::DeadLetterQueueSourceArn);
    let name = on.name("SourcedQueue")?.rsplit('/').next().unwrap_or_default();
    ensure!(
        source.starts_with("arn:aws:sqs:") && source.rsplit(':').next() == Some(name),
        "it is {source:?}"
    );
    Ok(())
}

pub(super) async fn a_delayed_message_comes_later(on: &Target) -> Result<()> {
    let send = on.sqs.send_message().queue_url(on.name("DelayedMessageQueue")?).message_body("later");
    taken(send.delay_seconds(5).send().await)?;
    let early = on.bodies_now("DelayedMessageQueue").await?;
    ensure!(early.is_empty(), "received at once: {early:?}");
    on.receive_one("DelayedMessageQueue").await.map(drop)
}

pub(super) async fn a_queue_can_delay_every_message(on: &Target) -> Result<()> {
    on.send("DelayedQueue", "later").await?;
    let early = on.bodies_now("DelayedQueue").await?;
    ensure!(early.is_empty(), "received at once: {early:?}");
    on.receive_one("DelayedQueue").await.map(drop)
}

pub(super) async fn a_long_poll_ends_with_the_arrival(on: &Target) -> Result<()> {
    // A call here has 15 seconds, so only a poll that ends with the arrival is in time.
    let poll = on.reception("PolledQueue")?.wait_time_seconds(20);
    let (received, sent) = futures::join!(poll.send(), on.send("PolledQueue", "now"));
    sent?;
    let messages = taken(received)?.messages.unwrap_or_default();
    ensure!(messages.len() == 1, "received are {messages:?}");
    Ok(())
}

pub(super) async fn attributes_come_when_asked_for(on: &Target) -> Result<()> {
    let send = on.sqs.send_message().queue_url(on.name("AttributesQueue")?).message_body("with attributes");
    let send = send.message_attributes("reason", reason()?).message_attributes("other", reason()?);
    taken(send.send().await)?;
    let receive = || {
        let receive = on.sqs.receive_message().queue_url(on.name("AttributesQueue")?);
        anyhow::Ok(receive.visibility_timeout(0).wait_time_seconds(1))
    };
    let one = |answer: aws_sdk_sqs::operation::receive_message::ReceiveMessageOutput| {
        answer.messages.unwrap_or_default().pop().context("no message")
    };
    let bare = one(taken(receive()?.send().await)?)?;
    let none = bare.message_attributes().is_none_or(HashMap::is_empty);
    ensure!(none && bare.attributes().is_none_or(HashMap::is_empty), "unasked came {bare:?}");
    let named = receive()?.message_attribute_names("reason");
    let named = named.message_system_attribute_names(Name::ApproximateReceiveCount);
    let named = one(taken(named.send().await)?)?;
    let attributes: Vec<_> = named.message_attributes().into_iter().flat_map(|all| all.keys()).collect();
    let system: Vec<_> = named.attributes().into_iter().flat_map(|all| all.keys()).collect();
    ensure!(attributes == ["reason"], "the attributes are {attributes:?}");
    ensure!(system == [&Name::ApproximateReceiveCount], "the system attributes are {system:?}");
    Ok(())
}

pub(super) async fn a_reception_has_ten_messages_at_most(on: &Target) -> Result<()> {
    for first in [0, 6] {
        let entries = (first..first + 6).map(|number| entry(&number.to_string(), number.to_string()));
        taken(batch(on, "ManyQueue", entries)?.send().await)?;
    }
    let eleven = on.reception("ManyQueue")?.max_number_of_messages(11);
    refused(eleven.send().await, "InvalidParameterValue")?;
    let receive = on.sqs.receive_message().queue_url(on.name("ManyQueue")?).wait_time_seconds(1);
    let one = taken(receive.send().await)?;
    ensure!(one.messages().len() == 1, "by itself it gives {}", one.messages().len());
    let ten = taken(on.reception("ManyQueue")?.send().await)?;
    ensure!(ten.messages().len() <= 10, "it gives {}", ten.messages().len());
    Ok(())
}

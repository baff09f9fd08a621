//! Queues: visibility, receipts, attributes, dead letters.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::operation::receive_message::builders::ReceiveMessageFluentBuilder;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName as Name,
};

use super::messages::{body, receipt};
use crate::answers::{refused, taken};
use crate::target::Target;
use crate::wait::{self, Look};

const MAX_BYTES: usize = 1_048_576;

fn system(message: &Message, name: &Name) -> String {
    message.attributes().and_then(|all| all.get(name)).cloned().unwrap_or_default()
}

pub(super) async fn a_message_has_1_mib_at_most(on: &Target) -> Result<()> {
    on.send("SizeQueue", "x".repeat(MAX_BYTES)).await?;
    let received = on.receive_one("SizeQueue").await?;
    ensure!(body(&received).len() == MAX_BYTES, "{} bytes arrived", body(&received).len());
    let send = on.sqs.send_message().queue_url(on.name("SizeQueue")?);
    refused(send.message_body("x".repeat(MAX_BYTES + 1)).send().await, "InvalidParameterValue")
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

/// What the consumers do with what failed: one message is put off, the other of the same batch comes at once.
pub(super) async fn received_messages_are_put_off_each_for_its_time(on: &Target) -> Result<()> {
    const QUEUE: &str = "PutOffQueue";
    for text in ["put off", "at once"] {
        on.send(QUEUE, text).await?;
    }
    let mut received = Vec::new();
    wait::until("both messages", async || {
        received.extend(taken(on.reception(QUEUE)?.send().await)?.messages.unwrap_or_default());
        Ok(if received.len() == 2 { Look::Done(()) } else { Look::NotYet(format!("{received:?}")) })
    })
    .await?;
    let mut change = on.sqs.change_message_visibility_batch().queue_url(on.name(QUEUE)?);
    for (number, message) in received.iter().enumerate() {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(number.to_string());
        let timeout = if body(message) == "at once" { 0 } else { 600 };
        change = change.entries(entry.receipt_handle(receipt(message)?).visibility_timeout(timeout).build()?);
    }
    let changed = taken(change.send().await)?;
    ensure!(changed.failed().is_empty() && changed.successful().len() == 2, "{changed:?}");
    // Sooner than by the queue's own timeout, which a check does not wait for.
    let again = on.receive_one(QUEUE).await?;
    ensure!(body(&again) == "at once", "received is {:?}", body(&again));
    let received = system(&again, &Name::ApproximateReceiveCount);
    ensure!(received == "2", "ApproximateReceiveCount is {received} instead of 2");
    let change = on.sqs.change_message_visibility_batch().queue_url(on.name(QUEUE)?);
    let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id("0");
    let entry = entry.receipt_handle("no receipt handle").visibility_timeout(0).build()?;
    let changed = taken(change.entries(entry).send().await)?;
    ensure!(changed.successful().is_empty() && changed.failed().len() == 1, "{changed:?}");
    Ok(())
}

async fn delete(on: &Target, queue: &str, receipt: &str) -> Result<()> {
    let delete = on.sqs.delete_message().queue_url(on.name(queue)?).receipt_handle(receipt);
    taken(delete.send().await).map(drop)
}

pub(super) async fn an_old_receipt_deletes_nothing(on: &Target) -> Result<()> {
    on.send("OldReceiptQueue", "kept").await?;
    // Each reception but the last leaves the message where the next finds it.
    let first = on.receive_with("OldReceiptQueue", |receive| receive.visibility_timeout(0)).await?;
    let second = on.receive_with("OldReceiptQueue", |receive| receive.visibility_timeout(0)).await?;
    delete(on, "OldReceiptQueue", receipt(&first)?).await?;
    let third = on.receive_one("OldReceiptQueue").await.context("after the old handle")?;
    ensure!(second.receipt_handle() != third.receipt_handle(), "both have one receipt handle");
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
        let dead = taken(on.reception(dead_letters)?.send().await)?;
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

pub(super) async fn attributes_come_when_asked_for(on: &Target) -> Result<()> {
    let queue = "AttributesQueue";
    let send = on.sqs.send_message().queue_url(on.name(queue)?).message_body("with attributes");
    let send = send.message_attributes("reason", reason()?).message_attributes("other", reason()?);
    taken(send.send().await)?;
    let unasked = |receive: ReceiveMessageFluentBuilder| {
        let receive = receive.set_message_attribute_names(None).set_message_system_attribute_names(None);
        receive.visibility_timeout(0)
    };
    let bare = on.receive_with(queue, unasked).await?;
    let none = bare.message_attributes().is_none_or(HashMap::is_empty);
    ensure!(none && bare.attributes().is_none_or(HashMap::is_empty), "unasked came {bare:?}");
    let named = on.receive_with(queue, |receive| {
        let receive = unasked(receive).message_attribute_names("reason");
        receive.message_system_attribute_names(Name::ApproximateReceiveCount)
    });
    let named = named.await?;
    let attributes: Vec<_> = named.message_attributes().into_iter().flat_map(|all| all.keys()).collect();
    let system: Vec<_> = named.attributes().into_iter().flat_map(|all| all.keys()).collect();
    ensure!(attributes == ["reason"], "the attributes are {attributes:?}");
    ensure!(system == [&Name::ApproximateReceiveCount], "the system attributes are {system:?}");
    Ok(())
}

pub(super) async fn a_reception_has_ten_messages_at_most(on: &Target) -> Result<()> {
    for number in 0..12 {
        on.send("ManyQueue", number.to_string()).await?;
    }
    let eleven = on.reception("ManyQueue")?.max_number_of_messages(11);
    refused(eleven.send().await, "InvalidParameterValue")?;
    on.receive_with("ManyQueue", |receive| receive.set_max_number_of_messages(None)).await?;
    let ten = taken(on.reception("ManyQueue")?.send().await)?;
    ensure!(ten.messages().len() <= 10, "it gives {}", ten.messages().len());
    Ok(())
}

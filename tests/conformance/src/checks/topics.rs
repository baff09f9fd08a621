//! A topic: batches, raw delivery and filters.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use aws_sdk_sns::operation::publish_batch::builders::PublishBatchFluentBuilder;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};

use super::messages::body;
use crate::answers::{refused, taken};
use crate::target::Target;

/// A message attribute by its name and text.
type Attribute = (&'static str, &'static str);

fn text(value: &str) -> Result<MessageAttributeValue> {
    Ok(MessageAttributeValue::builder().data_type("String").string_value(value).build()?)
}

fn entry(id: &str, message: impl Into<String>, attributes: &[Attribute]) -> Result<PublishBatchRequestEntry> {
    let mut entry = PublishBatchRequestEntry::builder().id(id).message(message);
    for (name, value) in attributes {
        entry = entry.message_attributes(*name, text(value)?);
    }
    Ok(entry.build()?)
}

fn batch(on: &Target, entries: Vec<PublishBatchRequestEntry>) -> Result<PublishBatchFluentBuilder> {
    let batch = on.sns.publish_batch().topic_arn(on.name("EventsTopic")?);
    Ok(batch.set_publish_batch_request_entries(Some(entries)))
}

pub(super) async fn a_batch_names_each_entry(on: &Target) -> Result<()> {
    let entries = (0..10).map(|number| entry(&number.to_string(), "nobody reads it", &[]));
    let answer = taken(batch(on, entries.collect::<Result<_>>()?)?.send().await)?;
    ensure!(answer.failed().is_empty(), "failed are {:?}", answer.failed());
    let ids: BTreeSet<_> = answer.successful().iter().filter_map(|entry| entry.id()).collect();
    let messages: BTreeSet<_> = answer.successful().iter().filter_map(|entry| entry.message_id()).collect();
    let expected: BTreeSet<String> = (0..10).map(|number| number.to_string()).collect();
    ensure!(ids.iter().eq(&expected), "the ids are {ids:?}");
    ensure!(messages.len() == 10, "the message ids are {messages:?}");
    Ok(())
}

pub(super) async fn more_than_ten_entries_are_refused(on: &Target) -> Result<()> {
    let entries = (0..11).map(|number| entry(&number.to_string(), "refused", &[]));
    let answer = batch(on, entries.collect::<Result<_>>()?)?.send().await;
    refused(answer, "TooManyEntriesInBatchRequest")
}

pub(super) async fn an_empty_batch_is_refused(on: &Target) -> Result<()> {
    refused(batch(on, Vec::new())?.send().await, "EmptyBatchRequest")
}

pub(super) async fn ids_must_differ(on: &Target) -> Result<()> {
    let entries = vec![entry("same", "a", &[])?, entry("same", "b", &[])?];
    refused(batch(on, entries)?.send().await, "BatchEntryIdsNotDistinct")
}

pub(super) async fn a_batch_has_256_kb_at_most(on: &Target) -> Result<()> {
    let sizes = |first: usize, second: usize| {
        batch(on, vec![entry("1", "x".repeat(first), &[])?, entry("2", "x".repeat(second), &[])?])
    };
    let answer = taken(sizes(131_072, 131_072)?.send().await)?;
    ensure!(answer.failed().is_empty(), "failed are {:?}", answer.failed());
    refused(sizes(131_072, 131_073)?.send().await, "BatchRequestTooLong")
}

pub(super) async fn raw_delivery_keeps_the_body_and_the_attributes(on: &Target) -> Result<()> {
    let message = "{\"name\": \"caf\u{e9} <&> \\\"x\\\" \u{1f600}\",\n\t\"a\": [1, 2.50]}";
    let number = MessageAttributeValue::builder().data_type("Number").string_value("2.50").build()?;
    let raw = PublishBatchRequestEntry::builder().id("1").message(message);
    let raw = raw.message_attributes("type", text("raw")?).message_attributes("number", number);
    taken(batch(on, vec![raw.build()?])?.send().await)?;
    let received = on.receive_one("RawQueue").await?;
    ensure!(body(&received) == message, "the body is {:?}", body(&received));
    let attributes = received.message_attributes().context("no attributes")?;
    let mut names: Vec<_> = attributes.keys().collect();
    names.sort();
    ensure!(names == ["number", "type"], "the attributes are {names:?}");
    let of = |name: &str| (attributes[name].data_type(), attributes[name].string_value());
    ensure!(of("type") == ("String", Some("raw")), "type is {:?}", of("type"));
    ensure!(of("number") == ("Number", Some("2.50")), "number is {:?}", of("number"));
    Ok(())
}

/// Publishes messages that pass a queue's filter and others that do not, and holds that just the first come.
/// Those that pass are published last, in a batch of their own.
async fn passes(on: &Target, queue: &str, pass: &[&[Attribute]], dropped: &[&[Attribute]]) -> Result<()> {
    let named = |prefix: &'static str, messages: &[&[Attribute]]| {
        let one = |(number, attributes): (usize, &&[Attribute])| {
            entry(&number.to_string(), format!("{queue} {prefix} {number}"), attributes)
        };
        messages.iter().enumerate().map(one).collect::<Result<Vec<_>>>()
    };
    let (pass, dropped) = (named("passes", pass)?, named("dropped", dropped)?);
    taken(batch(on, dropped)?.send().await)?;
    taken(batch(on, pass.clone())?.send().await)?;
    let awaited: Vec<&str> = pass.iter().map(PublishBatchRequestEntry::message).collect();
    let came = on.take_until(queue, &awaited).await?;
    ensure!(came.len() == awaited.len(), "came are {came:?}");
    Ok(())
}

pub(super) async fn an_exact_filter_passes_its_values_and_nothing_else(on: &Target) -> Result<()> {
    let pass: &[&[Attribute]] =
        &[&[("type", "order.created")], &[("type", "order.cancelled"), ("more", "order.shipped")]];
    let dropped: &[&[Attribute]] = &[
        &[("type", "order.shipped")],
        &[("type", "Order.Created")],
        &[("type", "order.created ")],
        &[("type", "order")],
        &[("kind", "order.created")],
        &[],
    ];
    passes(on, "ExactQueue", pass, dropped).await
}

pub(super) async fn every_attribute_of_a_filter_must_match(on: &Target) -> Result<()> {
    let pass: &[&[Attribute]] = &[&[("type", "both"), ("store", "a")], &[("type", "both"), ("store", "b")]];
    let dropped: &[&[Attribute]] =
        &[&[("type", "both")], &[("store", "a")], &[("type", "both"), ("store", "c")]];
    passes(on, "BothQueue", pass, dropped).await
}

//! The records of `ChangedTable`'s stream.
//!
//! The embedded cloud has no API for streams, only mappings from them to functions: there a function writes
//! the records down. Everybody else is asked for the stream itself, as Lambda's mapping asks.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodbstreams::types::{AttributeValue as StreamValue, ShardIteratorType};
use serde_json::Value;

use crate::answers::taken;

/// Where the records are read.
#[derive(Debug)]
pub(crate) enum Changes {
    /// A function of the embedded cloud has put them into a table.
    Recorded { client: aws_sdk_dynamodb::Client, table: String },
    /// The API of the stream.
    Stream { client: aws_sdk_dynamodbstreams::Client, arn: String },
}

/// Attributes of an item as text: its strings and numbers.
pub(crate) type Image = BTreeMap<String, String>;

/// One change of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub(crate) kind: String,
    pub(crate) old: Option<Image>,
    pub(crate) new: Option<Image>,
}

impl Changes {
    /// All changes until now of the items with a partition key, in their order.
    pub(crate) async fn of(&self, pk: &str) -> Result<Vec<Change>> {
        match self {
            Self::Recorded { client, table } => recorded(client, table, pk).await,
            Self::Stream { client, arn } => streamed(client, arn, pk).await,
        }
    }
}

async fn recorded(client: &aws_sdk_dynamodb::Client, table: &str, pk: &str) -> Result<Vec<Change>> {
    let query = client.query().table_name(table).consistent_read(true).key_condition_expression("pk = :pk");
    let answer = query.expression_attribute_values(":pk", AttributeValue::S(pk.to_owned())).send().await;
    let change = |item: std::collections::HashMap<String, AttributeValue>| {
        let record = item.get("record").and_then(|record| record.as_s().ok()).context("a record")?;
        let record: Value = serde_json::from_str(record)?;
        let kind = record["eventName"].as_str().context("eventName")?.to_owned();
        let change = &record["dynamodb"];
        Ok(Change { kind, old: json_image(&change["OldImage"])?, new: json_image(&change["NewImage"])? })
    };
    taken(answer)?.items.unwrap_or_default().into_iter().map(change).collect()
}

fn json_image(image: &Value) -> Result<Option<Image>> {
    let Value::Object(image) = image else { return Ok(None) };
    let attribute = |(name, value): (&String, &Value)| {
        let text = value["S"].as_str().or(value["N"].as_str());
        let text = text.with_context(|| format!("{name} is neither text nor number: {value}"))?;
        Ok((name.clone(), text.to_owned()))
    };
    image.iter().map(attribute).collect::<Result<_>>().map(Some)
}

async fn streamed(client: &aws_sdk_dynamodbstreams::Client, arn: &str, pk: &str) -> Result<Vec<Change>> {
    let described = taken(client.describe_stream().stream_arn(arn).send().await)?;
    let description = described.stream_description.context("a description of the stream")?;
    let mut changes = Vec::new();
    // One partition key's records are in one shard, or in its children, which come later.
    for shard in description.shards() {
        let iterator = client.get_shard_iterator().stream_arn(arn);
        let iterator = iterator.set_shard_id(shard.shard_id().map(str::to_owned));
        let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await;
        let mut next = taken(iterator)?.shard_iterator;
        while let Some(iterator) = next.take() {
            let answer = taken(client.get_records().shard_iterator(iterator).send().await)?;
            let records = answer.records.unwrap_or_default();
            if !records.is_empty() {
                next = answer.next_shard_iterator;
            }
            for record in records {
                let kind = record.event_name().context("eventName")?.as_str().to_owned();
                let change = record.dynamodb.context("a record without a change")?;
                let key = change.keys.as_ref().and_then(|keys| keys.get("pk"));
                if key == Some(&StreamValue::S(pk.to_owned())) {
                    let (old, new) = (image(change.old_image)?, image(change.new_image)?);
                    changes.push(Change { kind, old, new });
                }
            }
        }
    }
    Ok(changes)
}

fn image(image: Option<std::collections::HashMap<String, StreamValue>>) -> Result<Option<Image>> {
    let attribute = |(name, value)| match value {
        StreamValue::S(text) | StreamValue::N(text) => Ok((name, text)),
        other => bail!("{name} is neither text nor number: {other:?}"),
    };
    image.map(|image| image.into_iter().map(attribute).collect()).transpose()
}

//! Reads by key.

use std::collections::{BTreeSet, HashMap};

use anyhow::{Result, ensure};
use aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemFluentBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::items::{Item, item, key, n};
use crate::answers::{refused, taken};
use crate::target::Target;

const INVALID: &str = "ValidationException";

fn batch(on: &Target, keys: Vec<Item>) -> Result<BatchGetItemFluentBuilder> {
    let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?;
    let wanted = HashMap::from([(on.items()?.to_owned(), wanted)]);
    Ok(on.dynamodb.batch_get_item().set_request_items(Some(wanted)))
}

pub(super) async fn a_missing_item_is_no_error(on: &Target) -> Result<()> {
    let stored = on.stored("missing", "a").await?;
    ensure!(stored.is_none(), "stored is {stored:?}");
    Ok(())
}

pub(super) async fn a_consistent_read_sees_every_write_before_it(on: &Target) -> Result<()> {
    for number in 0..20 {
        let stored = item("consistent", "a", &[("version", n(number))]);
        on.store(stored.clone()).await?;
        on.has(&stored).await?;
    }
    Ok(())
}

pub(super) async fn a_batch_leaves_missing_items_out(on: &Target) -> Result<()> {
    for sk in ["a", "c"] {
        on.store(item("batch", sk, &[("version", n(1))])).await?;
    }
    let answer = batch(on, vec![key("batch", "a"), key("batch", "b"), key("batch", "c")])?.send().await;
    let answer = taken(answer)?;
    let unprocessed = answer.unprocessed_keys.unwrap_or_default();
    ensure!(unprocessed.is_empty(), "unprocessed are {unprocessed:?}");
    let found = answer.responses.unwrap_or_default().remove(on.items()?).unwrap_or_default();
    let text = |item: &Item| item.get("sk").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
    let names: BTreeSet<String> = found.iter().map(text).collect();
    ensure!(found.len() == 2 && names == BTreeSet::from(["a".into(), "c".into()]), "found are {found:?}");
    ensure!(found.iter().all(|item| item.get("version") == Some(&n(1))), "found are {found:?}");
    Ok(())
}

pub(super) async fn a_batch_with_a_key_twice_is_refused(on: &Target) -> Result<()> {
    refused(batch(on, vec![key("batch-twice", "a"), key("batch-twice", "a")])?.send().await, INVALID)
}

pub(super) async fn a_batch_has_a_hundred_keys_at_most(on: &Target) -> Result<()> {
    let keys = |count: usize| (0..count).map(|number| key("batch-hundred", &number.to_string())).collect();
    taken(batch(on, keys(100))?.send().await)?;
    refused(batch(on, keys(101))?.send().await, INVALID)
}

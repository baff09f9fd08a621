//! The stream of a table: which writes are records, and what a record has.

use anyhow::{Result, ensure};
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::items::{item, key, n};
use crate::answers::{refused, taken};
use crate::changes::{Change, Image};
use crate::target::Target;
use crate::wait::{self, Look};

/// The last write of each check: what is not there before it does not come any more.
const MARKER: &str = "marker";

fn put(on: &Target, pk: &str, sk: &str, version: u32) -> Result<PutItemFluentBuilder> {
    let item = item(pk, sk, &[("version", n(version))]);
    Ok(on.dynamodb.put_item().table_name(on.name("ChangedTable")?).set_item(Some(item)))
}

/// The attributes of an item as a record has them.
fn image(pk: &str, sk: &str, version: u32) -> Image {
    let attributes = [("pk", pk.to_owned()), ("sk", sk.to_owned()), ("version", version.to_string())];
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

fn inserted(pk: &str, sk: &str, version: u32) -> Change {
    Change { kind: "INSERT".to_owned(), old: None, new: Some(image(pk, sk, version)) }
}

/// Writes the marker, and gives the changes before it.
async fn changes(on: &Target, pk: &str) -> Result<Vec<Change>> {
    taken(put(on, pk, MARKER, 0)?.send().await)?;
    let marker = inserted(pk, MARKER, 0);
    wait::until("the records", async || {
        let mut changes = on.changes.of(pk).await?;
        Ok(if changes.last() == Some(&marker) {
            changes.pop();
            Look::Done(changes)
        } else {
            Look::NotYet(format!("{changes:?}"))
        })
    })
    .await
}

pub(super) async fn each_write_is_a_record_with_both_images(on: &Target) -> Result<()> {
    let pk = "each-write";
    taken(put(on, pk, "a", 1)?.send().await)?;
    taken(put(on, pk, "a", 2)?.send().await)?;
    let update = on.dynamodb.update_item().table_name(on.name("ChangedTable")?).set_key(Some(key(pk, "a")));
    let update = update.update_expression("SET version = version + :one");
    taken(update.expression_attribute_values(":one", n(1)).send().await)?;
    let delete = on.dynamodb.delete_item().table_name(on.name("ChangedTable")?).set_key(Some(key(pk, "a")));
    taken(delete.send().await)?;
    let modified = |before| Change {
        kind: "MODIFY".to_owned(),
        old: Some(image(pk, "a", before)),
        new: Some(image(pk, "a", before + 1)),
    };
    let removed = Change { kind: "REMOVE".to_owned(), old: Some(image(pk, "a", 3)), new: None };
    let seen = changes(on, pk).await?;
    ensure!(seen == [inserted(pk, "a", 1), modified(1), modified(2), removed], "the records are {seen:?}");
    Ok(())
}

pub(super) async fn a_write_that_changes_nothing_is_no_record(on: &Target) -> Result<()> {
    let pk = "changes-nothing";
    for _ in 0..2 {
        taken(put(on, pk, "a", 1)?.send().await)?;
    }
    let update = on.dynamodb.update_item().table_name(on.name("ChangedTable")?).set_key(Some(key(pk, "a")));
    let update = update.update_expression("SET version = :one REMOVE causation_id");
    taken(update.expression_attribute_values(":one", n(1)).send().await)?;
    let seen = changes(on, pk).await?;
    ensure!(seen == [inserted(pk, "a", 1)], "the records are {seen:?}");
    Ok(())
}

pub(super) async fn a_refused_write_is_no_record(on: &Target) -> Result<()> {
    let pk = "refused";
    taken(put(on, pk, "a", 1)?.send().await)?;
    let again = put(on, pk, "a", 2)?.condition_expression("attribute_not_exists(pk)").send().await;
    refused(again, "ConditionalCheckFailedException")?;
    let transaction = on.dynamodb.transact_write_items();
    let transaction =
        transaction.transact_items(transacted(on, pk, "b")?).transact_items(transacted(on, pk, "a")?);
    refused(transaction.send().await, "TransactionCanceledException")?;
    let seen = changes(on, pk).await?;
    ensure!(seen == [inserted(pk, "a", 1)], "the records are {seen:?}");
    Ok(())
}

pub(super) async fn a_transaction_is_a_record_for_each_item(on: &Target) -> Result<()> {
    let pk = "transacted";
    let transaction = on.dynamodb.transact_write_items();
    let transaction =
        transaction.transact_items(transacted(on, pk, "a")?).transact_items(transacted(on, pk, "b")?);
    taken(transaction.send().await)?;
    let mut seen = changes(on, pk).await?;
    // Which of the two comes first is not promised.
    seen.sort_by(|left, right| left.new.cmp(&right.new));
    ensure!(seen == [inserted(pk, "a", 1), inserted(pk, "b", 1)], "the records are {seen:?}");
    Ok(())
}

fn transacted(on: &Target, pk: &str, sk: &str) -> Result<TransactWriteItem> {
    let item = item(pk, sk, &[("version", n(1))]);
    let put = Put::builder().table_name(on.name("ChangedTable")?).set_item(Some(item));
    let put = put.condition_expression("attribute_not_exists(pk)").build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

//! Transactions: whole or not at all, once for a token, and the reasons of a cancelled one.

use anyhow::{Result, bail, ensure};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{CancellationReason, Put, TransactWriteItem, Update};
use futures::future::join_all;

use super::items::{Item, item, key, n, s};
use crate::answers::{refused, taken};
use crate::target::Target;

const INVALID: &str = "ValidationException";

fn new(on: &Target, item: Item) -> Result<TransactWriteItem> {
    let put = Put::builder().table_name(on.items()?).set_item(Some(item));
    let put = put.condition_expression("attribute_not_exists(pk)");
    let put = put.return_values_on_condition_check_failure(AllOld).build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Adds one to a counter, which must be there.
fn count(on: &Target, pk: &str, sk: &str) -> Result<TransactWriteItem> {
    let update = Update::builder().table_name(on.items()?).set_key(Some(key(pk, sk)));
    let update = update
        .update_expression("SET times = times + :one")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_values(":one", n(1))
        .return_values_on_condition_check_failure(AllOld)
        .build()?;
    Ok(TransactWriteItem::builder().update(update).build())
}

pub(super) async fn names_without_an_expression_are_refused(on: &Target) -> Result<()> {
    let put = Put::builder().table_name(on.items()?).set_item(Some(key("unused-names", "a")));
    let put = put.expression_attribute_names("#a", "a").build()?;
    let item = TransactWriteItem::builder().put(put).build();
    refused(transact(on, vec![item]).send().await, INVALID)
}

pub(super) async fn a_number_is_not_deleted_from_a_set(on: &Target) -> Result<()> {
    on.store(item("delete-number", "a", &[("times", n(1))])).await?;
    let update = Update::builder().table_name(on.items()?).set_key(Some(key("delete-number", "a")));
    let update =
        update.update_expression("DELETE times :one").expression_attribute_values(":one", n(1)).build()?;
    let item = TransactWriteItem::builder().update(update).build();
    refused(transact(on, vec![item]).send().await, INVALID)
}

fn transact(on: &Target, items: Vec<TransactWriteItem>) -> TransactWriteItemsFluentBuilder {
    on.dynamodb.transact_write_items().set_transact_items(Some(items))
}

/// The reasons of a transaction that must be cancelled.
async fn cancelled(transaction: TransactWriteItemsFluentBuilder) -> Result<Vec<CancellationReason>> {
    match transaction.send().await.map_err(SdkError::into_service_error) {
        Err(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            Ok(cancelled.cancellation_reasons.unwrap_or_default())
        }
        other => bail!("answered {other:?}"),
    }
}

pub(super) async fn all_or_nothing(on: &Target) -> Result<()> {
    let (counter, taken_id) = (item("all", "counter", &[("times", n(0))]), item("all", "taken", &[]));
    on.store(counter.clone()).await?;
    on.store(taken_id.clone()).await?;
    let items = vec![count(on, "all", "counter")?, new(on, item("all", "free", &[]))?, new(on, taken_id)?];
    cancelled(transact(on, items)).await?;
    on.has(&counter).await?;
    let free = on.stored("all", "free").await?;
    ensure!(free.is_none(), "stored is {free:?}");
    let items = vec![count(on, "all", "counter")?, new(on, item("all", "free", &[]))?];
    taken(transact(on, items).send().await)?;
    on.has(&item("all", "counter", &[("times", n(1))])).await?;
    on.has(&item("all", "free", &[])).await
}

pub(super) async fn reasons_are_in_order_with_their_items(on: &Target) -> Result<()> {
    let stored = item("reasons", "taken", &[("version", n(7)), ("name", s("x"))]);
    on.store(stored.clone()).await?;
    let items = vec![
        new(on, item("reasons", "free", &[]))?,
        new(on, item("reasons", "taken", &[]))?,
        count(on, "reasons", "missing")?,
        new(on, item("reasons", "free too", &[]))?,
    ];
    let reasons = cancelled(transact(on, items)).await?;
    let seen: Vec<_> = reasons.iter().map(|reason| (reason.code(), reason.item())).collect();
    let failed = Some("ConditionalCheckFailed");
    let expected = [(Some("None"), None), (failed, Some(&stored)), (failed, None), (Some("None"), None)];
    ensure!(seen == expected, "the reasons are {seen:?}");
    Ok(())
}

pub(super) async fn a_token_again_has_no_second_effect(on: &Target) -> Result<()> {
    on.store(item("token", "counter", &[("times", n(0))])).await?;
    for _ in 0..3 {
        let items = vec![count(on, "token", "counter")?, count_or_create(on, "token", "other")?];
        taken(transact(on, items).client_request_token(on.token("again")).send().await)?;
    }
    on.has(&item("token", "counter", &[("times", n(1))])).await?;
    on.has(&item("token", "other", &[("times", n(1))])).await
}

/// Adds one to a counter that need not be there.
fn count_or_create(on: &Target, pk: &str, sk: &str) -> Result<TransactWriteItem> {
    let update = Update::builder().table_name(on.items()?).set_key(Some(key(pk, sk)));
    let update = update
        .update_expression("SET times = if_not_exists(times, :none) + :one")
        .expression_attribute_values(":none", n(0))
        .expression_attribute_values(":one", n(1))
        .build()?;
    Ok(TransactWriteItem::builder().update(update).build())
}

pub(super) async fn a_token_with_another_request_is_refused(on: &Target) -> Result<()> {
    let put = |sk: &str| new(on, item("token-reused", sk, &[]));
    let token = on.token("reused");
    taken(transact(on, vec![put("a")?]).client_request_token(&token).send().await)?;
    let other = transact(on, vec![put("b")?]).client_request_token(token).send().await;
    refused(other, "IdempotentParameterMismatchException")?;
    let stored = on.stored("token-reused", "b").await?;
    ensure!(stored.is_none(), "stored is {stored:?}");
    Ok(())
}

pub(super) async fn two_actions_on_one_item_are_refused(on: &Target) -> Result<()> {
    let items = vec![count_or_create(on, "twice", "a")?, count_or_create(on, "twice", "a")?];
    refused(transact(on, items).send().await, INVALID)?;
    let stored = on.stored("twice", "a").await?;
    ensure!(stored.is_none(), "stored is {stored:?}");
    Ok(())
}

fn many(on: &Target, pk: &str, count: usize) -> Result<Vec<TransactWriteItem>> {
    (0..count).map(|number| new(on, item(pk, &format!("{number:03}"), &[]))).collect()
}

pub(super) async fn a_hundred_actions_are_one_transaction(on: &Target) -> Result<()> {
    taken(transact(on, many(on, "hundred", 100)?).send().await)?;
    on.has(&item("hundred", "000", &[])).await?;
    on.has(&item("hundred", "099", &[])).await
}

pub(super) async fn a_hundred_and_one_actions_are_refused(on: &Target) -> Result<()> {
    refused(transact(on, many(on, "hundred-and-one", 101)?).send().await, INVALID)?;
    let stored = on.stored("hundred-and-one", "000").await?;
    ensure!(stored.is_none(), "stored is {stored:?}");
    Ok(())
}

pub(super) async fn an_empty_transaction_is_refused(on: &Target) -> Result<()> {
    refused(transact(on, Vec::new()).send().await, INVALID)
}

pub(super) async fn many_at_once_lose_no_update(on: &Target) -> Result<()> {
    on.store(item("at-once", "counter", &[("times", n(0))])).await?;
    let one = async |number: usize| {
        let items =
            vec![count(on, "at-once", "counter")?, new(on, item("at-once", &number.to_string(), &[]))?];
        match transact(on, items).send().await.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(1),
            Err(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let codes: Vec<_> =
                    cancelled.cancellation_reasons().iter().map(CancellationReason::code).collect();
                let in_the_way = codes.iter().flatten().any(|code| *code == "TransactionConflict");
                ensure!(in_the_way, "cancelled for {codes:?}");
                Ok(0)
            }
            Err(other) => bail!("answered {other:?}"),
        }
    };
    let done = join_all((0..20).map(one)).await.into_iter().collect::<Result<Vec<usize>>>()?;
    let done: usize = done.into_iter().sum();
    ensure!(done > 0, "none of them took effect");
    on.has(&item("at-once", "counter", &[("times", n(done))])).await
}

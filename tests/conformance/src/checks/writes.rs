//! Single writes: conditions and update expressions.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::items::{Item, item, key, n, s};
use crate::answers::{refused, taken};
use crate::target::Target;

const FAILED: &str = "ConditionalCheckFailedException";
const INVALID: &str = "ValidationException";

pub(super) async fn a_failed_put_returns_the_item(on: &Target) -> Result<()> {
    let first =
        item("put-returns", "a", &[("version", n(1)), ("lines", AttributeValue::L(vec![n(2), s("x")]))]);
    let put = |item: &Item| {
        let put = on.put(item.clone())?.condition_expression("attribute_not_exists(pk)");
        anyhow::Ok(put.return_values_on_condition_check_failure(AllOld))
    };
    taken(put(&first)?.send().await)?;
    let second = item("put-returns", "a", &[("version", n(2))]);
    match put(&second)?.send().await.map_err(SdkError::into_service_error) {
        Err(PutItemError::ConditionalCheckFailedException(failed)) => {
            ensure!(failed.item() == Some(&first), "the item returned is {:?}", failed.item());
        }
        other => bail!("answered {other:?}"),
    }
    on.has(&first).await
}

pub(super) async fn a_failed_condition_returns_no_item_unasked(on: &Target) -> Result<()> {
    let first = item("put-unasked", "a", &[]);
    on.store(first.clone()).await?;
    let again = on.put(first)?.condition_expression("attribute_not_exists(pk)").send().await;
    match again.map_err(SdkError::into_service_error) {
        Err(PutItemError::ConditionalCheckFailedException(failed)) => {
            ensure!(failed.item().is_none(), "the item returned is {:?}", failed.item());
            Ok(())
        }
        other => bail!("answered {other:?}"),
    }
}

pub(super) async fn a_failed_update_of_a_missing_item_returns_none(on: &Target) -> Result<()> {
    let update = on.update("update-missing", "a", "SET version = :two")?;
    let update = update
        .condition_expression("version = :one")
        .expression_attribute_values(":one", n(1))
        .expression_attribute_values(":two", n(2))
        .return_values_on_condition_check_failure(AllOld);
    match update.send().await.map_err(SdkError::into_service_error) {
        Err(UpdateItemError::ConditionalCheckFailedException(failed)) => {
            ensure!(failed.item().is_none(), "the item returned is {:?}", failed.item());
        }
        other => bail!("answered {other:?}"),
    }
    let stored = on.stored("update-missing", "a").await?;
    ensure!(stored.is_none(), "stored is {stored:?}");
    Ok(())
}

pub(super) async fn a_condition_is_about_the_item_with_the_whole_key(on: &Target) -> Result<()> {
    on.store(item("whole-key", "a", &[])).await?;
    let put =
        |sk| anyhow::Ok(on.put(item("whole-key", sk, &[]))?.condition_expression("attribute_not_exists(pk)"));
    taken(put("b")?.send().await)?;
    refused(put("b")?.send().await, FAILED)
}

pub(super) async fn a_stale_version_is_refused(on: &Target) -> Result<()> {
    on.store(item("stale", "a", &[("version", n(1))])).await?;
    let write = |name: &'static str| {
        let update = on.update("stale", "a", "SET writer = :writer, version = version + :one")?;
        let update =
            update.condition_expression("version = :read").expression_attribute_values(":read", n(1));
        let update = update.expression_attribute_values(":one", n(1));
        anyhow::Ok(update.expression_attribute_values(":writer", s(name)))
    };
    taken(write("first")?.send().await)?;
    refused(write("second")?.send().await, FAILED)?;
    on.has(&item("stale", "a", &[("version", n(2)), ("writer", s("first"))])).await
}

pub(super) async fn a_comparison_with_a_missing_attribute_is_false(on: &Target) -> Result<()> {
    let before = item("compare-missing", "a", &[("claim", s("no map"))]);
    on.store(before.clone()).await?;
    for condition in ["available >= :n", "claim.version = :n", "never_there.version = :n", "pk = :n"] {
        let update = on.update("compare-missing", "a", "SET touched = :n")?.condition_expression(condition);
        refused(update.expression_attribute_values(":n", n(1)).send().await, FAILED)?;
    }
    on.has(&before).await
}

pub(super) async fn an_update_without_a_condition_creates_the_item(on: &Target) -> Result<()> {
    let update = on.update("upsert", "a", "SET #at = :at")?.expression_attribute_names("#at", "at");
    taken(update.expression_attribute_values(":at", n(5)).send().await)?;
    on.has(&item("upsert", "a", &[("at", n(5))])).await
}

pub(super) async fn set_adds_and_subtracts(on: &Target) -> Result<()> {
    let large = u64::MAX - 10;
    on.store(item("arithmetic", "a", &[("available", n(large)), ("reserved", n(0)), ("version", n(1))]))
        .await?;
    for net in [7, -3] {
        let update = on.update(
            "arithmetic",
            "a",
            "SET available = available - :net, reserved = reserved + :net, version = version + :one",
        )?;
        let update =
            update.expression_attribute_values(":net", n(net)).expression_attribute_values(":one", n(1));
        taken(update.send().await)?;
    }
    let after = [("available", n(large - 4)), ("reserved", n(4)), ("version", n(3))];
    on.has(&item("arithmetic", "a", &after)).await
}

pub(super) async fn arithmetic_on_a_missing_attribute_is_refused(on: &Target) -> Result<()> {
    let before = item("arithmetic-missing", "a", &[]);
    on.store(before.clone()).await?;
    let update = on.update("arithmetic-missing", "a", "SET version = version + :one")?;
    refused(update.expression_attribute_values(":one", n(1)).send().await, INVALID)?;
    on.has(&before).await
}

pub(super) async fn if_not_exists_keeps_what_is_there(on: &Target) -> Result<()> {
    for value in ["first", "second"] {
        let update = on.update("if-not-exists", "a", "SET once = if_not_exists(once, :v), #last = :v")?;
        let update = update.expression_attribute_names("#last", "last");
        taken(update.expression_attribute_values(":v", s(value)).send().await)?;
    }
    on.has(&item("if-not-exists", "a", &[("once", s("first")), ("last", s("second"))])).await
}

pub(super) async fn remove_takes_the_attribute_away(on: &Target) -> Result<()> {
    on.store(item("remove", "a", &[("claim", s("x")), ("version", n(1))])).await?;
    for _ in 0..2 {
        let update = on.update("remove", "a", "SET version = :v REMOVE claim, never_there")?;
        taken(update.expression_attribute_values(":v", n(2)).send().await)?;
    }
    on.has(&item("remove", "a", &[("version", n(2))])).await
}

pub(super) async fn a_path_into_a_map_is_written_and_compared(on: &Target) -> Result<()> {
    let map = |entries: &[(&str, AttributeValue)]| {
        AttributeValue::M(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    };
    let claim = map(&[("pk", s("order-1")), ("version", n(3))]);
    on.store(item("path", "a", &[("keys", map(&[])), ("claim", claim)])).await?;
    for kid in ["a.b-c", "second"] {
        let update =
            on.update("path", "a", "SET #keys.#kid = :key")?.expression_attribute_names("#keys", "keys");
        let update = update.expression_attribute_names("#kid", kid);
        taken(update.expression_attribute_values(":key", s(format!("key of {kid}"))).send().await)?;
    }
    let take = |order: &'static str| {
        let update = on.update("path", "a", "REMOVE claim")?;
        let update = update.condition_expression("claim.pk = :order AND claim.version = :version");
        let update = update.expression_attribute_values(":order", s(order));
        anyhow::Ok(update.expression_attribute_values(":version", n(3)))
    };
    refused(take("order-2")?.send().await, FAILED)?;
    taken(take("order-1")?.send().await)?;
    refused(take("order-1")?.send().await, FAILED)?;
    let keys = map(&[("a.b-c", s("key of a.b-c")), ("second", s("key of second"))]);
    on.has(&item("path", "a", &[("keys", keys)])).await
}

pub(super) async fn an_update_that_creates_returns_no_old_item(on: &Target) -> Result<()> {
    let update = on.update("all-old", "a", "SET version = :v")?.expression_attribute_values(":v", n(1));
    let answer = taken(update.return_values(ReturnValue::AllOld).send().await)?;
    ensure!(answer.attributes().is_none(), "the old item is {:?}", answer.attributes());
    Ok(())
}

pub(super) async fn only_texts_numbers_and_bytes_have_an_order(on: &Target) -> Result<()> {
    let before = item("unordered", "a", &[("flag", AttributeValue::Bool(true))]);
    on.store(before.clone()).await?;
    let literals =
        [AttributeValue::Bool(true), AttributeValue::M(HashMap::new()), AttributeValue::L(Vec::new())];
    for literal in literals {
        for condition in ["flag < :v", "flag BETWEEN :v AND :v"] {
            let put = on.put(key("unordered", "a"))?.condition_expression(condition);
            refused(put.expression_attribute_values(":v", literal.clone()).send().await, INVALID)
                .with_context(|| format!("{condition}, {literal:?}"))?;
        }
    }
    on.has(&before).await
}

pub(super) async fn an_operand_is_not_compared_with_itself(on: &Target) -> Result<()> {
    on.store(item("itself", "a", &[("version", n(1))])).await?;
    let put = on.put(key("itself", "a"))?.condition_expression("version = #version");
    refused(put.expression_attribute_names("#version", "version").send().await, INVALID)
}

pub(super) async fn a_type_that_there_is_not_is_refused(on: &Target) -> Result<()> {
    let put = on.put(key("no-type", "a"))?.condition_expression("attribute_type(pk, :type)");
    refused(put.expression_attribute_values(":type", s("TEXT")).send().await, INVALID)
}

pub(super) async fn a_path_into_a_missing_map_is_refused(on: &Target) -> Result<()> {
    on.store(key("path-missing", "a")).await?;
    let update = on.update("path-missing", "a", "SET #keys.#kid = :key")?;
    let names = [("#keys", "keys"), ("#kid", "kid")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let update = update.set_expression_attribute_names(Some(HashMap::from(names)));
    refused(update.expression_attribute_values(":key", s("x")).send().await, INVALID)
}

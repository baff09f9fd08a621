//! Reads and writes of one item: each error of DynamoDB against what a table makes of it.

use std::error::Error as _;

use super::support::{Script, Thing, error, key, wire};
use crate::{Condition, New, Read, StoreError, Updated};
use serde_json::{Value, json};
use shop_lambda::Contention;

fn failed(error: &StoreError) -> &'static str {
    match error {
        error if Contention::caused(error) => "contention",
        StoreError::Call { .. } => "failure",
        _ => "another error",
    }
}

/// What a table makes of an error of a conditional write.
async fn of_write(answer: (u16, Value)) -> &'static str {
    let table = Script::new([answer]).table();
    let put = match table.put_new::<Thing>(key("a")).await {
        Ok(New::Stored) => "stored",
        Ok(New::Exists(_)) => "condition with its item",
        // Without the item that was in the way there is no saying what it was.
        Err(StoreError::Contended { kind: "thing" }) => "condition",
        Err(error) => failed(&error),
    };
    let update = table.update(key("a")).set("x", "y").only_if(Condition::exists("id"));
    let update = match table.update_if::<Thing>(update).await {
        Ok(Updated::Done) => "stored",
        Ok(Updated::Changed(_)) => "condition with its item",
        Ok(Updated::Absent) => "condition",
        Err(error) => failed(&error),
    };
    assert_eq!(put, update);
    put
}

#[tokio::test]
async fn only_a_failed_condition_is_one() {
    let (status, mut with_item) = error("ConditionalCheckFailedException");
    with_item["Item"] = wire("a");
    assert_eq!(of_write((status, with_item)).await, "condition with its item");
    assert_eq!(of_write((200, json!({}))).await, "stored");
    for (code, expected) in [
        ("ConditionalCheckFailedException", "condition"),
        ("ProvisionedThroughputExceededException", "contention"),
        ("ThrottlingException", "contention"),
        ("RequestLimitExceeded", "contention"),
        ("LimitExceededException", "contention"),
        ("TransactionConflictException", "contention"),
        ("InternalServerError", "failure"),
        ("ItemCollectionSizeLimitExceededException", "failure"),
        ("ResourceNotFoundException", "failure"),
        ("AccessDeniedException", "failure"),
        ("ValidationException", "failure"),
        ("UnrecognizedClientException", "failure"),
        ("SomethingNew", "failure"),
    ] {
        assert_eq!(of_write(error(code)).await, expected, "{code}");
    }
}

#[tokio::test]
async fn a_write_that_meets_a_transaction_is_made_again_and_no_other_failure_is() {
    let conflict = || error("TransactionConflictException");
    let script = Script::new([conflict(), conflict(), (200, json!({}))]);
    assert!(matches!(script.table().put_new::<Thing>(key("a")).await.unwrap(), New::Stored));
    assert_eq!((script.asked().len(), script.pauses()), (3, 2));
    let script = Script::new([conflict()]);
    let failed = script.table().put_new::<Thing>(key("a")).await.unwrap_err();
    assert!(Contention::caused(&failed));
    assert_eq!((script.asked().len(), script.pauses()), (8, 7));
    // What is throttled as a whole the SDK has tried already.
    for code in ["ThrottlingException", "InternalServerError"] {
        let script = Script::new([error(code)]);
        script.table().put_new::<Thing>(key("a")).await.unwrap_err();
        assert_eq!((script.asked().len(), script.pauses()), (1, 0), "{code}");
    }
}

#[tokio::test]
async fn a_read_that_is_throttled_is_contention_and_others_are_failures() {
    for (code, is_contention) in [
        ("ProvisionedThroughputExceededException", true),
        ("ThrottlingException", true),
        ("RequestLimitExceeded", true),
        ("InternalServerError", false),
        ("ResourceNotFoundException", false),
        ("AccessDeniedException", false),
    ] {
        let table = Script::new([error(code)]).table();
        let made = table.get::<Thing>(key("a"), Read::Consistent).await.unwrap_err();
        assert_eq!(Contention::caused(&made), is_contention, "{code}");
        // What the SDK says is there in either case, for the log.
        let mut causes = String::new();
        let mut next = made.source();
        while let Some(cause) = next {
            causes.extend([format!("{cause:?}")]);
            next = cause.source();
        }
        assert!(causes.contains(code), "{code}: {causes}");
    }
}

#[tokio::test]
async fn each_method_is_one_operation_and_says_what_it_must() {
    let there = Script::new([(200, json!({ "Item": wire("a") }))]);
    for (consistency, is_consistent) in [(Read::Consistent, true), (Read::Eventual, false)] {
        let found = there.table().get::<Thing>(key("a"), consistency).await.unwrap();
        assert_eq!(found, Some(Thing { id: "a".to_owned() }));
        assert_eq!(there.asked().last().unwrap()["ConsistentRead"], is_consistent);
    }
    let other = Script::new([(200, json!({ "Item": { "pk": { "S": "a" } } }))]);
    let corrupt = other.table().get::<Thing>(key("a"), Read::Eventual).await.unwrap_err();
    assert!(matches!(corrupt, StoreError::Corrupt { kind: "thing", .. }));
    assert!(!Contention::caused(&corrupt));

    let script = Script::new([]);
    let table = script.table();
    assert_eq!(table.get::<Thing>(key("a"), Read::Eventual).await.unwrap(), None);
    table.put_new::<Thing>(key("a")).await.unwrap();
    table.replace(key("a")).await.unwrap();
    let update = table.update(key("a")).set("status", "x").only_if(Condition::equals("version", 1_u64));
    table.update_if::<Thing>(update).await.unwrap();
    table.remove(key("a")).await.unwrap();
    assert_eq!(script.operations(), ["GetItem", "PutItem", "PutItem", "UpdateItem", "DeleteItem"]);
    let asked = script.asked();
    assert!(asked.iter().all(|body| body["TableName"] == "t"));
    assert_eq!(asked[1]["ConditionExpression"], "attribute_not_exists(#id)");
    assert_eq!(asked[1]["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
    assert_eq!(asked[2], json!({ "TableName": "t", "Item": wire("a") }));
    assert_eq!(
        asked[3],
        json!({
            "TableName": "t",
            "Key": wire("a"),
            "UpdateExpression": "SET #status = :set_status",
            "ConditionExpression": "#version = :is_version",
            "ExpressionAttributeNames": { "#status": "status", "#version": "version" },
            "ExpressionAttributeValues": { ":set_status": { "S": "x" }, ":is_version": { "N": "1" } },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        })
    );
}

#[tokio::test]
async fn a_change_that_others_are_faster_with_ends_as_contention() {
    let script = Script::new([]);
    let mut tries = script.table().tries("thing");
    for _ in 0..7 {
        tries.pause().await.unwrap();
    }
    let error = tries.pause().await.unwrap_err();
    assert!(matches!(error, StoreError::Contended { kind: "thing" }) && Contention::caused(&error));
    assert_eq!(script.pauses(), 7);
}

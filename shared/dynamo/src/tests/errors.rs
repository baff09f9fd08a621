//! Each error of DynamoDB against what a store makes of it.

use std::error::Error as _;

use super::support::{Script, error};
use crate::{Item, Reason, StoreError, TransactionOutcome, condition_failed, outcome, string, transact};
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use serde_json::{Value, json};
use shop_lambda::{Contention, Random};

fn key() -> Item {
    Item::from([("id".to_owned(), string("a"))])
}

/// What a store makes of an error of a conditional write.
async fn of_write(answer: Value) -> &'static str {
    let client = Script::new([(400, answer)]).client();
    let put = client.put_item().table_name("t").set_item(Some(key())).send().await.unwrap_err();
    let update = client.update_item().table_name("t").set_key(Some(key())).send().await.unwrap_err();
    let name = |made: Result<Option<Item>, StoreError>| match made {
        Ok(Some(_)) => "condition with its item",
        Ok(None) => "condition",
        Err(error) if Contention::caused(&error) => "contention",
        Err(StoreError::Call { .. }) => "failure",
        Err(_) => "another error",
    };
    let (put, update) = (name(condition_failed(put)), name(condition_failed(update)));
    assert_eq!(put, update);
    put
}

#[tokio::test]
async fn only_a_failed_condition_is_one() {
    let mut with_item = error("ConditionalCheckFailedException");
    with_item["Item"] = json!({ "id": { "S": "a" } });
    assert_eq!(of_write(with_item).await, "condition with its item");
    for (code, expected) in [
        ("ConditionalCheckFailedException", "condition"),
        ("ProvisionedThroughputExceededException", "contention"),
        ("ThrottlingException", "contention"),
        ("RequestLimitExceeded", "contention"),
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
async fn a_read_that_is_throttled_is_contention_and_others_are_failures() {
    for (code, is_contention) in [
        ("ProvisionedThroughputExceededException", true),
        ("ThrottlingException", true),
        ("RequestLimitExceeded", true),
        ("InternalServerError", false),
        ("ResourceNotFoundException", false),
        ("AccessDeniedException", false),
    ] {
        let client = Script::new([(400, error(code))]).client();
        let failed = client.get_item().table_name("t").set_key(Some(key())).send().await.unwrap_err();
        let made = StoreError::call("GetItem")(failed);
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

fn items() -> Vec<TransactWriteItem> {
    let put = || Put::builder().table_name("t").set_item(Some(key())).build().unwrap();
    vec![TransactWriteItem::builder().put(put()).build(), TransactWriteItem::builder().put(put()).build()]
}

fn cancelled(codes: [&str; 2]) -> Value {
    let mut answer = error("TransactionCanceledException");
    answer["CancellationReasons"] = codes.map(|code| json!({ "Code": code })).as_slice().into();
    answer
}

async fn of_transaction(answer: Value) -> Result<TransactionOutcome, StoreError> {
    let client = Script::new([(400, answer)]).client();
    let request = client.transact_write_items().set_transact_items(Some(items()));
    outcome(request.client_request_token("token").send().await)
}

#[tokio::test]
async fn each_reason_of_a_cancelled_transaction_is_what_it_is() {
    for (code, expected) in [
        ("None", Some(Reason::None)),
        ("ConditionalCheckFailed", Some(Reason::ConditionFailed(None))),
        ("TransactionConflict", Some(Reason::Conflict)),
        ("ThrottlingError", Some(Reason::Conflict)),
        ("ProvisionedThroughputExceeded", Some(Reason::Conflict)),
        ("ItemCollectionSizeLimitExceeded", None),
        ("ValidationError", None),
        ("SomethingNew", None),
    ] {
        match (of_transaction(cancelled(["None", code])).await, expected) {
            (Ok(TransactionOutcome::Cancelled(cancelled)), Some(expected)) => {
                assert_eq!(cancelled.reasons, [Reason::None, expected.clone()], "{code}");
                assert_eq!(
                    cancelled.is_conflict(),
                    !matches!(expected, Reason::ConditionFailed(_)),
                    "{code}"
                );
            }
            (Err(error), None) => assert!(!Contention::caused(&error), "{code}"),
            (made, _) => panic!("{code}: {made:?}"),
        }
    }
    // A condition that failed beside a conflict decides: trying again would be in vain.
    let both = of_transaction(cancelled(["ConditionalCheckFailed", "ThrottlingError"])).await;
    assert!(matches!(both, Ok(TransactionOutcome::Cancelled(cancelled)) if !cancelled.is_conflict()));
}

#[tokio::test]
async fn a_transaction_as_a_whole_is_refused_in_other_ways() {
    let reused = of_transaction(error("IdempotentParameterMismatchException")).await;
    assert!(matches!(reused, Ok(TransactionOutcome::TokenReused)));
    let under_way = of_transaction(error("TransactionInProgressException")).await;
    assert!(
        matches!(under_way, Ok(TransactionOutcome::Cancelled(cancelled)) if cancelled.reasons.is_empty())
    );
    for (code, is_contention) in [
        ("ThrottlingException", true),
        ("ProvisionedThroughputExceededException", true),
        ("RequestLimitExceeded", true),
        ("InternalServerError", false),
        ("ValidationException", false),
        ("AccessDeniedException", false),
    ] {
        let error = of_transaction(error(code)).await.unwrap_err();
        assert_eq!(Contention::caused(&error), is_contention, "{code}");
    }
}

#[tokio::test]
async fn a_transaction_that_meets_others_is_tried_again_with_a_token_of_its_own() {
    let random = Random::system();
    let conflict = || (400, cancelled(["None", "TransactionConflict"]));
    let script = Script::new([conflict(), (400, cancelled(["ThrottlingError", "None"])), (200, json!({}))]);
    let ended = transact(&script.client(), &random, items()).await.unwrap();
    assert!(matches!(ended, TransactionOutcome::Done));
    let tokens: std::collections::BTreeSet<_> =
        script.asked().iter().map(|call| call["ClientRequestToken"].to_string()).collect();
    assert_eq!(tokens.len(), 3, "{tokens:?}");

    let script = Script::new([conflict()]);
    let ended = transact(&script.client(), &random, items()).await.unwrap();
    assert!(matches!(ended, TransactionOutcome::Cancelled(cancelled) if cancelled.is_conflict()));
    assert_eq!(script.asked().len(), 6);

    let script = Script::new([(400, cancelled(["ConditionalCheckFailed", "TransactionConflict"]))]);
    let ended = transact(&script.client(), &random, items()).await.unwrap();
    assert!(matches!(ended, TransactionOutcome::Cancelled(cancelled) if !cancelled.is_conflict()));
    assert_eq!(script.asked().len(), 1, "a failed condition fails again");

    let script = Script::new([(400, error("TransactionInProgressException"))]);
    let error = transact(&script.client(), &random, items()).await.unwrap_err();
    assert!(matches!(error, StoreError::Contended { .. }) && Contention::caused(&error));
    assert_eq!(script.asked().len(), 1, "how it ends is not known, so it is not tried anew");
}

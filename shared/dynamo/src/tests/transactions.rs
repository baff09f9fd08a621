//! Each reason of a cancelled transaction, what is tried again, and with which token.

use std::collections::BTreeSet;

use super::support::{Script, Thing, error, key, wire};
use crate::{Condition, StoreError, Transacted};
use serde_json::{Value, json};
use shop_lambda::Contention;

fn cancelled(codes: [&str; 2]) -> (u16, Value) {
    let (status, mut answer) = error("TransactionCanceledException");
    answer["CancellationReasons"] = codes.map(|code| json!({ "Code": code })).as_slice().into();
    (status, answer)
}

async fn sent(script: &Script) -> Result<Transacted, StoreError> {
    let table = script.table();
    let check = table.check(key("b"), Condition::exists("id"));
    table.transaction().write(table.put(key("a")).if_new().returning_stored()).write(check).send().await
}

#[tokio::test]
async fn each_reason_of_a_cancelled_transaction_is_what_it_is() {
    for (code, expected) in [
        ("ConditionalCheckFailed", "refused"),
        ("TransactionConflict", "contention"),
        ("ThrottlingError", "contention"),
        ("ProvisionedThroughputExceeded", "contention"),
        ("ItemCollectionSizeLimitExceeded", "failure"),
        ("ValidationError", "corrupt"),
        ("None", "failure"),
        ("SomethingNew", "failure"),
    ] {
        let script = Script::new([cancelled(["None", code])]);
        let made = match sent(&script).await {
            Ok(Transacted::Done) => "done",
            Ok(Transacted::Refused(refused)) if refused.failed(1) && !refused.failed(0) => "refused",
            Ok(Transacted::Refused(_)) => "refused by another",
            Err(StoreError::Contended { kind: "transaction" }) => "contention",
            Err(StoreError::Corrupt { kind: "transaction", .. }) => "corrupt",
            Err(error) if Contention::caused(&error) => "contention of the call",
            Err(_) => "failure",
        };
        assert_eq!(made, expected, "{code}");
        let tries = if expected == "contention" { 8 } else { 1 };
        assert_eq!((script.asked().len(), script.pauses()), (tries, tries - 1), "{code}");
    }
    // A condition that failed beside a conflict decides: trying again would be in vain.
    let script = Script::new([cancelled(["ConditionalCheckFailed", "ThrottlingError"])]);
    assert!(matches!(sent(&script).await, Ok(Transacted::Refused(refused)) if refused.failed(0)));
    assert_eq!(script.asked().len(), 1);
}

#[tokio::test]
async fn a_refusal_has_the_item_that_was_in_the_way() {
    let (status, mut answer) = cancelled(["ConditionalCheckFailed", "None"]);
    answer["CancellationReasons"][0]["Item"] = wire("a");
    let Ok(Transacted::Refused(mut refused)) = sent(&Script::new([(status, answer.clone())])).await else {
        panic!("refused");
    };
    assert_eq!(refused.stored(0).unwrap(), Some(Thing { id: "a".to_owned() }));
    assert_eq!(refused.stored::<Thing>(1).unwrap(), None);
    assert_eq!(refused.stored::<Thing>(2).unwrap(), None, "there is no such write");
    answer["CancellationReasons"][0]["Item"] = json!({ "pk": { "S": "a" } });
    let Ok(Transacted::Refused(mut refused)) = sent(&Script::new([(status, answer)])).await else {
        panic!("refused");
    };
    assert!(matches!(refused.stored::<Thing>(0), Err(StoreError::Corrupt { kind: "thing", .. })));
}

#[tokio::test]
async fn a_transaction_as_a_whole_is_refused_in_other_ways() {
    for (code, is_contention) in [
        ("ThrottlingException", true),
        ("ProvisionedThroughputExceededException", true),
        ("RequestLimitExceeded", true),
        // How it ends is not known, so it is not tried anew.
        ("TransactionInProgressException", true),
        ("IdempotentParameterMismatchException", false),
        ("InternalServerError", false),
        ("ValidationException", false),
        ("AccessDeniedException", false),
    ] {
        let script = Script::new([error(code)]);
        let error = sent(&script).await.unwrap_err();
        assert_eq!(Contention::caused(&error), is_contention, "{code}");
        assert_eq!(script.asked().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_transaction_that_meets_others_is_tried_again_with_a_token_of_its_own() {
    let conflict = cancelled(["None", "TransactionConflict"]);
    let script = Script::new([conflict, cancelled(["ThrottlingError", "None"]), (200, json!({}))]);
    assert!(sent(&script).await.unwrap().is_done());
    let asked = script.asked();
    let tokens: BTreeSet<_> = asked.iter().map(|call| call["ClientRequestToken"].to_string()).collect();
    assert_eq!(tokens.len(), 3, "{tokens:?}");
    assert!(asked.iter().all(|call| call["TransactItems"] == asked[0]["TransactItems"]));
    let put = &asked[0]["TransactItems"][0]["Put"];
    assert_eq!(put["ReturnValuesOnConditionCheckFailure"], "ALL_OLD");
    assert_eq!(put["ConditionExpression"], "attribute_not_exists(#id)");
    assert_eq!(asked[0]["TransactItems"][1]["ConditionCheck"]["Key"], wire("b"));
}

//! The services as SDK clients see them: transactions, conditions, errors, and what is not emulated.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]


use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use shop_local::cloud::Cloud;
use crate::toy::simulate;

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn put(id: &str) -> TransactWriteItem {
    let put = Put::builder().table_name("Items").item("id", text(id)).item("kind", text("k"));
    let put = put
        .condition_expression("attribute_not_exists(id)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

fn add(id: &str) -> TransactWriteItem {
    let update =
        Update::builder().table_name("CountsTable").key("id", text(id)).update_expression("ADD times :one");
    let update = update.expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
    TransactWriteItem::builder().update(update.build().unwrap()).build()
}

fn dynamodb(cloud: &Cloud) -> aws_sdk_dynamodb::Client {
    aws_sdk_dynamodb::Client::new(&cloud.sdk_config("test"))
}

#[test]
fn a_transaction_takes_effect_once_for_its_token_and_tells_why_it_was_cancelled() {
    simulate(1, |cloud| async move {
        let dynamodb = dynamodb(&cloud);
        let transact = |items| dynamodb.transact_write_items().set_transact_items(Some(items));
        for _ in 0..2 {
            transact(vec![put("a"), add("a")]).client_request_token("t-1").send().await.unwrap();
        }
        assert_eq!(crate::toy::counts(&cloud).await["a"], 1);
        let error = transact(vec![add("a")]).client_request_token("t-1").send().await.unwrap_err();
        assert_eq!(error.code(), Some("IdempotentParameterMismatchException"));
        let error = transact(vec![add("b"), put("a")]).send().await.unwrap_err().into_service_error();
        let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(cancelled) =
            error
        else {
            panic!("{error}")
        };
        let reasons = cancelled.cancellation_reasons();
        assert_eq!(reasons[0].code(), Some("None"));
        assert_eq!(reasons[1].code(), Some("ConditionalCheckFailed"));
        assert_eq!(reasons[1].item().unwrap()["kind"], text("k"));
        assert!(!crate::toy::counts(&cloud).await.contains_key("b"));
        // Two units a written item, none for the replay, and two for each item of the cancelled one.
        let counts = cloud.meter().sum(|entry| entry.resource == "CountsTable");
        assert_eq!(counts.units.writes, 4);
        let used = &cloud.meter().permissions["test"];
        assert!(used.iter().any(|access| access.action == "dynamodb:PutItem" && access.resource == "Items"));
        assert!(!used.iter().any(|access| access.action.contains("Transact")));
    });
}

#[test]
fn a_failed_condition_returns_the_item() {
    simulate(2, |cloud| async move {
        let dynamodb = dynamodb(&cloud);
        let put = || dynamodb.put_item().table_name("Items").item("id", text("a")).item("kind", text("k"));
        assert!(put().send().await.unwrap().consumed_capacity().is_none());
        let asked = put().return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.unwrap_err();
        assert_eq!(asked.message(), Some("ReturnConsumedCapacity is not known here"));
        let error = put()
            .condition_expression("attribute_not_exists(id)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await
            .unwrap_err()
            .into_service_error();
        let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(failed) =
            error
        else {
            panic!("{error}")
        };
        assert_eq!(failed.item().unwrap()["kind"], text("k"));
        let error = dynamodb.get_item().table_name("Nothing").key("id", text("a")).send().await.unwrap_err();
        assert_eq!(error.code(), Some("ResourceNotFoundException"));
    });
}

#[test]
fn what_is_not_emulated_is_refused_by_its_name() {
    simulate(3, |cloud| async move {
        let sqs = aws_sdk_sqs::Client::new(&cloud.sdk_config("test"));
        let missing = sqs.send_message().queue_url("Nothing").message_body("x").send().await.unwrap_err();
        assert!(missing.into_service_error().is_queue_does_not_exist());
        let url = cloud.physical("CountDeadLetterQueue").unwrap();
        let purge = sqs.purge_queue().queue_url(url).send().await.unwrap_err();
        assert_eq!((purge.code(), purge.message()), (Some("InvalidAction"), Some("PurgeQueue")));
        let poll =
            sqs.receive_message().queue_url(url).receive_request_attempt_id("1").send().await.unwrap_err();
        assert_eq!(poll.code(), Some("SerializationException"));
        assert!(poll.message().unwrap().contains("unknown field `ReceiveRequestAttemptId`"), "{poll:?}");
        let sns = aws_sdk_sns::Client::new(&cloud.sdk_config("test"));
        let publish = sns.publish().topic_arn(cloud.physical("EventsTopic").unwrap()).message("x");
        let publish = publish.send().await.unwrap_err();
        assert_eq!(publish.message(), Some("Publish is not known here"));
        let entry = aws_sdk_sns::types::PublishBatchRequestEntry::builder().id("1").message("x");
        let entry = entry.message_structure("json");
        let batch = sns.publish_batch().topic_arn(cloud.physical("EventsTopic").unwrap());
        let batch = batch.publish_batch_request_entries(entry.build().unwrap()).send().await.unwrap_err();
        let field = "PublishBatchRequestEntries.member.1.MessageStructure is not known here";
        assert_eq!((batch.code(), batch.message()), (Some("InvalidParameter"), Some(field)));
        let tables = dynamodb(&cloud).list_tables().send().await.unwrap_err();
        assert_eq!(tables.code(), Some("UnknownOperationException"));
    });
}

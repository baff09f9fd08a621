//! DynamoDB and SQS as SDK clients see them: transactions, conditions, errors, long polls, batches.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod toy;

use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use shop_local::cloud::Cloud;
use toy::simulate;

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
        assert_eq!(toy::counts(&cloud).await["a"], 1);
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
        assert!(!toy::counts(&cloud).await.contains_key("b"));
        // Two units a written item, none for the replay, and two for each item of the cancelled one.
        let counts = cloud.meter().sum(|entry| entry.resource == "CountsTable");
        assert_eq!(counts.units.writes, 4);
        let used = &cloud.meter().permissions["test"];
        assert!(used.iter().any(|access| access.action == "dynamodb:PutItem" && access.resource == "Items"));
        assert!(!used.iter().any(|access| access.action.contains("Transact")));
    });
}

#[test]
fn a_failed_condition_returns_the_item_and_capacity_is_reported_when_asked_for() {
    simulate(2, |cloud| async move {
        let dynamodb = dynamodb(&cloud);
        let put = || dynamodb.put_item().table_name("Items").item("id", text("a")).item("kind", text("k"));
        let answer = put().return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.unwrap();
        assert_eq!(answer.consumed_capacity().unwrap().capacity_units(), Some(2.0));
        assert!(put().send().await.unwrap().consumed_capacity().is_none());
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
fn a_long_poll_ends_with_the_arrival_or_with_its_time() {
    simulate(3, |cloud| async move {
        let sqs = aws_sdk_sqs::Client::new(&cloud.sdk_config("test"));
        let url = cloud.physical("RelayDeadLetterQueue").unwrap();
        let receive = || sqs.receive_message().queue_url(url).wait_time_seconds(2).send();
        let started = tokio::time::Instant::now();
        assert!(receive().await.unwrap().messages().is_empty());
        assert_eq!(started.elapsed().as_secs(), 2);
        let send = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            sqs.send_message().queue_url(url).message_body("now").send().await.unwrap();
        };
        let started = tokio::time::Instant::now();
        let (received, ()) = tokio::join!(receive(), send);
        assert_eq!(received.unwrap().messages()[0].body(), Some("now"));
        assert!(started.elapsed() < Duration::from_millis(1500));
    });
}

#[test]
fn batches_attributes_and_errors_of_queues() {
    simulate(4, |cloud| async move {
        let sqs = aws_sdk_sqs::Client::new(&cloud.sdk_config("test"));
        let url = cloud.physical("CountDeadLetterQueue").unwrap();
        let entry = |id: &str, body: &str| {
            SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
        };
        let batch =
            sqs.send_message_batch().queue_url(url).entries(entry("1", "one")).entries(entry("2", "two"));
        assert_eq!(batch.send().await.unwrap().successful().len(), 2);
        let same = sqs.send_message_batch().queue_url(url).entries(entry("1", "a")).entries(entry("1", "b"));
        let error = same.send().await.unwrap_err();
        assert_eq!(error.code(), Some("AWS.SimpleQueueService.BatchEntryIdsNotDistinct"));
        let attributes = sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
        let attributes = attributes.send().await.unwrap();
        let attributes = attributes.attributes().unwrap();
        assert_eq!(attributes[&QueueAttributeName::ApproximateNumberOfMessages], "2");
        assert!(attributes[&QueueAttributeName::QueueArn].ends_with(":CountDeadLetterQueue"));
        assert_eq!(sqs.list_queues().send().await.unwrap().queue_urls().len(), 3);
        let missing = sqs.get_queue_url().queue_name("Nothing").send().await.unwrap_err();
        assert!(missing.into_service_error().is_queue_does_not_exist());
        sqs.purge_queue().queue_url(url).send().await.unwrap();
        assert!(toy::drain(&cloud, "CountDeadLetterQueue").await.is_empty());
    });
}

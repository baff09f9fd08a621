//! Queues over virtual time: visibility, receive counts, the way to the dead-letter queue, and the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::message::NewMessage;
use super::{Journal, Message, Queues, Request};
use crate::cloud::AwsError;
use crate::cloud::clock::Clock;
use crate::cloud::observer::Observers;
use crate::cloud::random::Random;
use crate::template::Template;

const TEMPLATE: &str = "
Resources:
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 30
      MessageRetentionPeriod: 3600
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}
  Dead: {Type: 'AWS::SQS::Queue'}
";

fn queues(folder: Option<&std::path::Path>) -> Queues {
    let template = Template::parse(TEMPLATE, &BTreeMap::new()).unwrap();
    let journal = folder.map(|folder| Journal::open(folder).unwrap());
    let clock = Clock::simulated();
    let observers = Observers::new(&clock, Vec::new());
    Queues::open(&template, journal, &clock, &Random::seeded(1), Arc::new(Notify::new()), observers).unwrap()
}

fn message(body: &str) -> NewMessage {
    NewMessage { body: body.into(), attributes: Arc::default(), delay: 0 }
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| &*message.body).collect()
}

#[tokio::test(start_paused = true)]
async fn a_received_message_is_hidden_until_its_visibility_timeout() {
    let queues = queues(None);
    queues.send(vec![("Work", message("a")), ("Work", message("b"))]).unwrap();
    let first = queues.receive("Work", 1, None).unwrap();
    assert_eq!(bodies(&first), ["a"]);
    assert_eq!(queues.depth("Work").in_flight, 1);
    assert_eq!(bodies(&queues.receive("Work", 10, None).unwrap()), ["b"]);
    assert!(queues.receive("Work", 10, None).unwrap().is_empty());
    tokio::time::advance(Duration::from_secs(30)).await;
    let again = queues.receive("Work", 10, None).unwrap();
    assert_eq!(bodies(&again), ["a", "b"]);
    assert_eq!(again[0].receives, 2);
    // The first receipt is no longer the last one given out: it deletes nothing.
    queues.delete("Work", &[first[0].receipt.as_deref().unwrap()]).unwrap();
    assert_eq!(queues.depth("Work").in_flight, 2);
    queues.delete("Work", &[again[0].receipt.as_deref().unwrap()]).unwrap();
    assert_eq!(queues.depth("Work").in_flight, 1);
}

#[tokio::test(start_paused = true)]
async fn a_message_received_too_often_goes_to_the_dead_letter_queue_as_it_was() {
    let queues = queues(None);
    let ids = queues.send(vec![("Work", message("poison"))]).unwrap();
    for _ in 0..2 {
        assert_eq!(queues.receive("Work", 10, None).unwrap().len(), 1);
        tokio::time::advance(Duration::from_secs(30)).await;
    }
    assert!(queues.receive("Work", 10, None).unwrap().is_empty());
    assert!(queues.is_empty("Work"));
    let dead = queues.receive("Dead", 10, None).unwrap();
    assert_eq!(bodies(&dead), ["poison"]);
    assert_eq!(dead[0].id, ids[0]);
    assert!(dead[0].system_attributes()["DeadLetterQueueSourceArn"].ends_with(":Work"));
}

/// Puts a message off by its receipt handle, in milliseconds. The code of the error, if there is one.
fn put_off(queues: &Queues, message: &Message, hidden: i64) -> Option<String> {
    let receipt = message.receipt.as_deref().unwrap();
    queues.change_visibility("Work", receipt, hidden, TWELVE_HOURS).err().map(|error| error.code)
}

const TWELVE_HOURS: i64 = 43_200_000;

#[tokio::test(start_paused = true)]
async fn who_has_a_message_says_when_it_comes_again() {
    let queues = queues(None);
    queues.send(vec![("Work", message("sooner")), ("Work", message("later"))]).unwrap();
    let received = queues.receive("Work", 10, None).unwrap();
    assert_eq!(put_off(&queues, &received[0], 2000), None);
    assert_eq!(put_off(&queues, &received[1], 60_000), None);
    assert_eq!(queues.ready("Work").1, received[0].received.map(|received| received + 2000));
    tokio::time::advance(Duration::from_secs(2)).await;
    let sooner = queues.receive("Work", 10, None).unwrap();
    assert_eq!((bodies(&sooner), sooner[0].receives), (vec!["sooner"], 2));
    // At once; and its handle still deletes it.
    assert_eq!(put_off(&queues, &sooner[0], 0), None);
    assert_eq!(queues.depth("Work").visible, 1);
    queues.delete("Work", &[sooner[0].receipt.as_deref().unwrap()]).unwrap();
    tokio::time::advance(Duration::from_secs(57)).await;
    assert!(queues.receive("Work", 10, None).unwrap().is_empty());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(bodies(&queues.receive("Work", 10, None).unwrap()), ["later"]);
}

#[tokio::test(start_paused = true)]
async fn only_who_has_a_message_puts_it_off_and_for_twelve_hours_at_most() {
    const NOT_ITS: Option<&str> = Some("AWS.SimpleQueueService.MessageNotInflight");
    let queues = queues(None);
    queues.send(vec![("Work", message("a"))]).unwrap();
    let first = queues.receive("Work", 10, None).unwrap().remove(0);
    tokio::time::advance(Duration::from_secs(1)).await;
    // Counted from its reception.
    assert_eq!(put_off(&queues, &first, TWELVE_HOURS).as_deref(), Some("InvalidParameterValue"));
    assert_eq!(put_off(&queues, &first, TWELVE_HOURS - 1000), None);
    assert_eq!(put_off(&queues, &first, 0), None);
    assert_eq!(put_off(&queues, &first, 1000).as_deref(), NOT_ITS, "it is visible again");
    assert_eq!(queues.depth("Work").visible, 1);
    let second = queues.receive("Work", 10, None).unwrap().remove(0);
    assert_eq!(put_off(&queues, &first, 1000).as_deref(), NOT_ITS, "another has it");
    queues.delete("Work", &[second.receipt.as_deref().unwrap()]).unwrap();
    assert_eq!(put_off(&queues, &second, 1000).as_deref(), NOT_ITS, "it is gone");
    let none = queues.change_visibility("Work", "none", 1000, TWELVE_HOURS).unwrap_err();
    assert_eq!(none.code, "ReceiptHandleIsInvalid");
}

#[tokio::test(start_paused = true)]
async fn a_batch_says_of_each_entry_what_became_of_it() {
    let queues = queues(None);
    queues.send(vec![("Work", message("a")), ("Work", message("b")), ("Work", message("c"))]).unwrap();
    let received = queues.receive("Work", 10, None).unwrap();
    let entry = |id: &str, place: usize, seconds: i64| {
        let receipt = received.get(place).and_then(|message| message.receipt.as_deref()).unwrap_or("none");
        json!({"Id": id, "ReceiptHandle": receipt, "VisibilityTimeout": seconds})
    };
    let call = |entries: Vec<Value>| {
        let body = json!({"QueueUrl": "http://sqs/0/Work", "Entries": entries}).to_string();
        let request = Request::parse("ChangeMessageVisibilityBatch", body.as_bytes()).unwrap();
        assert_eq!(request.accesses()[0].action, "sqs:ChangeMessageVisibility");
        request.execute(&queues, &|entry| (entry == "unlucky").then(|| AwsError::service("Internal", "x")))
    };
    let entries = vec![
        entry("good", 0, 0),
        entry("long", 1, 43_201),
        entry("short", 1, -1),
        entry("unlucky", 1, 0),
        entry("none", 7, 0),
    ];
    let answer = call(entries).unwrap();
    assert_eq!(answer["Successful"], json!([{"Id": "good"}]));
    let failed = answer["Failed"].as_array().unwrap().iter();
    let failed: Vec<_> = failed.map(|entry| (entry["Id"].as_str(), entry["SenderFault"].as_bool())).collect();
    let expected = [("long", true), ("short", true), ("unlucky", false), ("none", true)];
    assert_eq!(failed, expected.map(|(id, fault)| (Some(id), Some(fault))));
    assert_eq!(queues.depth("Work").visible, 1);
    for (entries, code) in [
        (vec![], "EmptyBatchRequest"),
        (vec![entry("a", 2, 0); 2], "BatchEntryIdsNotDistinct"),
        (vec![entry("a b", 2, 0)], "InvalidBatchEntryId"),
        ((0..11).map(|id| entry(&id.to_string(), 2, 0)).collect(), "TooManyEntriesInBatchRequest"),
    ] {
        assert_eq!(call(entries).unwrap_err().code, format!("AWS.SimpleQueueService.{code}"));
    }
    assert_eq!(queues.depth("Work").visible, 1, "a refused batch changes nothing");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_sent_but_for_its_bad_entries() {
    let queues = queues(None);
    let url = "https://sqs.us-east-1.amazonaws.com/000000000000/Work";
    let body = json!({"QueueUrl": url, "Entries": [
        {"Id": "a", "MessageBody": "one"}, {"Id": "b", "MessageBody": ""}, {"Id": "unlucky", "MessageBody": "two"},
    ]});
    let request = Request::parse("SendMessageBatch", body.to_string().as_bytes()).unwrap();
    assert_eq!(request.accesses()[0].action, "sqs:SendMessage");
    let unlucky = |id: &str| (id == "unlucky").then(|| AwsError::service("InternalError", "no luck"));
    let answer = request.execute(&queues, &unlucky).unwrap();
    assert_eq!(answer["Successful"][0]["Id"], "a");
    assert_eq!(
        (&answer["Failed"][0]["Id"], &answer["Failed"][1]["SenderFault"]),
        (&json!("b"), &json!(false))
    );
    assert_eq!(bodies(&queues.receive("Work", 10, None).unwrap()), ["one"]);
}

#[tokio::test(start_paused = true)]
async fn delays_and_retention() {
    let queues = queues(None);
    let delayed = NewMessage { delay: 5000, ..message("later") };
    queues.send(vec![("Work", delayed)]).unwrap();
    assert_eq!(queues.depth("Work").delayed, 1);
    assert!(queues.receive("Work", 10, None).unwrap().is_empty());
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(queues.receive("Work", 10, Some(0)).unwrap().len(), 1);
    assert_eq!(queues.depth("Work").visible, 1);
    tokio::time::advance(Duration::from_hours(1)).await;
    assert!(queues.receive("Work", 10, None).unwrap().is_empty());
    assert!(queues.is_empty("Work"));
}

#[tokio::test(start_paused = true)]
async fn a_new_process_finds_every_message_again() {
    let folder = tempfile::tempdir().unwrap();
    {
        let queues = queues(Some(folder.path()));
        queues
            .send(vec![("Work", message("held")), ("Work", message("gone")), ("Work", message("new"))])
            .unwrap();
        let received = queues.receive("Work", 2, None).unwrap();
        queues.delete("Work", &[received[1].receipt.as_deref().unwrap()]).unwrap();
    }
    let queues = queues(Some(folder.path()));
    // Whoever held "held" ended with the process, so it is ready at once; its count is kept.
    let received = queues.receive("Work", 10, None).unwrap();
    assert_eq!(bodies(&received), ["held", "new"]);
    assert_eq!((received[0].receives, received[1].receives), (2, 1));
    queues.send(vec![("Work", message("more"))]).unwrap();
    assert_eq!(bodies(&queues.receive("Work", 10, None).unwrap()), ["more"]);
}

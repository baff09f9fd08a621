//! Queues over virtual time: visibility, receive counts, the way to the dead-letter queue, and the journal.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::message::NewMessage;
use super::{Journal, Message, Queues};
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

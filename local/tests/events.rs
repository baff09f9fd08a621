//! The event path: stream, relay, topic, filter, queue, consumer; failures, retries, and what is given up.


use std::time::Duration;

use serde_json::Value;
use shop_local::cloud::{Depth, Options};
use crate::toy::{counts, drain, place_item, simulate, start};

#[test]
fn an_item_travels_from_the_table_to_the_consumer_and_the_filter_drops_the_rest() {
    simulate(1, |cloud| async move {
        for id in ["a", "b", "c"] {
            assert_eq!(place_item(&cloud, id, "item.placed").await, 201);
        }
        assert_eq!(place_item(&cloud, "d", "item.ignored").await, 201);
        cloud.settled().await;
        let counted: Vec<_> = counts(&cloud).await.into_iter().collect();
        assert_eq!(counted, [("a".to_owned(), 1), ("b".to_owned(), 1), ("c".to_owned(), 1)]);
        let write = cloud.meter().sum(|entry| entry.caller == "place" && entry.resource == "Items");
        assert_eq!((write.calls, write.units.writes), (4, 4));
        let index = cloud.meter().sum(|entry| entry.resource == "Items/index/by-kind");
        assert_eq!(index.units.writes, 4);
        let used = &cloud.meter().permissions["relay"];
        let used: Vec<_> =
            used.iter().map(|access| (access.action.as_str(), access.resource.as_str())).collect();
        assert_eq!(used, [("sns:Publish", "EventsTopic")]);
    });
}

#[test]
fn a_bad_message_fails_alone_and_ends_in_the_dead_letter_queue_as_it_was() {
    simulate(2, |cloud| async move {
        for id in ["a", "bad-1", "b"] {
            place_item(&cloud, id, "item.placed").await;
        }
        cloud.settled().await;
        assert_eq!(counts(&cloud).await.into_keys().collect::<Vec<_>>(), ["a", "b"]);
        let dead = Depth { visible: 1, ..Depth::default() };
        assert_eq!(cloud.queues()["CountDeadLetterQueue"], dead);
        assert_eq!(drain(&cloud, "CountDeadLetterQueue").await, ["bad-1"]);
    });
}

#[test]
fn a_poison_record_is_noted_and_holds_nobody_back() {
    simulate(3, |cloud| async move {
        for number in 0..20 {
            let kind = if number == 7 { "poison" } else { "item.placed" };
            place_item(&cloud, &format!("item-{number:02}"), kind).await;
        }
        cloud.settled().await;
        let counted = counts(&cloud).await;
        assert_eq!(counted.len(), 19);
        assert!(!counted.contains_key("item-07"));
        let notes = drain(&cloud, "RelayDeadLetterQueue").await;
        assert_eq!(notes.len(), 1);
        let note: Value = serde_json::from_str(&notes[0]).unwrap();
        assert_eq!(note["requestContext"]["condition"], "RetryAttemptsExhausted");
        assert_eq!(note["DDBStreamBatchInfo"]["batchSize"], 1);
    });
}

#[test]
fn every_message_and_record_can_be_delivered_twice() {
    let runtime = shop_local::cloud::simulated_runtime().unwrap();
    runtime.block_on(async {
        let cloud = start(Options { deliver_twice: true, ..Options::simulated(4) }).await;
        place_item(&cloud, "a", "item.placed").await;
        cloud.settled().await;
        // The relay publishes twice, and each of the two messages is delivered twice.
        assert_eq!(counts(&cloud).await["a"], 4);
    });
}

#[test]
fn a_batch_waits_for_its_window() {
    simulate(5, |cloud| async move {
        let started = tokio::time::Instant::now();
        place_item(&cloud, "a", "item.placed").await;
        cloud.settled().await;
        assert!(started.elapsed() < Duration::from_secs(1));
    });
    let text = include_str!("template.yaml")
        .replace("ScalingConfig: { MaximumConcurrency: 2 }", "MaximumBatchingWindowInSeconds: 20");
    let template = shop_local::template::Template::parse(&text, &std::collections::BTreeMap::new()).unwrap();
    let runtime = shop_local::cloud::simulated_runtime().unwrap();
    runtime.block_on(async {
        let cloud = shop_local::cloud::Cloud::start(&template, crate::toy::FUNCTIONS, Options::simulated(5)).await;
        let cloud = cloud.unwrap();
        let started = tokio::time::Instant::now();
        for id in ["a", "b", "c"] {
            place_item(&cloud, id, "item.placed").await;
        }
        cloud.settled().await;
        let waited = started.elapsed();
        assert!(waited > Duration::from_secs(20) && waited < Duration::from_secs(22), "{waited:?}");
        assert_eq!(cloud.meter().invocations["count"].total, 1);
    });
}

#[test]
fn a_seed_gives_the_same_run_again_byte_for_byte() {
    let run = |seed| {
        let runtime = shop_local::cloud::simulated_runtime().unwrap();
        runtime.block_on(async {
            let trace = std::sync::Arc::new(shop_local::cloud::Trace::default());
            let options = Options { observers: vec![trace.clone()], ..Options::simulated(seed) };
            let cloud = start(options).await;
            let place = |number: usize| {
                let cloud = cloud.clone();
                async move {
                    let kind = if number % 13 == 5 { "poison" } else { "item.placed" };
                    let id = if number % 7 == 3 { format!("bad-{number}") } else { format!("item-{number}") };
                    place_item(&cloud, &id, kind).await
                }
            };
            futures::future::join_all((0..50).map(place)).await;
            cloud.settled().await;
            trace.lines()
        })
    };
    let first = run(7);
    assert!(first.lines().count() > 200);
    assert_eq!(first, run(7));
    assert_ne!(first, run(8));
}

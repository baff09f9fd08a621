use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_types::SdkConfig;
use serde_json::{Value, json};
use shop_events::{Cause, Event, EventData, ProductDeleted};
use shop_lambda::recovery::{MAX_RECEIVES, pause_after};
use shop_lambda::{Environment, Random};
use shop_types::Timestamp;

use super::*;
use crate::consumer::{Consumer, Each};
use crate::receipts::Outcome;
use crate::testing::{Call, invocation, sdk, silent_sdk};

/// The function of a consumer whose AWS calls go there.
fn on(sdk: SdkConfig, consumer: impl BatchConsumer + 'static) -> Box<dyn Handler> {
    crate::consumer::handler("consume", &environment(sdk), consumer, None).unwrap()
}

fn environment(sdk: SdkConfig) -> Environment {
    let url = |queue: &str| format!("https://sqs.eu-west-1.amazonaws.com/123456789012/{queue}");
    let variables = [("QUEUE_URL", "q"), ("JOURNAL_QUEUE_URL", "journal")];
    let variables = variables.map(|(name, queue)| (name.to_owned(), url(queue)));
    Environment::new(BTreeMap::from(variables), sdk, Random::system())
}

/// The function of a consumer that is not asked about its AWS calls.
fn handler(consumer: impl BatchConsumer + 'static) -> Box<dyn Handler> {
    on(sdk(|_| (200, "{}".to_owned())).0, consumer)
}

fn cause() -> Cause {
    Cause::request("request-1")
}

fn event(product: &str) -> Event {
    let data = EventData::ProductDeleted(ProductDeleted { product_id: product.parse().unwrap() });
    Event::new(data, 1, Timestamp::from_millis(0), cause())
}

fn record(message_id: &str, body: &str) -> Value {
    json!({
        "messageId": message_id, "receiptHandle": format!("receipt-{message_id}"), "body": body,
        "attributes": { "ApproximateReceiveCount": "2" }, "messageAttributes": {},
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:q", "awsRegion": "eu-west-1"
    })
}

fn of(message_id: &str, product: &str) -> Value {
    record(message_id, &event(product).to_json().unwrap())
}

async fn failures(handler: &dyn Handler, records: Vec<Value>) -> Vec<String> {
    let answer = handler.handle(invocation(&json!({ "Records": records }))).await.unwrap();
    let answer: Value = serde_json::from_str(answer.get()).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

/// Fails products named "fail", panics at "panic", and remembers what it was handed.
#[derive(Default)]
struct Recorder {
    seen: Arc<Mutex<Vec<Vec<String>>>>,
}

fn judge(event: &Event) -> MessageResult {
    match event.subject().as_str() {
        "fail" => Err(Failure::code_only("told_to")),
        "panic" => panic!("told to"),
        _ => Ok(()),
    }
}

impl BatchConsumer for Recorder {
    async fn consume(&self, batch: &[Message]) -> Vec<MessageResult> {
        self.seen.lock().unwrap().push(batch.iter().map(|message| message.event.subject()).collect());
        batch.iter().map(|message| judge(&message.event)).collect()
    }
}

struct Judge;

impl Consumer for Judge {
    async fn consume(&self, event: &Event) -> MessageResult {
        judge(event)
    }
}

#[tokio::test]
async fn a_malformed_body_fails_alone() {
    let recorder = Recorder::default();
    let seen = recorder.seen.clone();
    let mut without_body = record("no-body", "");
    without_body.as_object_mut().unwrap().remove("body");
    let records =
        vec![of("1", "a"), record("2", "{not json"), of("3", "fail"), record("4", "{}"), without_body];
    assert_eq!(failures(&*handler(recorder), records).await, ["2", "4", "no-body", "3"]);
    assert_eq!(*seen.lock().unwrap(), [["a", "fail"]]);
}

#[tokio::test]
async fn the_same_event_twice_is_handed_over_once_and_shares_its_result() {
    let recorder = Recorder::default();
    let seen = recorder.seen.clone();
    let records = vec![of("1", "a"), of("2", "a"), of("3", "fail"), of("4", "fail")];
    assert_eq!(failures(&*handler(recorder), records).await, ["3", "4"]);
    assert_eq!(*seen.lock().unwrap(), [["a", "fail"]]);
}

#[tokio::test]
async fn a_panic_fails_only_the_message_that_causes_it() {
    let records = || vec![of("1", "a"), of("2", "panic"), of("3", "b"), of("4", "fail")];
    assert_eq!(failures(&*handler(Recorder::default()), records()).await, ["2", "4"]);
    assert_eq!(failures(&*handler(Each(Judge)), records()).await, ["2", "4"]);
    assert_eq!(failures(&*handler(Recorder::default()), vec![of("1", "panic")]).await, ["1"]);
}

/// Judges each message after it has waited for so many others: the last one ends first.
struct Slow(std::sync::atomic::AtomicUsize);

impl Consumer for Slow {
    async fn consume(&self, event: &Event) -> MessageResult {
        let place = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        for _ in place..10 {
            tokio::task::yield_now().await;
        }
        judge(event)
    }
}

#[tokio::test]
async fn a_result_is_its_message_s_in_whatever_order_they_end() {
    let names = ["a", "fail", "b", "c", "d", "e"];
    for failing in 0..names.len() {
        let product = |index: usize| match (index, names[index]) {
            (index, _) if index == failing => "fail",
            (_, "fail") => "f",
            (_, other) => other,
        };
        let records = (0..names.len()).map(|index| of(&index.to_string(), product(index))).collect();
        assert_eq!(failures(&*handler(Each(Slow(0.into()))), records).await, [failing.to_string()]);
    }
}

#[tokio::test]
async fn a_missing_result_is_a_failure() {
    struct Silent;
    impl BatchConsumer for Silent {
        async fn consume(&self, _: &[Message]) -> Vec<MessageResult> {
            vec![Ok(())]
        }
    }
    assert_eq!(failures(&*handler(Silent), vec![of("1", "a"), of("2", "b")]).await, ["2"]);
}

#[tokio::test]
async fn an_empty_batch_is_done() {
    assert!(failures(&*handler(Recorder::default()), vec![]).await.is_empty());
}

#[tokio::test]
async fn what_is_no_batch_fails_as_a_whole() {
    let mut without_id = of("1", "a");
    without_id.as_object_mut().unwrap().remove("messageId");
    for payload in [json!({ "Records": [without_id] }), json!({}), json!([])] {
        let handler = handler(Recorder::default());
        assert!(handler.handle(invocation(&payload)).await.is_err(), "{payload}");
    }
}

/// A message that was received so often.
fn received(message_id: &str, product: &str, count: u32) -> Value {
    let mut record = of(message_id, product);
    record["attributes"]["ApproximateReceiveCount"] = json!(count.to_string());
    record
}

/// What the calls so far ask for: each message's receipt handle, and its pause in seconds.
fn pauses(calls: &Mutex<Vec<Call>>) -> BTreeMap<String, u64> {
    let mut pauses = BTreeMap::new();
    for call in calls.lock().unwrap().iter() {
        let body: Value = serde_json::from_str(&call.body).unwrap();
        assert_eq!(body["QueueUrl"], "https://sqs.eu-west-1.amazonaws.com/123456789012/q");
        let entries = body["Entries"].as_array().unwrap();
        assert!((1..=10).contains(&entries.len()), "{entries:?}");
        for entry in entries {
            let receipt = entry["ReceiptHandle"].as_str().unwrap().to_owned();
            let pause = entry["VisibilityTimeout"].as_u64().unwrap();
            assert_eq!(pauses.insert(receipt, pause), None, "told twice");
        }
    }
    pauses
}

#[tokio::test]
async fn what_failed_waits_for_longer_each_time_and_after_its_last_try_not_at_all() {
    let (sdk, calls) = sdk(|_| (200, "{}".to_owned()));
    // Events of their own, so that each has a receive count of its own.
    let records = (1..=MAX_RECEIVES + 1).map(|count| {
        let event =
            Event::new(event("fail").data().clone(), u64::from(count), Timestamp::from_millis(0), cause());
        let mut record = record(&count.to_string(), &event.to_json().unwrap());
        record["attributes"]["ApproximateReceiveCount"] = json!(count.to_string());
        record
    });
    let failed = failures(&*on(sdk, Recorder::default()), records.collect()).await;
    assert_eq!(failed.len(), 10);
    let pauses = pauses(&calls);
    for count in 1..MAX_RECEIVES {
        let (pause, bounds) = (pauses[&format!("receipt-{count}")], pause_after(count));
        assert!((bounds.at_least.as_secs()..=bounds.at_most.as_secs()).contains(&pause), "{count}: {pause}");
    }
    for count in [MAX_RECEIVES, MAX_RECEIVES + 1] {
        assert_eq!(pauses[&format!("receipt-{count}")], 0, "{count}");
    }
}

#[tokio::test]
async fn what_is_done_is_not_spoken_of() {
    let (sdk, calls) = sdk(|_| (200, "{}".to_owned()));
    let handler = on(sdk, Recorder::default());
    assert!(failures(&*handler, vec![of("1", "a"), of("2", "b")]).await.is_empty());
    assert!(calls.lock().unwrap().is_empty());
    assert_eq!(failures(&*handler, vec![of("1", "a"), of("2", "fail")]).await, ["2"]);
    assert_eq!(pauses(&calls).keys().collect::<Vec<_>>(), ["receipt-2"]);
}

#[tokio::test]
async fn a_malformed_message_does_not_wait_and_one_of_a_newer_type_does() {
    let (sdk, calls) = sdk(|_| (200, "{}".to_owned()));
    let newer = event("a").to_json().unwrap().replace("product.deleted", "product.exploded");
    let records = vec![record("1", "{not json"), of("2", "a"), record("3", &newer), of("4", "fail")];
    assert_eq!(failures(&*on(sdk, Recorder::default()), records).await, ["1", "3", "4"]);
    let pauses = pauses(&calls);
    assert_eq!((pauses.len(), pauses["receipt-1"]), (3, 0));
    let bounds = pause_after(2);
    for id in ["receipt-3", "receipt-4"] {
        assert!((bounds.at_least.as_secs()..=bounds.at_most.as_secs()).contains(&pauses[id]), "{pauses:?}");
    }
}

#[tokio::test]
async fn each_message_of_an_event_has_its_own_pause() {
    let (sdk, calls) = sdk(|_| (200, "{}".to_owned()));
    let records = vec![received("1", "fail", 1), received("2", "fail", 5)];
    assert_eq!(failures(&*on(sdk, Recorder::default()), records).await, ["1", "2"]);
    let pauses = pauses(&calls);
    assert!(pauses["receipt-1"] <= 2 && pauses["receipt-2"] >= 850, "{pauses:?}");
}

#[tokio::test]
async fn a_large_batch_is_told_in_calls_of_ten() {
    let (sdk, calls) = sdk(|_| (200, "{}".to_owned()));
    let records = (0..25).map(|id| record(&id.to_string(), "{")).collect();
    assert_eq!(failures(&*on(sdk, Recorder::default()), records).await.len(), 25);
    let made = calls.lock().unwrap().len();
    assert_eq!((made, pauses(&calls).len()), (3, 25));
}

#[tokio::test]
async fn a_queue_that_takes_no_pause_changes_no_result() {
    let refused = json!({ "Failed": [{ "Id": "0", "Code": "ReceiptHandleIsInvalid", "SenderFault": true }] });
    for (status, answer) in [
        (200, refused.to_string()),
        (200, "not json".to_owned()),
        (400, json!({ "__type": "com.amazonaws.sqs#QueueDoesNotExist" }).to_string()),
        (403, json!({ "__type": "AccessDenied" }).to_string()),
        (500, String::new()),
    ] {
        let given = answer.clone();
        let (sdk, calls) = sdk(move |_| (status, given.clone()));
        let mut without_receipt = of("3", "b");
        without_receipt.as_object_mut().unwrap().remove("receiptHandle");
        let records = vec![of("1", "a"), of("2", "fail"), without_receipt, record("4", "{")];
        assert_eq!(failures(&*on(sdk, Recorder::default()), records).await, ["4", "2"], "{status} {answer}");
        assert_eq!(pauses(&calls).len(), 2);
    }
}

#[tokio::test]
async fn without_its_queue_a_consumer_does_not_start() {
    let environment = Environment::new(BTreeMap::new(), sdk(|_| (200, String::new())).0, Random::system());
    let error = crate::consumer::handler("consume", &environment, Recorder::default(), None).err().unwrap();
    assert_eq!(error.to_string(), "the environment variable QUEUE_URL is not set");
}

/// Never comes to an end.
struct Stuck;

impl BatchConsumer for Stuck {
    async fn consume(&self, _: &[Message]) -> Vec<MessageResult> {
        std::future::pending().await
    }
}

/// What a function answers that has ten seconds, and after how many.
async fn in_ten_seconds(sdk: SdkConfig, consumer: impl BatchConsumer + 'static) -> (Vec<String>, Duration) {
    let sleep = SharedAsyncSleep::new(TokioSleep::new());
    let handler = on(sdk.into_builder().sleep_impl(sleep).build(), consumer);
    let mut invocation = invocation(&json!({ "Records": [of("1", "a"), of("2", "fail")] }));
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(10);
    invocation.context.deadline = u64::try_from(deadline.as_millis()).unwrap();
    let began = tokio::time::Instant::now();
    let answer = handler.handle(invocation).await.unwrap();
    let answer: Value = serde_json::from_str(answer.get()).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap().iter();
    let failures = failures.map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned());
    (failures.collect(), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_is_stuck_leaves_time_to_say_so() {
    let (sdk, calls) = sdk(|_| (200, "{}".to_owned()));
    let (failed, after) = in_ten_seconds(sdk, Stuck).await;
    assert_eq!(failed, ["1", "2"]);
    assert_eq!(pauses(&calls).len(), 2);
    assert!((7000..=7500).contains(&after.as_millis()), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_does_not_answer_does_not_hold_the_batch_s_own_answer() {
    let (failed, after) = in_ten_seconds(silent_sdk(), Recorder::default()).await;
    assert_eq!(failed, ["2"]);
    assert!((8500..=9000).contains(&after.as_millis()), "{after:?}");
}

/// The function of a consumer that tells the journal.
fn telling<B: Body>(sdk: SdkConfig, consumer: impl BatchConsumer<B> + 'static) -> Box<dyn Handler> {
    let environment = environment(sdk);
    let journal = Journal::start(&environment).unwrap();
    crate::consumer::handler("consume", &environment, consumer, Some(journal)).unwrap()
}

/// What the journal was told.
fn told(calls: &Mutex<Vec<Call>>) -> Vec<Receipts> {
    let bodies: Vec<Value> =
        calls.lock().unwrap().iter().map(|call| serde_json::from_str(&call.body).unwrap()).collect();
    let sent = bodies.iter().filter_map(|body| body["MessageBody"].as_str());
    sent.map(|body| serde_json::from_str(body).unwrap()).collect()
}

#[tokio::test]
async fn the_journal_is_told_once_of_a_batch_what_became_of_each_delivery() {
    let (sdk, calls) = sdk(|_| (200, "{}".to_owned()));
    let newer = event("a").to_json().unwrap().replace("product.deleted", "product.exploded");
    let records = vec![
        of("1", "a"),
        of("2", "a"),
        received("3", "fail", 1),
        received("4", "fail", MAX_RECEIVES),
        record("5", "{not json ada@example.com"),
        record("6", &newer),
    ];
    assert_eq!(failures(&*telling(sdk, Recorder::default()), records).await, ["5", "6", "3", "4"]);
    let told = told(&calls);
    let [Receipts { consumer, receipts, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(consumer, "consume");
    let id = |product: &str| format!("{product}:1:product.deleted");
    let shown: Vec<_> = receipts
        .iter()
        .map(|receipt| {
            (receipt.id.clone(), receipt.attempt, receipt.copy, receipt.outcome, receipt.code.as_deref())
        })
        .collect();
    let expected = [
        ("5".to_owned(), 2, 0, Outcome::Dead, Some("not_an_event")),
        ("6".to_owned(), 2, 0, Outcome::Retrying, Some("unknown_event_type")),
        (id("a"), 2, 0, Outcome::Done, None),
        (id("a"), 2, 1, Outcome::Repeated, None),
        (id("fail"), 1, 0, Outcome::Retrying, Some("told_to")),
        (id("fail"), MAX_RECEIVES, 1, Outcome::Dead, Some("told_to")),
    ];
    assert_eq!(shown, expected);
    for receipt in receipts {
        assert_eq!(receipt.next_attempt_at.is_some(), receipt.outcome == Outcome::Retrying, "{receipt:?}");
        let is_event = receipt.id.contains("product.deleted");
        assert_eq!((receipt.story.is_some(), receipt.event_time.is_some()), (is_event, is_event));
    }
    assert!(!serde_json::to_string(&told).unwrap().contains('@'));
}

/// By its message it is found again among the dead letters, which know no body but the shop's events.
#[tokio::test]
async fn what_is_no_event_is_told_of_by_its_message() {
    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Step {
        of: String,
    }
    impl crate::Work for Step {
        const UNREADABLE: &'static str = "no_step";

        fn key(&self) -> String {
            self.of.clone()
        }
    }
    struct Fails;
    impl BatchConsumer<Step> for Fails {
        async fn consume(&self, batch: &[Message<Step>]) -> Vec<MessageResult> {
            batch.iter().map(|_| Err(Failure::code_only("store_failed"))).collect()
        }
    }
    let (sdk, calls) = sdk(|_| (200, "{}".to_owned()));
    let handler = telling(sdk, Fails);
    assert_eq!(failures(&*handler, vec![record("m-1", r#"{"of": "export-1"}"#)]).await, ["m-1"]);
    let told = told(&calls);
    let failed = &told[0].receipts[0];
    assert_eq!((failed.id.as_str(), failed.code.as_deref()), ("m-1", Some("store_failed")));
}

#[tokio::test]
async fn a_journal_that_cannot_be_told_changes_no_result() {
    for (status, answer) in [(400, r#"{"__type": "com.amazonaws.sqs#QueueDoesNotExist"}"#), (500, "")] {
        let (sdk, _) = sdk(move |_| (status, answer.to_owned()));
        let records = vec![of("1", "a"), of("2", "fail")];
        assert_eq!(failures(&*telling(sdk, Recorder::default()), records).await, ["2"], "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_does_not_answer_does_not_hold_the_batch_s_own_answer() {
    let sleep = SharedAsyncSleep::new(TokioSleep::new());
    let handler = telling(silent_sdk().into_builder().sleep_impl(sleep).build(), Recorder::default());
    let mut invocation = invocation(&json!({ "Records": [of("1", "a")] }));
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(10);
    invocation.context.deadline = u64::try_from(deadline.as_millis()).unwrap();
    let began = tokio::time::Instant::now();
    let answer = handler.handle(invocation).await.unwrap();
    assert_eq!(answer.get(), r#"{"batchItemFailures":[]}"#);
    assert!((8500..=9000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_large_batch_is_told_in_parts() {
    let (sdk, calls) = sdk(|_| (200, "{}".to_owned()));
    let records = (0..1001).map(|id| of(&id.to_string(), &format!("p{id}"))).collect();
    assert!(failures(&*telling(sdk, Recorder::default()), records).await.is_empty());
    let told = told(&calls);
    assert_eq!(told.iter().map(|told| told.part).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(told.iter().map(|told| told.receipts.len()).sum::<usize>(), 1001);
}

//! The consumer against a real DynamoDB implementation: counts of calls, races, repetitions.

use aws_sdk_dynamodb::Client;
use serde_json::{Value, json};
use shop_events::{Cause, Event, EventData, OrderSnapshot, OrderStatus};
use shop_lambda::{Handler, Invocation};
use shop_types::{OrderId, ProductId, Timestamp};

use super::*;
use crate::ledger::EntryState::{self, Cancelled, Counted};
use crate::ledger::tests::{change, user};
use crate::stats::UserStats;
use crate::store::StatsStore;
use crate::testing::Table;

fn event(n: u8, state: EntryState, customer_id: Option<UserId>) -> Event {
    let Change { order_id, total, placed_at, cause, .. } = change(n, state);
    let status = if state == Counted { OrderStatus::Confirmed } else { OrderStatus::Cancelled };
    let order = OrderSnapshot { order_id, customer_id, status, lines: Vec::new(), total, placed_at };
    match state {
        Counted => Event::new(EventData::OrderConfirmed(order), 2, placed_at, cause),
        Cancelled => Event::new(EventData::OrderCancelled(order), 3, placed_at, cause),
    }
}

async fn handler(table: &Table) -> Box<dyn Handler> {
    FUNCTION.start(table.environment()).await.unwrap()
}

/// Delivers events as one batch, and answers with the indexes of those that failed.
async fn deliver(handler: &dyn Handler, events: &[Event]) -> Vec<usize> {
    let records: Vec<_> = events
        .iter()
        .enumerate()
        .map(|(index, event)| json!({ "messageId": index.to_string(), "body": event.to_json().unwrap() }))
        .collect();
    let payload = serde_json::value::to_raw_value(&json!({ "Records": records })).unwrap();
    let invocation = Invocation { payload, context: lambda_runtime::Context::default() };
    let answer: Value = serde_json::from_str(handler.handle(invocation).await.unwrap().get()).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().parse().unwrap()).collect()
}

async fn stats_of(table: &Table, user: &UserId) -> Option<UserStats> {
    let environment = table.environment();
    let client = Client::new(environment.sdk_config());
    StatsStore::start(&environment, client).unwrap().stats(user).await.unwrap()
}

fn order(n: u8) -> OrderId {
    change(n, Counted).order_id
}

fn confirmed(n: u8) -> Event {
    event(n, Counted, Some(user()))
}

fn cancelled(n: u8) -> Event {
    event(n, Cancelled, Some(user()))
}

#[tokio::test]
async fn a_batch_of_one_user_is_one_read_and_one_transaction_with_one_write_of_the_statistics() {
    let table = Table::new();
    let events: Vec<_> = (0..10).map(confirmed).collect();
    assert!(deliver(&*handler(&table).await, &events).await.is_empty());
    assert_eq!(table.operations(), ["BatchGetItem", "TransactWriteItems"]);
    let writes = table.last_call()["TransactItems"].as_array().unwrap().clone();
    assert_eq!(writes.len(), 11);
    assert_eq!(writes.iter().filter(|write| write["Put"]["Item"]["sk"]["S"] == "stats").count(), 1);
    let stats = stats_of(&table, &user()).await.unwrap();
    assert_eq!((stats.orders_placed, stats.version, stats.last_order.unwrap().order_id), (10, 1, order(9)));
}

#[tokio::test]
async fn what_is_delivered_again_counts_once() {
    let table = Table::new();
    let handler = handler(&table).await;
    for _ in 0..3 {
        assert!(deliver(&*handler, &[confirmed(0), confirmed(1), confirmed(0)]).await.is_empty());
    }
    let stats = stats_of(&table, &user()).await.unwrap();
    assert_eq!((stats.orders_placed, stats.version), (2, 1));
}

#[tokio::test]
async fn a_cancelled_order_is_taken_off_and_the_one_before_it_is_the_last_again() {
    let table = Table::new();
    let handler = handler(&table).await;
    deliver(&*handler, &[confirmed(0), confirmed(1), confirmed(4)]).await;
    assert!(deliver(&*handler, &[cancelled(4)]).await.is_empty());
    assert!(deliver(&*handler, &[cancelled(4), confirmed(4)]).await.is_empty());
    let stats = stats_of(&table, &user()).await.unwrap();
    assert_eq!((stats.orders_placed, stats.version, stats.last_order.unwrap().order_id), (2, 2, order(1)));
    assert_eq!(stats.spent.into_values().collect::<Vec<_>>(), [30]);
}

#[tokio::test]
async fn a_cancel_that_comes_first_makes_the_late_confirmation_count_nothing() {
    let table = Table::new();
    let handler = handler(&table).await;
    assert!(deliver(&*handler, &[cancelled(0)]).await.is_empty());
    assert!(deliver(&*handler, &[confirmed(0)]).await.is_empty());
    assert_eq!(stats_of(&table, &user()).await, None);
}

#[tokio::test]
async fn guests_orders_are_done_without_a_call() {
    let table = Table::new();
    assert!(deliver(&*handler(&table).await, &[event(0, Counted, None)]).await.is_empty());
    assert!(table.operations().is_empty());
}

#[tokio::test]
async fn an_event_that_is_not_for_this_queue_fails_alone() {
    let table = Table::new();
    let product_id: ProductId = "prod-1".parse().unwrap();
    let data = EventData::ProductDeleted(shop_events::ProductDeleted { product_id });
    let stranger = Event::new(data, 1, Timestamp::from_millis(0), Cause::request("request-1"));
    assert_eq!(deliver(&*handler(&table).await, &[stranger, confirmed(0)]).await, [0]);
    assert_eq!(stats_of(&table, &user()).await.unwrap().orders_placed, 1);
}

#[tokio::test]
async fn users_are_written_apart_and_fail_apart() {
    let table = Table::new();
    let other = UserId::fresh(Timestamp::from_millis(2), [2; 10]);
    table.before_next("TransactWriteItems", |_, _| Some((500, "{}".to_owned())));
    let events = [confirmed(0), event(1, Counted, Some(other.clone())), confirmed(2)];
    let failed = deliver(&*handler(&table).await, &events).await;
    assert_eq!(failed, [0, 2]);
    assert_eq!(stats_of(&table, &other).await.unwrap().orders_placed, 1);
    assert_eq!(stats_of(&table, &user()).await, None);
}

#[tokio::test]
async fn more_orders_than_a_transaction_holds_are_several() {
    let table = Table::new();
    let events: Vec<_> = (0..120).map(confirmed).collect();
    assert!(deliver(&*handler(&table).await, &events).await.is_empty());
    let stats = stats_of(&table, &user()).await.unwrap();
    assert_eq!((stats.orders_placed, stats.version), (120, 2));
}

/// Another writer records a change between this one's read and its write.
async fn outrun_by(first: &[Event], rival: Event, mine: Event) -> UserStats {
    let table = Table::new();
    let handler = handler(&table).await;
    deliver(&*handler, first).await;
    table.before_next("TransactWriteItems", move |table, _| {
        let rival = rival.clone();
        let table = table.clone();
        let rival = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { deliver(&*self::handler(&table).await, &[rival]).await })
        });
        assert!(rival.join().unwrap().is_empty());
        None
    });
    assert!(deliver(&*handler, &[mine]).await.is_empty());
    stats_of(&table, &user()).await.unwrap()
}

#[tokio::test]
async fn a_writer_that_is_outrun_reads_again() {
    let stats = outrun_by(&[], confirmed(1), confirmed(0)).await;
    assert_eq!((stats.orders_placed, stats.version), (2, 2));
    let stats = outrun_by(&[confirmed(1)], confirmed(0), confirmed(0)).await;
    assert_eq!((stats.orders_placed, stats.version), (2, 2));
    let stats = outrun_by(&[confirmed(1)], cancelled(0), confirmed(0)).await;
    assert_eq!((stats.orders_placed, stats.version), (1, 1));
    let stats = outrun_by(&[confirmed(0), confirmed(1)], confirmed(3), cancelled(1)).await;
    assert_eq!((stats.orders_placed, stats.last_order.unwrap().order_id), (2, order(3)));
    let stats = outrun_by(&[confirmed(0), confirmed(1)], cancelled(0), cancelled(1)).await;
    assert_eq!((stats.orders_placed, stats.last_order), (0, None));
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_not_made_twice() {
    let table = Table::new();
    let handler = handler(&table).await;
    deliver(&*handler, &[confirmed(0)]).await;
    table.before_next("TransactWriteItems", |table, body| {
        assert_eq!(table.execute("TransactWriteItems", body).0, 200);
        Some((500, "{}".to_owned()))
    });
    assert_eq!(deliver(&*handler, &[confirmed(1)]).await, [0]);
    assert!(deliver(&*handler, &[confirmed(1)]).await.is_empty());
    assert_eq!(stats_of(&table, &user()).await.unwrap().orders_placed, 2);
}

/// The fixture confirms one order of a user and cancels another, whose confirmation is still to come.
#[tokio::test]
async fn the_fixture_is_recorded() {
    let table = Table::new();
    let fixture = include_str!("../../../../events/record-user-stats.json").to_owned();
    let payload = serde_json::value::RawValue::from_string(fixture).unwrap();
    let invocation = Invocation { payload, context: lambda_runtime::Context::default() };
    let answer = handler(&table).await.handle(invocation).await.unwrap();
    assert_eq!(answer.get(), r#"{"batchItemFailures":[]}"#);
    let writes = table.last_call()["TransactItems"].as_array().unwrap().clone();
    let states: Vec<_> =
        writes.iter().filter_map(|write| write["Put"]["Item"]["state"]["S"].as_str()).collect();
    assert_eq!(states, ["counted", "cancelled"]);
    assert_eq!(writes[0]["Put"]["Item"]["orders_placed"]["N"], "1");
}

#[test]
fn chunks_hold_as_many_orders_as_a_transaction() {
    assert!(chunks(Vec::new()).is_empty());
    let messages = (0..120).flat_map(|n| [change(n, Counted), change(n, Cancelled)]);
    let chunks = chunks(messages.enumerate().collect());
    assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [198, 42]);
    let indexes = chunks.iter().flatten().map(|(index, _)| *index);
    assert!(indexes.eq(0..240));
}

use serde_json::json;
use shop_events::{Cause, Event, EventData, InventoryReserved, OrderSnapshot, OrderStatus};
use shop_messaging::receipts::{Receipt, Receipts};
use shop_types::{Currency, Money, OrderId};

use super::*;
use Outcome::{Dead, Done, Retrying};

const ORDER: &str = "ord_01jd9c3k7m2q8r5t6v0w1x2y3z";

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_446_000_000 + millis)
}

fn order(status: OrderStatus) -> OrderSnapshot {
    OrderSnapshot {
        order_id: ORDER.parse().unwrap(),
        customer_id: None,
        status,
        lines: Vec::new(),
        total: Money { minor: 100, currency: Currency::USD },
        placed_at: at(0),
    }
}

fn created() -> Event {
    let cause = Cause::request("request-1").by("guest");
    Event::new(EventData::OrderCreated(order(OrderStatus::Pending)), 1, at(0), cause)
}

fn reserved() -> Event {
    let order_id: OrderId = ORDER.parse().unwrap();
    let data = EventData::InventoryReserved(InventoryReserved { order_id, lines: Vec::new() });
    Event::new(data, 1, at(30), created().as_cause())
}

fn attempt(consumer: &str, event: &Event, number: u32, started: i64, outcome: Outcome) -> Attempt {
    let receipt = Receipt {
        id: event.id().to_string(),
        story: Some(event.story()),
        event_time: Some(event.time()),
        attempt: number,
        copy: 0,
        outcome,
        code: (!outcome.is_done()).then(|| "store_failed".to_owned()),
        error: None,
        next_attempt_at: (outcome == Outcome::Retrying).then(|| at(started + 2000)),
    };
    let batch = Receipts {
        consumer: consumer.to_owned(),
        batch: format!("{consumer}-{started}"),
        part: 0,
        started_at: at(started),
        duration_ms: 5,
        receipts: Vec::new(),
    };
    Attempt::of(&batch, &receipt)
}

fn story(attempts: &[Attempt], now: Timestamp) -> Story {
    let mut parts = Parts::default();
    let entries =
        || [created(), reserved()].iter().map(|event| Entry::of(event).with_data(event).unwrap()).collect();
    // As often as a journal may have them.
    for _ in 0..2 {
        parts.add(entries(), attempts.to_vec());
    }
    Story::of(ORDER, &parts, &[], (true, at(0)), now).unwrap()
}

fn state(story: &Story, consumer: &str) -> State {
    let mut found = story.deliveries.iter().filter(|delivery| delivery.consumer == consumer);
    let state = found.next().unwrap().state;
    assert!(found.next().is_none(), "one delivery of {consumer}");
    state
}

#[test]
fn what_a_story_is_about_is_told_by_a_whole_id() {
    assert_eq!(About::of(ORDER), About::Order);
    assert_eq!(About::of("usr_01jd8zz4h6k9m3n5p7q2r4s6t8"), About::User);
    for product in ["prod-123", "ord_mug", "usr_", "prd_01jd8zz4h6k9m3n5p7q2r4s6t8"] {
        assert_eq!(About::of(product), About::Product, "{product}");
    }
}

#[test]
fn a_story_is_a_graph_by_cause_with_the_time_between_steps() {
    let attempts = vec![attempt("reserve-stock", &created(), 1, 10, Outcome::Done)];
    let story = story(&attempts, at(1000));
    assert_eq!((story.about, story.first_at, story.last_at), (About::Order, at(0), at(30)));
    let ids: Vec<_> = story.nodes.iter().map(Node::id).collect();
    let tried = format!("attempt:reserve-stock:{ORDER}:1:order.created:reserve-stock-10:0");
    let (created, reserved) = (format!("{ORDER}:1:order.created"), format!("{ORDER}:1:inventory.reserved"));
    assert_eq!(ids, ["request:request-1", &created, &tried, &reserved]);
    let edge = |from: &str, to: &str, after_ms| Edge { from: from.to_owned(), to: to.to_owned(), after_ms };
    let expected =
        [edge("request:request-1", &created, 0), edge(&created, &tried, 10), edge(&tried, &reserved, 20)];
    assert_eq!(story.edges.iter().collect::<BTreeSet<_>>(), expected.iter().collect());
    assert_eq!(
        (state(&story, "reserve-stock"), state(&story, "settle-order")),
        (State::Done, State::Waiting)
    );
    assert_eq!(story.outstanding, 1);
    assert!(story.logs.insights.contains(ORDER) && story.logs.local.contains("'request-1'"));
}

#[test]
fn a_delivery_is_what_its_receipts_say_and_nobody_knows_more() {
    let event = created();
    let tried = |outcomes: &[(u32, i64, Outcome)]| {
        let all = outcomes
            .iter()
            .map(|(number, started, outcome)| attempt("reserve-stock", &event, *number, *started, *outcome));
        all.collect::<Vec<_>>()
    };
    let minutes = |count: i64| at(count * 60_000);
    for (outcomes, now, expected) in [
        (&[][..], minutes(4), State::Waiting),
        (&[], minutes(6), State::Unknown),
        (&[(1, 10, Retrying)], minutes(1), State::Retrying),
        (&[(1, 10, Retrying)], minutes(21), State::Unknown),
        (&[(1, 10, Retrying), (2, 2100, Done)], minutes(21), State::Done),
        (&[(1, 10, Retrying), (9, 2100, Dead)], minutes(900), State::Dead),
        (&[(9, 10, Dead), (1, 60_000, Retrying)], minutes(2), State::Redriven),
        (&[(9, 10, Dead), (1, 60_000, Done)], minutes(2), State::Done),
        // Two copies of a message: what one has done is done.
        (&[(1, 10, Done), (1, 12, Retrying)], minutes(2), State::Done),
    ] {
        let story = story(&tried(outcomes), now);
        assert_eq!(state(&story, "reserve-stock"), expected, "{outcomes:?}");
        let delivery = story.deliveries.iter().find(|delivery| delivery.consumer == "reserve-stock").unwrap();
        assert_eq!(delivery.attempts, outcomes.len());
        assert_eq!(
            delivery.next_attempt_at.is_some(),
            matches!(outcomes.last(), Some((_, _, Retrying))) && expected != State::Done
        );
    }
}

#[test]
fn what_is_done_again_is_shown_as_repeated() {
    let tried = |started| attempt("reserve-stock", &created(), 1, started, Outcome::Done);
    let story = story(&[tried(50), tried(10)], at(1000));
    let outcome = |node: &Node| match node {
        Node::Attempt { at, outcome, .. } => Some((*at, *outcome)),
        _ => None,
    };
    let outcomes: Vec<_> = story.nodes.iter().filter_map(outcome).collect();
    assert_eq!(outcomes, [(at(10), AttemptOutcome::Done), (at(50), AttemptOutcome::Repeated)]);
}

#[test]
fn the_data_of_an_event_says_nothing_of_anybody() {
    let story = story(&[], at(0));
    let Node::Event { data, .. } = &story.nodes[1] else { panic!("{:?}", story.nodes) };
    let expected = json!({
        "order_id": ORDER, "status": "pending", "lines": [], "placed_at": "2026-11-23T15:00:00.000Z",
        "total": { "amount": 100, "currency": "USD" }
    });
    assert_eq!(data.as_ref(), Some(&expected));
}

//! record-user-stats: counts of calls, races, repetitions.

use anyhow::{Context, Result};
use futures::future::try_join;
use serde_json::{Value, json};
use service_tests::simulate;
use shop_events::{Cause, Event, EventData, ProductDeleted};
use shop_local::cloud::{AwsError, Fault};
use shop_types::Timestamp;

use super::*;

const FUNCTION: &str = "record-user-stats";
const WRITE: &str = "TransactWriteItems";

#[test]
fn a_batch_of_one_user_is_one_read_and_one_transaction_with_one_write_of_the_statistics() -> Result<()> {
    simulate(async {
        let (service, calls) = watched(FUNCTION).await?;
        let events: Vec<_> = (0..10).map(confirmed).collect();
        assert!(deliver(&service, &events).await?.is_empty());
        let made = calls.take();
        let [read, write] = &made[..] else { panic!("{made:?}") };
        assert_eq!([&read.operation, &write.operation], ["BatchGetItem", WRITE]);
        let writes = write.body["TransactItems"].as_array().context("writes")?;
        assert_eq!(writes.len(), 11);
        assert_eq!(writes.iter().filter(|write| write["Put"]["Item"]["sk"]["S"] == "stats").count(), 1);
        assert_eq!(counted(&service).await?, (json!(10), json!(1)));
        assert_eq!(stats_of(&service, &user()).await?.body["last_order"]["id"], json!(order(9)));
        Ok(())
    })
}

#[test]
fn what_is_delivered_again_counts_once() -> Result<()> {
    simulate(async {
        let (service, _) = watched(FUNCTION).await?;
        for _ in 0..3 {
            assert!(deliver(&service, &[confirmed(0), confirmed(1), confirmed(0)]).await?.is_empty());
        }
        assert_eq!(counted(&service).await?, (json!(2), json!(1)));
        Ok(())
    })
}

#[test]
fn a_cancelled_order_is_taken_off_and_the_one_before_it_is_the_last_again() -> Result<()> {
    simulate(async {
        let (service, _) = watched(FUNCTION).await?;
        deliver(&service, &[confirmed(0), confirmed(1), confirmed(4)]).await?;
        assert!(deliver(&service, &[cancelled(4)]).await?.is_empty());
        assert!(deliver(&service, &[cancelled(4), confirmed(4)]).await?.is_empty());
        assert_eq!(counted(&service).await?, (json!(2), json!(2)));
        let stats = stats_of(&service, &user()).await?;
        assert_eq!(stats.body["last_order"]["id"], json!(order(1)));
        let spent = r#""amount_spent":[{"currency":"USD","amount":0.30}]"#;
        assert!(stats.text.contains(spent), "{}", stats.text);
        Ok(())
    })
}

#[test]
fn a_cancel_that_comes_first_makes_the_late_confirmation_count_nothing() -> Result<()> {
    simulate(async {
        let (service, _) = watched(FUNCTION).await?;
        assert!(deliver(&service, &[cancelled(0)]).await?.is_empty());
        assert!(deliver(&service, &[confirmed(0)]).await?.is_empty());
        assert_eq!(counted(&service).await?, (json!(0), json!(0)), "nothing was written");
        Ok(())
    })
}

#[test]
fn guests_orders_are_done_without_a_call() -> Result<()> {
    simulate(async {
        let (service, calls) = watched(FUNCTION).await?;
        assert!(deliver(&service, &[confirmed_of(0, None)]).await?.is_empty());
        assert_eq!(calls.take_operations(), [""; 0]);
        Ok(())
    })
}

#[test]
fn an_event_that_is_not_for_this_queue_fails_alone() -> Result<()> {
    simulate(async {
        let (service, _) = watched(FUNCTION).await?;
        let data = EventData::ProductDeleted(ProductDeleted { product_id: "prod-1".parse()? });
        let stranger = Event::new(data, 1, Timestamp::from_millis(0), Cause::request("request-1"));
        assert_eq!(deliver(&service, &[stranger, confirmed(0)]).await?, [0]);
        assert_eq!(counted(&service).await?, (json!(1), json!(1)));
        Ok(())
    })
}

#[test]
fn users_are_written_apart_and_fail_apart() -> Result<()> {
    simulate(async {
        let (service, calls) = watched(FUNCTION).await?;
        let of_user = format!("{:?}", user().as_str());
        calls.fail(move |call| {
            let is_theirs = call.operation == WRITE && String::from_utf8_lossy(&call.body).contains(&of_user);
            is_theirs.then(|| Fault::Error(AwsError::service("InternalServerError", "It failed")))
        });
        let events = [confirmed(0), confirmed_of(1, Some(other_user())), confirmed(2)];
        assert_eq!(deliver(&service, &events).await?, [0, 2]);
        assert_eq!(stats_of(&service, &other_user()).await?.body["orders_placed"], 1);
        assert_eq!(counted(&service).await?, (json!(0), json!(0)));
        Ok(())
    })
}

#[test]
fn more_orders_than_a_transaction_holds_are_several() -> Result<()> {
    simulate(async {
        let (service, _) = watched(FUNCTION).await?;
        let events: Vec<_> = (0..120).map(confirmed).collect();
        assert!(deliver(&service, &events).await?.is_empty());
        assert_eq!(counted(&service).await?, (json!(120), json!(2)));
        Ok(())
    })
}

/// Another writer records a change between this one's read and its write. The statistics then: how many orders,
/// at which version, and which is the last.
async fn overtaken(first: &[Event], rival: Event, mine: Event) -> Result<(Value, Value, Value)> {
    let (service, calls) = watched(FUNCTION).await?;
    if !first.is_empty() {
        assert!(deliver(&service, first).await?.is_empty());
    }
    let hold = calls.hold_next(WRITE);
    let (mine, rival) = ([mine], [rival]);
    let (mine, rival) = try_join(deliver(&service, &mine), hold.meanwhile(deliver(&service, &rival))).await?;
    assert!(mine.is_empty() && rival.is_empty(), "{mine:?} {rival:?}");
    let stats = stats_of(&service, &user()).await?.body;
    Ok((stats["orders_placed"].clone(), stats["version"].clone(), stats["last_order"]["id"].clone()))
}

#[test]
fn a_writer_that_is_overtaken_reads_again() -> Result<()> {
    let last = |n| json!(order(n));
    for (first, rival, mine, expected) in [
        (vec![], confirmed(1), confirmed(0), (json!(2), json!(2), last(1))),
        (vec![confirmed(1)], confirmed(0), confirmed(0), (json!(2), json!(2), last(1))),
        (vec![confirmed(1)], cancelled(0), confirmed(0), (json!(1), json!(1), last(1))),
        (vec![confirmed(0), confirmed(1)], confirmed(3), cancelled(1), (json!(2), json!(3), last(3))),
        (vec![confirmed(0), confirmed(1)], cancelled(0), cancelled(1), (json!(0), json!(3), Value::Null)),
    ] {
        simulate(async {
            assert_eq!(overtaken(&first, rival, mine).await?, expected);
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_write_whose_answer_is_lost_is_not_made_twice() -> Result<()> {
    simulate(async {
        let (service, calls) = watched(FUNCTION).await?;
        deliver(&service, &[confirmed(0)]).await?;
        calls.lose(|call| (call.operation == WRITE).then_some(Fault::Disconnected));
        assert_eq!(deliver(&service, &[confirmed(1)]).await?, [0], "nobody knows that it was written");
        calls.recover();
        assert!(deliver(&service, &[confirmed(1)]).await?.is_empty());
        assert_eq!(counted(&service).await?, (json!(2), json!(2)));
        Ok(())
    })
}

/// The fixture confirms one order of a user and cancels another, whose confirmation is still to come.
#[test]
fn the_fixture_is_recorded() -> Result<()> {
    simulate(async {
        let (service, calls) = watched(FUNCTION).await?;
        assert_eq!(service.invoke_fixture(FUNCTION).await?, json!({ "batchItemFailures": [] }));
        let made = calls.take();
        let writes = made.last().context("a call")?.body["TransactItems"].as_array().context("writes")?;
        let states: Vec<_> =
            writes.iter().filter_map(|write| write["Put"]["Item"]["state"]["S"].as_str()).collect();
        assert_eq!(states, ["counted", "cancelled"]);
        assert_eq!(writes[0]["Put"]["Item"]["orders_placed"]["N"], "1");
        Ok(())
    })
}

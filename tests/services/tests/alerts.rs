//! The notifications service over the embedded cloud: alerts are raised once, resolved once, listed, and mailed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Calls, Published, Service, simulate};
use shop_events::{Cause, Event, EventData, InventoryLow, InventoryReplenished};
use shop_local::cloud::{AwsError, Call, Fault, Observer, Options};
use shop_types::{ProductId, Timestamp};

/// Keeps the texts that are published for people.
#[derive(Debug, Default)]
struct Mails(Mutex<Vec<String>>);

impl Mails {
    fn texts(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Mails {
    fn published(&self, _time: i64, topic: &str, message: &str) {
        if topic.contains("AlertsTopic") {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.to_owned());
        }
    }
}

async fn shop(mut options: Options) -> Result<(Service, Arc<Mails>, Arc<Published>)> {
    let (mails, published) = (Arc::new(Mails::default()), Arc::new(Published::default()));
    options.observers.push(Arc::<Mails>::clone(&mails));
    options.observers.push(Arc::<Published>::clone(&published));
    let service = Service::start(&services::functions(), options).await?;
    Ok((service, mails, published))
}

async fn alerts(service: &Service, filter: &str) -> Result<Vec<Value>> {
    let answer = service.send(Method::GET, &format!("/alerts{filter}"), None).await?.expect(200)?;
    Ok(answer.body["data"].as_array().context("a list")?.clone())
}

/// How many of each kind of event there are of alerts.
fn told(published: &Published) -> Result<(usize, usize)> {
    let events = published.events()?;
    let count = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    Ok((count("alert.raised"), count("alert.resolved")))
}

async fn product(service: &Service, stock: u64, threshold: u64) -> Result<()> {
    let body = json!({
        "id": "mug", "name": "Mug", "price": 3, "stock": stock, "low_stock_threshold": threshold,
    });
    service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
    service.settled().await
}

async fn change_stock(service: &Service, change: Value) -> Result<Value> {
    let answer = service.send(Method::PATCH, "/products/mug/stock", Some(&change)).await?.expect(200)?;
    service.settled().await?;
    Ok(answer.body)
}

#[test]
fn stock_below_its_threshold_raises_one_alert_until_there_is_enough_again() -> Result<()> {
    simulate(async {
        let (service, mails, published) = shop(Options::simulated(1)).await?;
        product(&service, 10, 5).await?;
        assert_eq!(alerts(&service, "").await?, [] as [Value; 0]);
        let order = json!({ "items": [{ "product_id": "mug", "quantity": 3 }] });
        for _ in 0..3 {
            service.send(Method::POST, "/orders", Some(&order)).await?.expect(201)?;
            service.settled().await?;
        }
        let open = alerts(&service, "").await?;
        let [alert] = &open[..] else { panic!("{open:?}") };
        assert_eq!((&alert["kind"], &alert["status"]), (&json!("low_stock"), &json!("open")));
        assert_eq!((&alert["product_id"], &alert["resolved_at"]), (&json!("mug"), &Value::Null));
        assert_eq!((&alert["available"], &alert["low_stock_threshold"]), (&json!(4), &json!(5)));
        let texts = mails.texts();
        assert_eq!(texts.len(), 1, "{texts:?}");
        assert!(
            texts[0].contains("4 of product mug")
                && texts[0].contains(alert["id"].as_str().context("an id")?)
        );
        change_stock(&service, json!({ "stock": 50 })).await?;
        assert_eq!(alerts(&service, "?status=open").await?, [] as [Value; 0]);
        let closed = alerts(&service, "?status=closed").await?;
        assert_eq!(
            (closed.len(), &closed[0]["id"], &closed[0]["status"]),
            (1, &alert["id"], &json!("closed"))
        );
        assert!(closed[0]["resolved_at"].is_string());
        assert_eq!((told(&published)?, mails.texts().len()), ((1, 1), 1));
        Ok(())
    })
}

#[test]
fn a_threshold_is_shown_and_judged_at_once() -> Result<()> {
    simulate(async {
        let (service, _, published) = shop(Options::simulated(1)).await?;
        product(&service, 3, 0).await?;
        let shown = change_stock(&service, json!({ "low_stock_threshold": 4 })).await?;
        assert_eq!(
            (&shown["stock"], &shown["low_stock_threshold"], &shown["version"]),
            (&json!(3), &json!(4), &json!(2))
        );
        assert_eq!(alerts(&service, "").await?.len(), 1);
        change_stock(&service, json!({ "low_stock_threshold": 0 })).await?;
        assert_eq!((alerts(&service, "").await?.len(), told(&published)?), (0, (1, 1)));
        let both = change_stock(&service, json!({ "delta": -3, "low_stock_threshold": 1 })).await?;
        assert_eq!((&both["stock"], &both["low_stock_threshold"]), (&json!(0), &json!(1)));
        // The newest first; of one moment, by their ids.
        let open = alerts(&service, "").await?;
        let mut kinds: Vec<_> = open.iter().filter_map(|alert| alert["kind"].as_str()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["low_stock", "sold_out"]);
        service.send(Method::DELETE, "/products/mug", None).await?.expect(204)?;
        service.settled().await?;
        assert_eq!(
            (alerts(&service, "").await?.len(), told(&published)?),
            (0, (3, 3)),
            "it is of no concern now"
        );
        Ok(())
    })
}

fn low(version: u64) -> Result<Event> {
    let product_id: ProductId = "mug".parse()?;
    let data = InventoryLow { product_id, available: 1, low_stock_threshold: 5 };
    Ok(event(EventData::InventoryLow(data), version))
}

fn replenished(low_since: u64, version: u64) -> Result<Event> {
    let product_id: ProductId = "mug".parse()?;
    let data = InventoryReplenished { product_id, available: 9, low_stock_threshold: 5, low_since };
    Ok(event(EventData::InventoryReplenished(data), version))
}

fn event(data: EventData, version: u64) -> Event {
    let at = Timestamp::from_millis(1_767_225_600_000 + i64::try_from(version).unwrap_or_default());
    Event::new(data, version, at, Cause::request("request-1"))
}

#[test]
fn events_in_any_order_and_more_than_once_are_the_same_alerts() -> Result<()> {
    // Twice low, the first of which is over.
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in ORDERS {
        simulate(async {
            let (service, mails, published) = shop(Options::simulated(1)).await?;
            let events = [low(3)?, replenished(3, 7)?, low(9)?];
            for place in order {
                let event = &events[place];
                for _ in 0..2 {
                    service.send_events("RaiseAlertQueue", std::slice::from_ref(event)).await?;
                    service.settled().await?;
                }
            }
            service.send_events("RaiseAlertQueue", &events).await?;
            service.settled().await?;
            let (open, closed) = (alerts(&service, "").await?, alerts(&service, "?status=closed").await?);
            assert_eq!((open.len(), closed.len()), (1, 1), "{order:?}");
            assert_eq!(open[0]["raised_at"], "2026-01-01T00:00:00.009Z", "{order:?}");
            assert_eq!(closed[0]["raised_at"], "2026-01-01T00:00:00.003Z", "{order:?}");
            assert_eq!(closed[0]["resolved_at"], "2026-01-01T00:00:00.007Z", "{order:?}");
            assert_eq!(told(&published)?, (2, 1), "{order:?}");
            // Of what is over nobody is told.
            let is_over_first =
                order.iter().position(|place| *place == 1) < order.iter().position(|place| *place == 0);
            assert_eq!(mails.texts().len(), if is_over_first { 1 } else { 2 }, "{order:?}");
            Ok(())
        })?;
    }
    Ok(())
}

fn refused(call: &Call) -> Option<Fault> {
    (call.operation == "PublishBatch").then(|| Fault::Error(AwsError::client("Throttled", "Rate exceeded")))
}

#[test]
fn a_mail_that_cannot_be_sent_is_sent_later_and_the_alert_is_there_before() -> Result<()> {
    simulate(async {
        let calls = Calls::of("raise-alert");
        let (service, mails, published) = shop(calls.options(1)).await?;
        calls.fail(refused);
        service.send_events("RaiseAlertQueue", &[low(3)?]).await?;
        service.pass(Duration::from_mins(10)).await;
        assert_eq!(
            (alerts(&service, "").await?.len(), mails.texts().len(), told(&published)?),
            (1, 0, (1, 0))
        );
        calls.recover();
        service.settled().await?;
        assert_eq!(
            (alerts(&service, "").await?.len(), mails.texts().len(), told(&published)?),
            (1, 1, (1, 0))
        );
        assert_eq!(service.depth("RaiseAlertDeadLetterQueue"), 0);
        Ok(())
    })
}

#[test]
fn nobody_is_told_of_what_is_over_by_the_time_that_mails_can_be_sent() -> Result<()> {
    simulate(async {
        let calls = Calls::of("raise-alert");
        let (service, mails, _) = shop(calls.options(1)).await?;
        calls.fail(refused);
        service.send_events("RaiseAlertQueue", &[low(3)?]).await?;
        service.pass(Duration::from_secs(5)).await;
        service.send_events("RaiseAlertQueue", &[replenished(3, 4)?]).await?;
        service.pass(Duration::from_mins(1)).await;
        calls.recover();
        service.settled().await?;
        assert_eq!((alerts(&service, "?status=closed").await?.len(), mails.texts().len()), (1, 0));
        Ok(())
    })
}

#[test]
fn a_list_has_pages_and_each_alert_is_on_one() -> Result<()> {
    simulate(async {
        let (service, _, _) = shop(Options::simulated(1)).await?;
        let events = (1..=5).map(low).collect::<Result<Vec<_>>>()?;
        service.send_events("RaiseAlertQueue", &events).await?;
        service.settled().await?;
        let (mut times, mut path) = (Vec::new(), "/alerts?limit=2".to_owned());
        loop {
            let page = service.send(Method::GET, &path, None).await?.expect(200)?;
            let data = page.body["data"].as_array().context("a list")?.clone();
            times.extend(data.iter().filter_map(|alert| alert["raised_at"].as_str().map(str::to_owned)));
            let Some(cursor) = page.body["next_cursor"].as_str() else { break };
            path = format!("/alerts?status=open&limit=2&cursor={cursor}");
            let other = format!("/alerts?status=closed&cursor={cursor}");
            service.send(Method::GET, &other, None).await?.problem(400, "invalid_query")?;
        }
        let expected: Vec<_> = (1..=5).rev().map(|n| format!("2026-01-01T00:00:00.00{n}Z")).collect();
        assert_eq!(times, expected);
        let wrong =
            service.send(Method::GET, "/alerts?status=new", None).await?.problem(400, "invalid_query")?;
        assert_eq!(wrong.pointers(), ["?status"]);
        Ok(())
    })
}

#[test]
fn every_fixture_is_understood() -> Result<()> {
    simulate(async {
        let (service, mails, _) = shop(Options::simulated(1)).await?;
        let done = json!({ "batchItemFailures": [] });
        for _ in 0..2 {
            assert_eq!(service.invoke_fixture("raise-alert").await?, done);
        }
        // Low at version 8 and sold out at 10, both over at 11; and low at 12 when the product was deleted.
        let closed = alerts(&service, "?status=closed").await?;
        assert_eq!((closed.len(), service.items("AlertsTable").await?.len()), (2, 3));
        assert!(mails.texts().len() <= 2);
        assert_eq!(service.invoke_fixture("publish-alert-events").await?, done);
        assert_eq!(service.invoke_fixture("list-alerts").await?["statusCode"], 200);
        Ok(())
    })
}

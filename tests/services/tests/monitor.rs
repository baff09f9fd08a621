//! The monitor over the embedded cloud: each event and each receipt is in the journal once, whatever becomes of its
//! messages; stories, lists and queues show what is so; and nothing of it says who anybody is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Calls, Published, Service, simulate};
use shop_events::{Cause, Event, EventData, InventoryUpdated};
use shop_lambda::recovery::MAX_RECEIVES;
use shop_local::cloud::{AwsError, Call, Fault, Options};
use shop_types::Timestamp;

async fn shop(mut options: Options) -> Result<(Service, Arc<Published>)> {
    let published = Arc::new(Published::default());
    options.observers.push(Arc::<Published>::clone(&published));
    Ok((Service::start(&services::functions(), options).await?, published))
}

async fn get(service: &Service, path: &str) -> Result<Value> {
    Ok(service.send(Method::GET, path, None).await?.expect(200)?.body)
}

async fn product(service: &Service, id: &str, stock: u64) -> Result<()> {
    let body =
        json!({ "id": id, "name": "Marked name", "description": "Marked text", "price": 3, "stock": stock });
    service.send(Method::POST, "/products", Some(&body)).await?.expect(201)?;
    Ok(())
}

async fn order(service: &Service, product: &str) -> Result<String> {
    let body = json!({ "items": [{ "product_id": product, "quantity": 1 }] });
    let answer = service.send(Method::POST, "/orders", Some(&body)).await?.expect(201)?;
    Ok(answer.body["id"].as_str().context("an id")?.to_owned())
}

/// The ids of all events, page by page.
async fn listed(service: &Service, filter: &str, limit: u32) -> Result<Vec<String>> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    for _ in 0..2000 {
        let page = get(service, &format!("/monitor/events?limit={limit}{filter}{cursor}")).await?;
        let data = page["data"].as_array().context("a list")?;
        ensure!(data.len() <= limit as usize, "{page}");
        ids.extend(data.iter().filter_map(|event| event["id"].as_str().map(str::to_owned)));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(ids),
        }
    }
    anyhow::bail!("the list has no end")
}

/// The ids of all events that were published, but for that of the administrator who is put there as of 1970: the journal
/// goes back for thirty days.
fn ids(published: &Published) -> Result<BTreeSet<String>> {
    let events = published.events()?;
    let events = events.iter().filter(|event| event["time"].as_str() > Some("2000"));
    Ok(events.filter_map(|event| event["id"].as_str().map(str::to_owned)).collect())
}

/// The states of an order's deliveries, by event type and consumer.
fn states(story: &Value) -> BTreeMap<(String, String), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let deliveries = story["deliveries"].as_array().into_iter().flatten();
    let state = |delivery: &Value| {
        let event = text(&delivery["event_id"]);
        let kind = event.rsplit(':').next().unwrap_or_default().to_owned();
        ((kind, text(&delivery["consumer"])), text(&delivery["state"]))
    };
    deliveries.map(state).collect()
}

#[test]
fn every_event_is_listed_once_newest_first_whatever_the_pages() -> Result<()> {
    simulate(async {
        let (service, published) = shop(Options::simulated(1)).await?;
        product(&service, "mug", 100).await?;
        for _ in 0..30 {
            order(&service, "mug").await?;
        }
        service.settled().await?;
        let all = ids(&published)?;
        for limit in [1, 7, 100] {
            let found = listed(&service, "", limit).await?;
            assert_eq!(
                found.len(),
                found.iter().collect::<BTreeSet<_>>().len(),
                "{limit}: one is there twice"
            );
            assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all, "{limit}");
        }
        let page = get(&service, "/monitor/events?limit=100").await?;
        let times: Vec<_> =
            page["data"].as_array().context("a list")?.iter().map(|event| &event["time"]).collect();
        assert!(times.is_sorted_by(|newer, older| newer.as_str() >= older.as_str()), "{times:?}");
        let confirmed = listed(&service, "&type=order.confirmed", 100).await?;
        assert_eq!(confirmed.len(), 30);
        assert!(confirmed.iter().all(|id| id.ends_with(":order.confirmed")));
        let subject = confirmed[0].split(':').next().context("a subject")?;
        let about = listed(&service, &format!("&subject={subject}"), 100).await?;
        assert!(about.iter().all(|id| id.starts_with(subject)) && about.len() == 3, "{about:?}");
        Ok(())
    })
}

#[test]
fn a_batch_that_comes_again_in_whole_or_in_part_changes_nothing() -> Result<()> {
    simulate(async {
        let calls = Calls::of("journal-event");
        let (service, published) = shop(calls.options(1)).await?;
        // Half of the calls are carried out and not known to be; the function fails, and all comes again.
        let count = std::sync::atomic::AtomicU32::new(0);
        calls.lose(move |call: &Call| {
            let number = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            (call.operation == "BatchWriteItem" && number % 7 < 5).then_some(Fault::Disconnected)
        });
        product(&service, "mug", 100).await?;
        let mut orders = Vec::new();
        for _ in 0..40 {
            orders.push(order(&service, "mug").await?);
            service.pass(Duration::from_millis(170)).await;
        }
        service.settled().await?;
        calls.recover();
        let (found, all) = (listed(&service, "", 100).await?, ids(&published)?);
        assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (all.len(), all));
        let stored = service.items("JournalTable").await?;
        let keys = stored.iter().filter_map(|item| item["sk"].as_s().ok()).count();
        assert!(keys > 0);
        for id in &orders {
            let story = get(&service, &format!("/monitor/stories/{id}")).await?;
            assert_eq!(story["outstanding"], 0, "{id}: {story}");
            let nodes = story["nodes"].as_array().context("nodes")?;
            let events: Vec<_> =
                nodes.iter().filter(|node| node["kind"] == "event").map(|node| &node["id"]).collect();
            assert_eq!(events.len(), events.iter().map(ToString::to_string).collect::<BTreeSet<_>>().len());
            let deliveries = story["deliveries"].as_array().context("deliveries")?;
            assert!(deliveries.iter().all(|delivery| delivery["attempts"] == 1), "{story}");
        }
        Ok(())
    })
}

#[test]
fn what_fails_is_seen_with_its_attempt_its_error_and_the_time_of_the_next() -> Result<()> {
    simulate(async {
        let calls = Calls::of("send-email");
        let (service, _) = shop(calls.options(1)).await?;
        product(&service, "mug", 100).await?;
        calls.fail(|call: &Call| {
            let error = AwsError::service("InternalServerError", "marked.address@example.com is down");
            (call.operation != "ChangeMessageVisibilityBatch").then_some(Fault::Error(error))
        });
        let id = order(&service, "mug").await?;
        service.pass(Duration::from_secs(20)).await;
        let story = get(&service, &format!("/monitor/stories/{id}")).await?;
        let key = ("order.confirmed".to_owned(), "send-email".to_owned());
        assert_eq!(states(&story)[&key], "retrying", "{story}");
        let deliveries = story["deliveries"].as_array().context("deliveries")?;
        let delivery =
            deliveries.iter().find(|delivery| delivery["consumer"] == "send-email").context("one")?;
        assert!(delivery["attempts"].as_u64() > Some(1), "{delivery}");
        assert!(delivery["next_attempt_at"].as_str() > delivery["last_attempt_at"].as_str(), "{delivery}");
        assert!(delivery["code"].is_string() && !story.to_string().contains("marked.address"), "{delivery}");
        assert_eq!(
            story["outstanding"],
            1 + u64::from(states(&story).values().any(|state| state == "waiting"))
        );
        let failures = service.items("JournalTable").await?;
        let failure = failures.iter().find(|item| {
            item["pk"].as_s().is_ok_and(|pk| *pk == format!("failure#send-email#{id}:2:order.confirmed"))
        });
        let failure = failure.context("the failure is noted")?;
        assert_eq!(
            failure["attempt"].as_n().ok().map(String::as_str),
            delivery["attempts"].as_u64().map(|n| n.to_string()).as_deref()
        );
        calls.recover();
        service.settled().await?;
        let story = get(&service, &format!("/monitor/stories/{id}")).await?;
        assert_eq!(
            (&states(&story)[&key], &story["outstanding"]),
            (&"done".to_owned(), &json!(0)),
            "{story}"
        );
        Ok(())
    })
}

#[test]
fn orders_that_share_a_change_of_stock_say_with_how_many() -> Result<()> {
    simulate(async {
        let parts = [
            (
                "ReserveStockBatchSize:\n    Type: Number\n    Default: 10",
                "ReserveStockBatchSize:\n    Type: Number\n    Default: 100",
            ),
            (
                "ReserveStockBatchWindow:\n    Type: Number\n    Default: 0",
                "ReserveStockBatchWindow:\n    Type: Number\n    Default: 1",
            ),
        ];
        let service = Service::start_with(&services::functions(), Options::simulated(1), &parts).await?;
        product(&service, "mug", 100).await?;
        service.settled().await?;
        let placed = futures::future::try_join_all((0..7).map(|_| order(&service, "mug"))).await?;
        service.settled().await?;
        for id in &placed {
            let story = get(&service, &format!("/monitor/stories/{id}")).await?;
            let nodes = story["nodes"].as_array().context("nodes")?;
            let change = nodes.iter().find(|node| node["type"] == "inventory.updated").context("a change")?;
            assert_eq!((&change["shared_with"], &change["story_id"]), (&json!(7), &json!("mug")), "{change}");
            let edges = story["edges"].as_array().context("edges")?;
            assert!(edges.iter().any(|edge| edge["to"] == change["id"]), "nothing led to it");
        }
        Ok(())
    })
}

#[test]
fn the_queues_say_what_waits_and_what_goes_through() -> Result<()> {
    simulate(async {
        let (service, _) = shop(Options::simulated(1)).await?;
        product(&service, "mug", 100).await?;
        for _ in 0..5 {
            order(&service, "mug").await?;
        }
        service.send_bodies("SettleOrderQueue", &["no event"]).await?;
        service.settled().await?;
        let queues = get(&service, "/monitor/queues").await?;
        let data = queues["data"].as_array().context("queues")?;
        let of = |consumer: &str| {
            data.iter().find(|queue| queue["consumer"] == consumer).context(consumer.to_owned())
        };
        let settle = of("settle-order")?;
        assert_eq!(
            (&settle["ready"], &settle["in_flight"], &settle["dead_letters"]),
            (&json!(0), &json!(0), &json!(1))
        );
        let traffic = &settle["traffic"];
        let sum = |name: &str| {
            let minutes = traffic["minutes"].as_array().into_iter().flatten();
            minutes.filter_map(|minute| minute[name].as_u64()).sum::<u64>()
        };
        // What is no event fails each time, until it is moved.
        let failed = u64::from(MAX_RECEIVES);
        assert_eq!((sum("arrived"), sum("done"), sum("failed")), (5, 5, failed), "{traffic}");
        assert!(traffic["lag_p95_ms"].is_u64() && traffic["batches"].as_u64() > Some(0), "{traffic}");
        assert_eq!(of("journal-event")?["dead_letters"], 0);
        Ok(())
    })
}

#[test]
fn nothing_that_the_monitor_shows_says_who_anybody_is() -> Result<()> {
    simulate(async {
        let (service, _) = shop(Options::simulated(1)).await?;
        product(&service, "mug", 100).await?;
        let customer = service.customer("marked.address@example.com").await?;
        let body = json!({ "items": [{ "product_id": "mug", "quantity": 1 }] });
        let placed = service.send_as(&customer, Method::POST, "/orders", Some(&body)).await?.expect(201)?;
        let id = placed.body["id"].as_str().context("an id")?.to_owned();
        service.settled().await?;
        let shipped = json!({ "status": "shipped", "tracking_number": "MARKED-TRACKING" });
        service.send(Method::PATCH, &format!("/orders/{id}/status"), Some(&shipped)).await?.expect(200)?;
        let rename = json!({ "name": "Marked Person" });
        service.send_as(&customer, Method::PATCH, "/users/me", Some(&rename)).await?.expect(200)?;
        service.settled().await?;
        let mut shown = String::new();
        for path in [
            "/monitor/events?limit=100".to_owned(),
            "/monitor/queues".to_owned(),
            format!("/monitor/stories/{id}"),
            format!("/monitor/stories/{}", customer.id),
            "/monitor/stories/mug".to_owned(),
        ] {
            shown.push_str(&get(&service, &path).await?.to_string());
        }
        assert!(shown.contains("order.shipped") && shown.contains("user.registered"));
        for secret in ["marked", customer.access.as_str(), customer.refresh.as_str(), "@example.com"] {
            assert!(!shown.to_lowercase().contains(&secret.to_lowercase()), "{secret} is shown");
        }
        Ok(())
    })
}

/// What is listed of a thing's story by going back from where each part of it begins.
#[test]
fn a_long_story_is_told_to_its_beginning_in_parts_that_an_answer_holds() -> Result<()> {
    simulate(async {
        let (service, _) = shop(Options::simulated(9)).await?;
        let begun = service.now()?.as_millis() - 5 * 60_000;
        let mut all = BTreeSet::new();
        // Of three minutes the last is more than an answer holds, and so is what was tried in it.
        for (minute, count) in [(0, 40), (1, 40), (2, 900)] {
            for number in 0..count {
                let at = Timestamp::from_millis(begun + minute * 60_000 + number * 60);
                all.insert(told(&service, at, all.len() as u64 + 1).await?);
            }
        }
        let (mut seen, mut to) = (BTreeSet::new(), String::new());
        for _ in 0..10 {
            let story = get(&service, &format!("/monitor/stories/busy{to}")).await?;
            let nodes = story["nodes"].as_array().context("nodes")?;
            ensure!(nodes.len() <= 2100, "{} nodes", nodes.len());
            let events = nodes.iter().filter(|node| node["kind"] == "event");
            seen.extend(events.filter_map(|event| event["id"].as_str().map(str::to_owned)));
            if story["is_complete"] == true {
                assert_eq!(seen, all);
                return Ok(());
            }
            to = format!("?to={}", story["searched_back_to"].as_str().context("a time")?);
        }
        anyhow::bail!("the story has no beginning")
    })
}

/// Tells the journal of a change of a product's stock, and that three consumers are done with it; the event's id.
async fn told(service: &Service, at: Timestamp, version: u64) -> Result<String> {
    let change = InventoryUpdated { product_id: "busy".parse()?, available: version, reserved: 0, change: 1 };
    let event = Event::new(EventData::InventoryUpdated(change), version, at, Cause::request("request-1"));
    let id = event.id().to_string();
    let mut bodies = vec![event.to_json()?];
    for consumer in ["index-products", "invalidate-cache", "raise-alert"] {
        let done = json!({
            "id": id, "story": "busy", "event_time": at, "attempt": 1, "outcome": "done",
        });
        bodies.push(
            json!({
                "consumer": consumer, "batch": format!("{consumer}-{version}"), "started_at": at, "duration_ms": 1,
                "receipts": [done],
            })
            .to_string(),
        );
    }
    let record = |(place, body): (usize, &String)| json!({ "messageId": place.to_string(), "body": body });
    let records: Vec<_> = bodies.iter().enumerate().map(record).collect();
    let answer = service.invoke("journal-event", &json!({ "Records": records })).await?;
    ensure!(answer["batchItemFailures"] == json!([]), "{answer}");
    Ok(id)
}

#[test]
fn what_is_wrong_with_a_query_is_said_all_at_once() -> Result<()> {
    simulate(async {
        let (service, _) = shop(Options::simulated(1)).await?;
        let wrong = "/monitor/events?type=order.exploded&subject=a%20b&from=yesterday&to=x&limit=0&cursor=x";
        let answer = service.send(Method::GET, wrong, None).await?.problem(400, "invalid_query")?;
        let errors = answer.body["errors"].as_array().context("errors")?.len();
        assert!(errors >= 4, "{}", answer.text);
        let backwards = "/monitor/events?from=2026-11-23T15:00:00Z&to=2026-11-22T15:00:00Z";
        service.send(Method::GET, backwards, None).await?.problem(400, "invalid_query")?;
        service
            .send(Method::GET, "/monitor/stories/mug?to=now", None)
            .await?
            .problem(400, "invalid_query")?;
        service.send(Method::GET, "/monitor/stories/nobody", None).await?.problem(404, "not_found")?;
        service.send(Method::GET, "/monitor/queues?x=1", None).await?.problem(400, "invalid_query")?;
        // A cursor is good for its own list only, and one of a time that never was ends.
        product(&service, "mug", 1).await?;
        service.settled().await?;
        let page = get(&service, "/monitor/events?limit=1").await?;
        let cursor = page["next_cursor"].as_str().context("a cursor")?;
        let other = format!("/monitor/events?type=order.created&cursor={cursor}");
        service.send(Method::GET, &other, None).await?.problem(400, "invalid_query")?;
        Ok(())
    })
}

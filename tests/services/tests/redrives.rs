//! Dead letters over the embedded cloud: kept, grouped, sent again, given up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Calls, Published, Service, crash_at_each_call, order_event, simulate};
use shop_events::EventData;
use shop_local::cloud::{AwsError, Fault, Options, Service as AwsService};
use shop_types::OrderId;

const MALFORMED: &str = "{";

async fn started(options: Options) -> Result<Service> {
    Service::start(&services::functions(), options).await
}

async fn groups(service: &Service) -> Result<Value> {
    Ok(service.send(Method::GET, "/monitor/dead-letters", None).await?.expect(200)?.body)
}

async fn letters(service: &Service, consumer: &str) -> Result<Vec<Value>> {
    let path = format!("/monitor/queues/{consumer}/dead-letters?limit=100");
    let page = service.send(Method::GET, &path, None).await?.expect(200)?;
    Ok(page.body["data"].as_array().context("letters")?.clone())
}

async fn letter(service: &Service, id: &Value) -> Result<Value> {
    let path = format!("/monitor/dead-letters/{}", id.as_str().context("an id")?);
    Ok(service.send(Method::GET, &path, None).await?.expect(200)?.body)
}

async fn ask(service: &Service, path: &str, body: &Value) -> Result<String> {
    let asked = service.send(Method::POST, path, Some(body)).await?.expect(202)?;
    Ok(asked.body["id"].as_str().context("an id")?.to_owned())
}

/// So many dead letters of settle-order that are no events, each another one.
async fn unreadable(service: &Service, count: usize) -> Result<()> {
    let bodies: Vec<String> = (0..count).map(|number| format!("\"no event {number}\"")).collect();
    service.dead_letters("SettleOrder", &bodies.iter().map(String::as_str).collect::<Vec<_>>()).await
}

async fn redrive(service: &Service, id: &str) -> Result<Value> {
    Ok(service.send(Method::GET, &format!("/monitor/redrives/{id}"), None).await?.expect(200)?.body)
}

/// Orders' events that record-sale cannot handle while its table refuses it.
fn events(count: usize) -> Result<Vec<String>> {
    let event = |number: usize| {
        let order = OrderId::derived(b"test", "test", &format!("order {number}"));
        Ok(order_event(&order, 1, &[("mug", 1)], EventData::OrderConfirmed)?.to_json()?)
    };
    (0..count).map(event).collect()
}

/// Lets record-sale give up on events.
async fn given_up(service: &Service, calls: &Calls, count: usize) -> Result<()> {
    calls.fail(|call| {
        (call.service == AwsService::DynamoDb)
            .then(|| Fault::Error(AwsError::service("InternalServerError", "down")))
    });
    let bodies = events(count)?;
    service.dead_letters("RecordSale", &bodies.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    calls.fail(|_| None);
    Ok(())
}

#[test]
fn what_a_consumer_gave_up_on_is_kept_and_grouped() -> Result<()> {
    simulate(async {
        let service = started(Options::simulated(1)).await?;
        service.dead_letters("SettleOrder", &[MALFORMED, "[]"]).await?;
        let all = groups(&service).await?;
        ensure!(all["letters"] == 2 && all["complete"] == true, "{all}");
        let group = &all["data"][0];
        ensure!(group["consumer"] == "settle-order" && group["letters"] == 2, "{all}");
        ensure!(service.depth("SettleOrderDeadLetterQueue") == 0, "they are still there");
        for parked in letters(&service, "settle-order").await? {
            let shown = letter(&service, &parked["id"]).await?;
            ensure!(shown["status"] == "parked" && shown["body"].is_null(), "{shown}");
            ensure!(shown["failure_code"] == "malformed" && shown["came_back"] == 0, "{shown}");
        }
        ensure!(letters(&service, "send-email").await?.is_empty(), "another consumer's");
        // Once more is no more.
        service.collect().await?;
        ensure!(groups(&service).await? == all, "{all}");
        Ok(())
    })
}

#[test]
fn the_table_keeps_a_letter_before_its_queue_forgets_it() -> Result<()> {
    for fails_at in 0..12 {
        simulate(async {
            let calls = Calls::of("collect-dead-letters");
            let service = started(calls.options(2)).await?;
            let seen = AtomicUsize::new(0);
            calls.fail(move |_| (seen.fetch_add(1, Ordering::Relaxed) == fails_at).then_some(Fault::Crashed));
            service.send_bodies("SettleOrderQueue", &[MALFORMED, "[]", "null"]).await?;
            service.pass(Duration::from_mins(10)).await;
            let all = groups(&service).await?;
            ensure!(all["letters"] == 3 && all["data"][0]["came_back"] == 0, "{fails_at}: {all}");
            ensure!(service.depth("SettleOrderDeadLetterQueue") == 0, "{fails_at}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_redrive_sends_its_letters_again_and_no_others() -> Result<()> {
    simulate(async {
        let published = Arc::new(Published::default());
        let calls = Calls::of("record-sale");
        let mut options = calls.options(3);
        options.observers.push(published.clone());
        let service = started(options).await?;
        given_up(&service, &calls, 60).await?;
        service.dead_letters("SettleOrder", &[MALFORMED]).await?;
        let all = groups(&service).await?;
        ensure!(all["letters"] == 61, "{all}");
        let mut data = all["data"].as_array().into_iter().flatten();
        let group = data.find(|group| group["consumer"] == "record-sale").context("its group")?;
        // The journal knows why.
        let code = &group["failure_code"];
        ensure!(*code != "unknown" && *code != "malformed", "{all}");
        let wanted = json!({ "consumer": "record-sale", "failure_code": code, "reason": "It is up again" });
        let id = ask(&service, "/monitor/redrives", &wanted).await?;
        service.settled().await?;
        let done = redrive(&service, &id).await?;
        ensure!(
            done["status"] == "done" && done["letters"] == json!({ "matched": 60, "moved": 60 }),
            "{done}"
        );
        let rest = groups(&service).await?;
        ensure!(rest["letters"] == 1 && rest["data"][0]["consumer"] == "settle-order", "{rest}");
        // A second one finds nothing.
        let again = redrive(&service, &ask(&service, "/monitor/redrives", &wanted).await?).await?;
        ensure!(again["letters"] == json!({ "matched": 0, "moved": 0 }), "{again}");
        let discard = json!({ "consumer": "settle-order", "reason": "Nobody can read it" });
        let discarded = ask(&service, "/monitor/discards", &discard).await?;
        service.settled().await?;
        let discarded = redrive(&service, &discarded).await?;
        ensure!(discarded["status"] == "done" && discarded["letters"]["moved"] == 1, "{discarded}");
        ensure!(groups(&service).await?["letters"] == 0);
        let told = published.events()?;
        for (event, count) in [("redrive.created", 3), ("redrive.finished", 3)] {
            let told: Vec<_> = told.iter().filter(|told| told["type"] == event).collect();
            ensure!(told.len() == count && told.iter().all(|told| told["actor"].is_string()), "{told:?}");
        }
        Ok(())
    })
}

#[test]
fn a_letter_that_comes_back_is_the_same_and_says_so() -> Result<()> {
    simulate(async {
        let service = started(Options::simulated(4)).await?;
        service.dead_letters("SettleOrder", &[MALFORMED]).await?;
        let first = letters(&service, "settle-order").await?;
        let wanted = json!({ "consumer": "settle-order", "reason": "Perhaps" });
        for times in 1..=2 {
            let id = ask(&service, "/monitor/redrives", &wanted).await?;
            service.settled().await?;
            // The cutoff was before it came back: it is left alone.
            let done = redrive(&service, &id).await?;
            ensure!(done["letters"] == json!({ "matched": 1, "moved": 1 }), "{done}");
            service.pass(Duration::from_mins(2)).await;
            let back = letters(&service, "settle-order").await?;
            ensure!(back.len() == 1 && back[0]["id"] == first[0]["id"], "{back:?}");
            ensure!(back[0]["came_back"] == times, "{back:?}");
            ensure!(letter(&service, &back[0]["id"]).await?["moved_by"] == id.as_str());
        }
        Ok(())
    })
}

#[test]
fn a_redrive_is_paused_and_goes_on() -> Result<()> {
    simulate(async {
        let service = started(Options::simulated(5)).await?;
        unreadable(&service, 100).await?;
        let slow = json!({ "consumer": "settle-order", "rate": 5, "reason": "One by one" });
        let id = ask(&service, "/monitor/discards", &slow).await?;
        let path = format!("/monitor/redrives/{id}");
        service.pass(Duration::from_secs(6)).await;
        let paused =
            service.send(Method::PATCH, &path, Some(&json!({ "status": "paused" }))).await?.expect(200)?;
        let moved = paused.body["letters"]["moved"].as_u64().context("a count")?;
        ensure!(moved == 50, "{}", paused.text);
        service.settled().await?;
        let still = redrive(&service, &id).await?;
        ensure!(still["letters"]["moved"] == moved && still["status"] == "paused", "{still}");
        for _ in 0..2 {
            service.send(Method::PATCH, &path, Some(&json!({ "status": "running" }))).await?.expect(200)?;
        }
        service.settled().await?;
        let done = redrive(&service, &id).await?;
        ensure!(done["status"] == "done" && done["letters"]["moved"] == 100, "{done}");
        let late = service.send(Method::PATCH, &path, Some(&json!({ "status": "paused" }))).await?;
        late.problem(409, "illegal_transition")?;
        Ok(())
    })
}

#[test]
fn what_no_queue_can_be_called_is_not_found() -> Result<()> {
    simulate(async {
        let service = started(Options::simulated(7)).await?;
        // The letters of note-email-feedback are not kept: they hold addresses.
        let words = ["nothing", "settle", "create-order", "note-email-feedback"];
        for name in ["%00", "..", "Settle-Order", "settle%20order", &"x".repeat(5000)].iter().chain(&words) {
            let path = format!("/monitor/queues/{name}/dead-letters");
            service.send(Method::GET, &path, None).await?.problem(404, "not_found")?;
        }
        for name in words {
            let body = json!({ "consumer": name, "reason": "x" });
            let asked = service.send(Method::POST, "/monitor/redrives", Some(&body)).await?;
            ensure!(asked.problem(422, "invalid_request")?.pointers() == ["/consumer"], "{name}");
        }
        ensure!(letters(&service, "send-email").await?.is_empty());
        Ok(())
    })
}

/// The deployment in between has taken the consumer away: no retry brings its queue back.
#[test]
fn a_redrive_to_a_consumer_that_was_removed_ends_and_says_that_it_failed() -> Result<()> {
    simulate(async {
        let published = Arc::new(Published::default());
        let options = Options { observers: vec![published.clone()], ..Options::simulated(12) };
        let all = "JOURNAL_QUEUE_URL: !Ref JournalQueue\n          CONSUMER_QUEUES: !Sub >-\n            \
                   reserve-stock=${ReserveStockQueue}\n            settle-order=${SettleOrderQueue}\n";
        let rest = all.replace("            settle-order=${SettleOrderQueue}\n", "");
        let service = Service::start_with(&services::functions(), options, &[(all, &rest)]).await?;
        unreadable(&service, 30).await?;
        let wanted = json!({ "consumer": "settle-order", "reason": "Try" });
        let id = ask(&service, "/monitor/redrives", &wanted).await?;
        service.settled().await?;
        let ended = redrive(&service, &id).await?;
        ensure!(ended["status"] == "failed" && ended["finished_at"].is_string(), "{ended}");
        ensure!(ended["letters"] == json!({ "matched": 30, "moved": 0 }), "{ended}");
        ensure!(service.depth("RunRedriveQueue") == 0, "it is tried again");
        service.collect().await?;
        ensure!(groups(&service).await?["letters"] == 30, "its letters are as they were, and no others");
        let path = format!("/monitor/redrives/{id}");
        let late = service.send(Method::PATCH, &path, Some(&json!({ "status": "running" }))).await?;
        late.problem(409, "illegal_transition")?;
        let told = published.events()?;
        let ends = told.iter().filter(|told| told["type"] == "redrive.finished");
        ensure!(ends.map(|told| &told["data"]["moved"]).eq([&json!(0)]), "{told:?}");
        // What nobody can be sent is still given up.
        let discard = ask(&service, "/monitor/discards", &wanted).await?;
        service.settled().await?;
        let done = redrive(&service, &discard).await?;
        ensure!(done["status"] == "done" && done["letters"]["moved"] == 30, "{done}");
        Ok(())
    })
}

/// The year 0 in UTC has no year before it that a time could be written in.
#[test]
fn a_time_that_cannot_be_written_is_refused() -> Result<()> {
    simulate(async {
        let service = started(Options::simulated(8)).await?;
        for cutoff in ["0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-00:01"] {
            let body = json!({ "consumer": "send-email", "reason": "x", "cutoff": cutoff });
            let answer = service.send(Method::POST, "/monitor/redrives", Some(&body)).await?;
            answer.problem(422, "invalid_request")?;
        }
        Ok(())
    })
}

#[test]
fn the_same_key_asks_once() -> Result<()> {
    simulate(async {
        let service = started(Options::simulated(6)).await?;
        let admin = service.new_administrator("operator@example.com").await?;
        let headers = [("authorization", admin.access.as_str()), ("idempotency-key", "once")];
        let ask = async |reason: &str| {
            let body = json!({ "consumer": "settle-order", "reason": reason });
            service.request(Method::POST, "/monitor/redrives", body.to_string().into(), &headers).await
        };
        let first = ask("It is mended").await?.expect(202)?;
        service.pass(Duration::from_secs(1)).await;
        let again = ask("It is mended").await?.expect(202)?;
        ensure!(again.body["id"] == first.body["id"], "{}", again.text);
        ensure!(again.header("idempotent-replayed").is_ok(), "it does not say that it is a repeat");
        ask("Something else").await?.problem(422, "idempotency_key_reused")?;
        Ok(())
    })
}

#[test]
fn a_redrive_that_dies_at_any_call_moves_each_letter_and_counts_it_once() -> Result<()> {
    crash_at_each_call("run-redrive", 1, 16, async |crash| {
        let service = started(crash.options(7)).await?;
        crash.arm();
        unreadable(&service, 60).await?;
        let wanted = json!({ "consumer": "settle-order", "reason": "Try" });
        let id = ask(&service, "/monitor/redrives", &wanted).await?;
        service.settled().await?;
        let done = redrive(&service, &id).await?;
        ensure!(done["status"] == "done" && done["letters"]["matched"] == 60, "{done}");
        service.pass(Duration::from_mins(3)).await;
        // All of them were sent, and came back. Those that were sent and not marked when it died came back before it went
        // on: they are parked behind its cutoff, as what it has not moved.
        let back = letters(&service, "settle-order").await?;
        let moved = back.iter().filter(|back| back["came_back"] == 1).count();
        ensure!(back.len() == 60 && done["letters"]["moved"] == moved && moved >= 35, "{done}: {back:?}");
        Ok(())
    })
}

#[test]
fn a_redrive_that_is_written_as_running_runs_whatever_kills_its_request() -> Result<()> {
    crash_at_each_call("create-redrive", 1, 4, async |crash| {
        let service = started(crash.options(8)).await?;
        service.dead_letters("SettleOrder", &[MALFORMED]).await?;
        crash.arm();
        let wanted = json!({ "consumer": "settle-order", "reason": "Try" });
        let asked = service.send(Method::POST, "/monitor/redrives", Some(&wanted)).await?;
        service.settled().await?;
        let client = aws_sdk_dynamodb::Client::new(&service.cloud.sdk_config("test"));
        let table = service.cloud.physical("RedrivesTable").context("the table of redrives")?;
        let redrives = client.scan().table_name(table).send().await?.items.unwrap_or_default();
        ensure!(!redrives.is_empty() || asked.status == 500, "{}", asked.text);
        for redrive in redrives {
            ensure!(redrive["status"].as_s().is_ok_and(|status| status == "done"), "{redrive:?}");
        }
        Ok(())
    })
}

#[test]
fn a_redrive_that_is_let_go_on_does_whatever_kills_that_request() -> Result<()> {
    crash_at_each_call("update-redrive", 1, 4, async |crash| {
        let service = started(crash.options(9)).await?;
        unreadable(&service, 60).await?;
        let slow = json!({ "consumer": "settle-order", "rate": 5, "reason": "One by one" });
        let id = ask(&service, "/monitor/discards", &slow).await?;
        let path = format!("/monitor/redrives/{id}");
        service.pass(Duration::from_secs(6)).await;
        let turn =
            async |status: &str| service.send(Method::PATCH, &path, Some(&json!({ "status": status }))).await;
        turn("paused").await?.expect(200)?;
        service.settled().await?;
        crash.arm();
        turn("running").await?;
        crash.disarm();
        service.settled().await?;
        if redrive(&service, &id).await?["status"] == "paused" {
            turn("running").await?.expect(200)?;
            service.settled().await?;
        }
        let done = redrive(&service, &id).await?;
        ensure!(done["status"] == "done" && done["letters"]["moved"] == 60, "{done}");
        Ok(())
    })
}

/// Also where that is slower than one message may take.
#[test]
fn a_redrive_is_no_faster_than_its_rate() -> Result<()> {
    simulate(async {
        let service = started(Options::simulated(10)).await?;
        unreadable(&service, 100).await?;
        let slow = json!({ "consumer": "settle-order", "rate": 1, "reason": "One by one" });
        let id = ask(&service, "/monitor/discards", &slow).await?;
        for moved in [25, 50, 75] {
            service.pass(Duration::from_secs(20)).await;
            let discard = redrive(&service, &id).await?;
            ensure!(discard["letters"]["moved"] == moved, "{discard}");
            service.pass(Duration::from_secs(6)).await;
        }
        service.settled().await?;
        let done = redrive(&service, &id).await?;
        ensure!(done["status"] == "done" && done["letters"]["moved"] == 100, "{done}");
        Ok(())
    })
}

/// Whoever does not hear the answer asks again, and whoever wonders whether it runs lets it run.
#[test]
fn however_often_it_is_asked_for_a_redrive_is_no_faster_than_its_rate() -> Result<()> {
    simulate(async {
        let service = started(Options::simulated(11)).await?;
        unreadable(&service, 200).await?;
        let admin = service.new_administrator("operator@example.com").await?;
        let headers = [("authorization", admin.access.as_str()), ("idempotency-key", "slowly")];
        let body = json!({ "consumer": "settle-order", "rate": 5, "reason": "It is weak" }).to_string();
        let mut path = String::new();
        for _ in 0..4 {
            let sent = service.request(Method::POST, "/monitor/redrives", body.clone().into(), &headers).await?;
            path = sent.expect(202)?.header("location")?.to_owned();
        }
        let mut last = 0;
        for second in 1..=30 {
            service.send(Method::PATCH, &path, Some(&json!({ "status": "running" }))).await?.expect(200)?;
            service.pass(Duration::from_secs(1)).await;
            let shown = service.send(Method::GET, &path, None).await?.expect(200)?.body;
            let moved = shown["letters"]["moved"].as_u64().context("a count")?;
            // As many as the rate has, and those of one step more.
            ensure!(moved <= 5 * second + 25 && moved - last <= 25, "{second} s: {shown}");
            last = moved;
        }
        service.settled().await?;
        let done = service.send(Method::GET, &path, None).await?.expect(200)?.body;
        ensure!(done["status"] == "done" && done["letters"]["moved"] == 200, "{done}");
        Ok(())
    })
}

#[test]
fn every_fixture_is_understood() -> Result<()> {
    simulate(async {
        let service = started(Options::simulated(1)).await?;
        for (function, status) in [
            ("list-dead-letter-groups", 200),
            ("list-dead-letters", 200),
            ("get-dead-letter", 404),
            ("create-redrive", 202),
            ("create-discard", 202),
            ("get-redrive", 404),
            ("update-redrive", 404),
        ] {
            let answer = service.invoke_fixture(function).await?;
            ensure!(answer["statusCode"] == status, "{function}: {answer}");
        }
        let done = json!({ "batchItemFailures": [] });
        for function in ["publish-redrive-events", "run-redrive"] {
            ensure!(service.invoke_fixture(function).await? == done, "{function}");
        }
        let kept = service.invoke_fixture("collect-dead-letters").await?;
        ensure!(kept == json!({ "kept": 0, "failed": 0 }), "{kept}");
        Ok(())
    })
}

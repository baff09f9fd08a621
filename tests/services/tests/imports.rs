//! Imports over the embedded cloud: what a file says is in the catalogue once, and what is wrong with it is told line by
//! line, whatever fails on the way.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::{Value, json};
use service_tests::{Calls, Service, crash_at_each_call, simulate};
use shop_local::cloud::{AwsError, Call, Fault, Options, Service as Aws};

async fn shop(options: Options) -> Result<Service> {
    Service::start(&products::SERVICE.functions(), options).await
}

/// A file of so many products, and the lines of those that are wrong, with what is.
fn file(lines: u64) -> (String, Vec<(u64, Vec<String>)>) {
    let mut text = "\u{feff}id,name,price,currency,stock,description\r\n".to_owned();
    let mut wrong = Vec::new();
    let mut line = 2;
    for n in 1..=lines {
        // Some descriptions have more than one line.
        let description = if n % 7 == 0 { "\"a\r\nb, \"\"c\"\"\"" } else { "plain" };
        let (row, error) = match n * 13 % lines {
            rest if rest < 13 && n % 4 == 0 => (format!("p-{n},Mug {n},free,USD,1"), "price wrong_type"),
            rest if rest < 13 && n % 4 == 1 => (format!("p-{n},,{n}.50,USD,1"), "name missing"),
            rest if rest < 13 && n % 4 == 2 => {
                (format!("p-{n},Mug {n},{n}.505,USD,1"), "price too_many_digits")
            }
            rest if rest < 13 => (format!("p {n},Mug {n},{n}.50,USD,1"), "id invalid_id"),
            _ => (format!("p-{n},Mug {n},{n}.50,USD,1"), ""),
        };
        if !error.is_empty() {
            wrong.push((line, vec![error.to_owned()]));
        }
        let _: std::fmt::Result = write!(text, "{row},{description}\r\n");
        line += if n % 7 == 0 { 2 } else { 1 };
    }
    (text, wrong)
}

async fn ends(service: &Service, id: &str, lines: (u64, u64, u64)) -> Result<()> {
    service.cloud.settled().await;
    let import = service.find_import(id).await?;
    let (read, accepted, refused) = lines;
    let expected = json!({ "read": read, "accepted": accepted, "refused": refused });
    ensure!(import["lines"] == expected && import["status"] == "done", "{import}");
    let dead = service.depth("ImportProductsDeadLetterQueue");
    ensure!(dead == 0, "{dead} messages were given up");
    Ok(())
}

/// The catalogue: each product's name, price and version.
async fn catalogue(service: &Service) -> Result<BTreeMap<String, (String, String, u64)>> {
    let (mut all, mut path) = (BTreeMap::new(), "/products?limit=100".to_owned());
    loop {
        let page = service.send(Method::GET, &path, None).await?.expect(200)?;
        for product in page.body["data"].as_array().context("a list")? {
            let text = |name: &str| product[name].as_str().unwrap_or_default().to_owned();
            let version = product["version"].as_u64().context("a version")?;
            all.insert(text("id"), (text("name"), product["price"].to_string(), version));
        }
        let Some(cursor) = page.body["next_cursor"].as_str() else { return Ok(all) };
        path = format!("/products?limit=100&cursor={cursor}");
    }
}

#[test]
fn ten_thousand_lines_with_thirteen_bad_ones_report_those_thirteen_also_delivered_twice() -> Result<()> {
    for deliver_twice in [false, true] {
        simulate(async {
            let service = shop(Options { deliver_twice, ..Options::simulated(1) }).await?;
            let (text, wrong) = file(10_000);
            assert_eq!(wrong.len(), 13);
            let id = service.import("csv", text).await?;
            ends(&service, &id, (10_000, 9_987, 13)).await?;
            assert_eq!(service.refused_lines(&id).await?, wrong);
            let product = service.send(Method::GET, "/products/p-7", None).await?.expect(200)?;
            assert_eq!((&product.body["version"], &product.body["stock"]), (&json!(1), &json!(1)));
            assert_eq!(product.body["description"], "a\nb, \"c\"");
            assert!(product.text.contains("\"price\":7.50,"), "{}", product.text);
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_crash_at_every_call_changes_nothing() -> Result<()> {
    crash_at_every(1, 40, 10)
}

/// Of two parts, which are many calls: some of them.
#[test]
fn a_crash_in_any_part_changes_nothing() -> Result<()> {
    crash_at_every(9, 510, 20)
}

/// Imports a file of so many lines, again and again, with a crash at the first call, then `step` calls behind it, and so
/// on.
fn crash_at_every(step: usize, lines: usize, least: usize) -> Result<()> {
    let (text, wrong) = file(u64::try_from(lines)?);
    crash_at_each_call("import-products", step, least, async |crash| {
        let service = shop(crash.options(1)).await?;
        crash.arm();
        let id = service.import("csv", text.clone()).await?;
        let (all, refused) = (u64::try_from(lines)?, u64::try_from(wrong.len())?);
        ends(&service, &id, (all, all - refused, refused)).await?;
        ensure!(service.refused_lines(&id).await? == wrong, "other lines are refused");
        let catalogue = catalogue(&service).await?;
        ensure!(catalogue.len() == lines - wrong.len(), "{} products", catalogue.len());
        ensure!(catalogue.values().all(|(_, _, version)| *version == 1), "a line was applied twice");
        Ok(())
    })
}

/// Also where nobody asks a second time.
#[test]
fn an_import_that_is_noted_as_started_is_read_whatever_kills_the_start() -> Result<()> {
    crash_at_each_call("start-import", 1, 4, async |crash| {
        let service = shop(crash.options(1)).await?;
        let import = service.new_import("csv").await?;
        service.upload(&import, "id,name,price\na,A,1\n").await?;
        let id = import["id"].as_str().context("an id")?;
        let start = format!("/imports/{id}/start");
        crash.arm();
        service.send(Method::POST, &start, None).await?;
        crash.disarm();
        service.settled().await?;
        if service.find_import(id).await?["status"] == "waiting" {
            service.send(Method::POST, &start, None).await?.expect(202)?;
        }
        ends(&service, id, (1, 1, 0)).await
    })
}

/// Then there is nobody but who was sent for ahead, and who dies amid the reading goes on with it.
#[test]
fn an_import_is_read_where_the_start_dies_and_then_who_reads() -> Result<()> {
    for place in 0.. {
        let has_struck = Arc::new(AtomicBool::new(false));
        simulate(async {
            let calls = Calls::of_all(&["start-import", "import-products"]);
            let service = shop(calls.options(1)).await?;
            let import = service.new_import("csv").await?;
            service.upload(&import, "id,name,price\na,A,1\n").await?;
            let (is_written, made, struck) =
                (AtomicBool::new(false), AtomicUsize::new(0), has_struck.clone());
            calls.fail(move |call| {
                let is_start = *call.caller == *"start-import";
                let strikes = if is_start {
                    is_written.fetch_or(call.operation == "UpdateItem", Ordering::Relaxed)
                } else {
                    let strikes = made.fetch_add(1, Ordering::Relaxed) == place;
                    struck.fetch_or(strikes, Ordering::Relaxed);
                    strikes
                };
                strikes.then_some(Fault::Crashed)
            });
            let id = import["id"].as_str().context("an id")?;
            let started = service.send(Method::POST, &format!("/imports/{id}/start"), None).await?;
            ensure!(started.status == 500, "{}", started.text);
            ends(&service, id, (1, 1, 0)).await
        })
        .with_context(|| format!("a crash at call {place}"))?;
        if !has_struck.load(Ordering::Relaxed) {
            ensure!(place > 8, "it makes {place} calls only");
            return Ok(());
        }
    }
    Ok(())
}

#[test]
fn an_export_that_is_stored_is_written_whatever_kills_its_request() -> Result<()> {
    crash_at_each_call("create-export", 1, 3, async |crash| {
        let service = shop(crash.options(1)).await?;
        crash.arm();
        service.send(Method::POST, "/exports", Some(&json!({ "format": "csv" }))).await?;
        service.settled().await?;
        let client = aws_sdk_dynamodb::Client::new(&service.cloud.sdk_config("test"));
        let table = service.cloud.physical("ImportsTable").context("the table of exports")?;
        for export in client.scan().table_name(table).send().await?.items.unwrap_or_default() {
            ensure!(export["status"].as_s().is_ok_and(|status| status == "done"), "{export:?}");
        }
        Ok(())
    })
}

#[test]
fn who_was_sent_for_ahead_leaves_an_import_to_who_reads_it() -> Result<()> {
    simulate(async {
        let calls = Calls::of("import-products");
        let service = shop(calls.options(1)).await?;
        let header = calls.hold_next("GetObject");
        let id = service.import("csv", "id,name,price\na,A,1\n").await?;
        let lines = header.meanwhile(async { Ok(calls.hold_next("GetObject")) }).await?;
        let begin = json!({ "import": id, "step": "begin" }).to_string();
        lines
            .meanwhile(async {
                drop(calls.take());
                service.send_bodies("ImportProductsQueue", &[&begin]).await?;
                service.pass(Duration::from_secs(2)).await;
                let operations = calls.take_operations();
                ensure!(operations == ["GetItem", "SendMessage"], "{operations:?}");
                Ok(())
            })
            .await?;
        ends(&service, &id, (1, 1, 0)).await
    })
}

/// As many products as an export reads in three pages.
async fn three_pages_of_products(service: &Service) -> Result<()> {
    let lines = (0..520).map(|n| format!("Mug {n:03},1\n")).collect::<Vec<_>>().concat();
    let id = service.import("csv", format!("name,price\n{lines}")).await?;
    ends(service, &id, (520, 520, 0)).await
}

#[test]
fn who_was_sent_for_ahead_leaves_an_export_to_who_writes_it() -> Result<()> {
    simulate(async {
        let calls = Calls::of("export-products");
        let service = shop(calls.options(1)).await?;
        three_pages_of_products(&service).await?;
        let export = service.new_export("csv").await?;
        let slow = async || {
            service.pass(Duration::from_secs(2)).await;
            Ok(())
        };
        for _ in 0..2 {
            calls.hold_next("Query").meanwhile(slow()).await?;
        }
        let third = calls.hold_next("Query");
        third
            .meanwhile(async {
                drop(calls.take());
                let ahead = json!({ "export": export, "version": 1, "is_ahead": true }).to_string();
                service.send_bodies("ExportProductsQueue", &[&ahead]).await?;
                service.pass(Duration::from_secs(2)).await;
                let operations = calls.take_operations();
                ensure!(operations == ["GetItem", "SendMessage"], "{operations:?}");
                Ok(())
            })
            .await?;
        service.settled().await?;
        let export = service.send(Method::GET, &format!("/exports/{export}"), None).await?.expect(200)?.body;
        ensure!(export["status"] == "done" && export["products"] == 520, "{export}");
        Ok(())
    })
}

#[test]
fn an_hour_without_s3_costs_no_message_its_tries() -> Result<()> {
    simulate(async {
        let calls = Calls::of("import-products");
        let service = shop(calls.options(1)).await?;
        calls.fail(|call| {
            let error = AwsError::service("SlowDown", "Please reduce your request rate.").with_status(503);
            (call.service == Aws::S3).then_some(Fault::Error(error))
        });
        let (text, wrong) = file(1_200);
        let id = service.import("csv", text).await?;
        service.pass(Duration::from_hours(1)).await;
        assert_eq!(service.find_import(&id).await?["status"], "running");
        calls.recover();
        service.pass(Duration::from_mins(15)).await;
        let refused = u64::try_from(wrong.len())?;
        ends(&service, &id, (1_200, 1_200 - refused, refused)).await
    })
}

#[test]
fn a_line_with_an_id_creates_or_changes_and_one_without_is_created_once() -> Result<()> {
    simulate(async {
        let service = shop(Options { deliver_twice: true, ..Options::simulated(1) }).await?;
        let mug = json!({ "id": "mug", "name": "Mug", "price": 1, "stock": 9, "category": "kitchen" });
        service.send(Method::POST, "/products", Some(&mug)).await?.expect(201)?;
        let file = [
            r#"{"id": "mug", "price": 2.50, "stock": 3}"#,
            r#"{"name": "Pot", "price": 4}"#,
            r#"{"id": "mug", "category": null}"#,
            r#"{"id": "pan", "name": "Pan", "price": 5, "currency": "EUR", "stock": 3}"#,
        ];
        let id = service.import("jsonl", file.join("\r\n\r\n")).await?;
        ends(&service, &id, (4, 4, 0)).await?;
        let catalogue = catalogue(&service).await?;
        let mug = service.send(Method::GET, "/products/mug", None).await?.expect(200)?;
        assert_eq!((&mug.body["category"], &mug.body["stock"]), (&json!(null), &json!(9)));
        assert_eq!(catalogue["mug"], ("Mug".to_owned(), "2.5".to_owned(), 3));
        assert_eq!(catalogue["pan"].1, "5.0");
        let names: Vec<_> = catalogue.values().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names.iter().filter(|name| **name == "Pot").count(), 1);
        // The same file again, as another import, changes what it says once more, and makes another pot.
        let again = service.import("jsonl", file.join("\n")).await?;
        ends(&service, &again, (4, 4, 0)).await?;
        Ok(())
    })
}

#[test]
fn what_an_import_did_is_not_undone_when_a_part_comes_again() -> Result<()> {
    simulate(async {
        let calls = Calls::of("import-products");
        let service = shop(calls.options(1)).await?;
        let c = json!({ "id": "c", "name": "C", "price": 1 });
        service.send(Method::POST, "/products", Some(&c)).await?.expect(201)?;
        // Applied, and not counted: the part comes again.
        calls.fail(|call| counts_a_part(call).then_some(Fault::Crashed));
        let id = service.import("csv", "id,name,price\na,A,1\nb,B,1\nc,C,1\n").await?;
        service.pass(Duration::from_secs(30)).await;
        for changed in ["a", "c"] {
            let path = format!("/products/{changed}");
            service.send(Method::PATCH, &path, Some(&json!({ "price": 9 }))).await?.expect(200)?;
        }
        service.send(Method::DELETE, "/products/b", None).await?.expect(204)?;
        calls.recover();
        ends(&service, &id, (3, 3, 0)).await?;
        let catalogue = catalogue(&service).await?;
        // The line changed nothing of c: its version counts the one change.
        assert_eq!((catalogue["a"].1.as_str(), &catalogue["c"]), ("9.0", &("C".into(), "9.0".into(), 2)));
        service.send(Method::GET, "/products/b", None).await?.problem(404, "not_found")?;
        Ok(())
    })
}

fn counts_a_part(call: &Call) -> bool {
    call.operation == "TransactWriteItems"
        && call.accesses.iter().any(|access| access.resource.starts_with("Imports"))
}

#[test]
fn a_part_that_comes_late_leaves_what_a_newer_import_said() -> Result<()> {
    simulate(async {
        let calls = Calls::of("import-products");
        let service = shop(calls.options(1)).await?;
        let old = service.new_import("csv").await?;
        let id = old["id"].as_str().context("an id")?.to_owned();
        let is_old = id.clone();
        calls.fail(move |call| {
            let is_late = counts_a_part(call) && String::from_utf8_lossy(&call.body).contains(&is_old);
            is_late.then_some(Fault::Crashed)
        });
        service.upload(&old, "id,name,price\na,A,10\n").await?;
        service.send(Method::POST, &format!("/imports/{id}/start"), None).await?.expect(202)?;
        service.pass(Duration::from_secs(30)).await;
        assert_eq!(catalogue(&service).await?["a"].1, "10.0");
        service.import("csv", "id,name,price\na,A,15\n").await?;
        service.pass(Duration::from_secs(30)).await;
        calls.recover();
        ends(&service, &id, (1, 1, 0)).await?;
        assert_eq!(catalogue(&service).await?["a"].1, "15.0");
        Ok(())
    })
}

/// The part that has `other-1` fails once, all tries of a call, and the one behind it is done meanwhile.
fn fail_first_part(calls: &Calls) {
    let tries = AtomicUsize::new(0);
    calls.fail(move |call| {
        let is_first = call.operation == "TransactWriteItems"
            && String::from_utf8_lossy(&call.body).contains("\"other-1\"");
        let error = AwsError::service("InternalServerError", "Try again.").with_status(500);
        (is_first && tries.fetch_add(1, Ordering::SeqCst) < 3).then_some(Fault::Error(error))
    });
}

#[test]
fn the_last_line_of_a_product_decides_though_it_says_what_is_there_and_comes_first() -> Result<()> {
    simulate(async {
        let calls = Calls::of("import-products");
        let service = shop(calls.options(1)).await?;
        let product = json!({ "id": "a", "name": "A", "price": 20 });
        service.send(Method::POST, "/products", Some(&product)).await?.expect(201)?;
        fail_first_part(&calls);
        let mut file = "id,name,price\na,A,10\n".to_owned();
        for n in 1..=600 {
            let _: std::fmt::Result = writeln!(file, "other-{n},O,1");
        }
        file.push_str("a,A,20\n");
        let id = service.import("csv", file).await?;
        ends(&service, &id, (602, 602, 0)).await?;
        assert_eq!(catalogue(&service).await?["a"], ("A".to_owned(), "20.0".to_owned(), 1));
        Ok(())
    })
}

#[test]
fn lines_with_different_members_of_a_product_are_all_applied_though_the_last_comes_first() -> Result<()> {
    simulate(async {
        let calls = Calls::of("import-products");
        let service = shop(calls.options(1)).await?;
        let product = json!({ "id": "a", "name": "A", "price": 10 });
        service.send(Method::POST, "/products", Some(&product)).await?.expect(201)?;
        fail_first_part(&calls);
        let mut file = format!("{}\n", json!({ "id": "a", "name": "B" }));
        for n in 1..=600 {
            let other = json!({ "id": format!("other-{n}"), "name": "O", "price": 1 });
            let _: std::fmt::Result = writeln!(file, "{other}");
        }
        let _: std::fmt::Result = writeln!(file, "{}", json!({ "id": "a", "price": 20 }));
        let id = service.import("jsonl", file).await?;
        ends(&service, &id, (602, 602, 0)).await?;
        assert_eq!(catalogue(&service).await?["a"], ("B".to_owned(), "20.0".to_owned(), 3));
        Ok(())
    })
}

#[test]
fn a_file_that_cannot_be_read_is_refused_where_it_breaks() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        let long = format!("id,name,price\na,A,1\nb,\"{}\n", "x".repeat(64 * 1024 * 1024));
        for (file, code, line, accepted) in [
            ("%PDF-1.7 and so on".to_owned(), "unknown_column", 1, 0),
            (String::new(), "empty_file", 1, 0),
            (long, "record_too_long", 3, 1),
        ] {
            let id = service.import("csv", file).await?;
            service.cloud.settled().await;
            let import = service.find_import(&id).await?;
            let failure = &import["failure"];
            ensure!(import["status"] == "failed" && failure["code"] == code, "{import}");
            ensure!(failure["line"] == line && import["lines"]["accepted"] == accepted, "{import}");
        }
        Ok(())
    })
}

#[test]
fn blank_lines_of_more_than_a_window_are_gone_behind() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        let blank = "\n".repeat(3 * 1024 * 1024);
        let product = |id: &str| json!({ "id": id, "name": id, "price": 1 });
        for (format, file) in [
            ("jsonl", format!("{}\n{blank}{}\n", product("a"), product("b"))),
            ("csv", format!("id,name,price\nc,C,1\n{blank}d,D,1\n")),
        ] {
            let id = service.import(format, file).await?;
            service.settled().await?;
            ends(&service, &id, (2, 2, 0)).await?;
        }
        assert_eq!(catalogue(&service).await?.into_keys().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        Ok(())
    })
}

#[test]
fn each_record_that_ends_with_a_carriage_return_is_a_product() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        for (n, header) in ["name,price\r", "name,price\n", "name,price\r\n"].into_iter().enumerate() {
            let file: Vec<_> = (0..600).map(|line| format!("Mug {n}-{line},1\r")).collect();
            let id = service.import("csv", format!("{header}{}Mug {n},free\rPot {n},free\r", file.concat())).await?;
            ends(&service, &id, (602, 600, 2)).await?;
            let lines: Vec<_> = service.refused_lines(&id).await?.into_iter().map(|(line, _)| line).collect();
            assert_eq!(lines, [602, 603]);
            assert_eq!(catalogue(&service).await?.len(), 600 * (n + 1), "{header:?}");
        }
        Ok(())
    })
}

#[test]
fn a_start_adds_nobody_to_who_reads() -> Result<()> {
    simulate(async {
        let calls = Calls::of("import-products");
        let service = shop(calls.options(1)).await?;
        let header = calls.hold_next("GetObject");
        let id = service.import("csv", "id,name,price\na,A,1\n").await?;
        let lines = header.meanwhile(async { Ok(calls.hold_next("GetObject")) }).await?;
        lines
            .meanwhile(async {
                drop(calls.take());
                for _ in 0..3 {
                    let start = format!("/imports/{id}/start");
                    service.send(Method::POST, &start, None).await?.expect(202)?;
                }
                service.pass(Duration::from_secs(2)).await;
                let operations = calls.take_operations();
                ensure!(!operations.iter().any(|operation| operation == "GetObject"), "{operations:?}");
                Ok(())
            })
            .await?;
        ends(&service, &id, (1, 1, 0)).await
    })
}

/// Of two who read one file, who comes second leaves it to the other one.
#[test]
fn who_is_overtaken_leaves_the_file_to_the_other() -> Result<()> {
    simulate(async {
        let calls = Calls::of("import-products");
        let service = shop(calls.options(1)).await?;
        let slow = calls.hold_next("GetObject");
        let id = service.import("csv", "id,name,price\na,A,1\n").await?;
        let read = json!({ "import": id, "step": { "read": 0 } }).to_string();
        let window = slow
            .meanwhile(async {
                let header = calls.hold_next("GetObject");
                service.send_bodies("ImportProductsQueue", &[&read]).await?;
                let window = header.meanwhile(async { Ok(calls.hold_next("GetObject")) }).await?;
                // The other one notes the header.
                service.pass(Duration::from_secs(2)).await;
                drop(calls.take());
                Ok(window)
            })
            .await?;
        window
            .meanwhile(async {
                service.pass(Duration::from_secs(2)).await;
                let operations = calls.take_operations();
                // The other one may go on behind that.
                let is_left = operations.first().is_some_and(|first| first == "UpdateItem")
                    && operations.get(1).is_some_and(|second| second == "SendMessage");
                ensure!(is_left, "{operations:?}");
                Ok(())
            })
            .await?;
        ends(&service, &id, (1, 1, 0)).await
    })
}

#[test]
fn an_export_imports_back_unchanged() -> Result<()> {
    simulate(async {
        let service = shop(Options { deliver_twice: true, ..Options::simulated(1) }).await?;
        ensure!(service.export("jsonl").await?.is_empty());
        let (text, _) = file(1_000);
        let id = service.import("csv", text).await?;
        service.cloud.settled().await;
        let before = catalogue(&service).await?;
        ensure!(service.find_import(&id).await?["lines"]["accepted"] == before.len(), "{}", before.len());
        for format in ["csv", "jsonl"] {
            let exported = service.export(format).await?;
            let id = service.import(format, exported).await?;
            let all = u64::try_from(before.len())?;
            ends(&service, &id, (all, all, 0)).await?;
            ensure!(catalogue(&service).await? == before, "{format} changes something");
        }
        Ok(())
    })
}

/// A file of so many products that a thousand of them are a part of an export.
fn large_products(count: usize) -> String {
    let mut text = "name,price,description\n".to_owned();
    for n in 0..count {
        let _: std::fmt::Result = writeln!(text, "Mug {n:04},1,{}", "x".repeat(4_900));
    }
    text
}

/// Has so many pages of an export take this long each.
async fn slow_pages(service: &Service, calls: &Calls, pages: usize, each: Duration) -> Result<()> {
    for _ in 0..pages {
        let slow = async {
            service.pass(each).await;
            Ok(())
        };
        calls.hold_next("Query").meanwhile(slow).await?;
    }
    Ok(())
}

#[test]
fn an_export_of_several_parts_is_one_file_whatever_crashes() -> Result<()> {
    // Before a call takes effect, or after: every third of them.
    crash_at_each_call("export-products", 3, 6, async |crash| {
        let service = shop(crash.options(1)).await?;
        let id = service.import("csv", large_products(1_100)).await?;
        ends(&service, &id, (1_100, 1_100, 0)).await?;
        crash.arm();
        let exported = service.export("jsonl").await?;
        let lines: Vec<Value> = exported
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()?;
        let mut names: Vec<_> = lines.iter().filter_map(|line| line["name"].as_str()).collect();
        names.sort_unstable();
        names.dedup();
        ensure!((lines.len(), names.len()) == (1_100, 1_100), "{} lines, {} names", lines.len(), names.len());
        Ok(())
    })
}

#[test]
fn an_export_that_takes_long_goes_on_in_another_message() -> Result<()> {
    simulate(async {
        let calls = Calls::of("export-products");
        let service = shop(calls.options(1)).await?;
        three_pages_of_products(&service).await?;
        let slow = slow_pages(&service, &calls, 2, Duration::from_secs(2));
        let (exported, ()) = futures::future::try_join(service.export("csv"), slow).await?;
        let text = String::from_utf8(exported.to_vec())?;
        let mut names: Vec<_> = text.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
        names.sort_unstable();
        names.dedup();
        ensure!((text.lines().count(), names.len()) == (521, 520), "{} names in {text:.500}", names.len());
        let operations = calls.take_operations();
        ensure!(operations.iter().any(|operation| operation == "SendMessage"), "{operations:?}");
        Ok(())
    })
}

/// It was begun by one message, and completed by another that could not note it.
#[test]
fn an_export_whose_upload_is_gone_is_written_anew() -> Result<()> {
    simulate(async {
        let calls = Calls::of("export-products");
        let service = shop(calls.options(1)).await?;
        let id = service.import("csv", large_products(2_200)).await?;
        ends(&service, &id, (2_200, 2_200, 0)).await?;
        let is_lost = AtomicBool::new(false);
        calls.lose(move |call| {
            let is_completed = call.operation == "CompleteMultipartUpload";
            (is_completed && !is_lost.swap(true, Ordering::SeqCst)).then_some(Fault::Crashed)
        });
        let slow = slow_pages(&service, &calls, 8, Duration::from_secs(1));
        let (exported, ()) = futures::future::try_join(service.export("jsonl"), slow).await?;
        let lines = exported.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        ensure!(lines == 2_200, "{lines} lines");
        let operations = calls.take_operations();
        let count = |wanted: &str| operations.iter().filter(|operation| *operation == wanted).count();
        ensure!(
            count("CreateMultipartUpload") == 2 && count("CompleteMultipartUpload") == 2,
            "{operations:?}"
        );
        Ok(())
    })
}

#[test]
fn an_import_is_started_once_its_file_is_there_and_as_often_as_one_likes() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        let import = service.new_import("csv").await?;
        let id = import["id"].as_str().context("an id")?;
        let start = format!("/imports/{id}/start");
        service.send(Method::POST, &start, None).await?.problem(409, "no_file")?;
        assert_eq!(service.find_import(id).await?["status"], "waiting");
        service.upload(&import, "id,name,price\na,A,1\n").await?;
        for _ in 0..3 {
            service.send(Method::POST, &start, None).await?.expect(202)?;
        }
        ends(&service, id, (1, 1, 0)).await?;
        service.send(Method::POST, &start, None).await?.expect(202)?;
        ends(&service, id, (1, 1, 0)).await?;
        let other = "/imports/imp_00000000000000000000000000";
        service.send(Method::GET, other, None).await?.problem(404, "not_found")?;
        service.send(Method::GET, "/imports/7", None).await?.problem(404, "not_found")?;
        let wrong = json!({ "format": "xls" });
        let wrong = service.send(Method::POST, "/imports", Some(&wrong)).await?;
        assert_eq!(wrong.problem(422, "invalid_request")?.pointers(), ["/format"]);
        // The address ends.
        let late = service.new_import("csv").await?;
        service.pass(Duration::from_mins(15)).await;
        ensure!(service.upload(&late, "id\n").await.is_err());
        Ok(())
    })
}

#[test]
fn a_file_that_was_replaced_is_not_read_on() -> Result<()> {
    simulate(async {
        let calls = Calls::of("import-products");
        let service = shop(calls.options(1)).await?;
        let import = service.new_import("csv").await?;
        service.upload(&import, "id,name,price\na,A,1\n").await?;
        let id = import["id"].as_str().context("an id")?;
        let hold = calls.hold_next("GetObject");
        service.send(Method::POST, &format!("/imports/{id}/start"), None).await?.expect(202)?;
        hold.meanwhile(service.upload(&import, "id,name,price\nb,B,1\n")).await?;
        service.cloud.settled().await;
        let import = service.find_import(id).await?;
        ensure!(import["status"] == "failed" && import["failure"]["code"] == "file_changed", "{import}");
        assert_eq!(catalogue(&service).await?.len(), 0);
        Ok(())
    })
}

#[test]
fn imports_are_forgotten_after_their_time() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        let id = service.import("csv", "id,name,price\na,A,\n").await?;
        ends(&service, &id, (1, 0, 1)).await?;
        service.pass(Duration::from_hours(33 * 24)).await;
        service.send(Method::GET, &format!("/imports/{id}"), None).await?.problem(404, "not_found")?;
        Ok(())
    })
}

#[test]
fn every_fixture_is_understood() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        // An import of which nobody knows any more.
        assert_eq!(service.invoke_fixture("import-products").await?, json!({ "batchItemFailures": [] }));
        assert_eq!(service.invoke_fixture("export-products").await?, json!({ "batchItemFailures": [] }));
        assert_eq!(service.invoke_fixture("create-import").await?["statusCode"], 201);
        assert_eq!(service.invoke_fixture("create-export").await?["statusCode"], 201);
        for route in ["get-import", "start-import", "list-import-refusals", "get-export"] {
            assert_eq!(service.invoke_fixture(route).await?["statusCode"], 404, "{route}");
        }
        let _: Value = service.new_import("jsonl").await?;
        Ok(())
    })
}

//! Search over the embedded cloud: what the catalogue says is found within seconds, whatever fails on the way, whoever
//! else writes, and however often the index is rebuilt.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Answer, Calls, Service, simulate};
use shop_lambda::Function;
use shop_local::cloud::{AwsError, Call, Fault, Observer, Options, Outcome, Service as Aws};

/// What an answer may be old by: a batch's window, the write, and how long a reader believes what it saw.
const FOUND_AFTER: Duration = Duration::from_secs(10);

fn functions() -> Vec<Function> {
    [products::SERVICE.functions(), search::SERVICE.functions()].concat()
}

async fn shop(options: Options) -> Result<Service> {
    Service::start(&functions(), options).await
}

async fn create(service: &Service, id: &str, name: &str, price: f64, stock: u64) -> Result<()> {
    let body = json!({ "id": id, "name": name, "price": price, "stock": stock, "category": "kitchen" });
    service.send(Method::POST, "/products", Some(&body)).await?.expect(201).map(drop)
}

async fn search(service: &Service, query: &str) -> Result<Answer> {
    service.request(Method::GET, &format!("/search?{query}"), Bytes::new(), &[]).await?.expect(200)
}

fn ids(answer: &Answer) -> Vec<&str> {
    answer.body["data"].as_array().into_iter().flatten().filter_map(|hit| hit["id"].as_str()).collect()
}

/// What is shown of a product: version, price and whether there is any.
type Shown = BTreeMap<String, (u64, String, bool)>;

/// All that is found by a word which every name has, page by page.
async fn indexed(service: &Service) -> Result<Shown> {
    let (mut all, mut path) = (BTreeMap::new(), "q=mug&limit=7".to_owned());
    loop {
        let page = search(service, &path).await?;
        for hit in page.body["data"].as_array().context("a list")? {
            let id = hit["id"].as_str().context("an id")?.to_owned();
            let flag = hit["in_stock"].as_bool().context("a flag")?;
            let shown = (hit["version"].as_u64().context("a version")?, hit["price"].to_string(), flag);
            ensure!(all.insert(id, shown).is_none(), "it is shown twice: {hit}");
        }
        let Some(cursor) = page.body["next_cursor"].as_str() else { return Ok(all) };
        path = format!("q=mug&limit=7&cursor={cursor}");
    }
}

async fn catalogue(service: &Service) -> Result<Shown> {
    let (mut all, mut path) = (BTreeMap::new(), "/products?limit=100".to_owned());
    loop {
        let page = service.send(Method::GET, &path, None).await?.expect(200)?;
        for product in page.body["data"].as_array().context("a list")? {
            let version = product["version"].as_u64().context("a version")?;
            let flag = product["stock"].as_u64().is_some_and(|stock| stock > 0);
            let id = product["id"].as_str().context("an id")?.to_owned();
            all.insert(id, (version, product["price"].to_string(), flag));
        }
        let Some(cursor) = page.body["next_cursor"].as_str() else { return Ok(all) };
        path = format!("/products?limit=100&cursor={cursor}");
    }
}

/// When all is done, the index is the catalogue, and no message was given up.
async fn agrees(service: &Service) -> Result<()> {
    service.cloud.settled().await;
    service.pass(FOUND_AFTER).await;
    let (indexed, catalogue) = (indexed(service).await?, catalogue(service).await?);
    ensure!(indexed == catalogue, "{indexed:?} is not {catalogue:?}");
    let dead = service.depth("IndexProductsDeadLetterQueue");
    ensure!(dead == 0, "{dead} messages were given up");
    Ok(())
}

/// What a shop does with some products.
async fn trade(service: &Service) -> Result<()> {
    for number in 0..6 {
        create(service, &format!("p-{number}"), &format!("Mug {number}"), 1.5, number).await?;
    }
    service.pass(Duration::from_secs(5)).await;
    for number in 0..4 {
        let path = format!("/products/p-{number}");
        service.send(Method::PATCH, &path, Some(&json!({ "price": 2.5 }))).await?.expect(200)?;
    }
    service.send(Method::PATCH, "/products/p-5/stock", Some(&json!({ "stock": 0 }))).await?.expect(200)?;
    service.send(Method::PATCH, "/products/p-0/stock", Some(&json!({ "stock": 3 }))).await?.expect(200)?;
    service.send(Method::DELETE, "/products/p-1", None).await?.expect(204)?;
    Ok(())
}

#[test]
fn a_product_is_found_by_its_words_and_forgotten_with_them() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        let none = search(&service, "q=kettle").await?;
        ensure!(none.body["data"] == json!([]) && none.body["indexed_at"].is_null(), "{none:?}");
        create(&service, "kettle", "Blue <b>Kettle</b>", 29.9, 3).await?;
        create(&service, "mug", "Mug", 9.5, 0).await?;
        service.pass(FOUND_AFTER).await;
        for query in ["q=kettle", "q=ketle", "q=kettel", "q=kett", "q=BLUE+kettle", "q=kitchen+kettle"] {
            ensure!(ids(&search(&service, query).await?) == ["kettle"], "{query}");
        }
        let found = search(&service, "q=ketle").await?;
        ensure!(found.text.contains("\"price\":29.90,"), "{}", found.text);
        ensure!(found.header("cache-control")? == "public, max-age=0, s-maxage=5", "{found:?}");
        let expected = json!([
            { "text": "Blue <b>", "hit": false },
            { "text": "Kettle", "hit": true },
            { "text": "</b>", "hit": false },
        ]);
        ensure!(found.body["data"][0]["highlight"] == expected, "{found:?}");
        ensure!(found.body["data"][0]["in_stock"] == true && found.body["total"] == 1, "{found:?}");
        ensure!(found.body["indexed_at"].is_string(), "{found:?}");
        let facets = search(&service, "q=kitchen").await?.body["facets"].clone();
        ensure!(facets["categories"] == json!([{ "category": "kitchen", "count": 2 }]), "{facets}");
        for (query, expected) in [
            ("q=kitchen&in_stock=true", vec!["kettle"]),
            ("q=kitchen&in_stock=false", vec!["mug"]),
            ("q=kitchen&max_price=9.5", vec!["mug"]),
            ("q=kitchen&min_price=9.51", vec!["kettle"]),
            ("q=kitchen&category=garden", vec![]),
            ("q=kitchen&currency=EUR", vec![]),
            ("q=kitchen&sort=price", vec!["mug", "kettle"]),
            ("q=kitchen&sort=-price", vec!["kettle", "mug"]),
        ] {
            ensure!(ids(&search(&service, query).await?) == expected, "{query}");
        }
        let path = "/search/suggestions?q=ket";
        let suggested = service.request(Method::GET, path, Bytes::new(), &[]).await?.expect(200)?;
        ensure!(suggested.body["data"][0]["text"] == "Blue <b>Kettle</b>", "{suggested:?}");
        let change = json!({ "name": "Samovar", "price": 31 });
        service.send(Method::PATCH, "/products/kettle", Some(&change)).await?.expect(200)?;
        service.pass(FOUND_AFTER).await;
        ensure!(ids(&search(&service, "q=kettle").await?).is_empty(), "it is found by its old name");
        ensure!(search(&service, "q=samovar").await?.text.contains("\"price\":31.00,"));
        service.send(Method::DELETE, "/products/kettle", None).await?.expect(204)?;
        service.pass(FOUND_AFTER).await;
        ensure!(ids(&search(&service, "q=samovar").await?).is_empty(), "it is found after its deletion");
        Ok(())
    })
}

#[test]
fn all_mistakes_of_a_query_are_told_at_once() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        let refused = async |path: &str| {
            let answer = service.request(Method::GET, path, Bytes::new(), &[]).await?.expect(400)?;
            let errors = answer.body["errors"].as_array().context("errors")?.clone();
            let one = |error: &Value| {
                format!(
                    "{} {}",
                    error["pointer"].as_str().unwrap_or_default(),
                    error["code"].as_str().unwrap_or_default()
                )
            };
            Ok::<_, anyhow::Error>(errors.iter().map(one).collect::<Vec<_>>())
        };
        let all = "/search?category=+&currency=usd&min_price=-1&max_price=1e3&in_stock=yes&sort=name&limit=101&cursor=x";
        let expected = [
            "?q missing",
            "?category invalid_filter",
            "?currency invalid_filter",
            "?min_price invalid_filter",
            "?max_price invalid_filter",
            "?in_stock invalid_filter",
            "?sort invalid_filter",
            "?limit out_of_range",
            "?cursor invalid_cursor",
        ];
        ensure!(refused(all).await? == expected, "{:?}", refused(all).await?);
        ensure!(refused("/search?q=").await? == ["?q invalid_filter"]);
        ensure!(refused(&format!("/search?q={}", "a".repeat(101))).await? == ["?q invalid_filter"]);
        ensure!(refused("/search/suggestions").await? == ["?q missing"]);
        ensure!(refused("/search?q=a&page=2").await? == ["?page unexpected"]);
        // A cursor is good for its own search.
        for number in 0..3 {
            create(&service, &format!("p-{number}"), "Mug", 1.5, 1).await?;
        }
        service.pass(FOUND_AFTER).await;
        let page = search(&service, "q=mug&limit=1").await?;
        let cursor = page.body["next_cursor"].as_str().context("a cursor")?;
        ensure!(page.header("link")?.contains(cursor), "{page:?}");
        ensure!(refused(&format!("/search?q=pot&cursor={cursor}")).await? == ["?cursor invalid_cursor"]);
        ensure!(ids(&search(&service, &format!("q=mug&limit=5&cursor={cursor}")).await?).len() == 2);
        Ok(())
    })
}

#[test]
fn whatever_comes_twice_or_late_the_index_is_the_catalogue() -> Result<()> {
    for deliver_twice in [false, true] {
        simulate(async {
            let service = shop(Options { deliver_twice, ..Options::simulated(1) }).await?;
            trade(&service).await?;
            agrees(&service).await
        })?;
    }
    Ok(())
}

/// An event of long ago says which product to look at, and not what it was.
#[test]
fn a_late_event_brings_nothing_back() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        create(&service, "prod-123", "Mug", 1.5, 1).await?;
        service.send(Method::DELETE, "/products/prod-123", None).await?.expect(204)?;
        service.cloud.settled().await;
        for _ in 0..2 {
            let answer = service.invoke_fixture("index-products").await?;
            ensure!(answer == json!({ "batchItemFailures": [] }), "{answer}");
        }
        agrees(&service).await?;
        ensure!(indexed(&service).await?.is_empty());
        Ok(())
    })
}

/// Counts the writes of S3 that were refused, because another version was there.
#[derive(Default)]
struct Refusals(AtomicUsize);

impl Observer for Refusals {
    fn called(&self, _time: i64, _call: &Call, outcome: &Outcome<'_>) {
        let is_refused = outcome.error == Some("PreconditionFailed");
        self.0.fetch_add(usize::from(is_refused), Ordering::Relaxed);
    }
}

#[test]
fn two_writers_that_meet_lose_nothing() -> Result<()> {
    simulate(async {
        let (calls, refusals) = (Calls::of("index-products"), Arc::new(Refusals::default()));
        let mut options = calls.options(1);
        options.observers.push(Arc::<Refusals>::clone(&refusals));
        let service = shop(options).await?;
        create(&service, "p-1", "Mug", 1.5, 1).await?;
        agrees(&service).await?;
        // One stops between what it has read and its manifest; the other one publishes meanwhile.
        let change = async |id: &str, price: f64| {
            let path = format!("/products/{id}");
            service.send(Method::PATCH, &path, Some(&json!({ "price": price }))).await?.expect(200).map(drop)
        };
        for (round, (held, other)) in
            [(2.5, 3.25), (3.5, 4.25), (4.5, 5.25), (5.5, 6.25)].into_iter().enumerate()
        {
            let hold = calls.hold_next("PutObject");
            change("p-1", held).await?;
            hold.meanwhile(async {
                create(&service, &format!("q-{round}"), "Another mug", 1.5, 0).await?;
                change("p-1", other).await?;
                service.pass(Duration::from_secs(8)).await;
                Ok(())
            })
            .await?;
            agrees(&service).await?;
        }
        let refused = refusals.0.load(Ordering::Relaxed);
        ensure!(refused >= 4, "only {refused} writers had to begin again");
        Ok(())
    })
}

#[test]
fn a_crash_at_every_call_loses_nothing() -> Result<()> {
    for place in 0.. {
        let mut is_over = false;
        simulate(async {
            let calls = Calls::of("index-products");
            let service = shop(calls.options(1)).await?;
            let made = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&made);
            let crash =
                move |_: &_| (count.fetch_add(1, Ordering::Relaxed) == place).then_some(Fault::Crashed);
            if place.is_multiple_of(2) {
                calls.fail(crash);
            } else {
                calls.lose(crash);
            }
            trade(&service).await?;
            agrees(&service).await?;
            is_over = made.load(Ordering::Relaxed) <= place;
            Ok(())
        })
        .with_context(|| format!("a crash at call {place}"))?;
        if is_over {
            ensure!(place > 8, "it makes {place} calls only");
            return Ok(());
        }
    }
    Ok(())
}

/// An answer of S3 that is lost, a conflict, an outage: the manifest tells what counts.
#[test]
fn what_s3_does_not_say_is_found_out() -> Result<()> {
    let conflict = || AwsError::client("ConditionalRequestConflict", "another is under way").with_status(409);
    let slow = || AwsError::service("SlowDown", "slow down").with_status(503);
    for (name, fault) in [
        ("lost", Fault::Disconnected),
        ("conflict", Fault::Error(conflict())),
        ("slow", Fault::Error(slow())),
    ] {
        simulate(async {
            let calls = Calls::of("index-products");
            let service = shop(calls.options(1)).await?;
            let count = AtomicUsize::new(0);
            let every_third = move |call: &Call| {
                let is_chosen = call.service == Aws::S3
                    && call.operation == "PutObject"
                    && count.fetch_add(1, Ordering::Relaxed).is_multiple_of(3);
                is_chosen.then(|| fault.clone())
            };
            // Done, and not said; or not done.
            if name == "lost" {
                calls.lose(every_third);
            } else {
                calls.fail(every_third);
            }
            trade(&service).await?;
            agrees(&service).await
        })
        .context(name)?;
    }
    Ok(())
}

#[test]
fn a_batch_is_one_segment_and_what_is_so_already_is_none() -> Result<()> {
    simulate(async {
        let calls = Calls::of("index-products");
        let service = shop(calls.options(1)).await?;
        for number in 0..40 {
            create(&service, &format!("p-{number}"), "Mug", 1.5, 1).await?;
        }
        agrees(&service).await?;
        let puts = calls.take_operations().iter().filter(|operation| *operation == "PutObject").count();
        ensure!(puts <= 8, "{puts} objects were put for 40 products");
        let reserved = json!({ "delta": -1 });
        for _ in 0..2 {
            service.send(Method::PATCH, "/products/p-7/stock", Some(&reserved)).await?;
        }
        agrees(&service).await?;
        let puts = calls.take_operations().iter().filter(|operation| *operation == "PutObject").count();
        ensure!(puts == 2, "{puts} objects were put for one crossing");
        Ok(())
    })
}

#[test]
fn the_rebuild_leaves_what_is_right_and_deletes_what_nobody_reads() -> Result<()> {
    simulate(async {
        let service = Service::start(&functions(), Options::simulated(1)).await?;
        trade(&service).await?;
        agrees(&service).await?;
        let report = service.invoke("rebuild-search", &json!({})).await?;
        ensure!(report["complete"] == true && report["stretches_changed"] == 0, "{report}");
        ensure!(report["deleted"] == 0 && report["indexed"] == 5, "{report}");
        agrees(&service).await?;
        // After an hour nobody reads what was merged.
        service.pass(Duration::from_hours(2)).await;
        let report = service.invoke("rebuild-search", &json!({})).await?;
        ensure!(report["deleted"].as_u64() > Some(1), "{report}");
        agrees(&service).await?;
        let report = service.invoke("rebuild-search", &json!({})).await?;
        ensure!(report["deleted"] == 0 && report["complete"] == true, "{report}");
        Ok(())
    })
}

#[test]
fn what_events_have_lost_the_rebuild_finds() -> Result<()> {
    simulate(async {
        let service = Service::start(&without_consumer(), Options::simulated(1)).await?;
        trade(&service).await?;
        ensure!(indexed(&service).await?.is_empty());
        let report = service.invoke("rebuild-search", &json!({})).await?;
        ensure!(report["stretches_changed"] == 1 && report["products"] == 5, "{report}");
        let same = async || {
            service.pass(Duration::from_secs(2)).await;
            let (indexed, catalogue) = (indexed(&service).await?, catalogue(&service).await?);
            ensure!(indexed == catalogue, "{indexed:?} is not {catalogue:?}");
            Ok::<_, anyhow::Error>(())
        };
        same().await?;
        service.send(Method::DELETE, "/products/p-2", None).await?.expect(204)?;
        service.send(Method::PATCH, "/products/p-3", Some(&json!({ "price": 7 }))).await?.expect(200)?;
        create(&service, "p-9", "Mug", 1.5, 1).await?;
        service.invoke("rebuild-search", &json!({})).await?;
        same().await
    })
}

#[test]
fn a_rebuild_amid_changes_loses_none_and_goes_on_where_it_died() -> Result<()> {
    for place in 0.. {
        let mut is_over = false;
        simulate(async {
            let calls = Calls::of("rebuild-search");
            let service = shop(calls.options(1)).await?;
            trade(&service).await?;
            agrees(&service).await?;
            // The rebuild waits at one of its calls while the shop changes, and then dies there.
            let made = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&made);
            calls.fail(move |_: &_| {
                (count.fetch_add(1, Ordering::Relaxed) == place).then_some(Fault::Crashed)
            });
            let payload = json!({});
            let (rebuilt, changed) = futures::join!(service.invoke("rebuild-search", &payload), async {
                service.send(Method::DELETE, "/products/p-2", None).await?.expect(204)?;
                let price = json!({ "price": 9 });
                service.send(Method::PATCH, "/products/p-3", Some(&price)).await?.expect(200)?;
                create(&service, "p-9", "Mug", 1.5, 1).await
            });
            changed?;
            is_over = made.load(Ordering::Relaxed) <= place;
            ensure!(rebuilt.is_ok() == is_over, "{rebuilt:?}");
            calls.recover();
            let report = service.invoke("rebuild-search", &payload).await?;
            ensure!(report["complete"] == true, "{report}");
            agrees(&service).await
        })
        .with_context(|| format!("a crash at call {place}"))?;
        if is_over {
            ensure!(place > 8, "it makes {place} calls only");
            return Ok(());
        }
    }
    Ok(())
}

#[test]
fn an_index_that_cannot_be_read_is_begun_anew() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(1)).await?;
        trade(&service).await?;
        agrees(&service).await?;
        let bucket = service.cloud.physical("SearchBucket").context("the bucket")?.to_owned();
        let s3 = aws_sdk_s3::Client::new(&service.cloud.sdk_config("test"));
        let list = s3.list_objects_v2().bucket(&bucket).prefix("segments/").send().await?;
        for object in list.contents() {
            let put = s3.put_object().bucket(&bucket).key(object.key().context("a key")?);
            put.body(aws_sdk_s3::primitives::ByteStream::from_static(b"rotten")).send().await?;
        }
        let report = service.invoke("rebuild-search", &json!({})).await?;
        ensure!(report["begun_anew"] == true && report["complete"] == true, "{report}");
        agrees(&service).await
    })
}

/// Who has the index shows it as it was while S3 does not answer; it is asked once a second at most.
#[test]
fn a_search_survives_s3() -> Result<()> {
    simulate(async {
        let calls = Calls::of("search-products");
        let service = shop(calls.options(1)).await?;
        create(&service, "p-1", "Mug", 1.5, 1).await?;
        service.pass(FOUND_AFTER).await;
        search(&service, "q=mug").await?;
        drop(calls.take());
        for _ in 0..20 {
            search(&service, "q=mug").await?;
        }
        let asked = calls.take_operations().len();
        ensure!(asked <= 3, "S3 was asked {asked} times for 20 searches at once");
        calls.fail(|call| (call.service == Aws::S3).then_some(Fault::Disconnected));
        service.pass(Duration::from_secs(5)).await;
        ensure!(ids(&search(&service, "q=mug").await?) == ["p-1"]);
        Ok(())
    })
}

/// The functions without the consumer: every event is lost.
fn without_consumer() -> Vec<Function> {
    functions().into_iter().filter(|function| function.name() != "index-products").collect()
}

#[test]
fn a_rebuild_of_many_products_goes_on_where_it_died() -> Result<()> {
    simulate(async {
        let calls = Calls::of("rebuild-search");
        let service = Service::start(&without_consumer(), calls.options(1)).await?;
        let rows = (0..2300).map(|number| format!("p-{number},Mug {number},1.50\n"));
        service.import("csv", "id,name,price\n".to_owned() + &rows.collect::<String>()).await?;
        service.cloud.settled().await;
        let put = AtomicUsize::new(0);
        // A segment, the manifest and the place: it dies in the second stretch.
        calls.fail(move |call| {
            let dies = call.operation == "PutObject" && put.fetch_add(1, Ordering::Relaxed) == 4;
            dies.then_some(Fault::Crashed)
        });
        ensure!(service.invoke("rebuild-search", &json!({})).await.is_err(), "it did not die");
        calls.recover();
        service.pass(Duration::from_secs(2)).await;
        let total = async || Ok::<_, anyhow::Error>(search(&service, "q=mug").await?.body["total"].clone());
        ensure!(total().await? == 1000, "{}", total().await?);
        let report = service.invoke("rebuild-search", &json!({})).await?;
        ensure!(report["resumed"] == true && report["complete"] == true, "{report}");
        ensure!(report["products"] == 1300 && report["indexed"] == 2300, "{report}");
        service.pass(Duration::from_secs(2)).await;
        ensure!(total().await? == 2300, "{}", total().await?);
        let report = service.invoke("rebuild-search", &json!({ "from_start": true })).await?;
        ensure!(report["resumed"] == false && report["stretches_changed"] == 0, "{report}");
        Ok(())
    })
}

#[test]
fn a_stranger_s_search_is_kept_for_five_seconds() -> Result<()> {
    simulate(async {
        let with_edge = (
            "EdgeCache:\n    Type: String\n    Default: \"false\"",
            "EdgeCache:\n    Type: String\n    Default: \"true\"",
        );
        let service = Service::start_with(&functions(), Options::simulated(1), &[with_edge]).await?;
        create(&service, "p-1", "Mug", 1.5, 1).await?;
        service.pass(FOUND_AFTER).await;
        let is_kept = async |query: &str| {
            let answer = search(&service, query).await?;
            Ok::<_, anyhow::Error>(answer.header("x-cache")?.starts_with("Hit"))
        };
        ensure!(!is_kept("q=mug&limit=3").await?);
        ensure!(is_kept("limit=3&q=mug").await?);
        ensure!(!is_kept("q=mug&limit=4").await?);
        service.pass(Duration::from_secs(6)).await;
        ensure!(!is_kept("q=mug&limit=3").await?);
        let own = service.send(Method::GET, "/search?q=mug", None).await?.expect(200)?;
        ensure!(own.header("cache-control")? == "private, no-cache", "{own:?}");
        Ok(())
    })
}

//! What a rebuild finds and leaves, amid changes and deaths.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Method;
use serde_json::json;
use service_tests::{Calls, Service, crash_at_each_call, simulate};
use shop_lambda::Function;
use shop_local::cloud::{Fault, Options};

use super::{agrees, catalogue, create, functions, indexed, search, shop, trade};

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
    crash_at_each_call("rebuild-search", 1, 8, async |crash| {
        let service = shop(crash.options(1)).await?;
        trade(&service).await?;
        agrees(&service).await?;
        // The rebuild waits at one of its calls while the shop changes, and then dies there.
        crash.arm_before();
        let payload = json!({});
        let (rebuilt, changed) = futures::join!(service.invoke("rebuild-search", &payload), async {
            service.send(Method::DELETE, "/products/p-2", None).await?.expect(204)?;
            let price = json!({ "price": 9 });
            service.send(Method::PATCH, "/products/p-3", Some(&price)).await?.expect(200)?;
            create(&service, "p-9", "Mug", 1.5, 1).await
        });
        changed?;
        ensure!(rebuilt.is_err() == crash.has_struck(), "{rebuilt:?}");
        crash.disarm();
        let report = service.invoke("rebuild-search", &payload).await?;
        ensure!(report["complete"] == true, "{report}");
        agrees(&service).await
    })
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

//! What is asked and answered, and what of that is kept.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Calls, Service, simulate};
use shop_local::cloud::{Fault, Options, Service as Aws};

use super::{FOUND_AFTER, create, functions, ids, search, shop};

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
fn without_words_all_of_the_catalogue_is_filtered_the_newest_first() -> Result<()> {
    simulate(async {
        let service = shop(Options::simulated(2)).await?;
        for (id, name, price, stock) in [
            ("a", "Mug", 3.0, 1),
            ("b", "Pot", 30.0, 0),
            ("c", "プレミアムステンレス電気ケトル保温機能付き大容量", 300.0, 1),
        ] {
            create(&service, id, name, price, stock).await?;
            service.pass(Duration::from_secs(1)).await;
        }
        service.pass(FOUND_AFTER).await;
        let found = async |query: &str| {
            let answer = search(&service, query).await?;
            Ok::<_, anyhow::Error>(ids(&answer).into_iter().map(str::to_owned).collect::<Vec<_>>())
        };
        ensure!(found("").await? == ["c", "b", "a"], "{:?}", found("").await?);
        ensure!(found("sort=relevance").await? == ["c", "b", "a"]);
        ensure!(found("min_price=10").await? == ["c", "b"]);
        ensure!(found("in_stock=true&sort=price").await? == ["a", "c"]);
        ensure!(found("q=!!").await?.is_empty(), "what has no word in it is nothing that is looked for");
        // Of a name that is written without spaces, which is longer than most words.
        ensure!(found("q=%E3%83%97%E3%83%AC%E3%83%9F%E3%82%A2%E3%83%A0").await? == ["c"], "its beginning");
        let page = search(&service, "limit=2").await?;
        let cursor = page.body["next_cursor"].as_str().context("a cursor")?;
        ensure!(found(&format!("limit=2&cursor={cursor}")).await? == ["a"]);
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
        let all = "/search?q=&category=+&currency=usd&min_price=-1&max_price=1e3&in_stock=yes&sort=name&limit=101&cursor=x";
        let expected = [
            "?q invalid_filter",
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

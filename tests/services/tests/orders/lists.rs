//! Lists of orders: who sees which, narrowed by customer, status and time, page by page, and what a cursor may say.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64URL_NOPAD;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Answer, simulate};
use shop_http::Cursor;

use super::stage::{ADA, BEA, Stage, mugs, text};

/// Who asks for a list.
const ADMINISTRATOR: &str = "the administrator";

async fn list(stage: &Stage, who: &str, query: &str) -> Result<Answer> {
    let path = format!("/orders{query}");
    match who {
        ADMINISTRATOR => stage.service.send(Method::GET, &path, None).await,
        user => stage.send(Some(user), Method::GET, &path, None, &[]).await,
    }
}

/// All ids of a list, page by page, which no id is on twice; and how many pages there were.
async fn walk(stage: &Stage, who: &str, query: &str, limit: usize) -> Result<(Vec<String>, usize)> {
    let separator = if query.is_empty() { '?' } else { '&' };
    let mut path = format!("{query}{separator}limit={limit}");
    let (mut ids, mut pages) = (Vec::new(), 0);
    loop {
        let page = list(stage, who, &path).await?.expect(200)?;
        pages += 1;
        let data = page.body["data"].as_array().context("data")?;
        ensure!(data.len() <= limit);
        ids.extend(data.iter().filter_map(|order| order["id"].as_str().map(str::to_owned)));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            ensure!(!page.headers.contains_key("link"));
            let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
            ensure!(distinct.len() == ids.len(), "ids repeat: {ids:?}");
            return Ok((ids, pages));
        };
        // The link leads where the cursor does.
        let link = page.header("link")?;
        let target = link.strip_prefix("</orders").and_then(|link| link.split_once('>')).context("a link")?.0;
        ensure!(link.ends_with(r#"; rel="next""#) && target.contains(cursor), "{link}");
        target.clone_into(&mut path);
        ensure!(pages < 100, "it does not end");
    }
}

/// Six orders, a second after the other, of Ada, Bea and a guest; the second of Ada and of Bea are cancelled.
async fn six(stage: &Stage) -> Result<Vec<(String, String)>> {
    let mut placed = Vec::new();
    for who in [Some(ADA), Some(BEA), None, Some(ADA), Some(BEA), None] {
        let answer = stage.place(who, &mugs(1), None).await?.expect(201)?;
        placed.push((text(&answer, "id")?.to_owned(), text(&answer, "created_at")?.to_owned()));
        stage.service.pass(Duration::from_secs(1)).await;
    }
    for index in [3, 4] {
        let path = format!("/orders/{}/cancel", placed[index].0);
        stage.service.send(Method::POST, &path, None).await?.expect(200)?;
    }
    stage.service.pass(Duration::from_secs(1)).await;
    Ok(placed)
}

#[test]
fn a_parameter_that_is_not_known_is_told_from_one_that_is_repeated() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        for (query, code) in [("utm_source=x", "unexpected"), ("limit=1&limit=1", "repeated")] {
            let path = format!("/orders?{query}");
            let answer = stage.send(Some(ADA), Method::GET, &path, None, &[]).await?;
            let answer = answer.problem(400, "invalid_query")?;
            assert_eq!(answer.body["errors"][0]["code"], code, "{}", answer.text);
        }
        Ok(())
    })
}

#[test]
fn everybody_sees_what_is_theirs_and_the_administrator_all_of_it() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let placed = six(&stage).await?;
        let at = |index: usize| placed[index].1.clone();
        let between = format!("from={}&to={}", at(1), at(4));
        for (who, query, expected) in [
            (ADMINISTRATOR, String::new(), vec![5, 4, 3, 2, 1, 0]),
            (ADMINISTRATOR, "?status=pending".to_owned(), vec![5, 2, 1, 0]),
            (ADMINISTRATOR, "?status=cancelled".to_owned(), vec![4, 3]),
            (ADMINISTRATOR, "?status=shipped".to_owned(), vec![]),
            (ADMINISTRATOR, format!("?customer_id={ADA}"), vec![3, 0]),
            (ADMINISTRATOR, format!("?customer_id={ADA}&status=cancelled"), vec![3]),
            (ADMINISTRATOR, format!("?customer_id={ADA}&status=confirmed"), vec![]),
            (ADMINISTRATOR, "?customer_id=me".to_owned(), vec![]),
            (ADMINISTRATOR, format!("?{between}"), vec![3, 2, 1]),
            (ADMINISTRATOR, format!("?status=pending&{between}"), vec![2, 1]),
            (ADMINISTRATOR, format!("?customer_id={BEA}&status=pending&{between}"), vec![1]),
            (ADMINISTRATOR, format!("?from={}", at(4)), vec![5, 4]),
            (ADMINISTRATOR, format!("?to={}", at(1)), vec![0]),
            (ADMINISTRATOR, format!("?from={}&to={}", at(2), at(2)), vec![]),
            (
                ADMINISTRATOR,
                "?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z".to_owned(),
                vec![5, 4, 3, 2, 1, 0],
            ),
            (ADMINISTRATOR, format!("?from={}", at(1).replace('.', "%2E")), vec![5, 4, 3, 2, 1]),
            (ADA, String::new(), vec![3, 0]),
            (ADA, "?customer_id=me".to_owned(), vec![3, 0]),
            (ADA, format!("?customer_id={ADA}"), vec![3, 0]),
            (ADA, "?customer_id=me&status=pending".to_owned(), vec![0]),
            (ADA, format!("?to={}", at(3)), vec![0]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|index: usize| placed[index].0.clone()).collect();
            for limit in [1, 2, 3, 6, 100] {
                let (found, pages) = walk(&stage, who, &query, limit).await?;
                ensure!(found == expected, "{who} {query} by {limit}: {found:?}");
                // Exactly as many as a page holds are the last page; only a page that was looked through in vain
                // may be followed by another.
                let is_sieved = query.contains("customer_id") && query.contains("status");
                let fewest = expected.len().div_ceil(limit).max(1);
                ensure!(pages == fewest || is_sieved, "{who} {query} by {limit}: {pages} pages");
            }
        }
        for (who, query) in [(ADA, format!("?customer_id={BEA}")), (ADA, "?status=pending".to_owned())] {
            list(&stage, who, &query).await?.problem(403, "forbidden")?;
        }
        Ok(())
    })
}

#[test]
fn what_is_no_filter_is_named() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        for (query, pointer) in [
            ("?status=lost", "?status"),
            ("?status=", "?status"),
            ("?status=Pending", "?status"),
            ("?customer_id=x", "?customer_id"),
            ("?customer_id=", "?customer_id"),
            ("?from=yesterday", "?from"),
            ("?from=2026-11-23", "?from"),
            ("?from=", "?from"),
            ("?to=1795446000000", "?to"),
            ("?from=2026-11-23T15:00:00+01:00", "?from"),
            ("?from=2026-11-23T15:00:00Z&to=2026-11-23T14:59:59Z", "?to"),
            ("?before=2026-11-23T15:00:00Z", "?before"),
        ] {
            let refused = list(&stage, ADMINISTRATOR, query).await?.problem(400, "invalid_query")?;
            assert_eq!(refused.pointers(), [pointer], "{query}");
        }
        list(&stage, ADMINISTRATOR, "?from=2026-11-23T15:00:00%2B01:00").await?.expect(200)?;
        Ok(())
    })
}

#[test]
fn a_cursor_is_good_for_its_own_list_and_window() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let placed = six(&stage).await?;
        let window = format!("from={}&to={}", placed[0].1, placed[5].1);
        let lists = [
            (ADMINISTRATOR, "?".to_owned()),
            (ADMINISTRATOR, "?status=pending&".to_owned()),
            (ADMINISTRATOR, format!("?customer_id={ADA}&")),
            (ADMINISTRATOR, format!("?{window}&")),
            (ADMINISTRATOR, format!("?status=pending&{window}&")),
            (BEA, "?".to_owned()),
        ];
        for (from, (who, query)) in lists.iter().enumerate() {
            let page = list(&stage, who, &format!("{query}limit=1")).await?.expect(200)?;
            let cursor = text(&page, "next_cursor")?;
            for (to, (who, query)) in lists.iter().enumerate() {
                let answer = list(&stage, who, &format!("{query}limit=1&cursor={cursor}")).await?;
                if from == to {
                    answer.expect(200)?;
                } else {
                    assert_eq!(answer.problem(400, "invalid_query")?.pointers(), ["?cursor"], "{from} {to}");
                }
            }
        }
        // Ada may write a cursor of her own, and sees no more by it.
        let own = |position: &str| Cursor::encode(&format!("/orders?customer_id={ADA}"), position.to_owned());
        let beas = format!("9999-12-31T23:59:59.999Z#{}", placed[4].0);
        let page = list(&stage, ADA, &format!("?cursor={}", own(&beas)?)).await?.expect(200)?;
        let ids: Vec<_> = page.body["data"].as_array().context("data")?.iter().map(|o| &o["id"]).collect();
        assert_eq!(ids, [placed[3].0.as_str(), placed[0].0.as_str()]);
        Ok(())
    })
}

#[test]
fn no_cursor_of_a_client_s_own_is_an_error_of_ours() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let placed = six(&stage).await?;
        let id = &placed[0].0;
        let window = format!("from={}&to={}", placed[1].1, placed[4].1);
        let normal = window.clone();
        for (query, name) in [
            (String::new(), "/orders".to_owned()),
            ("status=pending&".to_owned(), "/orders?status=pending".to_owned()),
            (format!("{window}&"), format!("/orders?{normal}")),
        ] {
            let long = "9".repeat(300);
            for position in [
                json!(format!("1970-01-01T00:00:00.000Z#{id}")),
                json!(format!("9999-12-31T23:59:59.999Z#{id}")),
                json!(format!("9999-12-31T23:59:60.999Z#{id}")),
                json!(format!("10000-01-01T00:00:00.000Z#{id}")),
                json!(format!("0000000000000#{id}")),
                json!(format!("18446744073709551616#{id}")),
                json!(format!(":#{id}")),
                json!(format!("{long}#{id}")),
                json!("1970-01-01T00:00:00.000Z#"),
                json!(""),
                json!(7),
                json!({ "at": 1, "id": id }),
                Value::Null,
            ] {
                let cursor = json!({ "l": name, "p": position }).to_string();
                let cursor = BASE64URL_NOPAD.encode(cursor.as_bytes());
                let answer = list(&stage, ADMINISTRATOR, &format!("?{query}cursor={cursor}")).await?;
                answer.expect_any(&[200, 400]).with_context(|| position.to_string())?;
            }
        }
        for cursor in ["", "x", "%00", "%F0%9F%98%80", &"A".repeat(4000), "e30", "bnVsbA"] {
            let answer = list(&stage, ADMINISTRATOR, &format!("?cursor={cursor}")).await?;
            answer.expect_any(&[200, 400])?;
        }
        Ok(())
    })
}

/// Puts an order into the table as create-order would, with lines of long names: some 70 KB.
async fn put_large(stage: &Stage, number: usize) -> Result<String> {
    let client = Client::new(&stage.service.cloud.sdk_config("test"));
    let table = stage.service.cloud.physical("OrdersTable").context("the table")?;
    let placed = stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
    let id = text(&placed, "id")?.to_owned();
    let line = |n: usize| {
        let name = format!("{number}-{n}-{}", "\u{20AC}".repeat(190));
        AttributeValue::M(std::collections::HashMap::from([
            ("product_id".to_owned(), AttributeValue::S(format!("p{n}"))),
            ("name".to_owned(), AttributeValue::S(name)),
            ("quantity".to_owned(), AttributeValue::N("1".to_owned())),
            ("unit_price".to_owned(), AttributeValue::N("1".to_owned())),
        ]))
    };
    client
        .update_item()
        .table_name(table)
        .key("id", AttributeValue::S(id.clone()))
        .update_expression("SET #lines = :lines")
        .expression_attribute_names("#lines", "lines")
        .expression_attribute_values(":lines", AttributeValue::L((0..100).map(line).collect()))
        .send()
        .await?;
    Ok(id)
}

#[test]
fn a_page_of_large_orders_ends_by_bytes_and_goes_on() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let mut placed = Vec::new();
        for number in 0..100 {
            placed.insert(0, put_large(&stage, number).await?);
        }
        stage.service.pass(Duration::from_secs(2)).await;
        for (who, query) in [(ADMINISTRATOR, "?status=pending"), (ADMINISTRATOR, ""), (ADA, "")] {
            let separator = if query.is_empty() { '?' } else { '&' };
            let first = list(&stage, who, &format!("{query}{separator}limit=100")).await?.expect(200)?;
            // Lambda's answer holds the body as a JSON text.
            let answer = serde_json::to_string(&first.text)?.len();
            ensure!(answer < 5_500_000, "{who} {query}: {answer} bytes");
            let shown = first.body["data"].as_array().map_or(0, Vec::len);
            ensure!((1..100).contains(&shown) && first.body["next_cursor"].is_string(), "{shown} were shown");
            let (ids, _) = walk(&stage, who, query, 100).await?;
            ensure!(ids == placed, "{who} {query}: {} of {}", ids.len(), placed.len());
        }
        Ok(())
    })
}

#[test]
fn a_status_that_few_of_a_customer_s_orders_have_is_looked_for_in_steps() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let first = stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        let path = format!("/orders/{}/cancel", text(&first, "id")?);
        stage.send(Some(ADA), Method::POST, &path, None, &[]).await?.expect(200)?;
        for _ in 0..30 {
            stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        }
        stage.service.pass(Duration::from_secs(1)).await;
        // A page of one looks through ten at once: it is empty three times before it finds the oldest.
        let (ids, pages) = walk(&stage, ADA, "?customer_id=me&status=cancelled", 1).await?;
        assert_eq!(ids, [text(&first, "id")?]);
        ensure!((2..=5).contains(&pages), "{pages} pages");
        let (ids, pages) = walk(&stage, ADA, "?customer_id=me&status=cancelled", 100).await?;
        assert_eq!((ids.len(), pages), (1, 1));
        let (ids, _) = walk(&stage, ADA, "?customer_id=me&status=pending", 7).await?;
        assert_eq!(ids.len(), 30);
        Ok(())
    })
}

#[test]
fn the_indexes_hold_keys_alone_and_a_list_shows_what_a_read_shows() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let order = json!({
            "items": [{ "product_id": "mug", "quantity": 1 }], "email": "marked.guest@example.com",
        });
        let guest = stage.place(None, &order, None).await?.expect(201)?;
        let customer = stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        stage.service.pass(Duration::from_secs(1)).await;
        let client = Client::new(&stage.service.cloud.sdk_config("test"));
        let table = stage.service.cloud.physical("OrdersTable").context("the table")?;
        for (index, found) in [("by-status", 2), ("by-customer", 1)] {
            let items =
                client.scan().table_name(table).index_name(index).send().await?.items.unwrap_or_default();
            assert_eq!(items.len(), found, "{index}");
            let partition = if index == "by-status" { "status_shard" } else { "customer_id" };
            for item in items {
                let mut names: Vec<_> = item.keys().map(String::as_str).collect();
                names.sort_unstable();
                let mut expected = ["id", "placed", partition];
                expected.sort_unstable();
                assert_eq!(names, expected, "{index}");
            }
        }
        let page = list(&stage, ADMINISTRATOR, "").await?.expect(200)?;
        for answer in [guest, customer] {
            let order =
                page.body["data"].as_array().into_iter().flatten().find(|o| o["id"] == answer.body["id"]);
            let mut expected = answer.body.clone();
            expected.as_object_mut().map(|order| order.remove("order_token"));
            assert_eq!(order, Some(&expected), "a list shows what a read shows");
        }
        Ok(())
    })
}

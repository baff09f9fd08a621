//! Budgets: how many orders an account or an address places, what the refusal says, and what it all costs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::Client;
use futures::future::try_join_all;
use http::Method;
use serde_json::json;
use service_tests::{Answer, simulate};
use shop_local::cloud::{Call, Observer, Options, Outcome};

use super::stage::{ADA, BEA, Stage, mugs, text};

/// Low limits, in the template's own parameters.
const LOW: [(&str, &str); 2] = [
    (
        "    Default: 120\n    MinValue: 1\n    Description: Orders that an account",
        "    Default: 5\n    MinValue: 1\n    Description: Orders that an account",
    ),
    (
        "    Default: 60\n    MinValue: 1\n    Description: >-\n      Orders that guests",
        "    Default: 3\n    MinValue: 1\n    Description: >-\n      Orders that guests",
    ),
];
const ACCOUNT: usize = 5;
const ADDRESS: usize = 3;
const WINDOW: u64 = 900;

/// One environment of each function, so that the counts are exact.
fn alone(seed: u64) -> Options {
    Options { environments: 1, ..Options::simulated(seed) }
}

fn refused(answer: Answer) -> Result<u64> {
    let answer = answer.problem(429, "too_many_orders")?;
    let seconds: u64 = answer.header("retry-after")?.parse()?;
    ensure!((1..=WINDOW).contains(&seconds), "Retry-After is {seconds}");
    Ok(seconds)
}

#[test]
fn an_account_has_its_budget_and_after_the_time_that_it_is_told_another() -> Result<()> {
    simulate(async {
        let stage = Stage::with(alone(1), &LOW).await?;
        for _ in 0..ACCOUNT {
            stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        }
        let seconds = refused(stage.place(Some(ADA), &mugs(1), None).await?)?;
        // It is Ada's alone, and administrators have none.
        stage.place(Some(BEA), &mugs(1), None).await?.expect(201)?;
        for _ in 0..2 * ACCOUNT {
            stage.service.send(Method::POST, "/orders", Some(&mugs(1))).await?.expect(201)?;
        }
        stage.service.pass(Duration::from_secs(seconds - 1)).await;
        refused(stage.place(Some(ADA), &mugs(1), None).await?)?;
        stage.service.pass(Duration::from_secs(1)).await;
        for _ in 0..ACCOUNT {
            stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        }
        refused(stage.place(Some(ADA), &mugs(1), None).await?)?;
        Ok(())
    })
}

#[test]
fn guests_share_the_budget_of_their_address_and_a_network_of_ipv6_is_one() -> Result<()> {
    simulate(async {
        let stage = Stage::with(alone(2), &LOW).await?;
        let from = async |address: &str| stage.service.post_from(address, "/orders", &mugs(1)).await;
        for _ in 0..ADDRESS {
            from("198.51.100.1").await?.expect(201)?;
        }
        refused(from("198.51.100.1").await?)?;
        from("198.51.100.2").await?.expect(201)?;
        for address in ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff::3"] {
            from(address).await?.expect(201)?;
        }
        refused(from("2001:db8:1:2::4").await?)?;
        from("2001:db8:1:3::1").await?.expect(201)?;
        // Who has an account is no guest, wherever from.
        stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        // No counter tells an address.
        for counter in counters(&stage).await? {
            let text = format!("{counter:?}");
            ensure!(!text.contains("198.51") && !text.contains("2001"), "{text}");
        }
        Ok(())
    })
}

#[test]
fn a_replay_is_answered_whatever_the_budget_and_uses_none_of_it() -> Result<()> {
    simulate(async {
        let stage = Stage::with(alone(3), &LOW).await?;
        let key = |n: usize| format!("0b5f2a4e-93d1-4c7e-8c36-{n:012}");
        let first = stage.place(Some(ADA), &mugs(1), Some(&key(0))).await?.expect(201)?;
        for n in 0..ACCOUNT {
            for _ in 0..3 {
                stage.place(Some(ADA), &mugs(1), Some(&key(n))).await?.expect(201)?;
            }
        }
        refused(stage.place(Some(ADA), &mugs(1), Some(&key(ACCOUNT))).await?)?;
        let again = stage.place(Some(ADA), &mugs(1), Some(&key(0))).await?.expect(201)?;
        assert_eq!((&again.body, again.header("idempotent-replayed")?), (&first.body, "true"));
        let reused = stage.place(Some(ADA), &mugs(2), Some(&key(0))).await?;
        reused.problem(422, "idempotency_key_reused")?;
        Ok(())
    })
}

#[test]
fn many_at_once_get_the_budget_and_no_more_than_one_each_environment_besides() -> Result<()> {
    const ENVIRONMENTS: usize = 4;
    simulate(async {
        for seed in 0..6 {
            let options = Options { environments: ENVIRONMENTS, ..Options::simulated(seed) };
            let stage = Stage::with(options, &LOW).await?;
            let stage = &stage;
            let order = mugs(1);
            let answers = try_join_all((0..40).map(|_| stage.place(Some(ADA), &order, None))).await?;
            let placed = answers.iter().filter(|answer| answer.status == 201).count();
            ensure!(
                (ACCOUNT..=ACCOUNT + ENVIRONMENTS).contains(&placed),
                "seed {seed}: {placed} were placed"
            );
            for answer in answers {
                let answer = answer.expect_any(&[201, 429, 503]).with_context(|| format!("seed {seed}"))?;
                if answer.status == 503 {
                    answer.problem(503, "contended")?.header("retry-after")?;
                }
            }
            // What was answered is what is there.
            let list =
                stage.send(Some(ADA), Method::GET, "/orders?limit=100", None, &[]).await?.expect(200)?;
            assert_eq!(list.body["data"].as_array().map(Vec::len), Some(placed));
        }
        Ok(())
    })
}

#[test]
fn an_order_of_a_hundred_lines_is_counted_too() -> Result<()> {
    simulate(async {
        let stage = Stage::with(alone(4), &LOW).await?;
        let mut lines = Vec::new();
        for n in 0..100 {
            let product = json!({ "id": format!("p{n}"), "name": "A product", "price": 1 });
            stage.service.send(Method::POST, "/products", Some(&product)).await?.expect(201)?;
            lines.push(json!({ "product_id": format!("p{n}"), "quantity": 1 }));
        }
        let large = json!({ "items": lines });
        for _ in 0..ACCOUNT {
            stage.place(Some(ADA), &large, None).await?.expect(201)?;
        }
        refused(stage.place(Some(ADA), &large, None).await?)?;
        refused(stage.place(Some(ADA), &mugs(1), None).await?)?;
        Ok(())
    })
}

#[test]
fn a_refused_order_uses_nothing_up() -> Result<()> {
    simulate(async {
        let stage = Stage::with(alone(5), &LOW).await?;
        let unknown = json!({ "items": [{ "product_id": "cup", "quantity": 1 }] });
        for _ in 0..2 * ACCOUNT {
            stage.place(Some(ADA), &unknown, None).await?.problem(422, "unknown_product")?;
        }
        for _ in 0..ACCOUNT {
            stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        }
        refused(stage.place(Some(ADA), &unknown, None).await?)?;
        Ok(())
    })
}

#[test]
fn counters_go_when_their_window_is_over() -> Result<()> {
    simulate(async {
        let stage = Stage::with(alone(6), &LOW).await?;
        for _ in 0..2 {
            stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        }
        let there = counters(&stage).await?;
        ensure!(there.len() == 1 && there[0]["placed"].as_n().is_ok_and(|count| count == "2"), "{there:?}");
        let ends: i64 = there[0]["expires_at"].as_n().map_err(|_| anyhow::anyhow!("no number"))?.parse()?;
        let left = ends - stage.service.now()?.as_secs();
        ensure!((1..=i64::try_from(WINDOW)?).contains(&left), "in seconds, and soon: {left}");
        // DynamoDB takes up to two days; the embedded cloud looks from time to time.
        stage.service.pass(Duration::from_hours(49)).await;
        ensure!(counters(&stage).await?.is_empty(), "it never goes");
        Ok(())
    })
}

/// The calls of create-order, once it has started.
#[derive(Debug, Default)]
struct Calls(Mutex<BTreeMap<String, u32>>);

impl Calls {
    fn take(&self) -> Vec<(String, u32)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

impl Observer for Calls {
    fn called(&self, _time: i64, call: &Call, _outcome: &Outcome<'_>) {
        if &*call.caller == "create-order" {
            let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *calls.entry(call.operation.clone()).or_default() += 1;
        }
    }
}

#[test]
fn an_order_costs_one_read_and_one_write_whoever_places_it() -> Result<()> {
    simulate(async {
        let calls = Arc::new(Calls::default());
        let mut options = alone(7);
        options.observers.push(Arc::<Calls>::clone(&calls));
        let stage = Stage::with(options, &[]).await?;
        stage.place(None, &mugs(1), None).await?.expect(201)?;
        // Its start: the keys and the secret in one call, and the secret made, once in the life of a stack.
        let start = calls.take();
        let count =
            |name: &str| start.iter().find(|(operation, _)| operation == name).map(|(_, count)| *count);
        assert_eq!(
            (count("BatchGetItem"), count("UpdateItem"), count("PutItem")),
            (Some(2), Some(1), Some(1))
        );
        let cost = |write: &str| vec![("BatchGetItem".to_owned(), 1), (write.to_owned(), 1)];
        let sorted = |mut cost: Vec<(String, u32)>| {
            cost.sort();
            cost
        };
        let order = mugs(1);
        let customers = async |user| stage.place(user, &order, None).await?.expect(201);
        // One who comes now and then pays for no counter; who orders again has it written along.
        customers(Some(ADA)).await?;
        assert_eq!(calls.take(), sorted(cost("PutItem")));
        for _ in 0..3 {
            customers(Some(ADA)).await?;
            assert_eq!(calls.take(), sorted(cost("TransactWriteItems")));
        }
        stage.service.post_from("198.51.100.9", "/orders", &order).await?.expect(201)?;
        assert_eq!(calls.take(), sorted(cost("PutItem")));
        for _ in 0..2 {
            stage.service.send(Method::POST, "/orders", Some(&order)).await?.expect(201)?;
            assert_eq!(calls.take(), sorted(cost("PutItem")));
        }
        Ok(())
    })
}

#[test]
fn a_refused_flood_costs_reads_and_no_writes() -> Result<()> {
    simulate(async {
        let calls = Arc::new(Calls::default());
        let mut options = alone(8);
        options.observers.push(Arc::<Calls>::clone(&calls));
        let stage = Stage::with(options, &LOW).await?;
        for _ in 0..ACCOUNT {
            stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
        }
        calls.take();
        for _ in 0..10 {
            refused(stage.place(Some(ADA), &mugs(1), None).await?)?;
        }
        assert_eq!(calls.take(), [("BatchGetItem".to_owned(), 10)]);
        Ok(())
    })
}

#[test]
fn a_repeat_of_our_own_write_is_new_and_one_of_a_client_s_is_a_replay() -> Result<()> {
    simulate(async {
        // The gateway's request id is no proof: an event that is sent twice has it twice.
        let stage = Stage::new().await?;
        let key = "0b5f2a4e-93d1-4c7e-8c36-5d0c9e1f7a22";
        let event = json!({
            "version": "2.0", "routeKey": "POST /orders", "rawPath": "/orders", "rawQueryString": "",
            "headers": { "content-type": "application/json", "idempotency-key": key },
            "requestContext": {
                "accountId": "1", "apiId": "a", "domainName": "d", "domainPrefix": "d", "requestId": "the-same",
                "routeKey": "POST /orders", "stage": "$default", "time": "23/Nov/2026:15:00:00 +0000",
                "timeEpoch": 1_795_446_000_000_i64,
                "http": { "method": "POST", "path": "/orders", "protocol": "HTTP/1.1",
                          "sourceIp": "203.0.113.7", "userAgent": "test" },
            },
            "body": mugs(1).to_string(), "isBase64Encoded": false,
        });
        let first = stage.service.invoke("create-order", &event).await?;
        let second = stage.service.invoke("create-order", &event).await?;
        assert_eq!((&first["statusCode"], &second["statusCode"]), (&json!(201), &json!(201)));
        assert_eq!(first["headers"].get("idempotent-replayed"), None);
        assert_eq!(second["headers"]["idempotent-replayed"], "true");
        assert_eq!(first["body"], second["body"]);
        Ok(())
    })
}

type Item = std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>;

async fn counters(stage: &Stage) -> Result<Vec<Item>> {
    let client = Client::new(&stage.service.cloud.sdk_config("test"));
    let table = stage.service.cloud.physical("OrderBudgetsTable").context("the table")?;
    Ok(client.scan().table_name(table).send().await?.items.unwrap_or_default())
}

#[test]
fn a_guest_has_at_most_100_of_a_product() -> Result<()> {
    simulate(async {
        let stage = Stage::new().await?;
        let refused = stage.place(None, &mugs(101), None).await?.problem(422, "invalid_request")?;
        assert_eq!(refused.pointers(), ["/items/0/quantity"]);
        let placed = stage.place(None, &mugs(100), None).await?.expect(201)?;
        ensure!(text(&placed, "status")? == "pending");
        stage.place(Some(ADA), &mugs(1000), None).await?.expect(201)?;
        Ok(())
    })
}

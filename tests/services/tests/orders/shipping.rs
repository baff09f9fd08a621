//! How far an order is: shipped, delivered or cancelled by an administrator, and nothing that its life does not have.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use service_tests::{Answer, simulate};
use shop_events::{EventData, OrderStatus};
use shop_local::cloud::Options;

use super::lifecycle::{rejected, reserved, settle};
use super::stage::{ADA, Stage, mugs, text};

/// Where the statistics' queue, which has no consumer here, hears of all that is tried below.
const ALL_EVENTS: (&str, &str) =
    ("[order.confirmed, order.cancelled]", "[order.cancelled, order.shipped, order.delivered]");
const STATUSES: [&str; 6] = ["pending", "confirmed", "rejected", "cancelled", "shipped", "delivered"];
const NUMBER: &str = "1Z999AA10123456784";

async fn stage() -> Result<Stage> {
    Stage::with(Options::simulated(1), &[ALL_EVENTS]).await
}

/// An administrator asks for a status.
async fn set(stage: &Stage, id: &str, body: &Value) -> Result<Answer> {
    stage.service.send(Method::PATCH, &format!("/orders/{id}/status"), Some(body)).await
}

/// An order of Ada's in a status, by the way that leads there.
async fn order_in(stage: &Stage, status: &str) -> Result<String> {
    let placed = stage.place(Some(ADA), &mugs(1), None).await?.expect(201)?;
    let id = text(&placed, "id")?.to_owned();
    let now = stage.service.now()?;
    match status {
        "rejected" => settle(stage, &rejected(&id, now)?).await?,
        "confirmed" | "shipped" | "delivered" => settle(stage, &reserved(&id, now)?).await?,
        _ => {}
    }
    let steps: &[&str] = match status {
        "cancelled" => &["cancelled"],
        "shipped" => &["shipped"],
        "delivered" => &["shipped", "delivered"],
        _ => &[],
    };
    for step in steps {
        set(stage, &id, &json!({ "status": step })).await?.expect(200)?;
    }
    Ok(id)
}

#[test]
fn an_order_takes_the_steps_of_its_life_and_no_others() -> Result<()> {
    simulate(async {
        let stage = stage().await?;
        for from in STATUSES {
            for to in STATUSES {
                let id = order_in(&stage, from).await?;
                let path = format!("/orders/{id}");
                let before = stage.service.send(Method::GET, &path, None).await?.expect(200)?;
                assert_eq!(text(&before, "status")?, from);
                let is_step = matches!(
                    (from, to),
                    ("pending" | "confirmed", "cancelled")
                        | ("confirmed", "shipped")
                        | ("shipped", "delivered")
                );
                let is_there = from == to && matches!(to, "shipped" | "delivered" | "cancelled");
                let answer = set(&stage, &id, &json!({ "status": to })).await?;
                let after = stage.service.send(Method::GET, &path, None).await?.expect(200)?;
                let context = || format!("{from} to {to}: {}", answer.text);
                if is_step || is_there {
                    ensure!(answer.status == 200, context());
                    assert_eq!(answer.body, after.body, "{}", context());
                    assert_eq!(text(&after, "status")?, to);
                    let steps = u64::from(is_step);
                    assert_eq!(
                        after.body["version"],
                        before.body["version"].as_u64().context("a version")? + steps
                    );
                } else {
                    let problem = answer
                        .problem(409, "illegal_transition")
                        .with_context(|| format!("{from} to {to}"))?;
                    assert_eq!(problem.body["current_status"], from);
                    assert_eq!(after.body, before.body);
                }
            }
        }
        Ok(())
    })
}

#[test]
fn each_step_is_told_once_with_who_took_it_and_the_carriers_number() -> Result<()> {
    simulate(async {
        let stage = stage().await?;
        let id = order_in(&stage, "confirmed").await?;
        let ship = json!({ "status": "shipped", "tracking_number": NUMBER });
        let shipped = set(&stage, &id, &ship).await?.expect(200)?;
        assert_eq!(text(&shipped, "tracking_number")?, NUMBER);
        // Again is the same answer, with the number or without.
        for body in [&ship, &json!({ "status": "shipped" })] {
            assert_eq!(set(&stage, &id, body).await?.expect(200)?.body, shipped.body);
        }
        let other = json!({ "status": "shipped", "tracking_number": "another" });
        set(&stage, &id, &other).await?.problem(409, "illegal_transition")?;
        let delivered = set(&stage, &id, &json!({ "status": "delivered" })).await?.expect(200)?;
        assert_eq!(text(&delivered, "tracking_number")?, NUMBER);
        // Its customer sees it, alone and in a list.
        let seen =
            stage.send(Some(ADA), Method::GET, &format!("/orders/{id}"), None, &[]).await?.expect(200)?;
        assert_eq!(seen.body, delivered.body);
        stage.service.pass(Duration::from_secs(2)).await;
        let list = stage.send(Some(ADA), Method::GET, "/orders?customer_id=me&status=delivered", None, &[]);
        assert_eq!(list.await?.expect(200)?.body["data"], json!([delivered.body]));
        let events = stage.service.take_events("RecordUserStatsQueue").await?;
        let [first, second] = &events[..] else { anyhow::bail!("{events:?}") };
        let EventData::OrderShipped(data) = first.data() else { anyhow::bail!("{first:?}") };
        assert_eq!(
            (data.order.status, data.tracking_number.as_deref()),
            (OrderStatus::Shipped, Some(NUMBER))
        );
        let EventData::OrderDelivered(data) = second.data() else { anyhow::bail!("{second:?}") };
        assert_eq!(data.status, OrderStatus::Delivered);
        for (event, answer) in [(first, &shipped), (second, &delivered)] {
            assert_eq!(event.cause().correlation_id, answer.header("x-request-id")?);
            assert!(event.cause().actor.as_deref().is_some_and(|actor| actor.starts_with("usr_")));
        }
        Ok(())
    })
}

#[test]
fn what_no_status_is_changes_nothing() -> Result<()> {
    simulate(async {
        let stage = stage().await?;
        let id = order_in(&stage, "confirmed").await?;
        let long = "x".repeat(65);
        for (body, pointer, code) in [
            (json!({}), "/status", "missing"),
            (json!({ "status": "lost" }), "/status", "unknown_status"),
            (json!({ "status": "Shipped" }), "/status", "unknown_status"),
            (json!({ "status": 5 }), "/status", "wrong_type"),
            (json!({ "status": "shipped", "carrier": "x" }), "/carrier", "unexpected"),
            (json!({ "status": "shipped", "tracking_number": "" }), "/tracking_number", "wrong_length"),
            (json!({ "status": "shipped", "tracking_number": long }), "/tracking_number", "wrong_length"),
            (json!({ "status": "shipped", "tracking_number": "a\nb" }), "/tracking_number", "line_break"),
            (
                json!({ "status": "delivered", "tracking_number": NUMBER }),
                "/tracking_number",
                "only_when_shipped",
            ),
        ] {
            let answer = set(&stage, &id, &body).await?.problem(422, "invalid_request")?;
            let errors = answer.body["errors"].as_array().context("errors")?;
            let named = |error: &&Value| error["pointer"] == pointer && error["code"] == code;
            ensure!(errors.iter().any(|error| named(&error)), "{body}: {}", answer.text);
        }
        let path = format!("/orders/{id}/status");
        let ship = json!({ "status": "shipped" });
        let condition = [("if-match", "\"v1\"")];
        let answer = stage.service.send_with(Method::PATCH, &path, Some(&ship), &condition).await?;
        answer.problem(412, "stale_version")?;
        set(&stage, "ord_00000000000000000000000000", &ship).await?.problem(404, "not_found")?;
        stage.send(Some(ADA), Method::PATCH, &path, Some(&ship), &[]).await?.problem(403, "forbidden")?;
        let order = stage.service.send(Method::GET, &format!("/orders/{id}"), None).await?.expect(200)?;
        assert_eq!((text(&order, "status")?, &order.body["version"]), ("confirmed", &json!(2)));
        Ok(())
    })
}

#[test]
fn of_a_shipment_and_a_cancellation_at_once_one_holds() -> Result<()> {
    simulate(async {
        let stage = stage().await?;
        for _ in 0..10 {
            let id = order_in(&stage, "confirmed").await?;
            let moves = ["shipped", "cancelled", "shipped", "cancelled"];
            let bodies = moves.map(|status| json!({ "status": status }));
            let answers = join_all(bodies.iter().map(|body| set(&stage, &id, body))).await;
            let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
            let order = stage.service.send(Method::GET, &format!("/orders/{id}"), None).await?.expect(200)?;
            assert_eq!(order.body["version"], 3);
            for (asked, answer) in moves.iter().zip(answers) {
                if text(&order, "status")? == *asked {
                    answer.expect(200)?;
                } else {
                    answer.problem(409, "illegal_transition")?;
                }
            }
        }
        Ok(())
    })
}

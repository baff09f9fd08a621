//! The monitor: what has happened to an order can be read, and what goes through the queues.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::shop::Shop;
use crate::steps;
use crate::wait::{Look, until};

/// What was done because of an order is told step by step, with what led to what.
pub(super) async fn an_order_s_story_is_told(shop: &Shop) -> Result<()> {
    let (administrator, buyer) = (shop.administrator()?, shop.buyer()?);
    let product = steps::product(shop, 3.00, 5).await?;
    let order = steps::place(&buyer, &[(&product, 1)]).await?;
    steps::settles_as(&buyer, &order, "confirmed").await?;
    let path = format!("/monitor/stories/{order}");
    let story = until(&format!("the story of {order}"), shop.patience(), async || {
        let reply = administrator.get(path.clone()).await?;
        if reply.status == 404 {
            return Ok(Look::NotYet("there is none".to_owned()));
        }
        let reply = reply.expect(200)?;
        let is_done = |consumer: &str| {
            let deliveries = reply.json["deliveries"].as_array().into_iter().flatten();
            let mut those = deliveries.filter(|delivery| delivery["consumer"] == consumer);
            those.next().is_some_and(|delivery| delivery["state"] == "done")
        };
        let all = ["reserve-stock", "settle-order", "send-email"];
        let waits: Vec<_> = all.into_iter().filter(|consumer| !is_done(consumer)).collect();
        Ok(if waits.is_empty() { Look::Done(reply) } else { Look::NotYet(format!("{waits:?}")) })
    })
    .await?;
    let nodes = story.at("/nodes")?.as_array().cloned().unwrap_or_default();
    let ids: Vec<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    let edges = story.at("/edges")?.as_array().cloned().unwrap_or_default();
    for edge in &edges {
        let is_known = |end: &Value| end.as_str().is_some_and(|id| ids.contains(&id));
        ensure!(is_known(&edge["from"]) && is_known(&edge["to"]), story.wrong("an edge that leads nowhere"));
    }
    let shared = nodes.iter().find(|node| node["type"] == "inventory.updated");
    ensure!(shared.is_some_and(|node| node["story_id"] == *product), story.wrong("no change of stock"));
    let created = nodes.iter().find(|node| node["type"] == "order.created");
    let correlation = created.and_then(|node| node["correlation_id"].as_str()).unwrap_or_default();
    let list = reqwest::Url::parse_with_params("http://x/monitor/events", [("correlation", correlation)])?;
    let events = administrator.get(format!("{}?{}", list.path(), list.query().unwrap_or_default())).await?;
    let events = events.expect(200)?;
    let listed = events.at("/data")?.as_array().into_iter().flatten();
    let kinds: Vec<_> = listed.filter_map(|event| event["type"].as_str()).collect();
    ensure!(kinds.contains(&"order.created"), events.wrong("the request's events are not listed"));
    administrator.get("/monitor/stories/nothing-of-that-name").await?.problem(404, "not_found").map(drop)
}

/// Every consumer's queue is there, and what went through it is counted.
pub(super) async fn queues_are_watched(shop: &Shop) -> Result<()> {
    let (administrator, buyer) = (shop.administrator()?, shop.buyer()?);
    let product = steps::product(shop, 3.00, 5).await?;
    let order = steps::place(&buyer, &[(&product, 1)]).await?;
    steps::settles_as(&buyer, &order, "confirmed").await?;
    let settings = administrator.get("/monitor/settings").await?.expect(200)?;
    let is_set = settings.array("/data")?.iter().any(|one| one["parameter"] == "PasswordMemoryKib");
    ensure!(is_set, settings.wrong("a parameter is missing"));
    until("reserve-stock to be seen at work", shop.patience(), async || {
        let reply = administrator.get("/monitor/queues").await?.expect(200)?;
        let queues = reply.at("/data")?.as_array().cloned().unwrap_or_default();
        let queue = queues.iter().find(|queue| queue["consumer"] == "reserve-stock");
        ensure!(queue.is_some(), reply.wrong("a queue is missing"));
        let batches = queue.and_then(|queue| queue["traffic"]["batches"].as_u64()).unwrap_or_default();
        Ok(if batches > 0 { Look::Done(()) } else { Look::NotYet("no batches".to_owned()) })
    })
    .await
}

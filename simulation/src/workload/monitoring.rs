//! What the monitor says when all is quiet, held against what was published and what was told.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;

use super::client::{Answer, Client, Request};
use super::plan::Shopper;
use crate::violation::Violation;

/// How many events a page has: few enough that one ends within ten seconds of the log.
const LIMIT: usize = 20;
/// More pages than the thirty days of a run have.
const MOST_PAGES: usize = 1000;
/// States of what is over.
const OVER: [&str; 3] = ["done", "unknown", "dead"];

/// The list of events, and the story of every order.
pub(super) async fn check_all(client: &Client) {
    let Some(token) = client.token_of_an_administrator() else { return };
    list(client, &token).await;
    let orders: Vec<String> = {
        let model = client.model().lock();
        model.services.orders.orders.keys().map(ToString::to_string).collect()
    };
    for order in orders {
        story(client, &token, &order).await;
    }
}

async fn get(client: &Client, token: &str, path: &str) -> Answer {
    let authorization = format!("Bearer {token}");
    let request = Request::new(Shopper::Guest, Method::GET, path);
    client.persist(&request.headers([("authorization", authorization.as_str())])).await
}

async fn list(client: &Client, token: &str) {
    let report =
        |seen: String| client.report_violation(Violation::new("the-journal-has-each-event-once", seen));
    let mut shown = BTreeSet::new();
    let mut cursor = String::new();
    for _ in 0..MOST_PAGES {
        let answer = get(client, token, &format!("/monitor/events?limit={LIMIT}{cursor}")).await;
        if answer.status != 200 {
            return report(format!("the list cannot be had: {} {}", answer.status, answer.body));
        }
        for event in answer.body["data"].as_array().into_iter().flatten() {
            let id = event["id"].as_str().unwrap_or_default();
            if !shown.insert(id.to_owned()) {
                report(format!("{id} is listed twice"));
            }
        }
        let Some(next) = answer.body["next_cursor"].as_str() else {
            let model = client.model().lock();
            let published: BTreeSet<_> =
                model.messages.published_events().map(|id| id.as_str().to_owned()).collect();
            drop(model);
            if shown != published {
                let missing: Vec<_> = published.difference(&shown).collect();
                let extra: Vec<_> = shown.difference(&published).collect();
                report(format!("{} events are listed: not {missing:?}, but {extra:?}", shown.len()));
            }
            return;
        };
        cursor = format!("&cursor={next}");
    }
    report("the list has no end".to_owned());
}

async fn story(client: &Client, token: &str, order: &str) {
    let answer = get(client, token, &format!("/monitor/stories/{order}")).await;
    let model = client.model().lock();
    let expected = model.services.monitor.story(order);
    // An order whose events were lost with its stream has no story.
    if answer.status == 404 && expected.is_empty() {
        return;
    }
    let nodes = answer.body["nodes"].as_array().into_iter().flatten();
    let own = nodes.filter(|node| node["kind"] == "event" && node["story_id"].is_null());
    let ids: Vec<String> = own.filter_map(|node| node["id"].as_str().map(str::to_owned)).collect();
    let shown: BTreeSet<String> = ids.iter().cloned().collect();
    let mut wrong = Vec::new();
    if shown != expected || ids.len() != shown.len() {
        let seen = format!("{order}: {} {ids:?}, not {expected:?}", answer.status);
        wrong.push(Violation::new("the-journal-has-each-event-once", seen));
    }
    for delivery in answer.body["deliveries"].as_array().into_iter().flatten() {
        let text = |name: &str| delivery[name].as_str().unwrap_or_default();
        let (consumer, event, state) = (text("consumer"), text("event_id"), text("state"));
        let was_told = model.services.monitor.was_told(consumer, event);
        let is_right = (state == "done") == was_told
            && OVER.contains(&state)
            && (was_told || !model.messages.is_undisturbed());
        if !is_right {
            let seen = format!("{consumer} has told of it: {was_told}; {delivery}");
            wrong.push(Violation::new("outstanding-is-the-truth", seen));
        }
    }
    let is_counted = |delivery: &&Value| delivery["state"] != "done";
    let open = answer.body["deliveries"].as_array().into_iter().flatten().filter(is_counted).count();
    if answer.body["outstanding"].as_u64() != u64::try_from(open).ok() {
        wrong.push(Violation::new("outstanding-is-the-truth", answer.body.to_string()));
    }
    drop(model);
    for violation in wrong {
        client.report_violation(violation);
    }
}

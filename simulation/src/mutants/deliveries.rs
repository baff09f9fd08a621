//! Mistakes in events and their deliveries: lost, invented, misdirected, acknowledged too early.

use std::collections::BTreeSet;

use serde_json::json;

use super::Mutant;
use super::Mutation::{BatchResult, Body, Event, Filter, Loss, Request, Schedule, Stream, Visibility};
use super::edit::{one_in, paused};

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant::new(
        "ack-what-failed",
        "a consumer catches every error and reports success",
        BatchResult(|_, _| BTreeSet::new()),
    ),
    Mutant::new(
        "ack-the-last",
        "a consumer reports the failures of a batch but for the last message",
        BatchResult(|delivery, mut failed| {
            if let Some(last) = delivery.ids.len().checked_sub(1) {
                failed.remove(&last);
            }
            failed
        }),
    ),
    Mutant::new(
        "retry-at-once",
        "a consumer makes what failed visible at once",
        Visibility(|call| paused(call, |_| 0)),
    ),
    Mutant::new(
        "forget-the-back-off",
        "a consumer works the pause out, and does not tell its queue",
        Visibility(|_| Some(Vec::new())),
    ),
    Mutant::new(
        "retry-what-is-no-event",
        "a consumer treats a malformed message as a dependency that is down",
        Visibility(|call| paused(call, |seconds| if seconds == 0 { 60 } else { seconds })),
    ),
    Mutant::new(
        "receipts-say-what-is-hoped",
        "a consumer tells the journal that it is done before it is",
        Body("settle-order", "SendMessage", |body| {
            let Some(text) = body["MessageBody"].as_str().map(str::to_owned) else { return false };
            body["MessageBody"] = json!(text.replace("\"outcome\":\"retrying\"", "\"outcome\":\"done\""));
            text.contains("\"retrying\"")
        }),
    ),
    Mutant::new(
        "receipts-never-sent",
        "a consumer works out its receipts, and does not send them",
        Request("reserve-stock", "SendMessage", |_| Some(Vec::new())),
    ),
    Mutant::new(
        "publish-without-a-write",
        "a handler publishes first, and its write fails",
        Event("publish-order-events", |event| {
            let Some(id) = event["id"].as_str().map(str::to_owned) else { return false };
            event["id"] = json!(id.replacen(":1:", ":7:", 1));
            id.contains(":1:") && one_in(10, id)
        }),
    ),
    Mutant::new(
        "reuse-an-event-id",
        "an event's id is that of its aggregate, whatever happened to it",
        Event("publish-order-events", |event| {
            let Some(subject) = event["subject"].as_str().map(str::to_owned) else { return false };
            let is_later = event["type"] != "order.created";
            event["id"] = json!(format!("{subject}:1:order.created"));
            is_later
        }),
    ),
    Mutant::new(
        "time-of-relaying",
        "an event says when it was relayed, not when it happened",
        Event("publish-product-events", |event| {
            event["time"] = json!("2026-01-01T00:00:00.001Z");
            true
        }),
    ),
    Mutant::new(
        "every-cancellation-was-a-sale",
        "an order that is cancelled is taken for one that was confirmed",
        Event("publish-order-events", |event| {
            let from = &mut event["data"]["cancelled_from"];
            let is_pending = *from == "pending";
            if is_pending {
                *from = json!("confirmed");
            }
            is_pending
        }),
    ),
    Mutant::new(
        "cause-lost",
        "a relay makes up a new correlation id",
        Event("publish-user-events", |event| {
            event["correlationid"] = json!("somebody");
            true
        }),
    ),
    Mutant::new(
        "lose-a-stream-record",
        "a relay skips a record that it cannot publish",
        Stream(|_, record| one_in(30, record)),
    ),
    Mutant::new(
        "swallow-a-partial-failure",
        "a relay does not look at the entries of a batch that failed",
        Loss(|queue, message| one_in(30, (queue, message))),
    ),
    Mutant::new("ignore-the-filter", "a subscription without a filter policy", Filter(|_, _, _| true)),
    Mutant::new(
        "forget-cancellations",
        "a filter policy that does not name order.cancelled",
        Filter(|_, message, passes| passes && !message.contains("\"type\":\"order.cancelled\"")),
    ),
    Mutant::new("sleep-through-the-sweep", "a schedule that was never deployed", Schedule("sweep-orders")),
];

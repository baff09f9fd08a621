//! Mistakes in events and their deliveries: lost, invented, misdirected, acknowledged too early.

use std::collections::BTreeSet;

use serde_json::json;
use shop_local::cloud::Call;

use super::edit::{Bodies, one_in, published};
use super::{Mutant, Mutation};

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "ack-what-failed",
        stands_for: "a consumer catches every error and reports success",
        mutation: Mutation::BatchResult(|_, _| BTreeSet::new()),
    },
    Mutant {
        name: "ack-the-last",
        stands_for: "a consumer reports the failures of a batch but for the last message",
        mutation: Mutation::BatchResult(|delivery, mut failed| {
            if let Some(last) = delivery.ids.len().checked_sub(1) {
                failed.remove(&last);
            }
            failed
        }),
    },
    Mutant {
        name: "publish-without-a-write",
        stands_for: "a handler publishes first, and its write fails",
        mutation: Mutation::Request(|call| {
            published_by(call, "publish-order-events", |event| {
                let Some(id) = event["id"].as_str().map(str::to_owned) else { return false };
                event["id"] = json!(id.replacen(":1:", ":7:", 1));
                id.contains(":1:") && one_in(10, id)
            })
        }),
    },
    Mutant {
        name: "reuse-an-event-id",
        stands_for: "an event's id is that of its aggregate, whatever happened to it",
        mutation: Mutation::Request(|call| {
            published_by(call, "publish-order-events", |event| {
                let Some(subject) = event["subject"].as_str().map(str::to_owned) else { return false };
                let is_later = event["type"] != "order.created";
                event["id"] = json!(format!("{subject}:1:order.created"));
                is_later
            })
        }),
    },
    Mutant {
        name: "time-of-relaying",
        stands_for: "an event says when it was relayed, not when it happened",
        mutation: Mutation::Request(|call| {
            published_by(call, "publish-product-events", |event| {
                event["time"] = json!("2026-01-01T00:00:00.001Z");
                true
            })
        }),
    },
    Mutant {
        name: "cause-lost",
        stands_for: "a relay makes up a new correlation id",
        mutation: Mutation::Request(|call| {
            published_by(call, "publish-user-events", |event| {
                event["correlationid"] = json!("somebody");
                true
            })
        }),
    },
    Mutant {
        name: "lose-a-stream-record",
        stands_for: "a relay skips a record that it cannot publish",
        mutation: Mutation::Stream(|_, record| one_in(30, record)),
    },
    Mutant {
        name: "swallow-a-partial-failure",
        stands_for: "a relay does not look at the entries of a batch that failed",
        mutation: Mutation::Loss(|queue, message| one_in(30, (queue, message))),
    },
    Mutant {
        name: "ignore-the-filter",
        stands_for: "a subscription without a filter policy",
        mutation: Mutation::Filter(|_, _, _| true),
    },
    Mutant {
        name: "forget-cancellations",
        stands_for: "a filter policy that does not name order.cancelled",
        mutation: Mutation::Filter(|_, message, passes| {
            passes && !message.contains("\"type\":\"order.cancelled\"")
        }),
    },
    Mutant {
        name: "sleep-through-the-sweep",
        stands_for: "a schedule that was never deployed",
        mutation: Mutation::Schedule("sweep-orders"),
    },
];

fn published_by(call: &Call, relay: &str, edit: impl FnMut(&mut serde_json::Value) -> bool) -> Bodies {
    if *call.caller != *relay || call.operation != "PublishBatch" {
        return None;
    }
    published(call, edit)
}

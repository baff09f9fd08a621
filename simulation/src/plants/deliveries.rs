//! Mistakes in events and their deliveries: lost, invented, misdirected, acknowledged too early.

use std::collections::BTreeSet;

use serde_json::json;
use shop_local::cloud::Call;

use super::edit::{Bodies, one_in, published};
use super::{Plant, Sabotage};

pub(super) const PLANTS: &[Plant] = &[
    Plant {
        name: "ack-what-failed",
        stands_for: "a consumer catches every error and reports success",
        sabotage: Sabotage::Verdict(|_, _| BTreeSet::new()),
    },
    Plant {
        name: "ack-the-last",
        stands_for: "a consumer reports the failures of a batch but for the last message",
        sabotage: Sabotage::Verdict(|delivery, mut failed| {
            if let Some(last) = delivery.ids.len().checked_sub(1) {
                failed.remove(&last);
            }
            failed
        }),
    },
    Plant {
        name: "publish-without-a-write",
        stands_for: "a handler publishes first, and its write fails",
        sabotage: Sabotage::Request(|call| {
            published_by(call, "publish-order-events", |event| {
                let Some(id) = event["id"].as_str().map(str::to_owned) else { return false };
                event["id"] = json!(id.replacen(":1:", ":7:", 1));
                id.contains(":1:") && one_in(10, id)
            })
        }),
    },
    Plant {
        name: "reuse-an-event-id",
        stands_for: "an event's id is that of its aggregate, whatever happened to it",
        sabotage: Sabotage::Request(|call| {
            published_by(call, "publish-order-events", |event| {
                let Some(subject) = event["subject"].as_str().map(str::to_owned) else { return false };
                let is_later = event["type"] != "order.created";
                event["id"] = json!(format!("{subject}:1:order.created"));
                is_later
            })
        }),
    },
    Plant {
        name: "time-of-relaying",
        stands_for: "an event says when it was relayed, not when it happened",
        sabotage: Sabotage::Request(|call| {
            published_by(call, "publish-product-events", |event| {
                event["time"] = json!("2026-01-01T00:00:00.001Z");
                true
            })
        }),
    },
    Plant {
        name: "cause-lost",
        stands_for: "a relay makes up a new correlation id",
        sabotage: Sabotage::Request(|call| {
            published_by(call, "publish-user-events", |event| {
                event["correlationid"] = json!("somebody");
                true
            })
        }),
    },
    Plant {
        name: "lose-a-stream-record",
        stands_for: "a relay skips a record that it cannot publish",
        sabotage: Sabotage::Stream(|_, record| one_in(30, record)),
    },
    Plant {
        name: "swallow-a-partial-failure",
        stands_for: "a relay does not look at the entries of a batch that failed",
        sabotage: Sabotage::Loss(|queue, message| one_in(30, (queue, message))),
    },
    Plant {
        name: "ignore-the-filter",
        stands_for: "a subscription without a filter policy",
        sabotage: Sabotage::Filter(|_, _, _| true),
    },
    Plant {
        name: "forget-cancellations",
        stands_for: "a filter policy that does not name order.cancelled",
        sabotage: Sabotage::Filter(|_, message, passes| {
            passes && !message.contains("\"type\":\"order.cancelled\"")
        }),
    },
    Plant {
        name: "sleep-through-the-sweep",
        stands_for: "a schedule that was never deployed",
        sabotage: Sabotage::Schedule("sweep-orders"),
    },
];

fn published_by(call: &Call, relay: &str, edit: impl FnMut(&mut serde_json::Value) -> bool) -> Bodies {
    if *call.caller != *relay || call.operation != "PublishBatch" {
        return None;
    }
    published(call, edit)
}

//! An operator who has dead letters sent again while everything else goes on.

use http::Method;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::client::{Client, Request, ask};
use super::plan::{Action, Operation, Plan, Shopper};

/// One of so many runs has such an operator, who looks so often.
const ONE_IN: u64 = 4;
const LOOKS: usize = 4;
/// How often such a one tries anew what the shop has failed to do all the time.
const PERSISTENCE: usize = 8;
/// Tells this use of the seed from others: what else a run draws is the same with and without redrives.
const SALT: u64 = 0x5eed_0400;

/// Adds an operator to a run that has one, behind everything else.
pub(super) fn add(seed: u64, plan: &mut Plan) {
    if seed % ONE_IN != 2 {
        return;
    }
    let random = &mut StdRng::seed_from_u64(seed ^ SALT);
    for _ in 0..LOOKS {
        // Nobody gives up on a message in the first minutes, unless it is no event.
        let at = random.random_range(0..plan.open_for.saturating_mul(2).max(240_000));
        plan.operations.push(Operation { at, who: Shopper::Administrator, action: Action::Redrive });
    }
}

/// Looks at the dead letters, and decides.
pub(super) async fn act(client: &Client) {
    let groups = ask(client, "/monitor/dead-letters").await;
    for group in groups["data"].as_array().into_iter().flatten() {
        let path =
            if group["failure_code"] == "malformed" { "/monitor/discards" } else { "/monitor/redrives" };
        let body = json!({
            "consumer": group["consumer"], "failure_code": group["failure_code"], "reason": "Amid it all"
        });
        // What comes of it is seen in the tables.
        let request = Request::new(Shopper::Administrator, Method::POST, path).body(&body);
        let asked = client.persist(&request).await;
        let Some(id) = asked.body["id"].as_str() else { continue };
        for status in ["paused", "running"] {
            let (path, body) = (format!("/monitor/redrives/{id}"), json!({ "status": status }));
            let request = Request::new(Shopper::Administrator, Method::PATCH, &path).body(&body);
            // Who has paused one does not leave it so.
            for _ in 0..PERSISTENCE {
                if client.persist(&request).await.status < 500 {
                    break;
                }
            }
        }
    }
}

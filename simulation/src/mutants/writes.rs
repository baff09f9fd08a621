//! Mistakes in writes and reads: conditions left out, transactions cut, figures miscounted.

use serde_json::{Value, json};
use shop_local::cloud::Call;

use super::edit::{Bodies, always, edited, is, items, one_in, split};
use super::{Mutant, Mutation};

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "place-without-condition",
        stands_for: "an order is stored without asking whether its idempotency key has been used",
        mutation: Mutation::Request(|call| condition_of_single(call, "create-order", "PutItem")),
    },
    Mutant {
        name: "settle-without-condition",
        stands_for: "an order is confirmed without asking whether it is still pending",
        mutation: Mutation::Request(|call| condition_of_single(call, "settle-order", "UpdateItem")),
    },
    Mutant {
        name: "cancel-without-condition",
        stands_for: "an order is cancelled over whatever happened since it was read",
        mutation: Mutation::Request(|call| condition_of_single(call, "cancel-order", "UpdateItem")),
    },
    Mutant {
        name: "reserve-without-checking-stock",
        stands_for: "stock is taken on the word of an earlier read",
        mutation: Mutation::Request(|call| conditions(call, "reserve-stock", "Update")),
    },
    Mutant {
        name: "reserve-once-more",
        stands_for: "a reservation is written without asking whether the order has one",
        mutation: Mutation::Request(|call| conditions(call, "reserve-stock", "Put")),
    },
    Mutant {
        name: "adjust-without-version",
        stands_for: "a stock level is written over whatever happened since it was read",
        mutation: Mutation::Request(|call| conditions(call, "set-stock", "Update")),
    },
    Mutant {
        name: "adjust-once-more",
        stands_for: "a change of stock does not ask whether its idempotency key has been used",
        mutation: Mutation::Request(|call| conditions(call, "set-stock", "Put")),
    },
    Mutant {
        name: "count-over-others",
        stands_for: "statistics and ledger are read, changed and written without a condition",
        mutation: Mutation::Request(|call| conditions(call, "record-user-stats", "Put")),
    },
    Mutant {
        name: "split-reservation",
        stands_for: "counters and ledger are two writes instead of one transaction",
        mutation: Mutation::Request(|call| {
            if !is(call, "reserve-stock", "TransactWriteItems") {
                return None;
            }
            split(call, |item| item["Update"].is_object())
        }),
    },
    Mutant {
        name: "last-administrator-may-go",
        stands_for: "who takes a role away does not ask whether an administrator remains",
        mutation: Mutation::Request(|call| conditions(call, "set-user-role", "Update")),
    },
    Mutant {
        name: "split-statistics",
        stands_for: "statistics and ledger are two writes instead of one transaction",
        mutation: Mutation::Request(|call| {
            if !is(call, "record-user-stats", "TransactWriteItems") {
                return None;
            }
            split(call, |item| item["Put"]["Item"]["sk"]["S"] == "stats")
        }),
    },
    Mutant {
        name: "decrement-twice",
        stands_for: "a reservation takes its stock once when it is planned and once when it is written",
        mutation: Mutation::Request(|call| {
            of_transaction(call, "reserve-stock", |item| {
                let values = &mut item["Update"]["ExpressionAttributeValues"];
                let mut takes = false;
                for name in [":add_available", ":add_reserved", ":net"] {
                    let net = &mut values[name]["N"];
                    let Some(number) = net.as_str().and_then(|text| text.parse::<i64>().ok()) else {
                        return false;
                    };
                    *net = json!((number * 2).to_string());
                    takes = number > 0;
                }
                takes
            })
        }),
    },
    Mutant {
        name: "release-nothing",
        stands_for: "a cancelled order's reservation is released, and its stock is not given back",
        mutation: Mutation::Request(|call| {
            if !is(call, "reserve-stock", "TransactWriteItems") {
                return None;
            }
            edited(call, |body| {
                let Some(items) = items(body) else { return false };
                let gives_back = |item: &Value| {
                    let net = item["Update"]["ExpressionAttributeValues"][":add_reserved"]["N"].as_str();
                    net.is_some_and(|net| net.starts_with('-'))
                };
                let before = items.len();
                items.retain(|item| !gives_back(item));
                items.len() < before && !items.is_empty()
            })
        }),
    },
    Mutant {
        name: "no-tombstone",
        stands_for: "a cancellation that comes before its order is dropped, since there is nothing to cancel",
        mutation: Mutation::Request(|call| {
            if !is(call, "reserve-stock", "TransactWriteItems") {
                return None;
            }
            let mut body: Value = serde_json::from_slice(&call.body).ok()?;
            let is_tombstone = |item: &Value| {
                let entry = &item["Put"]["Item"];
                entry["status"]["S"] == "released" && entry["version"]["N"] == "1"
            };
            items(&mut body)?.iter().all(is_tombstone).then(Vec::new)
        }),
    },
    Mutant {
        name: "books-read-late",
        stands_for: "reserve-stock decides on an eventually consistent read",
        mutation: Mutation::Stale("reserve-stock"),
    },
    Mutant {
        name: "settle-keeps-the-version",
        stands_for: "an order changes, and its version does not",
        mutation: Mutation::Request(|call| {
            if !is(call, "settle-order", "UpdateItem") {
                return None;
            }
            edited(call, |body| {
                body["ExpressionAttributeValues"][":add_version"] = json!({"N": "0"});
                true
            })
        }),
    },
    Mutant {
        name: "settle-back-in-time",
        stands_for: "an order is settled at the consumer's time, whatever time the order has",
        mutation: Mutation::Request(|call| {
            if !is(call, "settle-order", "UpdateItem") {
                return None;
            }
            edited(call, |body| {
                let condition = body["ConditionExpression"].as_str().unwrap_or_default();
                let blind = condition.replace(" AND updated_at <= :now", "");
                let is_edited = blind != condition;
                body["ConditionExpression"] = json!(blind);
                is_edited
            })
        }),
    },
    Mutant {
        name: "confirm-what-was-rejected",
        stands_for: "an order is confirmed though its stock was refused",
        mutation: Mutation::Request(|call| {
            if !is(call, "settle-order", "UpdateItem") {
                return None;
            }
            edited(call, |body| {
                let status = &mut body["ExpressionAttributeValues"][":set_status"]["S"];
                let is_rejected = status == "rejected";
                *status = json!("confirmed");
                is_rejected
            })
        }),
    },
    Mutant {
        name: "answer-before-writing",
        stands_for: "an order is acknowledged, and the write that fails is only logged",
        mutation: Mutation::Request(|call| {
            (is(call, "create-order", "PutItem") && one_in(8, &call.body)).then(Vec::new)
        }),
    },
    Mutant {
        name: "fresh-id-at-each-try",
        stands_for: "an idempotency key does not decide the order's id",
        mutation: Mutation::Request(|call| {
            if !is(call, "create-order", "PutItem") {
                return None;
            }
            edited(call, |body| {
                let Some(id) = body["Item"]["id"]["S"].as_str().map(str::to_owned) else { return false };
                let (start, end) = id.split_at(id.len().saturating_sub(2));
                let turned: String = end.chars().rev().collect();
                body["Item"]["id"]["S"] = json!(format!("{start}{turned}"));
                turned != end
            })
        }),
    },
    Mutant {
        name: "total-of-another-sum",
        stands_for: "an order's total is rounded where its lines are not",
        mutation: Mutation::Request(|call| {
            if !is(call, "create-order", "PutItem") {
                return None;
            }
            edited(call, |body| add_one(&mut body["Item"]["total"]["M"]["amount"]["N"]))
        }),
    },
    Mutant {
        name: "line-from-the-request",
        stands_for: "an order takes a price that is not the catalogue's",
        mutation: Mutation::Request(|call| {
            if !is(call, "create-order", "PutItem") {
                return None;
            }
            edited(call, |body| add_one(&mut body["Item"]["lines"]["L"][0]["M"]["unit_price"]["N"]))
        }),
    },
    Mutant {
        name: "count-cancelled-orders",
        stands_for: "an order that was cancelled stays in its user's statistics",
        mutation: Mutation::Request(|call| {
            of_transaction(call, "record-user-stats", |item| {
                let state = &mut item["Put"]["Item"]["state"]["S"];
                let is_cancelled = state == "cancelled";
                if is_cancelled {
                    *state = json!("counted");
                }
                is_cancelled
            })
        }),
    },
    Mutant {
        name: "count-one-too-many",
        stands_for: "statistics are incremented for every delivery",
        mutation: Mutation::Request(|call| {
            of_transaction(call, "record-user-stats", |item| {
                add_one(&mut item["Put"]["Item"]["orders_placed"]["N"])
            })
        }),
    },
    Mutant {
        name: "restock-without-a-trace",
        stands_for: "what is for sale changes, and what is on hand does not",
        mutation: Mutation::Request(|call| {
            of_transaction(call, "set-stock", |item| {
                let update = &mut item["Update"]["UpdateExpression"];
                let Some(text) = update.as_str() else { return false };
                *update =
                    json!(text.replace("#total = :set_total", "#total = if_not_exists(#total, :set_total)"));
                true
            })
        }),
    },
    Mutant {
        name: "show-anothers-orders",
        stands_for: "a list forgets whose orders were asked for",
        mutation: Mutation::Request(|call| {
            if !is(call, "list-orders", "Query") {
                return None;
            }
            edited(call, |body| {
                let is_own = body["IndexName"] == "by-customer" && body["ExclusiveStartKey"].is_null();
                body["IndexName"] = json!("by-status");
                body["ExpressionAttributeNames"]["#customer_id"] = json!("status_shard");
                body["ExpressionAttributeValues"][":is_customer_id"] = json!({"S": "confirmed#0"});
                is_own
            })
        }),
    },
];

/// A single write of a function without its condition.
fn condition_of_single(call: &Call, caller: &str, operation: &str) -> Bodies {
    if !is(call, caller, operation) {
        return None;
    }
    edited(call, always)
}

/// A transaction of a function without the conditions of one kind of action.
fn conditions(call: &Call, caller: &str, action: &str) -> Bodies {
    of_transaction(call, caller, |item| always(&mut item[action]))
}

/// A transaction of a function with an edit of its items.
fn of_transaction(call: &Call, caller: &str, mut edit: impl FnMut(&mut Value) -> bool) -> Bodies {
    if !is(call, caller, "TransactWriteItems") {
        return None;
    }
    edited(call, |body| {
        let mut is_edited = false;
        for item in items(body).into_iter().flatten() {
            let mut copy = item.clone();
            if edit(&mut copy) {
                *item = copy;
                is_edited = true;
            }
        }
        is_edited
    })
}

fn add_one(number: &mut Value) -> bool {
    let Some(value) = number.as_str().and_then(|text| text.parse::<i64>().ok()) else { return false };
    *number = json!((value + 1).to_string());
    true
}

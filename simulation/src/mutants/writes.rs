//! Mistakes in writes and reads: conditions left out, transactions cut, figures miscounted.

use serde_json::{Value, json};
use shop_local::cloud::Call;

use super::Mutation::{Body, Item, Request, Stale, Unconditional};
use super::edit::{Bodies, always, items, one_in, split};
use super::{Mutant, TRANSACTION};

/// Where a query goes on.
const START: &str = "ExclusiveStartKey";

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant::new(
        "forget-without-product",
        "CloudFront is told to forget the lists, and not the product that has changed",
        Request("invalidate-cache", "CreateInvalidation", without_product),
    ),
    Mutant::new(
        "index-over-others",
        "the index is put without asking whether it is still the one that was read",
        Unconditional("index-products"),
    ),
    Mutant::new(
        "index-what-was",
        "products are indexed as an inconsistent read shows them",
        Stale("index-products"),
    ),
    Mutant::new(
        "journal-half-a-batch",
        "the journal does not look at what DynamoDB has left unprocessed",
        Body("journal-event", "BatchWriteItem", |body| {
            let is_one = one_in(12, body.to_string());
            let tables = body["RequestItems"].as_object_mut().into_iter().flatten();
            let mut writes = tables.filter_map(|(_, writes)| writes.as_array_mut());
            is_one && writes.any(|writes| writes.len() > 1 && writes.pop().is_some())
        }),
    ),
    Mutant::new(
        "journal-by-the-time-of-writing",
        "an entry of the log is put where the time of its batch says, and not its own",
        Body("journal-event", "BatchWriteItem", |body| {
            let late = one_in(3, body.to_string());
            let tables = body["RequestItems"].as_object_mut().into_iter().flatten();
            let writes = tables.filter_map(|(_, writes)| writes.as_array_mut()).flatten();
            let mut is_edited = false;
            for item in writes.map(|write| &mut write["PutRequest"]["Item"]) {
                let is_log = item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("log#"));
                if let Some(sk) = item["sk"]["S"].as_str().filter(|_| is_log && late) {
                    // The last ten seconds of its hour.
                    item["sk"]["S"] = json!(format!("{}59:50{}", &sk[..14], &sk[19..]));
                    is_edited = true;
                }
            }
            is_edited
        }),
    ),
    Mutant::new(
        "place-without-condition",
        "an order is stored without asking whether its idempotency key has been used",
        Body("create-order", "PutItem", always),
    ),
    Mutant::new(
        "settle-without-condition",
        "an order is confirmed without asking whether it is still pending",
        Body("settle-order", "UpdateItem", always),
    ),
    Mutant::new(
        "cancel-without-condition",
        "an order is cancelled over whatever happened since it was read",
        Body("cancel-order", "UpdateItem", always),
    ),
    Mutant::new(
        "reserve-without-checking-stock",
        "stock is taken on the word of an earlier read",
        Item("reserve-stock", |item| always(&mut item["Update"])),
    ),
    Mutant::new(
        "reserve-once-more",
        "a reservation is written without asking whether the order has one",
        Item("reserve-stock", |item| always(&mut item["Put"])),
    ),
    Mutant::new(
        "adjust-without-version",
        "a stock level is written over whatever happened since it was read",
        Item("set-stock", |item| always(&mut item["Update"])),
    ),
    Mutant::new(
        "adjust-once-more",
        "a change of stock does not ask whether its idempotency key has been used",
        Item("set-stock", |item| always(&mut item["Put"])),
    ),
    Mutant::new(
        "count-over-others",
        "statistics and ledger are read, changed and written without a condition",
        Item("record-user-stats", |item| always(&mut item["Put"])),
    ),
    Mutant::new(
        "split-reservation",
        "counters and ledger are two writes instead of one transaction",
        Request("reserve-stock", TRANSACTION, |call| split(call, |item| item["Update"].is_object())),
    ),
    Mutant::new(
        "log-out-ends-another-session",
        "a log-out removes a session, but not the one that the token was issued in",
        Body("delete-session", "DeleteItem", |call| {
            call["Key"]["sk"]["S"] = json!("session#another");
            true
        }),
    ),
    Mutant::new(
        "last-administrator-may-go",
        "who takes a role away does not ask whether an administrator remains",
        Item("set-user-role", |item| always(&mut item["Update"])),
    ),
    Mutant::new(
        "sdk-retry-on",
        "a message whose answer is late is sent again by the SDK",
        Request("send-email", "SendEmail", |call| {
            one_in(4, &call.body).then(|| vec![call.body.to_vec(), call.body.to_vec()])
        }),
    ),
    Mutant::new(
        "mark-before-send",
        "a mail is marked as sent, and then sent",
        Body("send-email", "PutItem", |body| {
            let status = &mut body["Item"]["status"]["S"];
            let is_claim = status == "sending";
            *status = json!("sent");
            is_claim
        }),
    ),
    Mutant::new(
        "claim-without-lease",
        "a mail is sent without asking whether somebody else is sending it",
        Body("send-email", "PutItem", always),
    ),
    Mutant::new(
        "count-each-delivery",
        "a sale is counted without asking whether it was counted before",
        Item("record-sale", |item| always(&mut item["Put"])),
    ),
    Mutant::new(
        "split-sales",
        "a sale and its figures are two writes instead of one transaction",
        Request("record-sale", TRANSACTION, |call| split(call, |item| item["Update"].is_object())),
    ),
    Mutant::new(
        "count-when-it-is-heard-of",
        "a sale counts in the hour in which its event comes, not in that in which it was placed",
        Item("record-sale", |item| {
            let key = &mut item["Update"]["Key"];
            if !key["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("hour#")) {
                return false;
            }
            let Some(hour) = key["sk"]["S"].as_str().map(str::to_owned) else { return false };
            let later = if hour.ends_with("23") { "22" } else { "23" };
            key["sk"]["S"] = json!(format!("{}{later}", &hour[..hour.len() - 2]));
            true
        }),
    ),
    Mutant::new(
        "one-sale-of-a-batch",
        "the figures of a batch are those of its last sale",
        Item("record-sale", |item| {
            let orders = &mut item["Update"]["ExpressionAttributeValues"][":add_orders"]["N"];
            let is_many = orders.as_str().is_some_and(|orders| orders != "1");
            *orders = json!("1");
            is_many
        }),
    ),
    Mutant::new(
        "split-statistics",
        "statistics and ledger are two writes instead of one transaction",
        Request("record-user-stats", TRANSACTION, |call| {
            split(call, |item| item["Put"]["Item"]["sk"]["S"] == "stats")
        }),
    ),
    Mutant::new(
        "decrement-twice",
        "a reservation takes its stock once when it is planned and once when it is written",
        Item("reserve-stock", |item| {
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
        }),
    ),
    Mutant::new(
        "release-nothing",
        "a cancelled order's reservation is released, and its stock is not given back",
        Body("reserve-stock", TRANSACTION, |body| {
            let Some(items) = items(body) else { return false };
            let gives_back = |item: &Value| {
                let net = item["Update"]["ExpressionAttributeValues"][":add_reserved"]["N"].as_str();
                net.is_some_and(|net| net.starts_with('-'))
            };
            let before = items.len();
            items.retain(|item| !gives_back(item));
            items.len() < before && !items.is_empty()
        }),
    ),
    Mutant::new(
        "cross-without-looking",
        "a counter that is moved does not ask whether it is watched as it was read",
        Item("reserve-stock", |item| {
            let asked =
                ["#watch = :is_watch", "available BETWEEN :least AND :most", "#version = :is_version"];
            let condition = &mut item["Update"]["ConditionExpression"];
            let Some(text) = condition.as_str() else { return false };
            let blind = asked.iter().fold(text.to_owned(), |text, asked| {
                text.replace(asked, &format!("({asked} OR NOT {asked})"))
            });
            let is_edited = blind != text;
            *condition = json!(blind);
            is_edited
        }),
    ),
    Mutant::new(
        "forget-that-it-is-low",
        "a counter becomes low, and is not written so",
        Item("reserve-stock", |item| {
            let watch = &mut item["Update"]["ExpressionAttributeValues"][":set_watch"]["M"];
            watch.as_object_mut().is_some_and(|watch| watch.remove("low_since").is_some())
        }),
    ),
    Mutant::new(
        "count-a-part-blindly",
        "a part's lines are added to the totals, and the part is not noted in the same write",
        Request("import-products", TRANSACTION, |call| {
            let mut body: Value = serde_json::from_slice(&call.body).ok()?;
            let items = items(&mut body)?;
            let is_part = |item: &Value| {
                item["Put"]["Item"]["sk"]["S"].as_str().is_some_and(|sk| sk.starts_with("part#"))
            };
            let before = items.len();
            items.retain(|item| !is_part(item));
            (items.len() < before).then(|| vec![body.to_string().into_bytes()])
        }),
    ),
    Mutant::new(
        "forget-the-imported-line",
        "a product does not remember which line of which import it is of",
        Item("import-products", |item| {
            item["Put"]["Item"].as_object_mut().is_some_and(|item| item.remove("imported").is_some())
        }),
    ),
    Mutant::new(
        "lose-a-part",
        "a batch of parts is taken for sent, whatever SQS has taken of it",
        Request("import-products", "SendMessageBatch", |_| Some(Vec::new())),
    ),
    Mutant::new(
        "split-blindly",
        "a file is cut after a number of bytes, wherever its records end",
        Body("import-products", "SendMessageBatch", |body| {
            let mut is_edited = false;
            for entry in body["Entries"].as_array_mut().into_iter().flatten() {
                let Some(text) = entry["MessageBody"].as_str() else { continue };
                let Ok(mut work) = serde_json::from_str::<Value>(text) else { continue };
                let Some(to) = work["step"]["apply"]["to"].as_u64() else { continue };
                work["step"]["apply"]["to"] = json!(to.saturating_sub(20));
                entry["MessageBody"] = json!(work.to_string());
                is_edited = true;
            }
            is_edited
        }),
    ),
    Mutant::new(
        "raise-over-an-end",
        "an alert that is raised is open, whatever was heard of it before",
        Body("raise-alert", "UpdateItem", |body| {
            let update = &mut body["UpdateExpression"];
            let Some(text) = update.as_str() else { return false };
            let blind = text.replace("if_not_exists(#status, :open)", ":open");
            let is_edited = blind != text;
            *update = json!(blind);
            is_edited
        }),
    ),
    Mutant::new(
        "alert-for-each-delivery",
        "an alert's id does not follow from what raised it",
        Body("raise-alert", "UpdateItem", |body| {
            let id = body["Key"]["id"]["S"].as_str().unwrap_or_default().to_owned();
            let (start, end) = id.split_at(id.len().saturating_sub(2));
            let turned: String = end.chars().rev().collect();
            body["Key"]["id"]["S"] = json!(format!("{start}{turned}"));
            turned != end
        }),
    ),
    Mutant::new(
        "lose-an-end",
        "the end of an alert is acknowledged, and the write that fails is only logged",
        Request("raise-alert", "UpdateItem", |call| {
            let is_end = String::from_utf8_lossy(&call.body).contains(":set_resolved");
            (is_end && one_in(4, &call.body)).then(Vec::new)
        }),
    ),
    Mutant::new(
        "announce-before-publishing",
        "an alert is marked as told, and the mail is not published",
        Body("raise-alert", "UpdateItem", |body| {
            let update = &mut body["UpdateExpression"];
            let Some(text) = update.as_str().filter(|text| text.contains(":set_raised")) else {
                return false;
            };
            *update = json!(text.replacen("SET ", "SET announced_at = :set_updated_at, ", 1));
            true
        }),
    ),
    Mutant::new(
        "no-tombstone",
        "a cancellation that comes before its order is dropped, since there is nothing to cancel",
        Request("reserve-stock", TRANSACTION, |call| {
            let mut body: Value = serde_json::from_slice(&call.body).ok()?;
            let is_tombstone = |item: &Value| {
                let entry = &item["Put"]["Item"];
                entry["status"]["S"] == "released" && entry["version"]["N"] == "1"
            };
            items(&mut body)?.iter().all(is_tombstone).then(Vec::new)
        }),
    ),
    Mutant::new(
        "books-read-late",
        "reserve-stock decides on an eventually consistent read",
        Stale("reserve-stock"),
    ),
    Mutant::new("order-read-late", "an order is shown by an eventually consistent read", Stale("get-order")),
    Mutant::new(
        "list-begins-anew",
        "a list forgets where the page before has ended",
        Body("list-orders", "Query", |body| {
            body.as_object_mut().is_some_and(|body| body.remove(START).is_some())
        }),
    ),
    Mutant::new(
        "list-turns-round",
        "a list goes on from where the page before has ended, in the other direction",
        Body("list-orders", "Query", |body| {
            let turns = body[START].is_object();
            if turns {
                body["ScanIndexForward"] = json!(body["ScanIndexForward"] == json!(false));
            }
            turns
        }),
    ),
    Mutant::new(
        "settle-keeps-the-version",
        "an order changes, and its version does not",
        Body("settle-order", "UpdateItem", |body| {
            body["ExpressionAttributeValues"][":add_version"] = json!({"N": "0"});
            true
        }),
    ),
    Mutant::new(
        "settle-back-in-time",
        "an order is settled at the consumer's time, whatever time the order has",
        Body("settle-order", "UpdateItem", |body| {
            let condition = body["ConditionExpression"].as_str().unwrap_or_default();
            let blind = condition.replace(" AND updated_at <= :now", "");
            let is_edited = blind != condition;
            body["ConditionExpression"] = json!(blind);
            is_edited
        }),
    ),
    Mutant::new(
        "confirm-what-was-rejected",
        "an order is confirmed though its stock was refused",
        Body("settle-order", "UpdateItem", |body| {
            let status = &mut body["ExpressionAttributeValues"][":set_status"]["S"];
            let is_rejected = status == "rejected";
            *status = json!("confirmed");
            is_rejected
        }),
    ),
    Mutant::new(
        "answer-before-writing",
        "an order is acknowledged, and the write that fails is only logged",
        Request("create-order", "PutItem", |call| one_in(8, &call.body).then(Vec::new)),
    ),
    Mutant::new(
        "fresh-id-at-each-try",
        "an idempotency key does not decide the order's id",
        Body("create-order", "PutItem", |body| {
            let Some(id) = body["Item"]["id"]["S"].as_str().map(str::to_owned) else { return false };
            let (start, end) = id.split_at(id.len().saturating_sub(2));
            let turned: String = end.chars().rev().collect();
            body["Item"]["id"]["S"] = json!(format!("{start}{turned}"));
            turned != end
        }),
    ),
    Mutant::new(
        "total-of-another-sum",
        "an order's total is rounded where its lines are not",
        Body("create-order", "PutItem", |body| add_one(&mut body["Item"]["total"]["M"]["amount"]["N"])),
    ),
    Mutant::new(
        "line-from-the-request",
        "an order takes a price that is not the catalogue's",
        Body("create-order", "PutItem", |body| {
            add_one(&mut body["Item"]["lines"]["L"][0]["M"]["unit_price"]["N"])
        }),
    ),
    Mutant::new(
        "count-cancelled-orders",
        "an order that was cancelled stays in its user's statistics",
        Item("record-user-stats", |item| {
            let state = &mut item["Put"]["Item"]["state"]["S"];
            let is_cancelled = state == "cancelled";
            if is_cancelled {
                *state = json!("counted");
            }
            is_cancelled
        }),
    ),
    Mutant::new(
        "count-one-too-many",
        "statistics are incremented for every delivery",
        Item("record-user-stats", |item| add_one(&mut item["Put"]["Item"]["orders_placed"]["N"])),
    ),
    Mutant::new(
        "restock-without-a-trace",
        "what is for sale changes, and what is on hand does not",
        Item("set-stock", |item| {
            let update = &mut item["Update"]["UpdateExpression"];
            let Some(text) = update.as_str() else { return false };
            *update =
                json!(text.replace("#total = :set_total", "#total = if_not_exists(#total, :set_total)"));
            true
        }),
    ),
    Mutant::new(
        "show-anothers-orders",
        "a list forgets whose orders were asked for",
        Body("list-orders", "Query", |body| {
            let is_own = body["IndexName"] == "by-customer" && body["ExclusiveStartKey"].is_null();
            body["IndexName"] = json!("by-status");
            body["ExpressionAttributeNames"]["#customer_id"] = json!("status_shard");
            body["ExpressionAttributeValues"][":is_customer_id"] = json!({"S": "confirmed#0"});
            is_own
        }),
    ),
];

fn add_one(number: &mut Value) -> bool {
    let Some(value) = number.as_str().and_then(|text| text.parse::<i64>().ok()) else { return false };
    *number = json!((value + 1).to_string());
    true
}

/// An invalidation that names another product.
fn without_product(call: &Call) -> Bodies {
    let body = std::str::from_utf8(&call.body).ok()?;
    Some(vec![body.replace("#product:", "#nothing:").into_bytes()])
}

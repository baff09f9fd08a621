//! What a write must tell, read off the item as it was and as it is.
//!
//! Nothing here asks the services or their types: items are plain JSON, and so are events, envelope and data. What a
//! service's own `events` forgets, adds or gets wrong is another event than this one.

use serde_json::{Map, Value, json};

/// An item's attributes.
pub(super) type Item = Map<String, Value>;

/// Whose items a table holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Service {
    Orders,
    Products,
    Users,
}

/// The events of a write, each as its publication must be.
pub(super) fn facts(service: Service, old: Option<&Item>, new: &Item) -> Vec<Value> {
    let sort_key = new.get("sk").and_then(Value::as_str).unwrap_or_default();
    let events = match (service, sort_key) {
        (Service::Orders, _) => vec![of_order(old, new)],
        (Service::Products, "product") => vec![of_product(old, new)],
        (Service::Products, "stock") => of_stock(old, new).into(),
        (Service::Products, "reservation") => of_reservation(old, new).into(),
        (Service::Users, "account") => vec![of_account(old, new)],
        (Service::Users, "stats") => vec![of_stats(old, new)],
        (Service::Users, key) if key.starts_with("order#") => vec![of_entry(old, new)],
        _ => Vec::new(),
    };
    events.into_iter().flatten().collect()
}

fn of_order(old: Option<&Item>, new: &Item) -> Option<Value> {
    let mut data = picked(new, &["customer_id", "status", "lines", "total", "placed_at"]);
    data["order_id"] = new["id"].clone();
    let order = text(new, "id");
    if old.is_some_and(|old| old["status"] == new["status"]) {
        let re_emits = |item: &Item| item.get("re_emits").and_then(Value::as_u64).unwrap_or(0);
        if re_emits(new) == old.map_or(0, re_emits) {
            return None;
        }
        data["re_emits"] = json!(re_emits(new));
        return Some(event(
            "order.stalled",
            &format!("{order}/stall"),
            re_emits(new),
            "re_emitted_at",
            new,
            &data,
        ));
    }
    let kind = match text(new, "status") {
        "pending" => "order.created",
        "confirmed" => "order.confirmed",
        "cancelled" => "order.cancelled",
        "rejected" => "order.rejected",
        _ => return None,
    };
    if kind == "order.rejected" {
        data["reason"] = new["rejection"]["reason"].clone();
        data["shortages"] = new["rejection"]["shortages"].clone();
    }
    Some(event(kind, order, number(new, "version"), "updated_at", new, &data))
}

fn of_product(old: Option<&Item>, new: &Item) -> Option<Value> {
    let is_deleted = |item: &Item| item.contains_key("deleted_at");
    let id = &new["pk"];
    let snapshot = || {
        let mut data = picked(new, &["name", "description", "price", "category", "image_url", "created_at"]);
        data["product_id"] = id.clone();
        data
    };
    let (kind, data) = match old {
        Some(old) if is_deleted(old) => return None,
        _ if is_deleted(new) => ("product.deleted", json!({ "product_id": id })),
        None => ("product.created", snapshot()),
        Some(old) if old["version"] == new["version"] => return None,
        Some(_) => ("product.updated", snapshot()),
    };
    Some(event(kind, text(new, "pk"), number(new, "version"), "updated_at", new, &data))
}

fn of_stock(old: Option<&Item>, new: &Item) -> [Option<Value>; 2] {
    let (product, version) = (text(new, "pk"), number(new, "version"));
    let figure = |name: &str| (old.map_or(0, |old| number(old, name)), number(new, name));
    let (before, available) = figure("available");
    let (reserved_before, reserved) = figure("reserved");
    let is_moved = (before, reserved_before) != (available, reserved);
    let updated = is_moved.then(|| {
        let change = i128::from(available) - i128::from(before);
        let change = i64::try_from(change).unwrap_or(i64::MAX);
        let data =
            json!({ "product_id": product, "available": available, "reserved": reserved, "change": change });
        event("inventory.updated", product, version, "updated_at", new, &data)
    });
    let repaired = old.filter(|old| is_repair(Some(old), new)).map(|old| {
        let figures = |item: &Item| picked(item, &["total", "available", "reserved"]);
        let data = json!({ "product_id": product, "before": figures(old), "after": figures(new) });
        event("inventory.repaired", product, version, "updated_at", new, &data)
    });
    [updated, repaired]
}

fn of_reservation(old: Option<&Item>, new: &Item) -> [Option<Value>; 2] {
    let (order, version) = (text(new, "pk"), number(new, "version"));
    let re_emits = |item: &Item| item.get("re_emits").and_then(Value::as_u64).unwrap_or(0);
    let is_news =
        old.is_none_or(|old| old["status"] != new["status"]) || re_emits(new) > old.map_or(0, re_emits);
    let told = match text(new, "status") {
        "reserved" => Some(("inventory.reserved", json!({ "lines": new["lines"] }))),
        "rejected" => {
            let shortages = new.get("shortages").cloned().unwrap_or_else(|| json!([]));
            Some(("inventory.rejected", json!({ "reason": new["reason"], "shortages": shortages })))
        }
        // A cancellation that came before its order gives nothing back.
        _ => old.map(|_| ("inventory.released", json!({ "lines": new["lines"] }))),
    };
    let told = told.filter(|_| is_news).map(|(kind, mut data)| {
        data["order_id"] = json!(order);
        event(kind, order, version, "updated_at", new, &data)
    });
    let repaired = is_repair(old, new).then(|| {
        let mut data = json!({ "order_id": order, "after": new["status"] });
        if let Some(old) = old {
            data["before"] = old["status"].clone();
        }
        event("reservation.repaired", order, version, "updated_at", new, &data)
    });
    [told, repaired]
}

/// Whether a repair made this version. Its mark stays on the item.
fn is_repair(old: Option<&Item>, new: &Item) -> bool {
    let mark = new.get("repair");
    mark == Some(&new["version"]) && old.is_none_or(|old| old.get("repair") != mark)
}

fn of_account(old: Option<&Item>, new: &Item) -> Option<Value> {
    if old.is_some_and(|old| old["version"] == new["version"]) {
        return None;
    }
    let id = text(new, "id");
    let (kind, data) = match (old, new.get("deleted_at")) {
        (_, Some(deleted_at)) => ("user.deleted", json!({ "user_id": id, "deleted_at": deleted_at })),
        (old, None) => {
            let kind = if old.is_some() { "user.updated" } else { "user.registered" };
            let is_admin = new["role"] == "admin";
            (kind, json!({ "user_id": id, "is_admin": is_admin, "registered_at": new["created_at"] }))
        }
    };
    Some(event(kind, id, number(new, "version"), "updated_at", new, &data))
}

fn of_entry(old: Option<&Item>, new: &Item) -> Option<Value> {
    if old.is_some() || new["state"] != "counted" {
        return None;
    }
    let subject = format!("{}/{}", text(new, "user_id"), text(new, "order_id"));
    let data = picked(new, &["user_id", "order_id", "total", "placed_at"]);
    Some(event("user.order_placed", &subject, number(new, "version"), "recorded_at", new, &data))
}

fn of_stats(old: Option<&Item>, new: &Item) -> Option<Value> {
    let repair = new.get("repair").filter(|_| old.is_none_or(|old| old["version"] != new["version"]))?;
    let figures = |item: Option<&Item>| {
        let spent = item.and_then(|item| item["spent"].as_object()).into_iter().flatten();
        let spent: Vec<_> =
            spent.map(|(currency, amount)| json!({ "amount": amount, "currency": currency })).collect();
        let orders = item.map_or(0, |item| number(item, "orders_placed"));
        let mut figures = json!({ "orders_placed": orders, "spent": spent });
        if let Some(last) = item.and_then(|item| item.get("last_order")) {
            figures["last_order_id"] = last["order_id"].clone();
        }
        figures
    };
    let (before, after) = (figures(old), figures(Some(new)));
    let data = json!({
        "user_id": new["user_id"], "before": before, "after": after, "order_ids": repair["order_ids"],
    });
    let kind = "user.stats_repaired";
    let mut event = event(kind, text(new, "user_id"), number(new, "version"), "updated_at", new, &data);
    event["correlationid"] = repair["request_id"].clone();
    Some(event)
}

/// An event as it must be published; `clock` is the attribute that says when the write was made.
fn event(kind: &str, subject: &str, version: u64, clock: &str, item: &Item, data: &Value) -> Value {
    let source = match kind.split('.').next() {
        Some("order") => "/orders",
        Some("user") => "/users",
        _ => "/products",
    };
    let mut event = json!({
        "specversion": "1.0",
        "id": format!("{subject}:{version}:{kind}"),
        "source": source,
        "type": kind,
        "subject": subject,
        "time": item.get(clock),
        "dataschema": format!("https://shop.example/events/v1/{kind}.schema.json"),
        "datacontenttype": "application/json",
        "correlationid": item.get("correlation_id"),
        "sequence": format!("{version:020}"),
        "data": data,
    });
    for (name, attribute) in [("causationid", "causation_id"), ("actor", "actor")] {
        if let Some(value) = item.get(attribute) {
            event[name] = value.clone();
        }
    }
    event
}

/// Those attributes that an item has.
fn picked(item: &Item, names: &[&str]) -> Value {
    let present = names.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())));
    Value::Object(present.collect())
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn number(item: &Item, name: &str) -> u64 {
    item.get(name).and_then(Value::as_u64).unwrap_or_default()
}

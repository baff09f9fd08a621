//! What the write of an item of the catalogue must publish.

use serde_json::{Value, json};

use crate::services::record::{Images, Item, number, picked, text};

pub(super) fn of_item(images: &Images) -> Vec<Value> {
    match text(&images.new, "sk") {
        "product" => of_product(images).into_iter().collect(),
        "stock" => of_stock(images),
        "reservation" => of_reservation(images),
        _ => Vec::new(),
    }
}

fn of_product(images: &Images) -> Option<Value> {
    let Images { old, new, .. } = images;
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
        Some(_) if images.keeps("version") => return None,
        Some(_) => ("product.updated", snapshot()),
    };
    Some(images.event(kind, text(new, "pk"), number(new, "version"), "updated_at", &data))
}

fn of_stock(images: &Images) -> Vec<Value> {
    let Images { old, new, .. } = images;
    let (product, version) = (text(new, "pk"), number(new, "version"));
    let figure = |name: &str| (old.as_ref().map_or(0, |old| number(old, name)), number(new, name));
    let (before, available) = figure("available");
    let (reserved_before, reserved) = figure("reserved");
    let is_moved = (before, reserved_before) != (available, reserved);
    let updated = is_moved.then(|| {
        let change = i128::from(available) - i128::from(before);
        let change = i64::try_from(change).unwrap_or(i64::MAX);
        let data =
            json!({ "product_id": product, "available": available, "reserved": reserved, "change": change });
        images.event("inventory.updated", product, version, "updated_at", &data)
    });
    let crossed = crossings(images, product, version, before, available);
    let repaired = old.as_ref().filter(|_| is_repair(images)).map(|old| {
        let figures = |item: &Item| picked(item, &["total", "available", "reserved"]);
        let data = json!({ "product_id": product, "before": figures(old), "after": figures(new) });
        images.event("inventory.repaired", product, version, "updated_at", &data)
    });
    updated.into_iter().chain(crossed).chain(repaired).collect()
}

/// What a write crosses, as the item says; that this is right is held by `a-crossing-is-told-once`.
fn crossings(images: &Images, product: &str, version: u64, before: u64, available: u64) -> Vec<Value> {
    let Images { old, new, .. } = images;
    let since = |item: &Item, name: &str| item.get("watch").and_then(|watch| watch[name].as_u64());
    let was = |name: &str| old.as_ref().and_then(|old| since(old, name));
    let is = |name: &str| since(new, name);
    if new.contains_key("deleted_at") {
        let was_deleted = old.as_ref().is_some_and(|old| old.contains_key("deleted_at"));
        let mut data = json!({ "product_id": product });
        for name in ["low_since", "sold_out_since"] {
            if let Some(since) = is(name) {
                data[name] = json!(since);
            }
        }
        let clock =
            if text(new, "deleted_at") > text(new, "updated_at") { "deleted_at" } else { "updated_at" };
        let closed = (!was_deleted).then(|| images.event("inventory.closed", product, version, clock, &data));
        return closed.into_iter().collect();
    }
    let event = |kind: &str, data: &Value| images.event(kind, product, version, "updated_at", data);
    let threshold = &new["watch"]["low_at"];
    let mut told = Vec::new();
    if is("low_since") == Some(version) && was("low_since").is_none() {
        let data = json!({ "product_id": product, "available": available, "low_stock_threshold": threshold });
        told.push(event("inventory.low", &data));
    }
    if let Some(low_since) = was("low_since").filter(|_| is("low_since").is_none()) {
        let mut data = json!({ "product_id": product, "available": available, "low_since": low_since });
        data["low_stock_threshold"] = threshold.clone();
        told.push(event("inventory.replenished", &data));
    }
    if before > 0 && available == 0 {
        told.push(event("inventory.sold_out", &json!({ "product_id": product })));
    }
    if before == 0 && available > 0 {
        let mut data = json!({ "product_id": product, "available": available });
        if let Some(since) = was("sold_out_since") {
            data["sold_out_since"] = json!(since);
        }
        told.push(event("inventory.back_in_stock", &data));
    }
    told
}

fn of_reservation(images: &Images) -> Vec<Value> {
    let Images { old, new, .. } = images;
    let (order, version) = (text(new, "pk"), number(new, "version"));
    let re_emits = |item: &Item| number(item, "re_emits");
    let is_news = !images.keeps("status") || re_emits(new) > old.as_ref().map_or(0, re_emits);
    let status_event = match text(new, "status") {
        "reserved" => Some(("inventory.reserved", json!({ "lines": new["lines"] }))),
        "rejected" => {
            let shortages = new.get("shortages").cloned().unwrap_or_else(|| json!([]));
            Some(("inventory.rejected", json!({ "reason": new["reason"], "shortages": shortages })))
        }
        // A cancellation that came before its order gives nothing back.
        _ => old.as_ref().map(|_| ("inventory.released", json!({ "lines": new["lines"] }))),
    };
    let status_event = status_event.filter(|_| is_news).map(|(kind, mut data)| {
        data["order_id"] = json!(order);
        images.event(kind, order, version, "updated_at", &data)
    });
    let repaired = is_repair(images).then(|| {
        let mut data = json!({ "order_id": order, "after": new["status"] });
        if let Some(old) = old {
            data["before"] = old["status"].clone();
        }
        images.event("reservation.repaired", order, version, "updated_at", &data)
    });
    status_event.into_iter().chain(repaired).collect()
}

/// Whether a repair made this version. Its mark stays on the item.
fn is_repair(images: &Images) -> bool {
    images.new.get("repair") == Some(&images.new["version"]) && !images.keeps("repair")
}

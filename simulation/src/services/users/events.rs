//! What the write of an account, an entry of a ledger or statistics must publish.

use serde_json::{Value, json};

use crate::services::record::{Images, Item, number, picked, text};

pub(super) fn of_item(images: &Images) -> Option<Value> {
    match text(&images.new, "sk") {
        "account" => of_account(images),
        "stats" => of_stats(images),
        "password-reset" => of_mail_request("user.password_reset_requested", images),
        "email-confirmation" => of_mail_request("user.email_confirmation_requested", images),
        key if key.starts_with("order#") => of_entry(images),
        _ => None,
    }
}

fn of_account(images: &Images) -> Option<Value> {
    let Images { old, new, .. } = images;
    if images.keeps("version") {
        return None;
    }
    let id = text(new, "id");
    let (kind, data) = if let Some(deleted_at) = new.get("deleted_at") {
        ("user.deleted", json!({ "user_id": id, "deleted_at": deleted_at }))
    } else {
        let kind = if old.is_some() { "user.updated" } else { "user.registered" };
        let is_admin = new["role"] == "admin";
        (kind, json!({ "user_id": id, "is_admin": is_admin, "registered_at": new["created_at"] }))
    };
    Some(images.event(kind, id, number(new, "version"), "updated_at", &data))
}

fn of_entry(images: &Images) -> Option<Value> {
    let Images { old, new, .. } = images;
    if old.is_some() || new["state"] != "counted" {
        return None;
    }
    let subject = format!("{}/{}", text(new, "user_id"), text(new, "order_id"));
    let data = picked(new, &["user_id", "order_id", "total", "placed_at"]);
    Some(images.event("user.order_placed", &subject, number(new, "version"), "recorded_at", &data))
}

/// A request for a mail to an address that has an account.
fn of_mail_request(kind: &str, images: &Images) -> Option<Value> {
    let Images { new, .. } = images;
    if images.keeps("version") || !new.contains_key("user_id") {
        return None;
    }
    let subject = format!("{}/{}", text(new, "user_id"), text(new, "sk"));
    let data = picked(new, &["user_id", "requested_at"]);
    Some(images.event(kind, &subject, number(new, "version"), "requested_at", &data))
}

fn of_stats(images: &Images) -> Option<Value> {
    let Images { old, new, .. } = images;
    let repair = new.get("repair").filter(|_| !images.keeps("version"))?;
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
    let (before, after) = (figures(old.as_ref()), figures(Some(new)));
    let data = json!({
        "user_id": new["user_id"], "before": before, "after": after, "order_ids": repair["order_ids"],
    });
    let subject = text(new, "user_id");
    let mut event = images.event("user.stats_repaired", subject, number(new, "version"), "updated_at", &data);
    event["correlationid"] = repair["request_id"].clone();
    Some(event)
}

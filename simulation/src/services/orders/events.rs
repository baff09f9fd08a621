//! What the write of an order must publish.

use serde_json::{Value, json};

use crate::services::record::{Images, Item, number, picked, text};

pub(super) fn of_order(images: &Images) -> Option<Value> {
    let Images { old, new, .. } = images;
    let mut data = picked(new, &["customer_id", "status", "lines", "total", "placed_at"]);
    data["order_id"] = new["id"].clone();
    let order = text(new, "id");
    if images.keeps("status") {
        let re_emits = |item: &Item| number(item, "re_emits");
        if re_emits(new) == old.as_ref().map_or(0, re_emits) {
            return None;
        }
        data["re_emits"] = json!(re_emits(new));
        let subject = format!("{order}/stall");
        return Some(images.event("order.stalled", &subject, re_emits(new), "re_emitted_at", &data));
    }
    let kind = match text(new, "status") {
        "pending" => "order.created",
        "confirmed" => "order.confirmed",
        "cancelled" => "order.cancelled",
        "rejected" => "order.rejected",
        "shipped" => "order.shipped",
        "delivered" => "order.delivered",
        _ => return None,
    };
    if kind == "order.shipped"
        && let Some(number) = new.get("tracking_number")
    {
        data["tracking_number"] = number.clone();
    }
    if kind == "order.cancelled"
        && let Some(before) = old
    {
        data["cancelled_from"] = before["status"].clone();
    }
    if kind == "order.rejected" {
        data["reason"] = new["rejection"]["reason"].clone();
        data["shortages"] = new["rejection"]["shortages"].clone();
    }
    Some(images.event(kind, order, number(new, "version"), "updated_at", &data))
}

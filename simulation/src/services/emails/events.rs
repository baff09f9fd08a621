//! What the write of a mail must publish.

use serde_json::{Value, json};

use crate::services::record::{Images, number, picked, text};

pub(super) fn of_mail(images: &Images) -> Vec<Value> {
    let Images { old, new, .. } = images;
    let mut told = Vec::new();
    let data = || {
        let mut data = picked(new, &["template", "order_id", "user_id"]);
        data["email_id"] = new["id"].clone();
        data
    };
    let was_sent = old.as_ref().is_some_and(|old| old.contains_key("sent_at"));
    if new.contains_key("sent_at") && !was_sent {
        let mut data = data();
        data["attempt"] = json!(number(new, "attempt").max(1));
        told.push(("email.sent", data.clone()));
        if new["template"] == "order_confirmation" {
            told.push(("email.confirmation_sent", data));
        }
    }
    let reason = match (text(new, "status"), text(new, "reason")) {
        ("failed", "expired") => Some("expired"),
        ("failed", _) => Some("rejected"),
        ("bounced", "suppressed") => Some("suppressed"),
        ("bounced", _) => Some("bounced"),
        ("complained", _) => Some("complained"),
        _ => None,
    };
    if let Some(reason) = reason.filter(|_| !images.keeps("status")) {
        let mut data = data();
        data["reason"] = json!(reason);
        told.push(("email.failed", data));
    }
    let version = number(new, "version");
    let event =
        |(kind, data): &(&str, Value)| images.event(kind, text(new, "id"), version, "updated_at", data);
    told.iter().map(event).collect()
}

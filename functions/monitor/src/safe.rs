//! What of an event's data is kept and shown: ids, figures, times, and words of this shop's own. A text that people have
//! written is left out, whoever it is about: nothing that is shown here can say who somebody is.

use serde_json::{Map, Value};
use shop_events::EventData;

/// The members whose texts are ids, times, or words of a list. Any other text is left out, so that a new field of an
/// event is seen only once it is named here.
const TEXTS: &[&str] = &[
    "after",
    "alert_id",
    "before",
    "cancelled_from",
    "consumer",
    "created_at",
    "currency",
    "customer_id",
    "cutoff",
    "deleted_at",
    "disposal",
    "email_id",
    "failure_code",
    "finished_at",
    "kind",
    "last_order_id",
    "order_id",
    "order_ids",
    "placed_at",
    "product_id",
    "raised_at",
    "reason",
    "redrive_id",
    "registered_at",
    "requested_at",
    "resolved_at",
    "status",
    "template",
    "user_id",
];

/// The data of an event without what people have written.
///
/// # Errors
/// The data cannot be written as JSON.
pub(crate) fn data(data: &EventData) -> Result<Value, serde_json::Error> {
    Ok(kept("", serde_json::to_value(data)?).unwrap_or_default())
}

fn kept(name: &str, value: Value) -> Option<Value> {
    match value {
        Value::String(_) => TEXTS.contains(&name).then_some(value),
        Value::Array(values) => {
            Some(values.into_iter().filter_map(|value| kept(name, value)).collect::<Vec<_>>().into())
        }
        Value::Object(members) => {
            let members = members.into_iter().filter_map(|(name, value)| {
                let value = kept(&name, value)?;
                Some((name, value))
            });
            Some(Value::Object(members.collect::<Map<_, _>>()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use shop_events::{EventType, schema};

    use super::*;

    /// Texts of people, and of a carrier.
    const LEFT_OUT: [&str; 5] = ["category", "description", "image_url", "name", "tracking_number"];

    /// The members of an event's data that may be a text, by their schemas.
    fn texts(schema: &Value, definitions: &Value, name: &str, found: &mut BTreeSet<String>) {
        let is_text = |kind: &Value| {
            kind == "string" || kind.as_array().is_some_and(|all| all.contains(&"string".into()))
        };
        if is_text(&schema["type"]) || schema["enum"].is_array() {
            found.insert(name.to_owned());
        }
        if let Some(definition) = schema["$ref"].as_str().and_then(|text| text.strip_prefix("#/$defs/")) {
            texts(&definitions[definition], definitions, name, found);
        }
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            texts(member, definitions, name, found);
        }
        for group in ["anyOf", "oneOf", "allOf"] {
            for part in schema[group].as_array().into_iter().flatten() {
                if part["const"].is_string() {
                    found.insert(name.to_owned());
                }
                texts(part, definitions, name, found);
            }
        }
        if schema["items"].is_object() {
            texts(&schema["items"], definitions, name, found);
        }
    }

    #[test]
    fn every_text_of_an_event_is_named_as_safe_or_is_left_out() {
        let mut found = BTreeSet::new();
        for event_type in EventType::ALL {
            let document = schema::document(*event_type);
            texts(&document["properties"]["data"], &document["$defs"], "", &mut found);
        }
        let known: BTreeSet<String> = TEXTS.iter().chain(&LEFT_OUT).map(|name| (*name).to_owned()).collect();
        assert_eq!(found, known, "say of a new text whether it says who somebody is");
    }
}

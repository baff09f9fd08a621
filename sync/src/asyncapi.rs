//! The events' document (AsyncAPI 3.0): one channel, the topic; each relay sends its service's events, and each
//! consumer receives those that its queue's filter lets through.

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};
use services::SERVICES;
use shop_events::{EventType, schema};
use shop_http::Service;
use shop_lambda::Kind;
use template_truth::template::{Template, refers};
use template_truth::{names, queues};

use crate::api::pretty;
use crate::output::Output;

const DEFINITIONS: &str = "#/$defs/";
const SCHEMAS: &str = "#/components/schemas/";

pub(crate) fn write(output: &mut Output, template: &Template) -> Result<()> {
    output.put("docs/asyncapi.json", pretty(document(template)?));
    Ok(())
}

/// The document.
pub(crate) fn document(template: &Template) -> Result<Value> {
    let (mut messages, mut schemas) = (Map::new(), Map::new());
    for event_type in EventType::ALL {
        messages.insert(event_type.to_string(), message(*event_type, &mut schemas)?);
    }
    let of_channel = messages
        .keys()
        .map(|name| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") })));
    let of_channel: Map<_, _> = of_channel.collect();
    Ok(json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Shop events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What the services tell each other. Delivery is at least once, and in no order: docs/events/README.md.",
            "license": { "name": "MIT OR Apache-2.0" }
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": "EventsTopic",
                "title": "Events",
                "description": "The topic of all events (SNS). The message attribute `type` is what queues filter by.",
                "messages": of_channel
            }
        },
        "operations": operations(template)?,
        "components": { "messages": messages, "schemas": schemas }
    }))
}

/// A message, whose payload lies with the schemas of which it is made.
fn message(event_type: EventType, schemas: &mut Map<String, Value>) -> Result<Value> {
    let mut payload = schema::document(event_type);
    let mut definitions = payload["$defs"].take();
    if let Some(members) = payload.as_object_mut() {
        members.retain(|name, _| !["$schema", "$id", "$defs"].contains(&name.as_str()));
    }
    move_references(&mut payload);
    move_references(&mut definitions);
    for (name, schema) in definitions.as_object().into_iter().flatten() {
        let other = schemas.insert(name.clone(), schema.clone());
        ensure!(other.is_none_or(|other| other == *schema), "two types of events have another {name} each");
    }
    let name = event_type.to_string();
    schemas.insert(name.clone(), payload);
    Ok(json!({
        "name": name,
        "title": name,
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": ["type"],
            "properties": { "type": { "type": "string", "const": name } }
        },
        "payload": { "$ref": format!("{SCHEMAS}{name}") }
    }))
}

fn move_references(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().and_then(|text| text.strip_prefix(DEFINITIONS)) {
                    Some(definition) if name == "$ref" => *member = json!(format!("{SCHEMAS}{definition}")),
                    _ => move_references(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(move_references),
        _ => {}
    }
}

fn operations(template: &Template) -> Result<Map<String, Value>> {
    let mut operations = Map::new();
    let subscribed = queues::subscribed(template);
    for service in SERVICES {
        for function in service.others {
            let (action, types) = match function.kind() {
                Kind::Relay => ("send", published(service)),
                Kind::Consumer => {
                    let queue = queue_of(template, function.name());
                    let types = subscribed.iter().find(|(id, _)| *id == queue).map(|(_, types)| types);
                    let types: Vec<_> = types.into_iter().flatten().cloned().collect();
                    // What another system says in its own form is none of these events, nor is what a function has for
                    // later.
                    if types.is_empty()
                        && (subscribed.iter().any(|(id, _)| *id == queue)
                            || queues::is_work(template, &queue))
                    {
                        continue;
                    }
                    ("receive", types)
                }
                Kind::Route | Kind::Task => continue,
            };
            ensure!(!types.is_empty(), "{}: no event is its", function.name());
            let messages: Vec<_> = types
                .iter()
                .map(|name| json!({ "$ref": format!("#/channels/events/messages/{name}") }))
                .collect();
            let operation = json!({
                "action": action,
                "channel": { "$ref": "#/channels/events" },
                "title": function.name(),
                "tags": [{ "name": service.name }],
                "messages": messages
            });
            operations.insert(function.name().to_owned(), operation);
        }
    }
    Ok(operations)
}

/// The types that a service publishes.
fn published(service: &Service) -> Vec<String> {
    let own = format!("/{}", service.name);
    EventType::ALL.iter().filter(|kind| kind.source() == own).map(ToString::to_string).collect()
}

/// The queue that a consumer reads, by its logical id.
fn queue_of(template: &Template, consumer: &str) -> String {
    let mut sources = template.sources("SQS").into_iter();
    let own = sources.find(|(function, _)| names::of_logical_id(function.id).as_deref() == Some(consumer));
    own.and_then(|(_, event)| refers(&event["Queue"], Some("Arn")).map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn real() -> Value {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let text = std::fs::read_to_string(root.join("template.yaml")).unwrap();
        document(&Template::parse(&text).unwrap()).unwrap()
    }

    /// Every `$ref`, wherever it stands.
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|member| references(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = real();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100, "{}", found.len());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn every_event_is_sent_by_one_function_and_what_is_received_is_sent() {
        let document = real();
        let of = |action: &str| {
            let operations = document["operations"].as_object().unwrap().values();
            let operations = operations.filter(|operation| operation["action"] == action);
            let messages = operations.flat_map(|operation| operation["messages"].as_array().unwrap());
            let mut names: Vec<_> = messages
                .map(|message| message["$ref"].as_str().unwrap().rsplit('/').next().unwrap())
                .collect();
            names.sort_unstable();
            names
        };
        let mut all: Vec<_> = EventType::ALL.iter().map(|kind| kind.as_str()).collect();
        all.sort_unstable();
        assert_eq!(of("send"), all, "each once");
        let received = of("receive");
        assert!(received.contains(&"order.created"));
        assert!(received.iter().all(|name| all.contains(name)));
    }

    #[test]
    fn the_names_of_things_are_those_that_the_specification_allows() {
        let document = real();
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c))
        };
        for pointer in ["/channels", "/operations", "/components/messages", "/components/schemas"] {
            let members = document.pointer(pointer).unwrap().as_object().unwrap();
            assert!(members.keys().all(|name| is_name(name)), "{pointer}");
        }
    }
}

//! The JSON Schema of an event, generated from its Rust type.
//!
//! Only tests and documentation call it; no function links it.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::EventType;
use crate::envelope::{CONTENT_TYPE, SPEC_VERSION, schema_id};

/// The JSON Schema (draft 2020-12) of an event of this type, envelope and data.
#[must_use]
pub fn document(event_type: EventType) -> Value {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let data = event_type.data_schema(&mut generator);
    let definitions = generator.take_definitions(true);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_id(event_type),
        "title": event_type,
        "type": "object",
        "required": [
            "specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype",
            "correlationid", "sequence", "data"
        ],
        "properties": {
            "specversion": { "const": SPEC_VERSION },
            "id": {
                "type": "string",
                "description": "<subject>:<version>:<type>. Two events with the same id are the same event.",
                "pattern": format!("^[^:]+:[1-9][0-9]*:{}$", event_type.as_str().replace('.', "\\."))
            },
            "source": { "const": event_type.source() },
            "type": { "const": event_type },
            "subject": { "type": "string", "description": "The aggregate that it happened to.", "minLength": 1 },
            "time": { "type": "string", "description": "When it happened.", "format": "date-time" },
            "dataschema": { "const": schema_id(event_type) },
            "datacontenttype": { "const": CONTENT_TYPE },
            "correlationid": {
                "type": "string",
                "description": "The id of the request that started it all.",
                "minLength": 1
            },
            "causationid": {
                "type": "string",
                "description": "The id of the event that caused this one; absent where a request did.",
                "minLength": 1
            },
            "actor": {
                "type": "string",
                "description": "Who made that request: a user's id, guest, or the function that acted by itself or for an operator.",
                "minLength": 1
            },
            "sequence": {
                "type": "string",
                "description": "The aggregate's version, with leading zeros so that the text sorts as the number.",
                "pattern": "^[0-9]{20}$"
            },
            "data": data
        },
        "$defs": definitions
    })
}

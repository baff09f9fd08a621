//! Holds docs/events/ equal to the types: the schemas are generated from them, and the golden examples are
//! read, written and checked against the schemas.
//!
//! `cargo xtask sync` writes the schemas. The examples are written by hand: one that no longer passes is a contract
//! that was broken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use shop_events::{Event, EventType, schema};

fn path(event_type: EventType, kind: &str) -> PathBuf {
    folder().join(format!("{event_type}.{kind}.json"))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events")
}

fn example(event_type: EventType) -> Value {
    let path = path(event_type, "example");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_schemas_are_those_of_the_types_and_every_type_has_its_files() {
    for &event_type in EventType::ALL {
        let generated = schema::document(event_type);
        let path = path(event_type, "schema");
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        // As values: the order of keys depends on which features of serde_json the build has.
        let stored: Value = serde_json::from_str(&stored).unwrap_or_default();
        assert_eq!(stored, generated, "{}: run cargo xtask sync", path.display());
    }
    let expected: BTreeSet<_> =
        EventType::ALL.iter().flat_map(|&t| [path(t, "schema"), path(t, "example")]).collect();
    let found: BTreeSet<_> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn examples_are_valid_and_read_back_as_they_were() {
    for &event_type in EventType::ALL {
        let example = example(event_type);
        let validator = jsonschema::validator_for(&schema::document(event_type)).unwrap();
        let errors: Vec<_> = validator.iter_errors(&example).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{event_type}: {errors:?}");

        let event = Event::from_json(&example.to_string()).unwrap();
        assert_eq!(event.event_type(), event_type);
        let written: Value = serde_json::from_str(&event.to_json().unwrap()).unwrap();
        assert_eq!(written, example, "{event_type}");
    }
}

#[test]
fn examples_have_the_ids_that_the_constructor_gives() {
    for &event_type in EventType::ALL {
        let event = Event::from_json(&example(event_type).to_string()).unwrap();
        let again = Event::new(event.data().clone(), event.version(), event.time(), event.cause().clone());
        assert_eq!(again, event);
    }
}

#[test]
fn consumers_ignore_fields_that_they_do_not_know() {
    for &event_type in EventType::ALL {
        let known = Event::from_json(&example(event_type).to_string()).unwrap();
        let mut extended = example(event_type);
        add_unknown_fields(&mut extended);
        assert_eq!(Event::from_json(&extended.to_string()).unwrap(), known, "{event_type}");
        let validator = jsonschema::validator_for(&schema::document(event_type)).unwrap();
        assert!(validator.is_valid(&extended), "{event_type}");
    }
}

#[test]
fn a_required_field_that_is_missing_is_refused_by_type_and_schema_alike() {
    for &event_type in EventType::ALL {
        let document = schema::document(event_type);
        let validator = jsonschema::validator_for(&document).unwrap();
        let definition = document["properties"]["data"]["$ref"].as_str().unwrap().trim_start_matches('#');
        let required = document.pointer(definition).unwrap()["required"].as_array().unwrap();
        for field in required {
            let mut broken = example(event_type);
            broken["data"].as_object_mut().unwrap().remove(field.as_str().unwrap()).unwrap();
            assert!(!validator.is_valid(&broken), "{event_type} without {field}");
            assert!(Event::from_json(&broken.to_string()).is_err(), "{event_type} without {field}");
        }
    }
}

fn add_unknown_fields(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(add_unknown_fields);
            fields.insert("added_later".to_owned(), json!({ "any": ["thing"] }));
        }
        Value::Array(items) => items.iter_mut().for_each(add_unknown_fields),
        _ => {}
    }
}

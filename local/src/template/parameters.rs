//! The template's parameters, with their defaults and the values that override them.

use std::collections::BTreeMap;

use serde_yaml_ng::{Mapping, Value};

use super::TemplateError;

/// The value of every parameter, as text. (A list is a text too: SAM passes no other on.)
pub(super) fn read(
    section: Option<&Mapping>,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut parameters = BTreeMap::new();
    for (name, parameter) in section.into_iter().flatten() {
        let Some(name) = name.as_str() else { continue };
        let at = format!("Parameters.{name}");
        let text = match (overrides.get(name), parameter.get("Default").map(text)) {
            (Some(value), _) => value.clone(),
            (None, Some(Some(value))) => value,
            (None, Some(None)) => return Err(TemplateError::new(at, "Default is not a scalar")),
            (None, None) => return Err(TemplateError::new(at, "has no Default, and no value is given")),
        };
        let allowed = parameter.get("AllowedValues").and_then(Value::as_sequence);
        if allowed.is_some_and(|allowed| !allowed.iter().any(|value| text_is(value, &text))) {
            return Err(TemplateError::new(at, format!("{text:?} is not one of AllowedValues")));
        }
        let kind = parameter.get("Type").and_then(Value::as_str);
        if !matches!(kind, Some("String" | "Number")) {
            return Err(TemplateError::new(at, "is neither a String nor a Number"));
        }
        parameters.insert(name.to_owned(), text);
    }
    match overrides.keys().find(|name| !parameters.contains_key(*name)) {
        Some(unknown) => Err(TemplateError::new(unknown, "is no parameter of the template")),
        None => Ok(parameters),
    }
}

fn text_is(value: &Value, expected: &str) -> bool {
    text(value).is_some_and(|text| text == expected)
}

/// A scalar as CloudFormation passes it on: as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

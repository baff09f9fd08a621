//! Reading a resource's resolved properties one by one, with errors that name them.
//!
//! Every property must be taken or ignored by name: one that is left over is an error, so that nothing the
//! template asks for is silently left out.

use std::time::Duration;

use serde_json::{Map, Value};

use super::TemplateError;

/// An object of the template, and where it is.
#[derive(Debug)]
pub(super) struct Properties {
    at: String,
    values: Map<String, Value>,
}

impl Properties {
    pub(super) fn new(at: impl Into<String>, value: Value) -> Result<Self, TemplateError> {
        let at = at.into();
        match value {
            Value::Object(values) => Ok(Self { at, values }),
            Value::Null => Ok(Self { at, values: Map::new() }),
            _ => Err(TemplateError::new(at, "is not a mapping")),
        }
    }

    /// Where this object is, as `OrdersTable.StreamSpecification`.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    pub(super) fn error(&self, name: &str, problem: impl Into<String>) -> TemplateError {
        TemplateError::new(format!("{}.{name}", self.at), problem)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name)
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, TemplateError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.error(name, "is not a string")),
        }
    }

    pub(super) fn required_text(&mut self, name: &str) -> Result<String, TemplateError> {
        self.text(name)?.ok_or_else(|| self.error(name, "is missing"))
    }

    /// A whole number; CloudFormation also takes it as text, which is what a parameter gives.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<i64>, TemplateError> {
        let number = match self.take(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        number.map(Some).ok_or_else(|| self.error(name, "is not a whole number"))
    }

    /// A whole number from `least` to `most`.
    pub(super) fn count(&mut self, name: &str, least: u32, most: u32) -> Result<Option<u32>, TemplateError> {
        let Some(number) = self.number(name)? else { return Ok(None) };
        match u32::try_from(number) {
            Ok(count) if (least..=most).contains(&count) => Ok(Some(count)),
            _ => Err(self.error(name, format!("is not from {least} to {most}"))),
        }
    }

    pub(super) fn seconds(
        &mut self,
        name: &str,
        least: u32,
        most: u32,
    ) -> Result<Option<Duration>, TemplateError> {
        Ok(self.count(name, least, most)?.map(|seconds| Duration::from_secs(u64::from(seconds))))
    }

    pub(super) fn flag(&mut self, name: &str) -> Result<bool, TemplateError> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(Value::String(text)) if text == "false" => Ok(false),
            Some(_) => Err(self.error(name, "is not true or false")),
        }
    }

    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Value>, TemplateError> {
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(self.error(name, "is not a list")),
        }
    }

    pub(super) fn texts(&mut self, name: &str) -> Result<Vec<String>, TemplateError> {
        let values = self.list(name)?;
        values
            .into_iter()
            .map(|value| match value {
                Value::String(text) => Ok(text),
                _ => Err(self.error(name, "is not a list of strings")),
            })
            .collect()
    }

    /// The objects of a list, each with its place.
    pub(super) fn children(&mut self, name: &str) -> Result<Vec<Self>, TemplateError> {
        let values = self.list(name)?;
        values
            .into_iter()
            .enumerate()
            .map(|(place, value)| Self::new(format!("{}.{name}.{place}", self.at), value))
            .collect()
    }

    pub(super) fn child(&mut self, name: &str) -> Result<Option<Self>, TemplateError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => Self::new(format!("{}.{name}", self.at), value).map(Some),
        }
    }

    /// The properties as they are, for an object whose keys are names of the template's own.
    pub(super) fn into_entries(self) -> impl Iterator<Item = (String, Value)> {
        self.values.into_iter()
    }

    /// Leaves out properties that change nothing on one machine.
    pub(super) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.values.remove(*name);
        }
    }

    /// An error for the first property that was neither taken nor ignored.
    pub(super) fn finish(self) -> Result<(), TemplateError> {
        match self.values.keys().next() {
            None => Ok(()),
            Some(name) => Err(self.error(name, "is not known here")),
        }
    }
}

//! Conditions: what decides whether a resource, or a value, is there.

use serde_yaml_ng::Value;

use super::TemplateError;
use super::intrinsic::{Resolver, intrinsic_of};

/// How deep conditions may name each other: a bound instead of a search for circles.
const MAX_CONDITIONS: usize = 32;

impl Resolver<'_> {
    /// Whether a condition holds, by its name. `depth` counts the conditions that led to it.
    pub(super) fn holds(&self, condition: &str, at: &str, depth: usize) -> Result<bool, TemplateError> {
        if depth > MAX_CONDITIONS {
            return Err(TemplateError::new(format!("Conditions.{condition}"), "names itself"));
        }
        match self.conditions.and_then(|conditions| conditions.get(condition)) {
            Some(value) => self.is_true(value, &format!("Conditions.{condition}"), depth),
            None => Err(TemplateError::new(at, format!("{condition} is no condition"))),
        }
    }

    fn is_true(&self, value: &Value, at: &str, depth: usize) -> Result<bool, TemplateError> {
        let call = match value {
            Value::Tagged(tagged) => Some((tagged.tag.to_string(), &tagged.value)),
            Value::Mapping(mapping) => match mapping.get("Condition") {
                Some(name) => Some(("Condition".to_owned(), name)),
                None => intrinsic_of(mapping).map(|(name, value)| (name.to_owned(), value)),
            },
            _ => None,
        };
        let Some((name, argument)) = call else {
            return Err(TemplateError::new(at, "is not a condition"));
        };
        let arguments = argument.as_sequence().map(Vec::as_slice).unwrap_or_default();
        match (name.trim_start_matches('!'), arguments) {
            ("Equals", [left, right]) => Ok(self.text(left, at)? == self.text(right, at)?),
            ("Not", [inner]) => Ok(!self.is_true(inner, at, depth)?),
            ("And", inner) => {
                inner.iter().try_fold(true, |all, inner| Ok(all & self.is_true(inner, at, depth)?))
            }
            ("Or", inner) => {
                inner.iter().try_fold(false, |any, inner| Ok(any | self.is_true(inner, at, depth)?))
            }
            ("Condition", _) => match argument.as_str() {
                Some(name) => self.holds(name, at, depth + 1),
                None => Err(TemplateError::new(at, "Condition takes a name")),
            },
            (other, _) => Err(TemplateError::new(at, format!("the condition {other} is not known here"))),
        }
    }
}

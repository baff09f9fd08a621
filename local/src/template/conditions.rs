//! Conditions: what decides whether a resource, or a value, is there.

use serde_yaml_ng::Value;

use super::TemplateError;
use super::intrinsic::Resolver;

/// How deep conditions may be within each other, those that they name included.
const MOST_NESTED: usize = 16;

impl Resolver<'_> {
    /// Whether a condition holds, by its name.
    pub(super) fn holds(&self, condition: &str, at: &str) -> Result<bool, TemplateError> {
        self.holds_within(condition, at, MOST_NESTED)
    }

    fn holds_within(&self, condition: &str, at: &str, left: usize) -> Result<bool, TemplateError> {
        match self.conditions.and_then(|conditions| conditions.get(condition)) {
            Some(value) => self.is_true(value, &format!("Conditions.{condition}"), left),
            None => Err(TemplateError::new(at, format!("{condition} is no condition"))),
        }
    }

    fn is_true(&self, value: &Value, at: &str, left: usize) -> Result<bool, TemplateError> {
        let Some(left) = left.checked_sub(1) else {
            return Err(TemplateError::new(at, "leads back to itself, or is nested too deeply"));
        };
        let Value::Tagged(tagged) = value else {
            return Err(TemplateError::new(at, "is not a condition"));
        };
        let name = tagged.tag.to_string();
        let arguments = tagged.value.as_sequence().map(Vec::as_slice).unwrap_or_default();
        match (name.trim_start_matches('!'), arguments) {
            ("Equals", [left, right]) => Ok(self.text(left, at)? == self.text(right, at)?),
            ("Not", [inner]) => Ok(!self.is_true(inner, at, left)?),
            ("And", inner) if !inner.is_empty() => {
                inner.iter().try_fold(true, |all, inner| Ok(all & self.is_true(inner, at, left)?))
            }
            ("Condition", []) => match tagged.value.as_str() {
                Some(other) => self.holds_within(other, at, left),
                None => Err(TemplateError::new(at, "names no condition")),
            },
            (other, _) => Err(TemplateError::new(at, format!("the condition {other} is not known here"))),
        }
    }
}

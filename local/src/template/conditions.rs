//! Conditions: what decides whether a resource, or a value, is there.

use serde_yaml_ng::Value;

use super::TemplateError;
use super::intrinsic::Resolver;

impl Resolver<'_> {
    /// Whether a condition holds, by its name. None names another: template.yaml has no need of it.
    pub(super) fn holds(&self, condition: &str, at: &str) -> Result<bool, TemplateError> {
        match self.conditions.and_then(|conditions| conditions.get(condition)) {
            Some(value) => self.is_true(value, &format!("Conditions.{condition}")),
            None => Err(TemplateError::new(at, format!("{condition} is no condition"))),
        }
    }

    fn is_true(&self, value: &Value, at: &str) -> Result<bool, TemplateError> {
        let Value::Tagged(tagged) = value else {
            return Err(TemplateError::new(at, "is not a condition"));
        };
        let name = tagged.tag.to_string();
        let arguments = tagged.value.as_sequence().map(Vec::as_slice).unwrap_or_default();
        match (name.trim_start_matches('!'), arguments) {
            ("Equals", [left, right]) => Ok(self.text(left, at)? == self.text(right, at)?),
            ("Not", [inner]) => Ok(!self.is_true(inner, at)?),
            (other, _) => Err(TemplateError::new(at, format!("the condition {other} is not known here"))),
        }
    }
}

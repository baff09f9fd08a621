//! A subscription's filter policy over message attributes: which messages it lets through.
//!
//! Of SNS's filter language it knows lists of exact texts, which is what template.yaml uses. Anything else is an
//! error when the template is read: a filter that is not understood must not pass or drop messages.

use std::collections::BTreeMap;

use serde_json::Value;

use super::TemplateError;

/// What a policy demands: of each attribute that it names, one of its values.
#[derive(Clone, Debug)]
pub struct FilterPolicy {
    attributes: BTreeMap<String, Vec<String>>,
}

impl FilterPolicy {
    pub(super) fn read(at: &str, policy: Value) -> Result<Self, TemplateError> {
        let Value::Object(policy) = policy else {
            return Err(TemplateError::new(at, "is not a mapping"));
        };
        let attributes = policy.into_iter().map(|(name, values)| {
            let at = format!("{at}.{name}");
            let Value::Array(values) = values else {
                return Err(TemplateError::new(at, "is not a list"));
            };
            let texts = values.into_iter().map(|value| match value {
                Value::String(text) => Ok(text),
                _ => Err(TemplateError::new(&at, "holds a condition that is not known here")),
            });
            Ok((name, texts.collect::<Result<_, _>>()?))
        });
        Ok(Self { attributes: attributes.collect::<Result<_, _>>()? })
    }

    /// The policy as the template has it.
    #[must_use]
    pub fn document(&self) -> Value {
        self.attributes.iter().map(|(name, values)| (name.clone(), Value::from(values.as_slice()))).collect()
    }

    /// Whether a message passes whose attribute of a name has this text; none where it has none, or one that is no
    /// text.
    #[must_use]
    pub fn matches<'a>(&self, text_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.attributes
            .iter()
            .all(|(name, values)| text_of(name).is_some_and(|text| values.iter().any(|value| value == text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(policy: &str, attributes: &[(&str, &'static str)]) -> bool {
        let policy = FilterPolicy::read("S.FilterPolicy", serde_json::from_str(policy).unwrap()).unwrap();
        policy.matches(|name| attributes.iter().find(|(named, _)| *named == name).map(|(_, text)| *text))
    }

    #[test]
    fn values_of_one_attribute_are_alternatives_and_attributes_are_all_needed() {
        let policy = r#"{"type": ["order.created", "order.cancelled"], "store": ["a"]}"#;
        assert!(passes(policy, &[("type", "order.cancelled"), ("store", "a")]));
        assert!(!passes(policy, &[("type", "order.cancelled")]));
        assert!(!passes(policy, &[("type", "order.shipped"), ("store", "a")]));
    }

    #[test]
    fn an_unknown_operator_is_an_error_that_names_its_place() {
        for condition in [serde_json::json!({"prefix": "order."}), serde_json::json!(5)] {
            let error = FilterPolicy::read("S.FilterPolicy", serde_json::json!({ "type": [condition] }));
            let text = error.unwrap_err().to_string();
            assert_eq!(text, "S.FilterPolicy.type: holds a condition that is not known here");
        }
    }
}

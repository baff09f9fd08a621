//! A subscription's filter policy over message attributes: which messages it lets through.
//!
//! Of SNS's filter language it knows exact values, `prefix`, `suffix`, `equals-ignore-case`,
//! `anything-but`, `exists`, `numeric` and `$or`. Anything else is an error when the template is read:
//! a filter that is not understood must not pass or drop messages.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::TemplateError;

/// A message attribute as a filter sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// Data type `String`.
    Text(String),
    /// Data type `Number`.
    Number(f64),
    /// Data type `String.Array`.
    List(Vec<AttributeValue>),
    /// Data type `Binary`, or an element of a list that is neither text nor number: no filter matches it.
    Opaque,
}

/// What a policy demands; every part must hold.
#[derive(Clone, Debug)]
pub struct FilterPolicy {
    document: Value,
    attributes: BTreeMap<String, Vec<Condition>>,
    /// Of each `$or`, one policy must hold.
    alternatives: Vec<FilterPolicy>,
}

#[derive(Clone, Debug)]
enum Condition {
    Text(String),
    Number(f64),
    Prefix(String),
    Suffix(String),
    IgnoreCase(String),
    /// None of these holds.
    AnythingBut(Vec<Condition>),
    Exists(bool),
    /// All of these hold.
    Numeric(Vec<(Comparison, f64)>),
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl FilterPolicy {
    pub(super) fn read(at: &str, policy: Value) -> Result<Self, TemplateError> {
        let document = policy.clone();
        let Value::Object(policy) = policy else {
            return Err(TemplateError::new(at, "is not a mapping"));
        };
        let (mut attributes, mut alternatives) = (BTreeMap::new(), Vec::new());
        let mut named_twice = BTreeSet::new();
        for (name, conditions) in policy {
            let at = format!("{at}.{name}");
            let Value::Array(conditions) = conditions else {
                return Err(TemplateError::new(at, "is not a list"));
            };
            if name == "$or" {
                for policy in conditions {
                    alternatives.push(Self::read(&at, policy)?);
                }
                let inside: BTreeSet<&String> =
                    alternatives.iter().flat_map(|policy: &Self| policy.attributes.keys()).collect();
                named_twice.extend(inside.into_iter().cloned());
            } else {
                let conditions: Result<_, _> =
                    conditions.into_iter().map(|condition| Condition::read(&at, condition)).collect();
                attributes.insert(name, conditions?);
            }
        }
        if let Some(name) = named_twice.iter().find(|name| attributes.contains_key(*name)) {
            return Err(TemplateError::new(
                at,
                format!("has {name} both in and beside $or, which SNS refuses"),
            ));
        }
        Ok(Self { document, attributes, alternatives })
    }

    /// The policy as the template has it.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Whether a message with these attributes passes.
    #[must_use]
    pub fn matches(&self, attributes: &BTreeMap<String, AttributeValue>) -> bool {
        let named = self.attributes.iter().all(|(name, conditions)| {
            conditions.iter().any(|condition| condition.holds(attributes.get(name)))
        });
        named
            && (self.alternatives.is_empty()
                || self.alternatives.iter().any(|policy| policy.matches(attributes)))
    }
}

impl Condition {
    fn read(at: &str, value: Value) -> Result<Self, TemplateError> {
        let invalid = || TemplateError::new(at, "holds a condition that is not known here");
        let object = match value {
            Value::String(text) => return Ok(Self::Text(text)),
            Value::Number(number) => return number.as_f64().map(Self::Number).ok_or_else(invalid),
            Value::Object(object) if object.len() == 1 => object,
            _ => return Err(invalid()),
        };
        let Some((operator, operand)) = object.into_iter().next() else { return Err(invalid()) };
        match (operator.as_str(), operand) {
            ("prefix", Value::String(text)) => Ok(Self::Prefix(text)),
            ("suffix", Value::String(text)) => Ok(Self::Suffix(text)),
            ("equals-ignore-case", Value::String(text)) => Ok(Self::IgnoreCase(text)),
            ("exists", Value::Bool(exists)) => Ok(Self::Exists(exists)),
            ("anything-but", Value::Array(values)) => {
                let conditions: Result<_, _> =
                    values.into_iter().map(|value| Self::read(at, value)).collect();
                conditions.map(Self::AnythingBut)
            }
            ("anything-but", value) => Ok(Self::AnythingBut(vec![Self::read(at, value)?])),
            ("numeric", Value::Array(parts)) => {
                let comparisons = parts.chunks(2).map(|pair| match pair {
                    [Value::String(operator), Value::Number(number)] => {
                        Comparison::read(operator).zip(number.as_f64()).ok_or_else(invalid)
                    }
                    _ => Err(invalid()),
                });
                comparisons.collect::<Result<_, _>>().map(Self::Numeric)
            }
            _ => Err(invalid()),
        }
    }

    fn holds(&self, attribute: Option<&AttributeValue>) -> bool {
        match (self, attribute) {
            (Self::Exists(exists), attribute) => attribute.is_some() == *exists,
            (_, Some(AttributeValue::List(values))) => values.iter().any(|value| self.holds(Some(value))),
            // Of a binary attribute SNS compares nothing, so it is not anything else either.
            (_, Some(AttributeValue::Opaque)) => false,
            (Self::AnythingBut(refused), Some(value)) => {
                !refused.iter().any(|condition| condition.holds(Some(value)))
            }
            (Self::Text(expected), Some(AttributeValue::Text(text))) => text == expected,
            (Self::Prefix(prefix), Some(AttributeValue::Text(text))) => text.starts_with(prefix),
            (Self::Suffix(suffix), Some(AttributeValue::Text(text))) => text.ends_with(suffix),
            (Self::IgnoreCase(expected), Some(AttributeValue::Text(text))) => {
                text.to_lowercase() == expected.to_lowercase()
            }
            (Self::Number(expected), Some(AttributeValue::Number(number))) => {
                number.total_cmp(expected) == Ordering::Equal
            }
            (Self::Numeric(comparisons), Some(AttributeValue::Number(number))) => {
                comparisons.iter().all(|(comparison, limit)| comparison.holds(*number, *limit))
            }
            _ => false,
        }
    }
}

impl Comparison {
    fn read(operator: &str) -> Option<Self> {
        Some(match operator {
            "=" => Self::Equal,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn holds(self, number: f64, limit: f64) -> bool {
        let order = number.total_cmp(&limit);
        match self {
            Self::Equal => order.is_eq(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(policy: &str, attributes: &[(&str, AttributeValue)]) -> bool {
        let policy = serde_json::from_str(policy).unwrap();
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        FilterPolicy::read("S.FilterPolicy", policy).unwrap().matches(&attributes.collect())
    }

    fn text(text: &str) -> AttributeValue {
        AttributeValue::Text(text.to_owned())
    }

    #[test]
    fn values_of_one_attribute_are_alternatives_and_attributes_are_all_needed() {
        let policy = r#"{"type": ["order.created", "order.cancelled"], "store": ["a"]}"#;
        assert!(passes(policy, &[("type", text("order.cancelled")), ("store", text("a"))]));
        assert!(!passes(policy, &[("type", text("order.cancelled"))]));
        assert!(!passes(policy, &[("type", text("order.shipped")), ("store", text("a"))]));
    }

    #[test]
    fn operators() {
        let created = [("type", text("order.created"))];
        for (policy, expected) in [
            (r#"{"type": [{"prefix": "order."}]}"#, true),
            (r#"{"type": [{"suffix": ".deleted"}]}"#, false),
            (r#"{"type": [{"equals-ignore-case": "Order.Created"}]}"#, true),
            (r#"{"type": [{"anything-but": ["order.created"]}]}"#, false),
            (r#"{"type": [{"anything-but": {"prefix": "user."}}]}"#, true),
            (r#"{"type": [{"exists": true}]}"#, true),
            (r#"{"other": [{"exists": false}]}"#, true),
            (r#"{"other": [{"anything-but": "x"}]}"#, false),
            (r#"{"$or": [{"type": ["x"]}, {"type": [{"prefix": "order"}]}]}"#, true),
        ] {
            assert_eq!(passes(policy, &created), expected, "{policy}");
        }
        let five = [("size", AttributeValue::Number(5.0))];
        assert!(passes(r#"{"size": [{"numeric": [">", 4, "<=", 5]}]}"#, &five));
        assert!(!passes(r#"{"size": [{"numeric": [">", 5]}]}"#, &five));
        assert!(passes(r#"{"size": [5]}"#, &five));
        assert!(!passes(r#"{"size": [{"anything-but": [5]}]}"#, &[("size", AttributeValue::Opaque)]));
        assert!(passes(r#"{"size": [{"exists": true}]}"#, &[("size", AttributeValue::Opaque)]));
        let list = [("tags", AttributeValue::List(vec![text("a"), text("b")]))];
        assert!(passes(r#"{"tags": ["b"]}"#, &list));
    }

    #[test]
    fn a_name_is_in_or_beside_an_or() {
        let policy = serde_json::json!({"type": ["a"], "$or": [{"type": ["b"]}, {"store": ["c"]}]});
        let error = FilterPolicy::read("S.FilterPolicy", policy).unwrap_err();
        assert!(error.to_string().contains("has type both in and beside $or"), "{error}");
    }

    #[test]
    fn an_unknown_operator_is_an_error_that_names_its_place() {
        let policy = serde_json::json!({"type": [{"cidr": "10.0.0.0/24"}]});
        let error = FilterPolicy::read("S.FilterPolicy", policy).unwrap_err();
        assert_eq!(error.to_string(), "S.FilterPolicy.type: holds a condition that is not known here");
    }
}

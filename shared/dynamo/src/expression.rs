//! Conditions, and what DynamoDB wants with an expression: the names and the values behind its placeholders.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::Attribute;

/// A condition of a write, or of a query. `#name` in its text is the attribute `name`, which may be any word: DynamoDB
/// reserves more than anybody knows. `:name` is a value that is given [`Condition::with`] it.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    values: Vec<(String, AttributeValue)>,
}

impl Condition {
    /// The condition of a text.
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
    }

    /// An attribute has this value.
    #[must_use]
    pub fn equals(attribute: &str, value: impl Attribute) -> Self {
        Self::of(format!("#{attribute} = :is_{attribute}")).with(&format!("is_{attribute}"), value)
    }

    /// There is no such attribute; of a key's: no such item.
    #[must_use]
    pub fn absent(attribute: &str) -> Self {
        Self::of(format!("attribute_not_exists(#{attribute})"))
    }

    /// There is such an attribute; of a key's: such an item.
    #[must_use]
    pub fn exists(attribute: &str) -> Self {
        Self::of(format!("attribute_exists(#{attribute})"))
    }

    /// The same with the value of a placeholder.
    #[must_use]
    pub fn with(mut self, placeholder: &str, value: impl Attribute) -> Self {
        self.values.push((format!(":{placeholder}"), value.into_attribute()));
        self
    }

    /// Both conditions.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.text = format!("{} AND {}", self.text, other.text);
        self.values.extend(other.values);
        self
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// What goes with the expressions of one request.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Placeholders {
    pub(crate) fn of<'a>(conditions: impl IntoIterator<Item = &'a Condition>) -> Self {
        let mut all = Self::default();
        for condition in conditions {
            all.read(condition.text(), &condition.values);
        }
        all
    }

    /// Takes in the names of a text, and the values that go with it.
    pub(crate) fn read(&mut self, text: &str, values: &[(String, AttributeValue)]) {
        for part in text.split('#').skip(1) {
            let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
            let name = &part[..end];
            self.names.insert(format!("#{name}"), name.to_owned());
        }
        self.values.extend(values.iter().cloned());
    }

    /// DynamoDB refuses an empty map.
    pub(crate) fn names(&self) -> Option<HashMap<String, String>> {
        Some(self.names.clone()).filter(|names| !names.is_empty())
    }

    pub(crate) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }
}

/// The names behind placeholders.
pub(crate) type Names = HashMap<String, String>;

/// A projection of these attributes, and the names behind its placeholders; of all, where none is given.
pub(crate) fn projection(attributes: &[&str]) -> (Option<String>, Option<Names>) {
    let text = attributes.iter().map(|name| format!("#{name}")).collect::<Vec<_>>().join(", ");
    let mut placeholders = Placeholders::default();
    placeholders.read(&text, &[]);
    (Some(text).filter(|text| !text.is_empty()), placeholders.names())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::string;

    #[test]
    fn every_name_and_value_of_a_text_is_declared_and_no_other() {
        let condition = Condition::equals("status", "pending")
            .and(Condition::of("(attribute_not_exists(#at) OR #at.#pk <= :now)").with("now", 7_i64))
            .and(Condition::absent("claim"));
        assert_eq!(
            condition.text(),
            "#status = :is_status AND (attribute_not_exists(#at) OR #at.#pk <= :now) AND \
             attribute_not_exists(#claim)"
        );
        let placeholders = Placeholders::of([&condition]);
        let names = placeholders.names().unwrap();
        let mut names: Vec<_> = names.iter().map(|(mark, name)| (mark.as_str(), name.as_str())).collect();
        names.sort_unstable();
        assert_eq!(names, [("#at", "at"), ("#claim", "claim"), ("#pk", "pk"), ("#status", "status")]);
        let values = placeholders.values().unwrap();
        assert_eq!((&values[":is_status"], &values[":now"]), (&string("pending"), &7_i64.into_attribute()));
        assert_eq!(values.len(), 2);
        let plain = Placeholders::of([&Condition::of("attribute_exists(pk)")]);
        assert!(plain.names().is_none() && plain.values().is_none(), "which DynamoDB would refuse");
        let (text, names) = projection(&["pk", "name"]);
        assert_eq!((text.as_deref(), names.unwrap().len()), (Some("#pk, #name"), 2));
        assert_eq!(projection(&[]), (None, None));
    }
}

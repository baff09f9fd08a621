//! Attributes in an update expression that are set where they have a value, and removed where they have none.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::string;

/// The parts of an update expression for some attributes. Their names must be no reserved words.
#[derive(Debug, PartialEq)]
pub struct Assignment {
    set: Vec<String>,
    remove: Vec<String>,
    /// The values behind the placeholders, which are named like the attributes.
    pub values: Vec<(String, AttributeValue)>,
}

impl Assignment {
    /// Sets what has a value, and removes what has none.
    #[must_use]
    pub fn of(attributes: &[(&str, Option<&str>)]) -> Self {
        let mut made = Self { set: Vec::new(), remove: Vec::new(), values: Vec::new() };
        for (name, value) in attributes {
            match value {
                Some(value) => {
                    made.set.push(format!("{name} = :{name}"));
                    made.values.push((format!(":{name}"), string(*value)));
                }
                None => made.remove.push((*name).to_owned()),
            }
        }
        made
    }

    /// The whole expression, behind what else it sets (`status = :status, ...`).
    #[must_use]
    pub fn expression(&self, also_set: &str) -> String {
        let set: Vec<&str> = [also_set].into_iter().chain(self.set.iter().map(String::as_str)).collect();
        let mut expression = format!("SET {}", set.join(", "));
        if !self.remove.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&self.remove.join(", "));
        }
        expression
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_value_is_removed() {
        let made = Assignment::of(&[("a", Some("1")), ("b", None), ("c", Some("3")), ("d", None)]);
        assert_eq!(made.expression("x = :x"), "SET x = :x, a = :a, c = :c REMOVE b, d");
        assert_eq!(made.values, [(":a".to_owned(), string("1")), (":c".to_owned(), string("3"))]);
        assert_eq!(Assignment::of(&[("a", Some("1"))]).expression("x = :x"), "SET x = :x, a = :a");
    }
}

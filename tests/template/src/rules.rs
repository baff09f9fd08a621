//! The rules that hold the template's parameters to each other, evaluated as CloudFormation does.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::template::{Template, list};

/// The assertions that do not hold, by their descriptions, where parameters have these values and else their
/// defaults. A function that is not known here is said as well.
#[must_use]
pub fn broken(template: &Template, values: &BTreeMap<&str, &str>) -> Vec<String> {
    let known = Known { template, values };
    let mut wrong = Vec::new();
    for (name, rule) in template.rules() {
        match rule.get("RuleCondition").map_or(Some(true), |condition| known.holds(condition)) {
            Some(false) => continue,
            Some(true) => {}
            None => wrong.push(format!("{name}: its condition is not understood")),
        }
        for assertion in list(&rule["Assertions"]) {
            let description = assertion["AssertDescription"].as_str().unwrap_or_default();
            match known.holds(&assertion["Assert"]) {
                Some(true) => {}
                Some(false) => wrong.push(description.to_owned()),
                None => wrong.push(format!("{name}: its assertion is not understood")),
            }
        }
    }
    wrong
}

/// The logical ids of a type's resources that a stack has where parameters have these values and else their defaults.
///
/// # Panics
/// A condition is not understood.
#[must_use]
pub fn present<'a>(template: &'a Template, values: &BTreeMap<&str, &str>, kind: &str) -> Vec<&'a str> {
    let known = Known { template, values };
    let holds = |id: &str| match template.resource(id)["Condition"].as_str() {
        None => true,
        Some(name) => {
            let holds = known.holds(template.condition(name));
            assert!(holds.is_some(), "{id}: its condition {name} is not understood");
            holds == Some(true)
        }
    };
    template.of_type(kind).map(|(id, _)| id).filter(|id| holds(id)).collect()
}

struct Known<'a> {
    template: &'a Template,
    values: &'a BTreeMap<&'a str, &'a str>,
}

impl Known<'_> {
    fn holds(&self, condition: &Value) -> Option<bool> {
        let (function, arguments) = condition.as_object()?.iter().next()?;
        match (function.as_str(), list(arguments)) {
            ("Fn::Equals", [left, right]) => Some(self.text(left)? == self.text(right)?),
            ("Fn::Not", [inner]) => Some(!self.holds(inner)?),
            ("Condition", _) => self.holds(self.template.condition(arguments.as_str()?)),
            ("Fn::And", inner @ [_, ..]) => {
                inner.iter().try_fold(true, |all, inner| Some(all & self.holds(inner)?))
            }
            ("Fn::Or", inner) => inner.iter().try_fold(false, |any, inner| Some(any | self.holds(inner)?)),
            ("Fn::Contains", [among, value]) => {
                let value = self.text(value)?;
                Some(list(among).iter().any(|one| one.as_str() == Some(&value)))
            }
            _ => None,
        }
    }

    fn text(&self, value: &Value) -> Option<String> {
        match value["Ref"].as_str() {
            None => value.as_str().map(str::to_owned),
            Some(name) => {
                let given = self.values.get(name).map(|value| (*value).to_owned());
                given.or_else(|| self.template.default_of(name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
Parameters:
  Size: { Type: Number, Default: 10 }
  Mail: { Type: String, Default: "" }
  Safe: { Type: String, Default: "false" }
Rules:
  Told:
    RuleCondition: !Or [!Equals [!Ref Safe, "true"], !Equals [!Ref Size, "1"]]
    Assertions: [{ Assert: !Not [!Equals [!Ref Mail, ""]], AssertDescription: nobody is told }]
  Small:
    Assertions: [{ Assert: !Contains [["1", "10"], !Ref Size], AssertDescription: an odd size }]
"#;

    #[test]
    fn rules_are_evaluated() {
        let template = Template::parse(RULES).unwrap();
        let broken = |values: &[(&'static str, &'static str)]| {
            broken(&template, &values.iter().copied().collect::<BTreeMap<_, _>>())
        };
        assert_eq!(broken(&[]), [""; 0]);
        assert_eq!(broken(&[("Safe", "true")]), ["nobody is told"]);
        assert_eq!(broken(&[("Size", "1")]), ["nobody is told"]);
        assert_eq!(broken(&[("Safe", "true"), ("Mail", "a@example.com")]), [""; 0]);
        assert_eq!(broken(&[("Size", "11")]), ["an odd size"]);
        let unknown = Template::parse("Rules: { R: { Assertions: [{ Assert: { Fn::And: [] } }] } }").unwrap();
        assert_eq!(super::broken(&unknown, &BTreeMap::new()), ["R: its assertion is not understood"]);
    }
}

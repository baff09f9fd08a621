//! What a function may do: the statements of its `Policies`, as actions on physical resources.
//!
//! Only plain grants are read: `Allow`, actions and resources by their full names. SAM's policy templates,
//! managed policies, wildcards and conditions are errors, since this reader could not hold a function to them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Properties, TemplateError};

/// The permissions of one function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(BTreeSet<(String, String)>);

impl Grants {
    /// Whether an IAM action is granted on a resource, by its physical name (`Orders/index/by-customer`).
    #[must_use]
    pub fn allow(&self, action: &str, resource: &str) -> bool {
        self.0.contains(&(action.to_owned(), resource.to_owned()))
    }

    /// Every action with its resource.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(action, resource)| (action.as_str(), resource.as_str()))
    }

    /// Reads the resolved `Policies` of a function.
    pub(super) fn read(function: &mut Properties) -> Result<Self, TemplateError> {
        let mut grants = BTreeSet::new();
        for mut policy in function.children("Policies")? {
            policy.ignore(&["Version"]);
            for mut statement in policy.children("Statement")? {
                if statement.required_text("Effect")? != "Allow" {
                    return Err(statement.error("Effect", "is not Allow"));
                }
                let actions = one_or_many(&mut statement, "Action")?;
                let resources = one_or_many(&mut statement, "Resource")?;
                for resource in &resources {
                    let name = resource_name(resource).ok_or_else(|| {
                        statement.error("Resource", format!("{resource} is no ARN of a resource"))
                    })?;
                    grants.extend(actions.iter().map(|action| (action.clone(), name.to_owned())));
                }
                if let Some(action) = actions.iter().find(|action| action.contains('*')) {
                    return Err(statement.error("Action", format!("{action} is a wildcard")));
                }
                statement.ignore(&["Sid"]);
                statement.finish()?;
            }
            policy.finish()?;
        }
        Ok(Self(grants))
    }
}

/// A list of texts, or one text that stands for a list of it.
pub(super) fn one_or_many(statement: &mut Properties, name: &str) -> Result<Vec<String>, TemplateError> {
    match statement.take(name) {
        Some(Value::String(text)) => Ok(vec![text]),
        Some(Value::Array(values)) => values
            .into_iter()
            .map(|value| match value {
                Value::String(text) => Ok(text),
                _ => Err(statement.error(name, "is not a list of strings")),
            })
            .collect(),
        _ => Err(statement.error(name, "is missing")),
    }
}

/// The physical name in an ARN: of a table with what is below it, of a queue, a topic or a secret.
fn resource_name(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let resource = parts.nth(5).filter(|_| arn.starts_with("arn:aws:") && !arn.contains('*'))?;
    let name =
        resource.strip_prefix("table/").or_else(|| resource.strip_prefix("secret:")).unwrap_or(resource);
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(statement: &Value) -> Result<Grants, TemplateError> {
        let policies = json!({ "Policies": [{ "Version": "2012-10-17", "Statement": [statement] }] });
        Grants::read(&mut Properties::new("F", policies)?)
    }

    #[test]
    fn statements_are_actions_on_resources() {
        let table = "arn:aws:dynamodb:us-east-1:000000000000:table/Orders";
        let index = format!("{table}/index/by-status");
        let statement = json!({ "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": [table, index] });
        let grants = read(&statement).unwrap();
        assert!(grants.allow("dynamodb:Query", "Orders/index/by-status"));
        assert!(grants.allow("dynamodb:GetItem", "Orders"));
        assert!(!grants.allow("dynamodb:PutItem", "Orders"));
        assert!(!grants.allow("dynamodb:Query", "Orders/index/by-customer"));
        assert_eq!(grants.iter().count(), 4);
        let topic = read(
            &json!({ "Effect": "Allow", "Action": "sns:Publish", "Resource": "arn:aws:sns:us-east-1:000000000000:Events" }),
        );
        assert!(topic.unwrap().allow("sns:Publish", "Events"));
    }

    #[test]
    fn what_it_cannot_hold_a_function_to_is_an_error() {
        let good = json!({ "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:000000000000:Q" });
        assert!(read(&good).is_ok());
        for (name, value) in [
            ("Effect", json!("Deny")),
            ("Action", json!("sqs:*")),
            ("Action", json!(["sqs:*"])),
            ("Resource", json!("*")),
            ("Resource", json!("arn:aws:sqs:us-east-1:000000000000:*")),
            ("Resource", json!({ "Ref": "Q" })),
            ("Condition", json!({})),
            ("NotAction", json!("sqs:SendMessage")),
        ] {
            let mut statement = good.clone();
            statement[name] = value;
            assert!(read(&statement).is_err(), "{statement}");
        }
    }
}

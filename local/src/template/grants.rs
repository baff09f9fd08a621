//! What a function may do: the statements of its `Policies`, as actions on physical resources.
//!
//! Only plain grants are read: `Allow`, actions and resources by their full names, and one kind of condition: which
//! partition keys a call of DynamoDB may name. SAM's policy templates, managed policies, wildcards and other conditions
//! are errors, since this reader could not hold a function to them. Of S3 a resource is a bucket, or one folder of it with
//! all that is in it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Properties, TemplateError};

/// The actions that name the partition keys of all items that they touch. `ForAllValues` is also true of a call that
/// names none, as `Scan` does: on any other action the condition would hold nobody to anything.
const KEYED: [&str; 7] = [
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
];

/// The permissions of one function: who may do what on which resource, under any one of the conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants(BTreeMap<(String, String), BTreeSet<Condition>>);

/// What a statement asks of the partition keys of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Condition {
    None,
    /// Each of them is like one of these: `*` stands for any text, `?` for any character.
    Like(Vec<String>),
}

impl Condition {
    fn holds(&self, keys: &[String]) -> bool {
        match self {
            Self::None => true,
            Self::Like(patterns) => {
                keys.iter().all(|key| patterns.iter().any(|pattern| is_like(key, pattern)))
            }
        }
    }

    /// Reads the condition of a statement that grants these actions.
    fn read(statement: &mut Properties, actions: &[String]) -> Result<Self, TemplateError> {
        let Some(value) = statement.take("Condition") else { return Ok(Self::None) };
        if let Some(action) = actions.iter().find(|action| !KEYED.contains(&action.as_str())) {
            return Err(
                statement.error("Condition", format!("{action} does not name the keys of all it touches"))
            );
        }
        let mut condition = Properties::new(format!("{}.Condition", statement.at()), value)?;
        let operator = "ForAllValues:StringLike";
        let value = condition.take(operator).ok_or_else(|| condition.error(operator, "is missing"))?;
        let mut keys = Properties::new(format!("{}.{operator}", condition.at()), value)?;
        condition.finish()?;
        let patterns = one_or_many(&mut keys, "dynamodb:LeadingKeys")?;
        if let Some(variable) = patterns.iter().find(|pattern| pattern.contains("${")) {
            return Err(keys.error("dynamodb:LeadingKeys", format!("{variable} has a variable")));
        }
        keys.finish()?;
        Ok(Self::Like(patterns))
    }
}

impl Grants {
    /// Whether an IAM action is granted on a resource, by its physical name (`Orders/index/by-customer`), to a call
    /// that names these partition keys.
    #[must_use]
    pub fn allow(&self, action: &str, resource: &str, keys: &[String]) -> bool {
        let conditions = self.0.get(&(action.to_owned(), resource.to_owned()));
        conditions.into_iter().flatten().any(|condition| condition.holds(keys))
    }

    /// Every action with its resource.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.keys().map(|(action, resource)| (action.as_str(), resource.as_str()))
    }

    /// Reads the resolved `Policies` of a function.
    pub(super) fn read(function: &mut Properties) -> Result<Self, TemplateError> {
        let mut grants: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for mut policy in function.children("Policies")? {
            policy.ignore(&["Version"]);
            for mut statement in policy.children("Statement")? {
                if statement.required_text("Effect")? != "Allow" {
                    return Err(statement.error("Effect", "is not Allow"));
                }
                let actions = one_or_many(&mut statement, "Action")?;
                let resources = one_or_many(&mut statement, "Resource")?;
                let condition = Condition::read(&mut statement, &actions)?;
                for resource in &resources {
                    let name = resource_name(resource).ok_or_else(|| {
                        statement.error("Resource", format!("{resource} is no ARN of a resource"))
                    })?;
                    for action in &actions {
                        let granted = grants.entry((action.clone(), name.to_owned())).or_default();
                        granted.insert(condition.clone());
                    }
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

/// Whether a text is like a pattern of IAM's: `*` stands for any text, `?` for one character, and case counts.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    // Which beginnings of the text are like the pattern so far.
    let mut like = vec![false; text.len() + 1];
    like[0] = true;
    for wanted in pattern {
        let before = like.clone();
        for end in 0..=text.len() {
            like[end] = match wanted {
                '*' => before[end] || (end > 0 && like[end - 1]),
                _ => end > 0 && before[end - 1] && (wanted == '?' || wanted == text[end - 1]),
            };
        }
    }
    like[text.len()]
}

/// The physical name in an ARN: of a table with what is below it, of a queue, a topic or a secret.
fn resource_name(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let resource = parts.nth(5).filter(|_| arn.starts_with("arn:aws:"))?;
    if arn.starts_with("arn:aws:s3:::") {
        let folder = resource.strip_suffix("/*").and_then(|folder| folder.split_once('/'));
        let is_plain = |text: &str| !text.is_empty() && !text.contains(['*', '/', '?']);
        let is_folder = folder.is_some_and(|(bucket, folder)| is_plain(bucket) && is_plain(folder));
        return Some(resource).filter(|_| is_folder || is_plain(resource));
    }
    if arn.contains('*') {
        return None;
    }
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
        assert!(grants.allow("dynamodb:Query", "Orders/index/by-status", &[]));
        assert!(grants.allow("dynamodb:GetItem", "Orders", &[]));
        assert!(!grants.allow("dynamodb:PutItem", "Orders", &[]));
        assert!(!grants.allow("dynamodb:Query", "Orders/index/by-customer", &[]));
        assert_eq!(grants.iter().count(), 4);
        let topic = read(
            &json!({ "Effect": "Allow", "Action": "sns:Publish", "Resource": "arn:aws:sns:us-east-1:000000000000:Events" }),
        );
        assert!(topic.unwrap().allow("sns:Publish", "Events", &[]));
        let folder = json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/imports/*" });
        assert!(read(&folder).unwrap().allow("s3:GetObject", "bucket/imports/*", &[]));
        let bucket =
            json!({ "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::bucket" });
        assert!(read(&bucket).unwrap().allow("s3:ListBucket", "bucket", &[]));
    }

    fn like(patterns: &Value) -> Value {
        json!({ "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:DeleteItem"],
            "Resource": "arn:aws:dynamodb:us-east-1:000000000000:table/Sessions",
            "Condition": { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": patterns } } })
    }

    #[test]
    fn a_condition_is_asked_of_every_key() {
        let may = |statement: &Value, keys: &[&str]| {
            let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
            read(statement).unwrap().allow("dynamodb:DeleteItem", "Sessions", &keys)
        };
        let users = like(&json!("usr_*"));
        assert!(may(&users, &["usr_a"]) && may(&users, &["usr_a", "usr_"]));
        for others in [&["login#a"][..], &["usr_a", "login#a"], &["Usr_a"], &["xusr_a"], &[""]] {
            assert!(!may(&users, others), "{others:?}");
        }
        let both = like(&json!(["usr_*", "login#?"]));
        assert!(may(&both, &["usr_a", "login#a"]));
        assert!(!may(&both, &["login#"]) && !may(&both, &["login#ab"]));
        let table = "arn:aws:dynamodb:us-east-1:000000000000:table/Sessions";
        let open = json!({ "Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": table });
        let policies = json!({ "Policies": [{ "Statement": [users, open] }] });
        let either = Grants::read(&mut Properties::new("F", policies).unwrap()).unwrap();
        assert!(either.allow("dynamodb:DeleteItem", "Sessions", &["login#a".to_owned()]));
        assert!(!either.allow("dynamodb:GetItem", "Sessions", &["login#a".to_owned()]));
        assert_eq!(either.iter().count(), 2);
    }

    #[test]
    fn patterns_are_those_of_iam() {
        for (text, pattern, expected) in [
            ("", "", true),
            ("", "*", true),
            ("a", "", false),
            ("abc", "a*c", true),
            ("abcb", "a*c", false),
            ("aXbXc", "a*b*c", true),
            ("abc", "a?c", true),
            ("ac", "a?c", false),
            ("a.c", "a?c", true),
            ("abc", "abc*", true),
            ("a*c", "a*c", true),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text:?} {pattern:?}");
        }
    }

    #[test]
    fn a_condition_that_would_hold_nobody_to_anything_is_an_error() {
        assert!(read(&like(&json!("usr_*"))).is_ok());
        let leading = |name: &str, patterns: Value| json!({ name: { "dynamodb:LeadingKeys": patterns } });
        let every = "ForAllValues:StringLike";
        for (name, value) in [
            // These name no key of the items that they touch, which satisfies the condition.
            ("Action", json!("dynamodb:Scan")),
            ("Action", json!(["dynamodb:GetItem", "dynamodb:Query"])),
            ("Condition", leading("StringLike", json!("usr_*"))),
            ("Condition", leading("ForAnyValue:StringLike", json!("usr_*"))),
            ("Condition", leading(every, json!("${aws:userid}"))),
            ("Condition", leading(every, json!(7))),
            ("Condition", json!({ every: { "dynamodb:Attributes": "pk" } })),
            ("Condition", json!({ every: { "dynamodb:LeadingKeys": "a", "dynamodb:Attributes": "pk" } })),
            ("Condition", json!({ every: { "dynamodb:LeadingKeys": "a" }, "Null": { "a": "false" } })),
            ("Condition", json!({})),
        ] {
            let mut statement = like(&json!("usr_*"));
            statement[name] = value;
            assert!(read(&statement).is_err(), "{statement}");
        }
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
            ("Resource", json!("arn:aws:s3:::*")),
            ("Resource", json!("arn:aws:s3:::bucket/*")),
            ("Resource", json!("arn:aws:s3:::bucket/a/b/*")),
            ("Resource", json!("arn:aws:s3:::bucket/a*/*")),
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

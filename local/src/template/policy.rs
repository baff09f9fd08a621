//! The policies of topics and queues: who may reach them, whatever an identity's own policies say.
//!
//! A topic or queue has one policy, which may be the policy of others, too: CloudFormation would put a second one in its
//! place. Only what is evaluated is read. Another operator, key or kind of principal is an error that names it, since
//! this reader could not hold anybody to it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::grants::one_or_many;
use super::intrinsic::{Resolver, Resource};
use super::names::Kind;
use super::{ACCOUNT, Properties, Queue, TemplateError, Topic, queue_arn, topic_arn};

/// The service by which a topic sends to its queues.
pub(super) const SNS: &str = "sns.amazonaws.com";

/// The service by which a configuration set publishes to a topic.
pub(super) const SES: &str = "ses.amazonaws.com";

/// The policies of one topic or queue, together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourcePolicy(Vec<Statement>);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Asking<'a> {
    /// An identity of the account, by its ARN.
    Identity(&'a str),
    /// A service, on behalf of a resource.
    Service {
        /// As in `sns.amazonaws.com`.
        name: &'a str,
        /// The ARN of the resource.
        source: &'a str,
    },
}

/// What a policy says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Refused, whatever else allows it.
    Denied,
    Allowed,
    /// It is up to the identity's own policies. A service has none, so it is refused.
    Silent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    allows: bool,
    principal: Principal,
    actions: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Principal {
    Everybody,
    Services(Vec<String>),
}

/// All conditions of a statement must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    test: Test,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equals,
    /// Also where the call has no such key.
    NotEquals,
    /// Whether the call has no such key.
    Null,
}

impl ResourcePolicy {
    /// What it says of a call with these credentials.
    pub(crate) fn decision(&self, asking: Asking<'_>, action: &str) -> Decision {
        let mut applying = self.0.iter().filter(|statement| statement.applies(asking, action)).peekable();
        if applying.peek().is_none() {
            Decision::Silent
        } else if applying.all(|statement| statement.allows) {
            Decision::Allowed
        } else {
            Decision::Denied
        }
    }
}

impl Statement {
    fn applies(&self, asking: Asking<'_>, action: &str) -> bool {
        let principal = match (&self.principal, asking) {
            (Principal::Everybody, _) => true,
            (Principal::Services(names), Asking::Service { name, .. }) => names.iter().any(|one| one == name),
            (Principal::Services(_), Asking::Identity(_)) => false,
        };
        let covers = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => action.starts_with(prefix),
            None => pattern == action,
        };
        principal && self.actions.iter().any(covers) && self.conditions.iter().all(|one| one.holds(asking))
    }
}

impl Condition {
    fn holds(&self, asking: Asking<'_>) -> bool {
        let value = match (self.key.as_str(), asking) {
            ("aws:PrincipalArn", Asking::Identity(arn)) => Some(arn),
            ("aws:SourceArn", Asking::Service { source, .. }) => Some(source),
            ("aws:SourceAccount", Asking::Service { .. }) => Some(ACCOUNT),
            // Nothing here leaves the process; on AWS the SDK's endpoints are TLS.
            ("aws:SecureTransport", _) => Some("true"),
            _ => None,
        };
        let is_among = value.is_some_and(|value| self.values.iter().any(|one| one == value));
        match self.test {
            Test::Equals => is_among,
            Test::NotEquals => !is_among,
            Test::Null => self.values.iter().any(|one| (one == "true") == value.is_none()),
        }
    }
}

/// Puts every policy on the topics and queues that it names.
pub(super) fn attach(
    topics: &mut BTreeMap<String, Topic>,
    queues: &mut BTreeMap<String, Queue>,
    resources: &BTreeMap<String, Resource<'_>>,
    resolver: &Resolver<'_>,
) -> Result<(), TemplateError> {
    for (id, resource) in resources {
        let (covers, kind) = match resource.kind.as_str() {
            "AWS::SNS::TopicPolicy" => ("Topics", Kind::Topic),
            "AWS::SQS::QueuePolicy" => ("Queues", Kind::Queue),
            _ => continue,
        };
        let mut properties = resolver.properties(id, resource.properties)?;
        let covered = properties.texts(covers)?;
        let statements = statements(&mut properties)?;
        properties.finish()?;
        for reference in covered {
            let unknown = || TemplateError::new(format!("{id}.{covers}"), "names nothing of this template");
            let target = resolver.target(kind, &reference).ok_or_else(unknown)?;
            let (policy, arn) = match kind {
                Kind::Topic => {
                    topics.get_mut(target).map(|topic| (&mut topic.policy, topic_arn(&topic.name)))
                }
                _ => queues.get_mut(target).map(|queue| (&mut queue.policy, queue_arn(&queue.name))),
            }
            .ok_or_else(unknown)?;
            if !policy.0.is_empty() {
                return Err(TemplateError::new(id, format!("{target} has a policy already")));
            }
            // A queue's policy is asked of that queue alone, so that it may say `*`. A topic's must name its topic.
            let is_its = |on: &String| *on == arn || (on == "*" && matches!(kind, Kind::Queue));
            let own = statements.iter().filter(|(_, on)| on.iter().any(is_its));
            policy.0.extend(own.map(|(statement, _)| statement.clone()));
            if policy.0.is_empty() {
                return Err(TemplateError::new(
                    id,
                    format!("says nothing of {target}: Resource is not its ARN"),
                ));
            }
        }
    }
    Ok(())
}

/// The statements of a policy, each with the ARNs that it is about.
fn statements(policy: &mut Properties) -> Result<Vec<(Statement, Vec<String>)>, TemplateError> {
    let Some(mut document) = policy.child("PolicyDocument")? else {
        return Err(policy.error("PolicyDocument", "is missing"));
    };
    document.ignore(&["Id", "Version"]);
    let mut statements = Vec::new();
    for mut statement in document.children("Statement")? {
        statement.ignore(&["Sid"]);
        let allows = match statement.required_text("Effect")?.as_str() {
            "Allow" => true,
            "Deny" => false,
            _ => return Err(statement.error("Effect", "is neither Allow nor Deny")),
        };
        let principal = principal(&mut statement)?;
        let actions = one_or_many(&mut statement, "Action")?;
        let resources = one_or_many(&mut statement, "Resource")?;
        let conditions = match statement.child("Condition")? {
            None => Vec::new(),
            Some(condition) => conditions(condition)?,
        };
        statement.finish()?;
        statements.push((Statement { allows, principal, actions, conditions }, resources));
    }
    document.finish()?;
    Ok(statements)
}

fn principal(statement: &mut Properties) -> Result<Principal, TemplateError> {
    match statement.take("Principal") {
        Some(Value::String(all)) if all == "*" => Ok(Principal::Everybody),
        Some(Value::Object(mut kinds)) if kinds.len() == 1 && kinds.contains_key("Service") => {
            let services = kinds.remove("Service");
            let services = services.and_then(texts);
            services
                .map(Principal::Services)
                .ok_or_else(|| statement.error("Principal.Service", "is no name"))
        }
        _ => Err(statement.error("Principal", "is neither * nor a service")),
    }
}

fn conditions(condition: Properties) -> Result<Vec<Condition>, TemplateError> {
    const KEYS: [&str; 5] =
        ["aws:PrincipalArn", "aws:SourceAccount", "aws:SourceArn", "aws:SecureTransport", "sns:Endpoint"];
    let at = condition.at().to_owned();
    let mut conditions = Vec::new();
    for (operator, keys) in condition.into_entries() {
        let at = format!("{at}.{operator}");
        let test = match operator.as_str() {
            "ArnEquals" | "Bool" | "StringEquals" => Test::Equals,
            "ArnNotEquals" | "StringNotEquals" => Test::NotEquals,
            "Null" => Test::Null,
            _ => return Err(TemplateError::new(at, "is not known here")),
        };
        for (key, values) in Properties::new(at.clone(), keys)?.into_entries() {
            let at = format!("{at}.{key}");
            let Some(values) = texts(values).filter(|_| KEYS.contains(&key.as_str())) else {
                return Err(TemplateError::new(at, "is not known here"));
            };
            // Patterns are not needed, and a value that is taken for one would let in more than it says.
            if values.iter().any(|value| value.contains(['*', '?'])) {
                return Err(TemplateError::new(at, "is a pattern"));
            }
            conditions.push(Condition { test, key, values });
        }
    }
    Ok(conditions)
}

fn texts(value: Value) -> Option<Vec<String>> {
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    match value {
        Value::Array(values) => values.into_iter().map(text).collect(),
        one => Some(vec![text(one)?]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::000000000000:role/Relay";
    const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:Events";
    const THE_TOPIC: Asking<'_> = Asking::Service { name: SNS, source: TOPIC };

    fn policy(statements: &Value) -> Result<ResourcePolicy, TemplateError> {
        let document = json!({ "PolicyDocument": { "Version": "2012-10-17", "Statement": statements } });
        let read = super::statements(&mut Properties::new("P", document)?)?;
        Ok(ResourcePolicy(read.into_iter().map(|(statement, _)| statement).collect()))
    }

    fn statement(effect: &str, principal: &Value, condition: &Value) -> Value {
        json!({ "Effect": effect, "Principal": principal, "Action": "sqs:SendMessage", "Resource": "arn:q",
                "Condition": condition })
    }

    #[test]
    fn a_service_needs_leave_and_everybody_else_none() {
        let allow = statement(
            "Allow",
            &json!({ "Service": SNS }),
            &json!({ "ArnEquals": { "aws:SourceArn": TOPIC } }),
        );
        let policy = policy(&json!([allow])).unwrap();
        assert_eq!(policy.decision(THE_TOPIC, "sqs:SendMessage"), Decision::Allowed);
        let other = Asking::Service { name: SNS, source: "arn:aws:sns:us-east-1:000000000000:Other" };
        assert_eq!(policy.decision(other, "sqs:SendMessage"), Decision::Silent);
        assert_eq!(policy.decision(Asking::Identity(ROLE), "sqs:SendMessage"), Decision::Silent);
        assert_eq!(ResourcePolicy::default().decision(THE_TOPIC, "sqs:SendMessage"), Decision::Silent);
    }

    #[test]
    fn a_denial_wins_and_takes_a_missing_key_for_another() {
        let others = json!({ "ArnNotEquals": { "aws:SourceArn": TOPIC, "aws:PrincipalArn": [ROLE] } });
        let both = json!([
            statement("Allow", &json!("*"), &json!({ "Bool": { "aws:SecureTransport": true } })),
            statement("Deny", &json!("*"), &others),
        ]);
        let policy = policy(&both).unwrap();
        assert_eq!(policy.decision(THE_TOPIC, "sqs:SendMessage"), Decision::Allowed);
        assert_eq!(policy.decision(Asking::Identity(ROLE), "sqs:SendMessage"), Decision::Allowed);
        assert_eq!(policy.decision(Asking::Identity("arn:other"), "sqs:SendMessage"), Decision::Denied);
        assert_eq!(policy.decision(Asking::Identity("arn:other"), "sqs:ReceiveMessage"), Decision::Silent);
    }

    #[test]
    fn null_tells_identities_from_services() {
        let identities = json!({ "Null": { "aws:PrincipalArn": "false" } });
        let policy = policy(&json!([statement("Deny", &json!("*"), &identities)])).unwrap();
        assert_eq!(policy.decision(Asking::Identity(ROLE), "sqs:SendMessage"), Decision::Denied);
        assert_eq!(policy.decision(THE_TOPIC, "sqs:SendMessage"), Decision::Silent);
    }

    #[test]
    fn what_it_cannot_evaluate_is_an_error() {
        let good = statement("Deny", &json!("*"), &json!({ "Bool": { "aws:SecureTransport": "false" } }));
        assert!(policy(&json!([good])).is_ok());
        for (name, value) in [
            ("Effect", json!("Maybe")),
            ("Principal", json!({ "AWS": ROLE })),
            ("Principal", json!(null)),
            ("NotAction", json!("sqs:*")),
            ("Condition", json!({ "ArnLike": { "aws:PrincipalArn": ROLE } })),
            ("Condition", json!({ "ArnEquals": { "aws:PrincipalOrgId": "o-1" } })),
            ("Condition", json!({ "ArnEquals": { "aws:PrincipalArn": "arn:aws:iam::*:role/x" } })),
        ] {
            let mut statement = good.clone();
            statement[name] = value;
            assert!(policy(&json!([statement])).is_err(), "{statement}");
        }
    }
}

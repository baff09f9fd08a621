//! Holds every call to the policies of the topic or queue that it is about, as AWS does.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::AwsError;
use super::environment::Place;
use super::observer::{Access, Call, Service};
use crate::template::{Asking, Decision, ResourcePolicy, Template, user_arn};

/// The policies by the physical names of what they are on, and who is who.
#[derive(Debug)]
pub(super) struct Policies {
    topics: BTreeMap<String, ResourcePolicy>,
    queues: BTreeMap<String, ResourcePolicy>,
    /// The ARN of each function's role, by the function's one name.
    functions: BTreeMap<String, String>,
    /// The ARN of each role of the template, by its logical id.
    roles: BTreeMap<String, Arc<str>>,
}

impl Policies {
    pub(super) fn of(template: &Template) -> Self {
        let topics = template.topics.values().map(|topic| (topic.name.clone(), topic.policy.clone()));
        let queues = template.queues.values().map(|queue| (queue.name.clone(), queue.policy.clone()));
        let functions =
            template.functions.values().map(|function| (function.name.clone(), function.role.clone()));
        let roles = template.roles.iter().map(|(id, arn)| (id.clone(), arn.as_str().into()));
        Self {
            topics: topics.collect(),
            queues: queues.collect(),
            functions: functions.collect(),
            roles: roles.collect(),
        }
    }

    /// The ARN of a role of the template.
    pub(super) fn role(&self, id: &str) -> Option<Arc<str>> {
        self.roles.get(id).cloned()
    }

    /// Refuses what a policy denies. What it does not mention is up to the caller's own permissions.
    pub(super) fn check(&self, place: &Place, call: &Call) -> Result<(), AwsError> {
        let policies = match call.service {
            Service::Sns => &self.topics,
            Service::Sqs => &self.queues,
            Service::DynamoDb | Service::SecretsManager | Service::Ses | Service::CloudFront => {
                return Ok(());
            }
        };
        let principal = match (&place.role, self.functions.get(&*place.caller)) {
            (Some(role), _) => role.to_string(),
            (None, Some(role)) => role.clone(),
            (None, None) => user_arn(&place.caller),
        };
        let denied = |Access { action, resource }: &&Access| {
            policies.get(resource).is_some_and(|policy| {
                policy.decision(Asking::Identity(&principal), action) == Decision::Denied
            })
        };
        match call.accesses.iter().find(denied) {
            None => Ok(()),
            Some(Access { action, resource }) => Err(AwsError::denied(
                call.service,
                format!(
                    "User: {principal} is not authorized to perform: {action} on resource: {resource} with an \
                     explicit deny in a resource-based policy"
                ),
            )),
        }
    }
}

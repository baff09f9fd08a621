//! `AWS::SNS::Topic`, `AWS::SNS::Subscription` and `AWS::SQS::Queue`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::intrinsic::{Resolver, Resource};
use super::names::Kind;
use super::{FilterPolicy, Properties, ResourcePolicy, TemplateError};

const DEFAULT_VISIBILITY: Duration = Duration::from_secs(30);
const DEFAULT_RETENTION: Duration = Duration::from_hours(4 * 24);

/// A topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// The physical name.
    pub name: String,
    /// The queues that subscribe, in the order of their subscriptions' logical ids.
    pub subscriptions: Vec<Subscription>,
    /// Who may publish to it.
    pub(crate) policy: ResourcePolicy,
}

/// A queue's subscription to a topic.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The logical id of the subscription.
    pub id: String,
    /// The logical id of the queue.
    pub queue: String,
    /// Which messages pass; all of them without a policy.
    pub filter: Option<FilterPolicy>,
}

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    /// The physical name.
    pub name: String,
    /// How long a received message stays hidden.
    pub visibility_timeout: Duration,
    /// How long a message is kept.
    pub retention: Duration,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
    /// Who may send to it.
    pub(crate) policy: ResourcePolicy,
}

/// A redrive policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// The logical id of the dead-letter queue.
    pub queue: String,
    /// How often a message may be received before it goes there.
    pub max_receive_count: u32,
}

impl Topic {
    pub(super) fn read(name: String, properties: Properties) -> Result<Self, TemplateError> {
        properties.finish()?;
        Ok(Self { name, subscriptions: Vec::new(), policy: ResourcePolicy::default() })
    }
}

impl Queue {
    pub(super) fn read(
        name: String,
        mut properties: Properties,
        resolver: &Resolver<'_>,
    ) -> Result<Self, TemplateError> {
        properties.ignore(&["QueueName", "RedriveAllowPolicy", "SqsManagedSseEnabled"]);
        let queue = Self {
            name,
            visibility_timeout: properties
                .seconds("VisibilityTimeout", 0, 43_200)?
                .unwrap_or(DEFAULT_VISIBILITY),
            retention: properties
                .seconds("MessageRetentionPeriod", 60, 1_209_600)?
                .unwrap_or(DEFAULT_RETENTION),
            redrive: match properties.child("RedrivePolicy")? {
                None => None,
                Some(mut policy) => {
                    let target = policy.required_text("deadLetterTargetArn")?;
                    let Some(queue) = resolver.target(Kind::Queue, &target) else {
                        return Err(policy.error("deadLetterTargetArn", "is no queue of this template"));
                    };
                    let count = policy.count("maxReceiveCount", 1, 1000)?;
                    let max_receive_count =
                        count.ok_or_else(|| policy.error("maxReceiveCount", "is missing"))?;
                    policy.finish()?;
                    Some(Redrive { queue: queue.to_owned(), max_receive_count })
                }
            },
            policy: ResourcePolicy::default(),
        };
        properties.finish()?;
        Ok(queue)
    }
}

/// Puts every subscription of a queue on its topic.
pub(super) fn subscribe(
    topics: &mut BTreeMap<String, Topic>,
    resources: &BTreeMap<String, Resource<'_>>,
    resolver: &Resolver<'_>,
) -> Result<(), TemplateError> {
    for (id, resource) in resources {
        if resource.kind != "AWS::SNS::Subscription" {
            continue;
        }
        let mut properties = resolver.properties(id, resource.properties)?;
        let topic = properties.required_text("TopicArn")?;
        let endpoint = properties.required_text("Endpoint")?;
        match properties.required_text("Protocol")?.as_str() {
            "sqs" => {}
            // For people: on one machine there is nobody to write to.
            "email" => continue,
            _ => return Err(properties.error("Protocol", "is not known here")),
        }
        let Some(topic) = resolver.target(Kind::Topic, &topic).and_then(|id| topics.get_mut(id)) else {
            return Err(properties.error("TopicArn", "is no topic of this template"));
        };
        let Some(queue) = resolver.target(Kind::Queue, &endpoint) else {
            return Err(properties.error("Endpoint", "is no queue of this template"));
        };
        if properties.text("FilterPolicyScope")?.is_some_and(|scope| scope != "MessageAttributes") {
            return Err(properties.error("FilterPolicyScope", "is not MessageAttributes"));
        }
        let filter = match properties.take("FilterPolicy") {
            None => None,
            Some(policy) => Some(FilterPolicy::read(&format!("{id}.FilterPolicy"), policy)?),
        };
        if !properties.flag("RawMessageDelivery")? {
            return Err(properties.error("RawMessageDelivery", "is not true: there is no envelope here"));
        }
        properties.finish()?;
        topic.subscriptions.push(Subscription { id: id.clone(), queue: queue.to_owned(), filter });
    }
    Ok(())
}

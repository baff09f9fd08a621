//! SNS: topics that pass messages on to the queues whose filter policies let them through.
//!
//! A publication is acknowledged when every queue has stored it, in one step: a batch arrives as a whole.

mod query;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) use query::error_body;
pub(super) use request::Request;

use super::AwsError;
use super::interceptor::Interceptor;
use super::observer::Observers;
use super::random::Random;
use super::sqs::{Attribute, Attributes, NewMessage, Queues};
use crate::template::{FilterPolicy, Template};

/// All topics, by their physical names.
pub(super) struct Topics {
    /// The subscriptions of each topic.
    subscriptions: BTreeMap<String, Vec<Subscription>>,
    random: Random,
    observers: Observers,
    interceptor: Option<Arc<dyn Interceptor>>,
}

#[derive(Debug)]
struct Subscription {
    /// The physical name of the queue.
    queue: String,
    filter: Option<FilterPolicy>,
}

/// A message to be published.
#[derive(Debug)]
pub(super) struct Publication {
    pub(super) message: String,
    pub(super) attributes: Attributes,
}

impl Topics {
    pub(super) fn new(
        template: &Template,
        random: &Random,
        observers: Observers,
        interceptor: Option<Arc<dyn Interceptor>>,
    ) -> Self {
        let mut by_topic = BTreeMap::new();
        for topic in template.topics.values() {
            let subscriptions = topic.subscriptions.iter().filter_map(|subscription| {
                let queue = template.queues.get(&subscription.queue)?.name.clone();
                Some(Subscription { queue, filter: subscription.filter.clone() })
            });
            by_topic.insert(topic.name.clone(), subscriptions.collect());
        }
        Self { subscriptions: by_topic, random: random.clone(), observers, interceptor }
    }

    /// Publishes messages: all of them reach their queues, or none. Returns their ids.
    pub(super) fn publish(
        &self,
        topic: &str,
        publications: Vec<Publication>,
        queues: &Queues,
    ) -> Result<Vec<String>, AwsError> {
        let Some(subscriptions) = self.subscriptions.get(topic) else {
            return Err(AwsError { status: 404, ..AwsError::client("NotFound", "Topic does not exist") });
        };
        let (mut ids, mut messages) = (Vec::new(), Vec::new());
        for publication in publications {
            ids.push(self.random.uuid());
            let text_of = |name: &str| publication.attributes.get(name).and_then(Attribute::text);
            let passing = subscriptions.iter().filter(|subscription| {
                let passes = subscription.filter.as_ref().is_none_or(|filter| filter.matches(text_of));
                self.interceptor.as_ref().map_or(passes, |interceptor| {
                    interceptor.filters(&subscription.queue, &publication.message, passes)
                })
            });
            self.observers.notify(|observer, now| observer.published(now, topic, &publication.message));
            let message = publication.raw();
            for subscription in passing {
                let queue = subscription.queue.as_str();
                match &self.interceptor {
                    None => messages.push((queue, message.clone())),
                    Some(interceptor) => {
                        let copies = interceptor.copies(queue, &publication.message).into_iter();
                        messages.extend(copies.map(|wait| (queue, message.clone().held_back(wait))));
                    }
                }
            }
        }
        queues.send(messages)?;
        Ok(ids)
    }
}

impl Publication {
    /// As it arrives: raw delivery is the only one that the template asks for.
    fn raw(&self) -> NewMessage {
        NewMessage {
            body: self.message.as_str().into(),
            attributes: Arc::new(self.attributes.clone()),
            delay: 0,
        }
    }

    /// The bytes that SNS counts.
    fn size(&self) -> usize {
        let attribute = |(name, attribute): (&String, &Attribute)| {
            name.len() + attribute.data_type.len() + attribute.string_value.len()
        };
        self.message.len() + self.attributes.iter().map(attribute).sum::<usize>()
    }
}

//! SNS: topics that pass messages on to the queues whose filter policies let them through.
//!
//! A publication is acknowledged when every queue has stored it, in one step: a batch arrives as a whole.

mod query;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};
use shop_types::Timestamp;

pub(super) use query::error_body;
pub(super) use request::Request;

use super::AwsError;
use super::clock::Clock;
use super::interceptor::Interceptor;
use super::observer::Observers;
use super::random::Random;
use super::sqs::{Attribute, Attributes, NewMessage, Queues};
use crate::template::{FilterPolicy, Template, topic_arn};

/// All topics, by their physical names.
pub(super) struct Topics {
    /// The subscriptions of each topic.
    subscriptions: BTreeMap<String, Vec<Subscription>>,
    clock: Clock,
    random: Random,
    observers: Observers,
    interceptor: Option<Arc<dyn Interceptor>>,
}

#[derive(Debug)]
struct Subscription {
    /// The physical name of the queue.
    queue: String,
    raw: bool,
    filter: Option<FilterPolicy>,
}

/// A message to be published.
#[derive(Debug)]
pub(super) struct Publication {
    pub(super) message: String,
    pub(super) subject: Option<String>,
    pub(super) attributes: Attributes,
}

impl Topics {
    pub(super) fn new(
        template: &Template,
        clock: &Clock,
        random: &Random,
        observers: Observers,
        interceptor: Option<Arc<dyn Interceptor>>,
    ) -> Self {
        let mut by_topic = BTreeMap::new();
        for topic in template.topics.values() {
            let subscriptions = topic.subscriptions.iter().filter_map(|subscription| {
                let queue = template.queues.get(&subscription.queue)?.name.clone();
                Some(Subscription { queue, raw: subscription.raw, filter: subscription.filter.clone() })
            });
            by_topic.insert(topic.name.clone(), subscriptions.collect());
        }
        let (clock, random) = (clock.clone(), random.clone());
        Self { subscriptions: by_topic, clock, random, observers, interceptor }
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
            let id = self.random.uuid();
            let text_of = |name: &str| publication.attributes.get(name).and_then(Attribute::text);
            let passing = subscriptions.iter().filter(|subscription| {
                let passes = subscription.filter.as_ref().is_none_or(|filter| filter.matches(text_of));
                self.interceptor.as_ref().map_or(passes, |interceptor| {
                    interceptor.filters(&subscription.queue, &publication.message, passes)
                })
            });
            self.observers.tell(|observer, now| observer.published(now, topic, &publication.message));
            let mut raw: Option<NewMessage> = None;
            for subscription in passing {
                let message = if subscription.raw {
                    raw.get_or_insert_with(|| publication.raw()).clone()
                } else {
                    publication.enveloped(topic, &id, Timestamp::from_millis(self.clock.now()))
                };
                let queue = subscription.queue.as_str();
                match &self.interceptor {
                    None => messages.push((queue, message)),
                    Some(interceptor) => {
                        let copies = interceptor.copies(queue, &publication.message).into_iter();
                        messages.extend(copies.map(|wait| (queue, message.clone().held_back(wait))));
                    }
                }
            }
            ids.push(id);
        }
        queues.send(messages)?;
        Ok(ids)
    }
}

impl Publication {
    fn raw(&self) -> NewMessage {
        NewMessage {
            body: self.message.as_str().into(),
            attributes: Arc::new(self.attributes.clone()),
            delay: None,
        }
    }

    fn enveloped(&self, topic: &str, id: &str, time: Timestamp) -> NewMessage {
        let mut envelope = json!({
            "Type": "Notification",
            "MessageId": id,
            "TopicArn": topic_arn(topic),
            "Message": self.message,
            "Timestamp": time.to_string(),
        });
        if let Some(subject) = &self.subject {
            envelope["Subject"] = json!(subject);
        }
        if !self.attributes.is_empty() {
            let attribute = |attribute: &Attribute| {
                let value = attribute.string_value.as_ref().or(attribute.binary_value.as_ref());
                json!({"Type": attribute.data_type, "Value": value})
            };
            let attributes: BTreeMap<&String, Value> =
                self.attributes.iter().map(|(name, value)| (name, attribute(value))).collect();
            envelope["MessageAttributes"] = json!(attributes);
        }
        NewMessage { body: envelope.to_string().into(), attributes: Arc::default(), delay: None }
    }

    /// The bytes that SNS counts.
    fn size(&self) -> usize {
        let attribute = |(name, attribute): (&String, &Attribute)| {
            let text = attribute.string_value.as_ref().map_or(0, String::len);
            let bytes = attribute.binary_value.as_ref();
            let binary = bytes.map_or(0, |value| BASE64.decode_len(value.len()).unwrap_or(0));
            name.len() + attribute.data_type.len() + text + binary
        };
        self.message.len() + self.attributes.iter().map(attribute).sum::<usize>()
    }
}

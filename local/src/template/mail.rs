//! `AWS::SES::ConfigurationSet` and `AWS::SES::ConfigurationSetEventDestination`.

use std::collections::{BTreeMap, BTreeSet};

use super::intrinsic::{Resolver, Resource};
use super::names::Kind;
use super::{Properties, TemplateError};

/// What SES may be asked to tell of a message.
const EVENT_TYPES: [&str; 5] = ["bounce", "complaint", "delivery", "reject", "send"];

/// A configuration set of SES.
#[derive(Clone, Debug)]
pub struct ConfigurationSet {
    /// The physical name.
    pub name: String,
    /// Where its events go.
    pub destinations: Vec<EventDestination>,
}

/// Where events of a configuration set go.
#[derive(Clone, Debug)]
pub struct EventDestination {
    /// The logical id of the destination.
    pub id: String,
    /// The logical id of the topic.
    pub topic: String,
    /// The types that are sent there.
    pub types: BTreeSet<String>,
}

impl ConfigurationSet {
    pub(super) fn read(name: String, mut properties: Properties) -> Result<Self, TemplateError> {
        properties.ignore(&["DeliveryOptions", "Name", "ReputationOptions", "SuppressionOptions"]);
        properties.finish()?;
        Ok(Self { name, destinations: Vec::new() })
    }
}

/// Puts every event destination on its configuration set.
pub(super) fn attach(
    sets: &mut BTreeMap<String, ConfigurationSet>,
    resources: &BTreeMap<String, Resource<'_>>,
    resolver: &Resolver<'_>,
) -> Result<(), TemplateError> {
    for (id, resource) in resources {
        if resource.kind != "AWS::SES::ConfigurationSetEventDestination" {
            continue;
        }
        let mut properties = resolver.properties(id, resource.properties)?;
        let name = properties.required_text("ConfigurationSetName")?;
        let set = resolver.target(Kind::ConfigurationSet, &name).and_then(|id| sets.get_mut(id));
        let Some(set) = set else {
            return Err(properties.error("ConfigurationSetName", "is no configuration set of this template"));
        };
        let Some(mut destination) = properties.child("EventDestination")? else {
            return Err(properties.error("EventDestination", "is missing"));
        };
        properties.finish()?;
        destination.ignore(&["Name"]);
        if !destination.flag("Enabled")? {
            return Err(destination.error("Enabled", "is not true: nothing would arrive"));
        }
        let types = destination.texts("MatchingEventTypes")?;
        if types.is_empty() || types.iter().any(|name| !EVENT_TYPES.contains(&name.as_str())) {
            return Err(destination.error("MatchingEventTypes", "is not known here"));
        }
        let Some(mut sns) = destination.child("SnsDestination")? else {
            return Err(destination.error("SnsDestination", "is missing"));
        };
        destination.finish()?;
        let topic = sns.required_text("TopicARN")?;
        let Some(topic) = resolver.target(Kind::Topic, &topic) else {
            return Err(sns.error("TopicARN", "is no topic of this template"));
        };
        sns.finish()?;
        let topic = topic.to_owned();
        set.destinations.push(EventDestination { id: id.clone(), topic, types: types.into_iter().collect() });
    }
    Ok(())
}

//! The template as the embedded cloud reads it: what to create, and what is wired to what.
//!
//! It reads SAM and CloudFormation from one file and yields plain values. It must not guess: a resource,
//! a property or an event that it does not know is an error that names it, unless it is on a list of
//! those that have no part in running the stack on one machine.

mod conditions;
mod cors;
mod distribution;
mod event;
mod filter_policy;
mod function;
mod grants;
mod intrinsic;
mod mail;
mod messaging;
mod names;
mod parameters;
mod policy;
mod properties;
mod secret;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_yaml_ng::Value;

pub use cors::Cors;
pub use distribution::{Behaviour, Caching, Distribution};
pub use event::{Event, SqsEvent, StreamEvent};
pub use filter_policy::FilterPolicy;
pub use function::Function;
pub use grants::Grants;
pub use mail::{ConfigurationSet, EventDestination};
pub use messaging::{Queue, Redrive, Subscription, Topic};
pub use names::{ACCOUNT, REGION};
pub(crate) use names::{
    configuration_set_arn, queue_arn, queue_url, secret_arn, stream_arn, topic_arn, user_arn,
};
pub(crate) use policy::{Asking, Decision, ResourcePolicy};
pub(crate) use secret::Secret;
pub use table::{Index, Key, Table};

use intrinsic::Resolver;
use names::{Kind, Named};
use properties::Properties;

/// A stack: every resource that runs, by its logical id.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// `AWS::DynamoDB::Table`.
    pub tables: BTreeMap<String, Table>,
    /// `AWS::SNS::Topic`, each with its subscriptions.
    pub topics: BTreeMap<String, Topic>,
    /// `AWS::SQS::Queue`.
    pub queues: BTreeMap<String, Queue>,
    /// `AWS::Serverless::Function`.
    pub functions: BTreeMap<String, Function>,
    /// `AWS::SES::ConfigurationSet`, each with its event destinations.
    pub configuration_sets: BTreeMap<String, ConfigurationSet>,
    /// `AWS::SecretsManager::Secret`.
    pub(crate) secrets: BTreeMap<String, Secret>,
    /// `AWS::CloudFront::Distribution`, if there is one.
    pub distribution: Option<Distribution>,
    /// The `CorsConfiguration` of the `AWS::Serverless::HttpApi`, if it has one.
    pub cors: Option<Cors>,
    /// `AWS::IAM::Role`, by its ARN: those of people and scripts. Each function has its own beside them.
    pub(crate) roles: BTreeMap<String, String>,
}

/// The parameters of a stack whose callers all have one network address, as on a laptop or in a test: what is budgeted
/// by address in production is everybody's together there. It sends mails, since none of them leaves the machine, counts
/// sales at once, since nobody pays for the writes, and has the edge before its API.
#[must_use]
pub fn of_one_machine() -> BTreeMap<String, String> {
    let most = ["RegistrationsPerHour", "AddressOrderLimit"].map(|name| (name, "1000000"));
    let sales = [("RecordSaleBatchSize", "10"), ("RecordSaleBatchWindow", "0")];
    let others = sales.into_iter().chain([("EmailFrom", "shop@example.com"), ("EdgeCache", "true")]);
    most.into_iter().chain(others).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What is wrong with a template.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The text is not YAML.
    #[error("the template is not YAML")]
    NotYaml(#[source] serde_yaml_ng::Error),
    /// A part of the template cannot be used.
    #[error("{at}: {problem}")]
    Invalid {
        /// The logical id and the path of the property, as `CreateOrderFunction.Timeout`.
        at: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl TemplateError {
    pub(crate) fn new(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { at: at.into(), problem: problem.into() }
    }
}

impl Template {
    /// Reads a template file. `overrides` are values of parameters, by name.
    ///
    /// # Errors
    /// When the file cannot be read, is not YAML, or holds something that cannot be run; the error names
    /// the logical id and the property.
    pub fn load(path: &Path, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| TemplateError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, overrides)
    }

    /// Reads a template's text: see [`Template::load`].
    ///
    /// # Errors
    /// As [`Template::load`].
    pub fn parse(text: &str, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let root: Value = serde_yaml_ng::from_str(text).map_err(TemplateError::NotYaml)?;
        let mut resolver = Resolver::new(&root, overrides)?;
        let resources = resolver.resources(&root)?;
        for (id, resource) in &resources {
            let kind = Kind::of(id, &resource.kind)?;
            let name = resolver.physical_name(id, kind, resource.properties)?;
            resolver.define(id, Named { kind, name });
            if kind == Kind::Function {
                let role = names::role_of(id);
                resolver.define(&role, Named { kind: Kind::Role, name: role.clone() });
            }
        }
        let mut template = Self::default();
        let globals = function::Globals::read(&root, &resolver)?;
        for (id, resource) in &resources {
            template.read(id, resource.properties, &resolver, &globals)?;
        }
        messaging::subscribe(&mut template.topics, &resources, &resolver)?;
        mail::attach(&mut template.configuration_sets, &resources, &resolver)?;
        template.distribution = distribution::read(&resources, &resolver)?;
        policy::attach(&mut template.topics, &mut template.queues, &resources, &resolver)?;
        template.check()?;
        Ok(template)
    }

    fn read(
        &mut self,
        id: &str,
        value: Option<&Value>,
        resolver: &Resolver<'_>,
        globals: &function::Globals,
    ) -> Result<(), TemplateError> {
        let Some(named) = resolver.named(id) else { return Ok(()) };
        let properties = || resolver.properties(id, value);
        let name = named.name.clone();
        let id = id.to_owned();
        match named.kind {
            Kind::Table => drop(self.tables.insert(id, Table::read(name, properties()?)?)),
            Kind::Topic => drop(self.topics.insert(id, Topic::read(name, properties()?)?)),
            Kind::Queue => drop(self.queues.insert(id, Queue::read(name, properties()?, resolver)?)),
            Kind::Secret => drop(self.secrets.insert(id, Secret::read(name, properties()?)?)),
            Kind::ConfigurationSet => {
                drop(self.configuration_sets.insert(id, ConfigurationSet::read(name, properties()?)?));
            }
            Kind::Role => drop(self.roles.insert(id, names::role_arn(&name))),
            Kind::Function => {
                let function = Function::read(&id, name, value, resolver, globals)?;
                self.functions.insert(id, function);
            }
            Kind::HttpApi => self.cors = Cors::read(&id, value, resolver)?,
            Kind::EventDestination
            | Kind::Subscription
            | Kind::CachePolicy
            | Kind::OriginRequestPolicy
            | Kind::EdgeFunction
            | Kind::Distribution
            | Kind::NotRun => {}
        }
        Ok(())
    }

    /// What one resource says of another must hold: routes are unique, streams exist, and policies let through
    /// what the template wires.
    fn check(&self) -> Result<(), TemplateError> {
        for (id, topic) in &self.topics {
            let by_topic = Asking::Service { name: policy::SNS, source: &topic_arn(&topic.name) };
            for subscription in &topic.subscriptions {
                let queue = self.queues.get(&subscription.queue);
                let decision = queue.map(|queue| queue.policy.decision(by_topic, "sqs:SendMessage"));
                if decision != Some(Decision::Allowed) {
                    let problem =
                        format!("no policy of {} lets {id} send: nothing would arrive", subscription.queue);
                    return Err(TemplateError::new(&subscription.id, problem));
                }
            }
        }
        for set in self.configuration_sets.values() {
            let by_set = Asking::Service { name: policy::SES, source: &configuration_set_arn(&set.name) };
            for destination in &set.destinations {
                let topic = self.topics.get(&destination.topic);
                let decision = topic.map(|topic| topic.policy.decision(by_set, "sns:Publish"));
                if decision != Some(Decision::Allowed) {
                    let problem =
                        format!("no policy of {} lets SES publish: nothing would arrive", destination.topic);
                    return Err(TemplateError::new(&destination.id, problem));
                }
            }
        }
        let mut routes: BTreeMap<(String, String), &str> = BTreeMap::new();
        for (id, function) in &self.functions {
            for (event_id, event) in &function.events {
                let at = || format!("{id}.Events.{event_id}");
                match event {
                    Event::Http { method, path } => {
                        if let Some(other) = routes.insert((method.clone(), path.clone()), id) {
                            let problem = format!("{method} {path} is also a route of {other}");
                            return Err(TemplateError::new(at(), problem));
                        }
                    }
                    Event::Stream(stream) => {
                        if self.tables.get(&stream.table).is_none_or(|table| table.stream.is_none()) {
                            let problem = format!("{} has no StreamSpecification", stream.table);
                            return Err(TemplateError::new(at(), problem));
                        }
                        self.check_destination(function, stream).map_err(|problem| {
                            TemplateError::new(format!("{}.DestinationConfig", at()), problem)
                        })?;
                    }
                    Event::Sqs(event) => {
                        let by_role = Asking::Identity(&function.role);
                        let policy = self.queues.get(&event.queue).map(|queue| &queue.policy);
                        if policy.map(|policy| policy.decision(by_role, "sqs:ReceiveMessage"))
                            == Some(Decision::Denied)
                        {
                            let problem = format!("a policy of {} denies it to receive", event.queue);
                            return Err(TemplateError::new(at(), problem));
                        }
                    }
                    Event::Schedule { .. } => {}
                }
            }
        }
        Ok(())
    }

    /// Lambda sends what a mapping gives up with the function's own role.
    fn check_destination(&self, function: &Function, stream: &StreamEvent) -> Result<(), String> {
        let by_role = Asking::Identity(&function.role);
        let queue = stream.on_failure.as_ref().and_then(|id| self.queues.get(id));
        match queue.map(|queue| queue.policy.decision(by_role, "sqs:SendMessage")) {
            Some(Decision::Denied) => Err("a policy of it denies the function to send there".to_owned()),
            _ => Ok(()),
        }
    }
}

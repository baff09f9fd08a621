//! `AWS::Serverless::Function`, with the template's globals merged in.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;
use serde_yaml_ng::Value;

use super::intrinsic::Resolver;
use super::{Event, Grants, Properties, TemplateError, names};

/// Lambda's own defaults.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);
const DEFAULT_MEMORY: u32 = 128;

/// What `Globals.Function` sets for every function.
#[derive(Debug, Default)]
pub(super) struct Globals {
    timeout: Option<Duration>,
    memory: Option<u32>,
    variables: BTreeMap<String, String>,
}

/// A function and what calls it.
#[derive(Clone, Debug)]
pub struct Function {
    /// The one name of the function, `create-order`: the last part of `CodeUri`.
    pub name: String,
    pub(crate) physical_name: String,
    pub(crate) arn: String,
    /// How long one invocation may take.
    pub(crate) timeout: Duration,
    /// The memory, in MB; told to the function, not enforced.
    pub(crate) memory: u32,
    /// How many environments may run at once, where the template limits them.
    pub(crate) reserved_concurrency: Option<u32>,
    /// The environment variables.
    pub environment: BTreeMap<String, String>,
    /// The ARN of the role that it has.
    pub(crate) role: String,
    /// What it may do.
    pub grants: Grants,
    /// What calls it, by the event's name.
    pub events: BTreeMap<String, Event>,
}

impl Globals {
    pub(super) fn read(root: &Value, resolver: &Resolver<'_>) -> Result<Self, TemplateError> {
        let section = root.get("Globals").and_then(|globals| globals.get("Function"));
        let mut used = part(section, "Globals.Function", resolver)?;
        Ok(Self {
            timeout: used.seconds("Timeout", 1, 900)?,
            memory: used.count("MemorySize", 128, 10_240)?,
            variables: variables(&mut used)?,
        })
    }
}

impl Function {
    pub(super) fn read(
        id: &str,
        physical_name: String,
        value: Option<&Value>,
        resolver: &Resolver<'_>,
        globals: &Globals,
    ) -> Result<Self, TemplateError> {
        let mut used = part(value, id, resolver)?;
        let code = used.required_text("CodeUri")?;
        let name = code.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(used.error("CodeUri", "names no folder"));
        }
        let mut environment = globals.variables.clone();
        environment.extend(variables(&mut used)?);
        let events = value.and_then(|value| value.get("Events"));
        let events = resolver.properties(&format!("{id}.Events"), events)?;
        let events: Result<_, _> = events
            .into_entries()
            .map(|(event_id, event)| {
                let at = format!("{id}.Events.{event_id}");
                Ok((event_id, Event::read(Properties::new(at, event)?, resolver)?))
            })
            .collect();
        Ok(Self {
            name,
            arn: names::function_arn(&physical_name),
            role: names::role_arn(&names::role_of(id)),
            physical_name,
            timeout: used.seconds("Timeout", 1, 900)?.or(globals.timeout).unwrap_or(DEFAULT_TIMEOUT),
            memory: used.count("MemorySize", 128, 10_240)?.or(globals.memory).unwrap_or(DEFAULT_MEMORY),
            reserved_concurrency: used.count("ReservedConcurrentExecutions", 0, 1000)?,
            environment,
            grants: Grants::read(&mut used)?,
            events: events?,
        })
    }
}

/// The properties that matter here. The others (tracing, logs) are not even resolved: they may use any
/// attribute of any resource.
fn part(value: Option<&Value>, at: &str, resolver: &Resolver<'_>) -> Result<Properties, TemplateError> {
    let mut used = serde_json::Map::new();
    for name in
        ["CodeUri", "Environment", "MemorySize", "Policies", "ReservedConcurrentExecutions", "Timeout"]
    {
        let Some(property) = value.and_then(|value| value.get(name)) else { continue };
        if let Some(property) = resolver.resolve(property, &format!("{at}.{name}"))? {
            used.insert(name.to_owned(), property);
        }
    }
    Properties::new(at, Json::Object(used))
}

fn variables(used: &mut Properties) -> Result<BTreeMap<String, String>, TemplateError> {
    let Some(mut environment) = used.child("Environment")? else { return Ok(BTreeMap::new()) };
    let Some(variables) = environment.child("Variables")? else { return Ok(BTreeMap::new()) };
    let at = variables.at().to_owned();
    variables
        .into_entries()
        .map(|(name, value)| match value {
            Json::String(text) => Ok((name, text)),
            Json::Number(number) => Ok((name, number.to_string())),
            Json::Bool(value) => Ok((name, value.to_string())),
            _ => Err(TemplateError::new(format!("{at}.{name}"), "is not a text")),
        })
        .collect()
}

//! The template as JSON, with CloudFormation's short tags in their long form, and what the checks ask of it.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

/// A SAM template.
#[derive(Debug)]
pub struct Template {
    root: Value,
}

/// A function of the template, with what `Globals` adds to it.
#[derive(Clone, Copy, Debug)]
pub struct Function<'a> {
    /// Its logical id.
    pub id: &'a str,
    properties: &'a Value,
    globals: &'a Value,
}

/// A statement of a policy. Resources are written as `Fn::Sub` would write them: `${OrdersTable.Arn}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// `Allow` or `Deny`.
    pub effect: String,
    /// The actions.
    pub actions: Vec<String>,
    /// The resources.
    pub resources: Vec<String>,
    /// What the partition keys of a call must be like, where the statement has that condition.
    pub keys: Vec<String>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The text is not YAML, or uses a tag that CloudFormation does not know.
    pub fn parse(text: &str) -> Result<Self> {
        let yaml = serde_yaml_ng::from_str(text).context("the template is not YAML")?;
        Ok(Self { root: long_form(yaml)? })
    }

    /// All resources of a type: logical id and properties.
    pub fn of_type<'a>(&'a self, kind: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        members(&self.root["Resources"])
            .filter(move |(_, resource)| resource["Type"] == kind)
            .map(|(id, resource)| (id, &resource["Properties"]))
    }

    /// The types of all resources.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        members(&self.root["Resources"]).filter_map(|(_, resource)| resource["Type"].as_str())
    }

    /// All resources: logical id, type and properties.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        members(&self.root["Resources"])
            .filter_map(|(id, resource)| Some((id, resource["Type"].as_str()?, &resource["Properties"])))
    }

    /// All resources, each whole.
    pub fn resources(&self) -> impl Iterator<Item = &Value> {
        members(&self.root["Resources"]).map(|(_, resource)| resource)
    }

    /// A resource, whole: `Type`, `Properties` and the rest.
    #[must_use]
    pub fn resource(&self, id: &str) -> &Value {
        &self.root["Resources"][id]
    }

    /// All functions.
    #[must_use]
    pub fn functions(&self) -> Vec<Function<'_>> {
        let globals = &self.root["Globals"]["Function"];
        self.of_type("AWS::Serverless::Function")
            .map(|(id, properties)| Function { id, properties, globals })
            .collect()
    }

    /// The event sources of a type, each with the function that it calls.
    #[must_use]
    pub fn sources(&self, kind: &str) -> Vec<(Function<'_>, &Value)> {
        let mut found = Vec::new();
        for function in self.functions() {
            for (_, event) in members(&function.properties["Events"]) {
                if event["Type"] == kind {
                    found.push((function, &event["Properties"]));
                }
            }
        }
        found
    }

    /// The names of the parameters.
    #[must_use]
    pub fn parameters(&self) -> BTreeSet<&str> {
        members(&self.root["Parameters"]).map(|(name, _)| name).collect()
    }

    /// The rules that hold parameters to each other, by their names.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &Value)> {
        members(&self.root["Rules"])
    }

    /// A condition, as it is written.
    #[must_use]
    pub fn condition(&self, name: &str) -> &Value {
        &self.root["Conditions"][name]
    }

    /// A parameter's default, as text.
    #[must_use]
    pub fn default_of(&self, parameter: &str) -> Option<String> {
        let default = &self.root["Parameters"][parameter]["Default"];
        default.as_str().map(str::to_owned).or_else(|| default.as_u64().map(|number| number.to_string()))
    }

    /// The largest number that a value can be: itself, or where it is a parameter, that parameter's
    /// `MaxValue`.
    #[must_use]
    pub fn largest(&self, value: &Value) -> Option<u64> {
        let parameter = value["Ref"].as_str().map(|name| &self.root["Parameters"][name]["MaxValue"]);
        parameter.unwrap_or(value).as_u64()
    }
}

impl<'a> Function<'a> {
    /// A property of the function, or else of `Globals`.
    #[must_use]
    pub fn property(&self, name: &str) -> &'a Value {
        if self.properties[name].is_null() { &self.globals[name] } else { &self.properties[name] }
    }

    /// Whether the API calls it, and nothing else does.
    #[must_use]
    pub fn is_route(&self) -> bool {
        let mut events = members(&self.properties["Events"]).peekable();
        events.peek().is_some() && events.all(|(_, event)| event["Type"] == "HttpApi")
    }

    /// Whether all that calls it is a table's stream.
    #[must_use]
    pub fn is_relay(&self) -> bool {
        let mut events = members(&self.properties["Events"]).peekable();
        events.peek().is_some() && events.all(|(_, event)| event["Type"] == "DynamoDB")
    }

    /// The names of the environment variables that its own stanza sets.
    #[must_use]
    pub fn own_variables(&self) -> BTreeSet<&'a str> {
        members(&self.properties["Environment"]["Variables"]).map(|(name, _)| name).collect()
    }

    /// The names of its environment variables, those of all functions among them.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<&'a str> {
        let own = &self.properties["Environment"]["Variables"];
        let common = &self.globals["Environment"]["Variables"];
        members(own).chain(members(common)).map(|(name, _)| name).collect()
    }

    /// The statements of its own policies. A policy that is no document of statements (a SAM policy
    /// template, a managed policy's name) has none.
    #[must_use]
    pub fn statements(&self) -> Vec<Statement> {
        list(&self.properties["Policies"]).iter().flat_map(statements).collect()
    }

    /// The policies as they are written.
    #[must_use]
    pub fn policies(&self) -> &'a Value {
        &self.properties["Policies"]
    }
}

/// The statements of a policy document, those of both sides where a condition decides.
#[must_use]
pub fn statements(document: &Value) -> Vec<Statement> {
    either(&document["Statement"])
        .into_iter()
        .map(|statement| Statement {
            effect: render(&statement["Effect"]),
            actions: list(&statement["Action"]).iter().map(render).collect(),
            resources: either(&statement["Resource"]).into_iter().map(render).collect(),
            keys: list(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
                .iter()
                .map(render)
                .collect(),
        })
        .collect()
}

/// The values of a list, those of both sides where a condition decides.
fn either<'a>(value: &'a Value) -> Vec<&'a Value> {
    let sides = |value: &'a Value| match &value["Fn::If"] {
        Value::Array(sides) => sides.iter().skip(1).flat_map(either).collect(),
        _ => vec![value],
    };
    let is_something = |value: &&Value| value["Ref"] != "AWS::NoValue";
    list(value).iter().flat_map(sides).filter(is_something).collect()
}

/// A value that may stand alone or in a list, as a list.
#[must_use]
pub fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

/// The members of an object, or nothing.
pub fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The logical id that a `Ref`, or a `GetAtt` of `attribute`, names.
#[must_use]
pub fn refers<'a>(value: &'a Value, attribute: Option<&str>) -> Option<&'a str> {
    match attribute {
        None => value["Ref"].as_str(),
        Some(attribute) => (value["Fn::GetAtt"][1] == attribute).then(|| value["Fn::GetAtt"][0].as_str())?,
    }
}

/// A value as `Fn::Sub` would write it.
#[must_use]
pub fn render(value: &Value) -> String {
    if let Some(text) = value.as_str().or_else(|| value["Fn::Sub"].as_str()) {
        return text.to_owned();
    }
    if let Some(id) = value["Ref"].as_str() {
        return format!("${{{id}}}");
    }
    match (value["Fn::GetAtt"][0].as_str(), value["Fn::GetAtt"][1].as_str()) {
        (Some(id), Some(attribute)) => format!("${{{id}.{attribute}}}"),
        _ => value.to_string(),
    }
}

/// YAML with short tags to JSON with long names: `!Ref X` is `{"Ref": "X"}`.
fn long_form(yaml: Yaml) -> Result<Value> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => json!(value),
        Yaml::Number(value) => serde_json::to_value(value)?,
        Yaml::String(value) => json!(value),
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(long_form).collect::<Result<_>>()?),
        Yaml::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping {
                let key = key.as_str().context("a key is not a string")?.to_owned();
                object.insert(key, long_form(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let value = long_form(tagged.value)?;
            match tag.as_str() {
                "!Ref" => json!({ "Ref": value }),
                "!GetAtt" => {
                    let text = value.as_str().context("!GetAtt of what is not a string")?;
                    let (id, attribute) = text.split_once('.').context("!GetAtt without an attribute")?;
                    json!({ "Fn::GetAtt": [id, attribute] })
                }
                "!Condition" => json!({ "Condition": value }),
                "!And" | "!Contains" | "!Equals" | "!If" | "!Not" | "!Or" | "!Split" | "!Sub" => {
                    json!({ format!("Fn::{}", &tag[1..]): value })
                }
                _ => bail!("the template is to use ordinary constructs only, not {tag}"),
            }
        }
    })
}

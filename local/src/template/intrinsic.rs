//! The intrinsic functions that template.yaml uses: `!Ref`, `!Sub`, `!GetAtt`, `!If` and `!Split`, in their short form.
//!
//! Values are resolved where they are used. What nothing here uses is never resolved, so it may use any
//! function or attribute.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use serde_yaml_ng::{Mapping, Value};

use super::names::{ACCOUNT, Kind, Named, REGION};
use super::{Properties, TemplateError, parameters};

/// A resource as the template has it.
#[derive(Debug)]
pub(super) struct Resource<'a> {
    pub(super) kind: String,
    pub(super) properties: Option<&'a Value>,
}

/// Knows what every name of the template stands for.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    parameters: BTreeMap<String, String>,
    pub(super) conditions: Option<&'a Mapping>,
    resources: BTreeMap<String, Named>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(root: &'a Value, overrides: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let section = |name: &str| root.get(name).and_then(Value::as_mapping);
        Ok(Self {
            parameters: parameters::read(section("Parameters"), overrides)?,
            conditions: section("Conditions"),
            resources: BTreeMap::new(),
        })
    }

    /// The resources whose conditions hold, by logical id.
    pub(super) fn resources(&self, root: &'a Value) -> Result<BTreeMap<String, Resource<'a>>, TemplateError> {
        let section = root.get("Resources").and_then(Value::as_mapping);
        let Some(section) = section else { return Err(TemplateError::new("Resources", "is missing")) };
        let mut resources = BTreeMap::new();
        for (id, resource) in section {
            let Some(id) = id.as_str() else {
                return Err(TemplateError::new("Resources", "has a key that is no string"));
            };
            let Some(kind) = resource.get("Type").and_then(Value::as_str) else {
                return Err(TemplateError::new(format!("{id}.Type"), "is missing"));
            };
            if let Some(condition) = resource.get("Condition").and_then(Value::as_str)
                && !self.holds(condition, id)?
            {
                continue;
            }
            let resource = Resource { kind: kind.to_owned(), properties: resource.get("Properties") };
            resources.insert(id.to_owned(), resource);
        }
        Ok(resources)
    }

    pub(super) fn define(&mut self, id: &str, named: Named) {
        self.resources.insert(id.to_owned(), named);
    }

    pub(super) fn named(&self, id: &str) -> Option<&Named> {
        self.resources.get(id)
    }

    /// The logical id of the resource of a kind that an attribute (`Arn`) or a reference (`Ref`) names.
    pub(super) fn target(&self, kind: Kind, value: &str) -> Option<&str> {
        let names = |named: &Named| {
            named.kind == kind
                && (named.reference() == value
                    || ["Arn", "StreamArn"]
                        .iter()
                        .any(|attribute| named.attribute(attribute).as_deref() == Some(value)))
        };
        self.resources.iter().find(|(_, named)| names(named)).map(|(id, _)| id.as_str())
    }

    /// The name that a resource's own property sets; its logical id where none does.
    pub(super) fn physical_name(
        &self,
        id: &str,
        kind: Kind,
        properties: Option<&Value>,
    ) -> Result<String, TemplateError> {
        let Some(property) = kind.name_property() else { return Ok(id.to_owned()) };
        let Some(value) = properties.and_then(|properties| properties.get(property)) else {
            return Ok(id.to_owned());
        };
        let at = format!("{id}.{property}");
        match self.resolve(value, &at)? {
            None => Ok(id.to_owned()),
            Some(Json::String(name)) if !name.is_empty() => Ok(name),
            Some(_) => Err(TemplateError::new(at, "is not a string")),
        }
    }

    pub(super) fn properties(&self, at: &str, value: Option<&Value>) -> Result<Properties, TemplateError> {
        let value = match value {
            Some(value) => self.resolve(value, at)?,
            None => None,
        };
        Properties::new(at, value.unwrap_or(Json::Null))
    }

    /// A value with every intrinsic function replaced; none where it is `AWS::NoValue`.
    pub(super) fn resolve(&self, value: &Value, at: &str) -> Result<Option<Json>, TemplateError> {
        match value {
            Value::Null => Ok(Some(Json::Null)),
            Value::Bool(value) => Ok(Some(Json::from(*value))),
            Value::Number(number) => serde_json::to_value(number)
                .map(Some)
                .map_err(|_| TemplateError::new(at, "is a number without a value")),
            Value::String(text) => Ok(Some(Json::from(text.as_str()))),
            Value::Sequence(values) => {
                let mut list = Vec::with_capacity(values.len());
                for (place, value) in values.iter().enumerate() {
                    list.extend(self.resolve(value, &format!("{at}.{place}"))?);
                }
                Ok(Some(Json::Array(list)))
            }
            Value::Mapping(mapping) => self.resolve_mapping(mapping, at).map(Some),
            Value::Tagged(tagged) => {
                let tag = tagged.tag.to_string();
                let name = tag.trim_start_matches('!');
                self.call(name, &tagged.value, at)
            }
        }
    }

    fn resolve_mapping(&self, mapping: &Mapping, at: &str) -> Result<Json, TemplateError> {
        let mut object = Map::new();
        for (key, value) in mapping {
            let Some(key) = parameters::text(key) else {
                return Err(TemplateError::new(at, "has a key that is no string"));
            };
            if key == "Ref" || key.starts_with("Fn::") {
                return Err(TemplateError::new(at, format!("{key}: the long form is not known here")));
            }
            if let Some(value) = self.resolve(value, &format!("{at}.{key}"))? {
                object.insert(key, value);
            }
        }
        Ok(Json::Object(object))
    }

    fn call(&self, name: &str, argument: &Value, at: &str) -> Result<Option<Json>, TemplateError> {
        match name {
            "Ref" => match argument.as_str() {
                Some("AWS::NoValue") => Ok(None),
                Some(id) => self.reference(id, at).map(|text| Some(Json::from(text))),
                None => Err(TemplateError::new(at, "Ref takes a name")),
            },
            "GetAtt" | "Sub" => {
                let Some(text) = argument.as_str() else {
                    return Err(TemplateError::new(at, format!("{name} takes a text")));
                };
                let text = if name == "Sub" { self.substitute(text, at) } else { self.attribute(text, at) };
                text.map(|text| Some(Json::from(text)))
            }
            "If" => match argument.as_sequence().map(Vec::as_slice) {
                Some([condition, yes, no]) => {
                    let Some(condition) = condition.as_str() else {
                        return Err(TemplateError::new(at, "If takes the name of a condition"));
                    };
                    self.resolve(if self.holds(condition, at)? { yes } else { no }, at)
                }
                _ => Err(TemplateError::new(at, "If takes a condition and two values")),
            },
            "Split" => match argument.as_sequence().map(Vec::as_slice) {
                Some([separator, text]) => {
                    let (separator, text) = (self.text(separator, at)?, self.text(text, at)?);
                    Ok(Some(text.split(&separator).map(Json::from).collect()))
                }
                _ => Err(TemplateError::new(at, "Split takes a separator and a text")),
            },
            other => Err(TemplateError::new(at, format!("the function {other} is not known here"))),
        }
    }

    fn reference(&self, name: &str, at: &str) -> Result<String, TemplateError> {
        let pseudo = pseudo_parameter(name).map(str::to_owned);
        let known = pseudo.or_else(|| self.parameters.get(name).cloned());
        known
            .or_else(|| self.resources.get(name).map(Named::reference))
            .ok_or_else(|| TemplateError::new(at, format!("{name} is neither a resource nor a parameter")))
    }

    fn attribute(&self, path: &str, at: &str) -> Result<String, TemplateError> {
        let Some((id, name)) = path.split_once('.') else {
            return Err(TemplateError::new(at, "GetAtt takes a resource and an attribute"));
        };
        let Some(named) = self.resources.get(id) else {
            return Err(TemplateError::new(at, format!("{id} is no resource")));
        };
        named
            .attribute(name)
            .ok_or_else(|| TemplateError::new(at, format!("{id} has no attribute {name} here")))
    }

    fn substitute(&self, text: &str, at: &str) -> Result<String, TemplateError> {
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                return Err(TemplateError::new(at, "Sub has a ${ without an end"));
            };
            rest = after;
            let value =
                if name.contains('.') { self.attribute(name, at)? } else { self.reference(name, at)? };
            result.push_str(&value);
        }
        result.push_str(rest);
        Ok(result)
    }

    pub(super) fn text(&self, value: &Value, at: &str) -> Result<String, TemplateError> {
        match self.resolve(value, at)? {
            Some(Json::String(text)) => Ok(text),
            Some(Json::Number(number)) => Ok(number.to_string()),
            Some(Json::Bool(value)) => Ok(value.to_string()),
            _ => Err(TemplateError::new(at, "is not a text")),
        }
    }
}

fn pseudo_parameter(name: &str) -> Option<&'static str> {
    match name {
        "AWS::Region" => Some(REGION),
        "AWS::AccountId" => Some(ACCOUNT),
        "AWS::Partition" => Some("aws"),
        "AWS::StackName" => Some("shop"),
        "AWS::URLSuffix" => Some("amazonaws.com"),
        _ => None,
    }
}
